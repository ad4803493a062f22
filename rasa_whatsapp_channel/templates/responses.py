"""
Responses that are templates: `whatsapp.template` without a name, with text, image and buttons.

The text is the body and its slots are the variables; image or attachment are the header, buttons
the buttons. Rasa fills slots into `custom` only, so it stands there where the text has slots:

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
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.compose.markdown import to_whatsapp
from rasa_whatsapp_channel.compose.style import style_of
from rasa_whatsapp_channel.compose.template import is_own, own_name
from rasa_whatsapp_channel.domain.read import Domain, Slot, Variation
from rasa_whatsapp_channel.domain.slots import names_in
from rasa_whatsapp_channel.templates import Written
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.template_definitions import (
    NAMED,
    POSITIONAL,
    TemplateDefinition,
)
from rasa_whatsapp_channel.whatsapp.template_rules import Flaw

CHANNELS: Final = (None, "whatsapp")
_SLOT: Final = re.compile(r"\{([^{}\n]+)\}")
_PHONES: Final = ("phone_number", "phone")


def read_responses(domain: Domain) -> Iterator[Written]:
    """Yield the templates that responses of *domain* are."""
    for response in domain.responses:
        for variation in response.variations:
            value = variation.part.value
            if isinstance(value, Mapping) and variation.channel in CHANNELS:
                style = style_of(value)
                template = style.get("template")
                if is_own(template):
                    yield _read(variation, value, style, template, domain.slots or {})


def _read(
    variation: Variation,
    response: Mapping[str, Any],
    style: Mapping[str, Any],
    template: Mapping[str, Any],
    slots: Mapping[str, Slot],
) -> Written:
    text = to_whatsapp(str(response.get("text") or ""))
    names = list(dict.fromkeys(names_in(text)))
    samples = {name: _sample(name, template, slots) for name in names}
    body: dict[str, Any] = {"type": "BODY", "text": _SLOT.sub(r"{{\1}}", text)}
    if names:
        named = [{"param_name": key, "example": each} for key, each in samples.items() if each]
        body["example"] = {"body_text_named_params": named}
    buttons = [
        _button(each, template, slots) for each in map(object_of, _listed(response.get("buttons")))
    ]
    components = (
        _header(response, style),
        body,
        {"type": "FOOTER", "text": str(style["footer"])} if style.get("footer") else None,
        {"type": "BUTTONS", "buttons": buttons} if buttons else None,
    )
    given = object_of(template.get("body"))
    missing = [name for name in names if name not in given]
    flaws = [
        Flaw(
            "body",
            f'has no value for {{{name}}}; write body: {{{name}: "{{{name}}}"}} below '
            "custom.whatsapp.template",
        )
        for name in missing
    ]
    path = (
        "custom" if object_of(response.get("custom")).get("whatsapp") else "metadata",
        "whatsapp",
        "template",
    )
    return Written(
        TemplateDefinition(
            own_name(variation.response.name, template),
            str(template.get("language") or ""),
            str(template.get("category") or "UTILITY").upper(),
            tuple(each for each in components if each),
            NAMED if names else POSITIONAL,
        ),
        variation.source.name,
        variation.part.line_of(path),
        variation.response.name,
        flaws,
    )


def _header(response: Mapping[str, Any], style: Mapping[str, Any]) -> dict[str, Any] | None:
    attachment = object_of(response.get("attachment"))
    source = next((attachment[key] for key in ("path", "link", "url") if attachment.get(key)), None)
    kind = str(attachment.get("type", "")).upper()
    if response.get("image"):
        source, kind = response["image"], "IMAGE"
    if source:
        return {"type": "HEADER", "format": kind, "example": {"header_handle": [str(source)]}}
    if style.get("header"):
        return {"type": "HEADER", "format": "TEXT", "text": str(style["header"])}
    return None


def _button(
    button: Mapping[str, Any], template: Mapping[str, Any], slots: Mapping[str, Slot]
) -> dict[str, Any]:
    kind, title = button.get("type"), str(button.get("title") or "")
    target = str(button.get("url") or button.get("payload") or "")
    if kind in _PHONES:
        return {"type": "PHONE_NUMBER", "text": title, "phone_number": target}
    if not (kind or button.get("url")):
        return {"type": "QUICK_REPLY", "text": title}
    names = names_in(target)
    if not names:
        return {"type": "URL", "text": title, "url": target}
    whole = _SLOT.sub(lambda found: _sample(found[1], template, slots) or "1", target)
    numbers = iter(range(1, len(names) + 1))
    url = _SLOT.sub(lambda _: f"{{{{{next(numbers)}}}}}", target)
    return {"type": "URL", "text": title, "url": url, "example": [whole]}


def _sample(name: str, template: Mapping[str, Any], slots: Mapping[str, Slot]) -> str:
    slot = slots.get(name)
    known = (slot.initial, *slot.values) if slot else ()
    given = object_of(template.get("examples")).get(name)
    return str(given if given is not None else next(filter(None, known), ""))


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
