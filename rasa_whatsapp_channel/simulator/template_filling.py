"""Template filling: what a template shows with the values of a message, or why it is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.simulator import problems
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.template_definitions import TemplateDefinition

_PLACE: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_TEXTS: Final = ("text", "currency", "date_time")
_MEDIA: Final = ("IMAGE", "VIDEO", "DOCUMENT", "GIF", "LOCATION", "PRODUCT")
# What a button without a text says, and what a component shows as a button.
_LABELS: Final[Mapping[str, str]] = {
    "REQUEST_CONTACT_INFO": "Share Contact Info",
    "CALL_PERMISSION_REQUEST": "Choose a preference",
}
Values = Sequence[Mapping[str, Any]]


def fill(template: TemplateDefinition, components: Values) -> dict[str, Any]:
    """
    Return *template* with the values of a message's *components*.

    ``{"category", "header", "offer", "body", "footer", "buttons", "cards"}``: a header is
    ``{"type", "text"}`` or ``{"type", TYPE: its parameter}``, an offer ``{"text", "ends"}``, a
    button ``{"type", "text"}`` with ``url``, ``phone_number``, ``payload`` or ``code``.
    """
    filled = _fill(template.components, components, template.is_named)
    return {"category": template.category, **filled}


def _fill(parts: Values, components: Values, named: bool) -> dict[str, Any]:
    given = {kind: _parameters(components, kind) for kind in ("header", "body")}
    has = {part["type"]: part for part in parts}
    for kind, values in given.items():
        if values and kind.upper() not in has:
            raise _count(kind, len(values), 0)
    return {
        "header": _header(has.get("HEADER"), given["header"], named),
        "offer": _offer(has.get("LIMITED_TIME_OFFER"), components),
        "body": _body(has.get("BODY"), given["body"], named),
        "footer": has.get("FOOTER", {}).get("text"),
        "buttons": [
            *_buttons(has.get("BUTTONS", {}).get("buttons", ()), components),
            *({"type": kind.lower(), "text": _LABELS[kind]} for kind in has if kind in _LABELS),
        ],
        "cards": _cards(has.get("CAROUSEL", {}).get("cards", ()), components, named),
    }


def _parameters(components: Values, kind: str) -> Values:
    for component in components:
        if component.get("type") == kind:
            return list(component.get("parameters") or ())
    return []


def _header(part: Mapping[str, Any] | None, values: Values, named: bool) -> dict[str, Any] | None:
    if part is None:
        return None
    kind = part["format"]
    if kind not in _MEDIA:
        return {"type": "text", "text": _text("header", str(part.get("text", "")), values, named)}
    wanted = kind.lower()
    if len(values) != 1 or values[0].get("type") != wanted:
        got = values[0].get("type") if values else "nothing"
        raise Refused(
            problems.TEMPLATE_FORMAT,
            f"The header of this template takes one parameter of type {wanted}, not {got}.",
            details=f"header: Format mismatch, expected {kind}, received {str(got).upper()}",
        )
    return {"type": wanted, wanted: values[0].get(wanted)}


def _offer(part: Mapping[str, Any] | None, components: Values) -> dict[str, Any] | None:
    """Return the offer's text, and when it ends in unix milliseconds where it does."""
    if part is None:
        return None
    offer = part.get("limited_time_offer")
    offer = offer if isinstance(offer, Mapping) else {}
    values = _parameters(components, "limited_time_offer")
    given = values[0].get("limited_time_offer") if values else None
    ends = given.get("expiration_time_ms") if isinstance(given, Mapping) else None
    if offer.get("has_expiration") and ends is None:
        raise Refused(
            problems.MISSING,
            "This template's offer ends: it needs a component limited_time_offer with its "
            "expiration_time_ms.",
        )
    return {"text": str(offer.get("text", "")), "ends": ends}


def _body(part: Mapping[str, Any] | None, values: Values, named: bool) -> str | None:
    if part is None:
        return None
    text = _text("body", part["text"], values, named)
    if len(text) > limits.INTERACTIVE_BODY:
        raise Refused(
            problems.TEMPLATE_TOO_LONG,
            f"The filled body has {len(text)} characters; {limits.INTERACTIVE_BODY} are the most.",
        )
    return text


