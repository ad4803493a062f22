"""Slots of forms that would take a sticker for an answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_whatsapp_channel.domain.read import read_domains
from rasa_whatsapp_channel.inbound.intents import wordless_intents
from rasa_whatsapp_channel.lint.check import Linter
from rasa_whatsapp_channel.lint.rules import Finding
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

ALL = wordless_intents({})
HEAD = "slots:\n  street:\n    type: text\n    mappings:\n"
FORM = "forms:\n  address_form:\n    required_slots: [street]\n"
IN_FORM = "      conditions: [{active_loop: address_form, requested_slot: street}]\n"
TAKES = "    - type: from_text\n"


def found(tmp_path: Path, text: str, wordless: tuple[str, ...] = ALL) -> list[Finding]:
    (tmp_path / "domain.yml").write_text(text)
    [domain] = read_domains([tmp_path / "domain.yml"])
    findings = Linter(domain, [CLOUD], wordless=wordless).findings()
    return [finding for finding in findings if finding.code == "WA620"]


@pytest.mark.parametrize("conditions", ["", IN_FORM])
def test_a_slot_that_takes_every_turn_is_named_with_the_remedies(
    tmp_path: Path, conditions: str
) -> None:
    (finding,) = found(tmp_path, HEAD + TAKES + conditions + FORM)

    assert (finding.level.value, finding.line) == ("warning", 5)
    assert finding.text == (
        "the slot street takes whatsapp_image, whatsapp_video, whatsapp_audio and 9 more for an "
        "answer; list what is none in not_intent or in ignored_intents of address_form, or let "
        "`inbound:` in credentials.yml make events of it"
    )


def test_what_is_no_turn_is_not_named(tmp_path: Path) -> None:
    words = dict.fromkeys(("video", "audio", "document", "contacts", "order", "flow"), "event")
    words["payment"] = "event"
    words |= dict.fromkeys(("sticker", "location", "unsupported", "image"), "ignore")

    (finding,) = found(tmp_path, HEAD + TAKES + FORM, wordless_intents(words))
    nothing = found(tmp_path, HEAD + TAKES + FORM, wordless_intents({**words, "voice": "spoken"}))

    assert finding.text.startswith("the slot street takes whatsapp_voice for an answer; ")
    assert nothing == []


def test_the_intent_for_failures_is_no_answer_either(tmp_path: Path) -> None:
    names = wordless_intents({}, "message_failed")
    ignored = f"    ignored_intents: [{', '.join(ALL)}]\n"

    (finding,) = found(tmp_path, HEAD + TAKES + FORM + ignored, names)

    assert finding.text.startswith("the slot street takes message_failed for an answer; ")


@pytest.mark.parametrize(
    "domain",
    [
        HEAD + TAKES + f"      not_intent: [{', '.join(ALL)}]\n" + FORM,
        HEAD + TAKES + "      intent: street\n" + FORM,
        HEAD + TAKES + IN_FORM + FORM + f"    ignored_intents: [{', '.join(ALL)}]\n",
        HEAD + TAKES + FORM + f"    ignored_intents: [{', '.join(ALL)}]\n",
        HEAD
        + TAKES
        + f"      not_intent: [{', '.join(ALL[:5])}]\n"
        + IN_FORM
        + FORM
        # what the slot does not refuse, the form does
        + f"    ignored_intents: [{', '.join(ALL[5:])}]\n",
        HEAD + "    - type: custom\n" + FORM,
        HEAD + TAKES,  # no form asks for it
        HEAD + "    - type: from_text # whatsapp: ignore WA620\n" + FORM,
    ],
)
def test_a_slot_that_takes_words_only_is_no_matter(tmp_path: Path, domain: str) -> None:
    assert found(tmp_path, domain) == []


@pytest.mark.parametrize(
    "rest",
    [
        "slots:\n  street: text\n",
        "slots:\n  street: {mappings: from_text}\n",
        "slots:\n  street: {mappings: [from_text, 5]}\n",
        "slots:\n  street: {mappings: [{type: from_text, conditions: x}]}\nforms: [a]\n",
        "slots:\n  street: {mappings: [{type: from_text, conditions: [x, {active_loop: 5}]}]}\n",
        "slots: {a: {mappings: [{type: from_text}]}}\nforms: {a: b, c: {required_slots: 5}}\n",
    ],
)
def test_what_rasa_would_refuse_breaks_nothing(tmp_path: Path, rest: str) -> None:
    assert len(found(tmp_path, rest)) <= 1
