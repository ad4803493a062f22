"""
Templates of a bot: the responses that are templates, and those that templates.yml has.

A response is one with `whatsapp.template` that names none. Its text is the body and the slots in it
are the variables; image or attachment are the header, buttons the buttons. Rasa fills slots into
`custom` only, so it stands there where the text has slots:

    utter_shipped:
    - text: "Hello {name}, your order is on its way"
      image: "media/parcel.jpg"
      buttons: [{title: "Thanks", payload: "/thank"}]
      custom:
        whatsapp: {template: {category: utility, language: en_US, body: {name: "{name}"},
                              examples: {name: Ada}}}
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from io import StringIO
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.compose.markdown import to_whatsapp
from rasa_whatsapp_channel.compose.style import style_of
from rasa_whatsapp_channel.compose.template import SOURCES, is_own, own_file, own_name
from rasa_whatsapp_channel.domain.marked import DomainError, parse
from rasa_whatsapp_channel.domain.read import Domain, Slot, Variation, read_domains, read_text
from rasa_whatsapp_channel.domain.slots import names_in
from rasa_whatsapp_channel.plain_yaml import plain_yaml
from rasa_whatsapp_channel.templates import Written
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.template_definitions import (
    NAMED,
    POSITIONAL,
    TemplateDefinition,
    read_part,
)
from rasa_whatsapp_channel.whatsapp.template_rules import Flaw

NAME: Final = "templates.yml"
CHANNELS: Final = (None, "whatsapp")
_HEAD: Final = "# Templates without a response: rasa-whatsapp templates pull | push\n"
_SLOT: Final = re.compile(r"\{([^{}\n]+)\}")
_PHONES: Final = ("phone_number", "phone")


def read_bot(root: Path) -> list[Written]:
    """Return all templates of the bot in *root*. Raises `DomainError`."""
    responses = [each for domain in read_domains([root]) for each in read_responses(domain)]
    return [*responses, *read_file(file_of(root))]


def file_of(root: Path) -> Path:
    return (root if root.is_dir() else root.parent) / NAME


def read_file(path: Path) -> Iterator[Written]:
    """Yield the templates in the file at *path*, none where there is none. Raises `DomainError`."""
    document = parse(read_text(path) if path.is_file() else "[]", str(path))
    if not isinstance(document.value or [], list):
        raise DomainError(f"{path}: must be a list of templates")
    for _, part in document.items():
        try:
            yield Written(TemplateDefinition.parse(part.value), str(path), part.line)
        except InvalidMessage as error:
            raise DomainError(f"{path}:{part.line}: {error}") from error


def write_file(templates: Iterable[TemplateDefinition]) -> str:
    """Return the text of a file with *templates*."""
    yaml, text = plain_yaml("rt"), StringIO(_HEAD)
    yaml.width = 4096
    text.seek(len(_HEAD))
    yaml.dump([each.body() for each in sorted(templates, key=lambda each: each.key)], text)
    return text.getvalue()


def read_responses(domain: Domain) -> Iterator[Written]:
    """Yield the templates that responses of *domain* are."""
    for response in domain.responses:
        for variation in response.variations:
            value = variation.part.value
            if not isinstance(value, Mapping) or variation.channel not in CHANNELS:
                continue
            if is_own(style_of(value).get("template")):
                yield _read(variation, value, domain.slots or {})


def _read(variation: Variation, said: Mapping[str, Any], slots: Mapping[str, Slot]) -> Written:
    style, file = style_of(said), own_file(said)
    template: Mapping[str, Any] = style["template"]
    examples = object_of(template.get("examples"))

    def sample(name: str) -> str:
        slot = slots.get(name) or Slot(name)
        known = next(filter(None, (slot.initial, *slot.values)), "")
        return str(known if examples.get(name) is None else examples[name])

    texts = {
        "header": "" if file else str(style.get("header") or ""),
        "body": to_whatsapp(str(said.get("text") or "")),
        "footer": str(style.get("footer") or ""),
    }
    names = {kind: [*dict.fromkeys(names_in(text))] for kind, text in texts.items()}
    parts: list[dict[str, Any]] = [_file(file, sample)] if file else []
    for kind, text in texts.items():
        if text or kind == "body":
            samples = [{"param_name": name, "example": sample(name)} for name in names[kind]]
            example = {"example": {f"{kind}_text_named_params": samples}} if samples else {}
            parts.append({"type": kind, "text": _with_variables(text), **example})
    written = said.get("buttons")
    buttons = [object_of(each) for each in (written if isinstance(written, list) else ())]
    if buttons:
        parts.append({"type": "BUTTONS", "buttons": [_button(each, sample) for each in buttons]})
    lack = 'has no value for {%s}; write %s: {%s: "{%s}"} below custom.whatsapp.template'
    place = "custom" if object_of(said.get("custom")).get("whatsapp") else "metadata"
    return Written(
        TemplateDefinition(
            own_name(variation.response.name, template),
            str(template.get("language") or ""),
            str(template.get("category") or "UTILITY").upper(),
            tuple(read_part("template", part) for part in parts),
            NAMED if any(names.values()) else POSITIONAL,
        ),
        variation.source.name,
        variation.part.line_of((place, "whatsapp", "template")),
        variation.response.name,
        [
            Flaw(kind, lack % (name, kind, name, name))
            for kind in ("header", "body")
            for name in names[kind]
            if name not in object_of(template.get(kind))
        ],
    )


def _with_variables(text: str) -> str:
    return _SLOT.sub(r"{{\1}}", text) if names_in(text) else text


def _file(file: Mapping[str, Any], sample: Callable[[str], str]) -> dict[str, Any]:
    source = str(next(file[key] for key in SOURCES if file.get(key)))
    if names_in(source):
        source = _SLOT.sub(lambda found: sample(found[1]), source)
    example = {"header_handle": [source] if source else []}
    return {"type": "HEADER", "format": str(file.get("type", "")), "example": example}


def _button(button: Mapping[str, Any], sample: Callable[[str], str]) -> dict[str, Any]:
    kind, title = button.get("type"), _with_variables(str(button.get("title") or ""))
    target = str(button.get("url") or button.get("payload") or "")
    if kind in _PHONES:
        return {"type": "PHONE_NUMBER", "text": title, "phone_number": target}
    if not (kind or button.get("url")):
        return {"type": "QUICK_REPLY", "text": title}
    numbers = {name: f"{{{{{number}}}}}" for number, name in enumerate(names_in(target), 1)}
    url = _SLOT.sub(lambda found: numbers.get(found[1], found[0]), target)
    whole = _SLOT.sub(lambda found: sample(found[1]) or "1", target)
    return {"type": "URL", "text": title, "url": url, **({"example": [whole]} if numbers else {})}