def _text(where: str, text: str, values: Values, named: bool) -> str:
    places = list(dict.fromkeys(_PLACE.findall(text)))
    if len(values) != len(places):
        raise _count(where, len(values), len(places))
    for value in values:
        if value.get("type") not in _TEXTS:
            raise Refused(
                problems.TEMPLATE_FORMAT,
                f"The {where} of this template takes texts, not {value.get('type')}.",
                details=f"{where}: expected TEXT, received {str(value.get('type')).upper()}",
            )
    if named:
        by_name = {str(value.get("parameter_name")): _shown(value) for value in values}
        missing = [place for place in places if place not in by_name]
        if missing:
            raise Refused(
                problems.TEMPLATE_COUNT,
                f"The {where} of this template has named parameters, and there is no "
                f"parameter_name {', '.join(missing)}.",
            )
    else:
        by_name = {str(number): _shown(value) for number, value in enumerate(values, 1)}
    return _PLACE.sub(lambda place: by_name.get(place[1], place[0]), text)


def _shown(value: Mapping[str, Any]) -> str:
    kind = str(value["type"])
    content = value.get(kind)
    return str(content.get("fallback_value", "") if isinstance(content, Mapping) else content)


def _count(where: str, given: int, expected: int) -> Refused:
    return Refused(
        problems.TEMPLATE_COUNT,
        f"The {where} of this template has {expected} parameters, and {given} are given.",
        details=f"{where}: number of localizable_params ({given}) does not match the expected "
        f"number of params ({expected})",
    )


def _buttons(buttons: Values, components: Values) -> list[dict[str, Any]]:
    given: dict[int, Mapping[str, Any]] = {}
    for component in components:
        if component.get("type") != "button":
            continue
        kinds = [str(each.get("type")) for each in buttons]
        wanted = str(component.get("sub_type")).upper()
        named = component.get("index")  # a button that calls may go without one
        index = kinds.index(wanted) if named is None and wanted in kinds else int(named or 0)
        if index >= len(kinds) or kinds[index] != wanted:
            raise Refused(
                problems.TEMPLATE_BUTTON,
                f"This template has no button of type {component.get('sub_type')} at {index}.",
            )
        given[index] = component
    return [_button(index, each, given.get(index)) for index, each in enumerate(buttons)]


def _button(
    index: int, button: Mapping[str, Any], component: Mapping[str, Any] | None
) -> dict[str, Any]:
    kind = str(button.get("type"))
    text = str(button.get("text", _LABELS.get(kind, "")))
    values = list((component or {}).get("parameters") or ())
    value = values[0] if values else {}
    shown: dict[str, Any] = {"type": kind.lower(), "text": text}
    if kind == "QUICK_REPLY":
        shown["payload"] = value.get("payload", text)
    elif kind == "URL":
        url = str(button.get("url", ""))
        if _PLACE.search(url) and "text" not in value:
            raise _needed(index, "URL", "a parameter of type text, the end of its address")
        shown["url"] = _PLACE.sub(lambda _: str(value["text"]), url)
    elif kind == "COPY_CODE":
        if "coupon_code" not in value:
            raise _needed(index, "COPY_CODE", "a parameter of type coupon_code")
        shown["code"] = value["coupon_code"]
    elif kind == "PHONE_NUMBER":
        shown["phone_number"] = button.get("phone_number")
    return shown


def _needed(index: int, kind: str, what: str) -> Refused:
    return Refused(
        problems.MISSING,
        f"The button at {index} needs {what}.",
        details=f"buttons: Button at index {index} of type {kind} requires a parameter",
    )


def _cards(cards: Values, components: Values, named: bool) -> list[dict[str, Any]]:
    given = next((c.get("cards", ()) for c in components if c.get("type") == "carousel"), ())
    if _has_products(cards) and given:  # defined by two, sent with up to ten
        cards = [cards[0]] * min(len(given), limits.CARDS)
    if len(given) != len(cards):
        raise Refused(
            problems.TEMPLATE_COUNT,
            f"This template has {len(cards)} cards, and {len(given)} are given.",
        )
    return [
        _fill(card["components"], values.get("components", ()), named)
        for card, values in zip(cards, given, strict=True)
    ]


def _has_products(cards: Values) -> bool:
    return any(part.get("format") == "PRODUCT" for card in cards for part in card["components"])
