"""What the linter says of Rasa is what Rasa does, 3.6 or Pro, whichever is installed."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp_channel.domain import marked
from rasa_whatsapp_channel.domain.slots import BracesError, fill_text, read_braces
from rasa_whatsapp_channel.lint.schema import CHANNELS, check_schema

VARIATIONS = """
- {text: hi}
- {text: 5}
- {text: null}
- {text: ""}
- {image: x.jpg}
- {buttons: [{title: a, payload: b}]}
- {text: hi, image: null}
- {text: hi, image: [a]}
- {text: hi, document: {link: a}}
- {text: hi, caption: a}
- {text: hi, attachment: "a.pdf"}
- {text: hi, attachment: {}}
- {custom: {}}
- {custom: [a]}
- {custom: {a: 1}}
- {text: hi, custom: [a]}
- {text: hi, buttons: {title: a}}
- {text: hi, buttons: [a]}
- {text: hi, buttons: []}
- {text: hi, buttons: [null]}
- {text: hi, buttons: [{}]}
- {text: hi, buttons: [{title: 5, payload: a}]}
- {text: hi, buttons: [{title: a, payload: null}]}
- {text: hi, buttons: [{title: true, payload: a}]}
- {text: hi, buttons: [{title: a, payload: {a: 1}}]}
- {text: hi, buttons: [{title: a, payload: b, url: 5, x: [1]}]}
- {text: hi, quick_replies: [{title: 5}]}
- {text: hi, elements: [a]}
- {text: hi, elements: {a: 1}}
- {text: hi, elements: [{a: 1}]}
- {text: hi, channel: 5}
- {text: hi, id: 5}
- {text: hi, button_type: 5}
- {text: hi, metadata: 5}
- {text: hi, translation: 5}
- {text: hi, allow_interruptions: "x"}
- {text: hi, condition: [{type: slot, name: a, value: 1}]}
- {text: hi, 5: a}
- {}
"""
TRANSLATIONS = """
- {text: hi, translation: {de: 5}}
- {text: hi, translation: {de: {text: hallo}}}
- {text: hi, translation: {de: hallo, fr: null}}
- {text: hi, buttons: [{title: a, payload: b, translation: {de: {title: c}}}]}
- {text: hi, buttons: [{title: a, payload: b, translation: {de: {title: c, payload: null}}}]}
- {text: hi, buttons: [{title: a, payload: b, translation: {de: {title: 5}}}]}
- {text: hi, buttons: [{title: a, payload: b, translation: {de: c}}]}
- {text: hi, buttons: [{title: a, payload: b, translation: {de: null}}]}
- {text: hi, buttons: [{title: a, payload: b, translation: c}]}
- {text: hi, quick_replies: [{title: a, payload: b, translation: {de: c}}]}
"""
TEXTS = [
    "Hello {name}",
    "${name}",
    '/ask{{"room": "terrace"}}',
    '/ask{{"who": "{name}"}}',
    '/ask{"room": "terrace"}',
    '/ask{"who": "{name}"}',
    "{{name}}",
    "{{braces}} and {name}",
    "{nme} {name}",
    "{name.first}",
    "{name!r} {name:>5}",
    "{ name }",
    "Bye :-}",
    "a { b",
    "{name",
    "{a{b}",
]


@pytest.fixture(scope="module")
def rasa() -> Any:
    return pytest.importorskip("rasa.shared.core.domain")


@pytest.mark.parametrize("line", VARIATIONS.strip().splitlines())
@pytest.mark.filterwarnings("ignore")
def test_rasa_refuses_what_the_linter_says_it_refuses(rasa: Any, line: str) -> None:
    [variation] = marked.parse(line, "domain.yml").value
    refused = bool(list(check_schema(variation)))

    assert loads(rasa, f'version: "3.1"\nresponses:\n  utter_it:\n  {line}\n') is not refused


@pytest.mark.needs("rasa.core.nlg.translate:has_translation")
@pytest.mark.parametrize("line", TRANSLATIONS.strip().splitlines())
@pytest.mark.filterwarnings("ignore")
def test_rasa_pro_refuses_the_translations_that_the_linter_says(rasa: Any, line: str) -> None:
    test_rasa_refuses_what_the_linter_says_it_refuses(rasa, line)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.filterwarnings("ignore")
def test_rasa_makes_the_same_of_braces(rasa: Any, text: str) -> None:
    interpolator = pytest.importorskip("rasa.core.nlg.interpolator")
    fill = (
        getattr(interpolator, "interpolate_format_template", None) or interpolator.interpolate_text
    )
    try:
        sent = fill(text, {"name": "Ada"})
    except ValueError:
        sent = None

    assert ours(text) == sent
    if sent is None:
        with pytest.raises(BracesError):
            read_braces(text)


@pytest.mark.filterwarnings("ignore")
def test_every_channel_of_rasa_is_known() -> None:
    channels = pytest.importorskip("rasa.core.channels")

    assert set(channels.BUILTIN_CHANNELS) <= CHANNELS


def loads(rasa: Any, text: str) -> bool:
    try:
        rasa.Domain.from_yaml(text)
    except Exception:  # each Rasa has its own
        return False
    return True


def ours(text: str) -> str | None:
    try:
        return fill_text(text, {"name": "Ada"})
    except BracesError:
        return None
