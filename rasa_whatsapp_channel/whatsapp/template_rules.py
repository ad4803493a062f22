"""
Template rules: what of a template WhatsApp would refuse or reject in its review. No I/O.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.template_definitions import (
    AUTHENTICATION,
    NAMED,
    ORDER,
    TemplateDefinition,
)

CATEGORIES: Final = ("UTILITY", "MARKETING", AUTHENTICATION)
COMPONENTS: Final = (*ORDER, "CALL_PERMISSION_REQUEST", "ORDER_STATUS")
MEDIA: Final = ("IMAGE", "VIDEO", "GIF", "DOCUMENT")
FORMATS: Final = ("TEXT", *MEDIA, "LOCATION", "PRODUCT")
#: of these types a template has so many buttons at most
BUTTONS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("PHONE_NUMBER", "COPY_CODE", "FLOW", "CATALOG", "MPM", "VOICE_CALL"), 1),
    **dict.fromkeys(("OTP", "SPM", "REQUEST_CONTACT_INFO", "ORDER_DETAILS", "ORDER_STATUS"), 1),
    "URL": 2,
    "QUICK_REPLY": limits.TEMPLATE_BUTTONS,
}
_NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Z]{2,4})?")
_VARIABLE: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_VARIABLE_NAME: Final = re.compile(r"[a-z][a-z0-9_]*|[1-9][0-9]*")
_PHONE: Final = re.compile(r"\+?[0-9 ()-]{5,20}")
_MARKDOWN: Final = re.compile(r"[*~`\n]|(?<!\w)_|_(?!\w)")
_ADJACENT: Final = re.compile(r"\}\}\s*\{\{")
# Of words beside each variable; fewer are rejected as INVALID_FORMAT.
_WORDS_EACH: Final = 2


class Flaw(NamedTuple):
    """*place* is a part of the template, *problem* what is wrong with it."""

    place: str
    problem: str


def find_doubled(templates: Sequence[TemplateDefinition]) -> Iterator[tuple[str, str]]:
    """Yield name and language of those that are there more than once."""
    yield from (key for key, count in Counter(each.key for each in templates).items() if count > 1)


def find_flaws(template: TemplateDefinition) -> Iterator[Flaw]:
    if not _NAME.fullmatch(template.name):
        yield Flaw("name", "takes a-z, 0-9 and _, at most 512 of them")
    if not _LANGUAGE.fullmatch(template.language):
        yield Flaw("language", f"{template.language!r} is none; write one such as en or pt_BR")
    if template.category not in CATEGORIES:
        yield Flaw("category", f"is one of {', '.join(CATEGORIES)}, not {template.category}")
    kinds = [str(each.get("type", "")).upper() for each in template.components]
    for kind, count in Counter(kinds).items():
        if kind not in COMPONENTS:
            yield Flaw("components", f"has the type {kind}; known are {', '.join(COMPONENTS)}")
        elif count > 1:
            yield Flaw("components", f"has {kind} more than once")
    if "BODY" not in kinds:
        yield Flaw("body", "is missing")
    if template.category == AUTHENTICATION:
        yield from _check_authentication(template, kinds)
        return
    parts = dict(zip(kinds, template.components, strict=True))
    is_named = template.parameter_format == NAMED
    yield from _check_parts(parts, is_named, limits.INTERACTIVE_BODY)
    yield from _check_offer(template, parts)
    if "CAROUSEL" in parts:
        yield from _check_cards(parts["CAROUSEL"], is_named)


def _check_parts(
    parts: Mapping[str, Mapping[str, Any]], is_named: bool, limit: int
) -> Iterator[Flaw]:
    if header := parts.get("HEADER"):
        yield from _check_header(header, is_named)
    if body := parts.get("BODY"):
        yield from _check_body(body, is_named, limit)
    if footer := parts.get("FOOTER"):
        yield from _check_footer(str(footer.get("text") or ""))
    if buttons := parts.get("BUTTONS"):
        yield from _check_buttons(buttons.get("buttons"))


def _check_authentication(template: TemplateDefinition, kinds: Sequence[str]) -> Iterator[Flaw]:
    buttons = [
        str(button.get("type", "")).upper()
        for part in template.components
        for button in part.get("buttons") or ()
    ]
    if buttons != ["OTP"]:
        yield Flaw("buttons", "of an authentication template are one of type OTP")
    if "HEADER" in kinds or "CAROUSEL" in kinds:
        yield Flaw("header", "an authentication template has none, and no cards")
    if any(part.get("text") for part in template.components):
        yield Flaw("body", "WhatsApp writes the text of an authentication template; leave it out")
    for part in template.components:
        minutes = part.get("code_expiration_minutes", 1)
        if not (isinstance(minutes, int) and 1 <= minutes <= 90):
            yield Flaw("footer.code_expiration_minutes", "is 1 to 90")


def _check_header(header: Mapping[str, Any], is_named: bool) -> Iterator[Flaw]:
    kind, text = str(header.get("format") or "TEXT").upper(), str(header.get("text") or "")
    example = object_of(header.get("example"))
    if kind not in FORMATS:
        yield Flaw("header.format", f"is one of {', '.join(FORMATS)}, not {kind}")
    if kind in MEDIA and not example.get("header_handle"):
        yield Flaw("header", f"needs a sample file for its {kind}: example.header_handle")
    if kind != "TEXT":
        return
    if not text.strip():
        yield Flaw("header.text", "is empty")
    yield from _check_length("header.text", text, limits.HEADER_TEXT)
    if _MARKDOWN.search(_VARIABLE.sub("", text)):
        yield Flaw("header.text", "takes no formatting and no line break")
    if len(_VARIABLE.findall(text)) > 1:
        yield Flaw("header.text", "has one variable at most")
    yield from _check_variables("header", text, example, is_named)


def _check_body(body: Mapping[str, Any], is_named: bool, limit: int) -> Iterator[Flaw]:
    text = str(body.get("text") or "").strip()
    if not text:
        yield Flaw("body.text", "is empty")
    yield from _check_length("body.text", text, limit)
    if "\t" in text or " " * 5 in text or "\n\n\n" in text:
        yield Flaw("body.text", "takes no tab, five spaces or two empty lines in a row")
    found = list(_VARIABLE.finditer(text))
    if found and not text[: found[0].start()].strip():
        yield Flaw("body.text", "begins with a variable; write words before it")
    # Punctuation alone counts as nothing.
    if found and not re.search(r"\w", text[found[-1].end() :]):
        yield Flaw("body.text", "ends with a variable; write words after it")
    if _ADJACENT.search(text):
        yield Flaw("body.text", "has two variables side by side; write words between them")
    words = len(re.findall(r"\w+", _VARIABLE.sub(" ", text)))
    if words < _WORDS_EACH * len(found):
        yield Flaw(
            "body.text",
            f"has {len(found)} variables and only {words} words; "
            f"{_WORDS_EACH} for each variable are needed",
        )
    yield from _check_variables("body", text, object_of(body.get("example")), is_named)


def _check_variables(
    place: str, text: str, example: Mapping[str, Any], is_named: bool
) -> Iterator[Flaw]:
    names = list(dict.fromkeys(_VARIABLE.findall(text)))
    rest = _VARIABLE.sub("", text)
    if "{{" in rest or "}}" in rest:
        yield Flaw(f"{place}.text", "has braces that are no variable; write {{name}}")
    for name in names:
        if not _VARIABLE_NAME.fullmatch(name) or name.isdecimal() == is_named:
            wanted = "small letters, digits and _" if is_named else "1, 2, 3 …"
            yield Flaw(f"{place}.text", f"has the variable {{{{{name}}}}}; write {wanted}")
    numbers = sorted(int(name) for name in names if name.isdecimal())
    if numbers and numbers != list(range(1, len(numbers) + 1)):
        yield Flaw(f"{place}.text", "has numbers that do not count from 1 without a gap")
    missing = len(names) - _count_samples(place, example, names, is_named)
    if missing > 0:
        yield Flaw(f"{place}.example", f"lacks a sample value for {missing} of {len(names)}")


def _count_samples(
    place: str, example: Mapping[str, Any], names: Sequence[str], is_named: bool
) -> int:
    given = example.get(f"{place}_text_named_params" if is_named else f"{place}_text")
    given = given if isinstance(given, list) else []
    if is_named:
        return sum(
            any(each.get("param_name") == name and each.get("example") for each in given)
            for name in names
        )
    row = given[0] if given and isinstance(given[0], list) else given
    return sum(bool(str(value).strip()) for value in row)


def _check_footer(text: str) -> Iterator[Flaw]:
    yield from _check_length("footer.text", text, limits.FOOTER)
    if "{{" in text:
        yield Flaw("footer.text", "takes no variable")
    if "\n" in text:
        yield Flaw("footer.text", "takes no line break")


def _check_buttons(given: Any) -> Iterator[Flaw]:
    buttons = [object_of(each) for each in given] if isinstance(given, list) else []
    kinds = [str(each.get("type", "")).upper() for each in buttons]
    if not 1 <= len(buttons) <= limits.TEMPLATE_BUTTONS:
        yield Flaw("buttons", f"are 1 to {limits.TEMPLATE_BUTTONS}, not {len(buttons)}")
    for kind, count in Counter(kinds).items():
        if kind not in BUTTONS:
            yield Flaw("buttons", f"have the type {kind}; known are {', '.join(BUTTONS)}")
        elif BUTTONS[kind] < count <= limits.TEMPLATE_BUTTONS:
            yield Flaw("buttons", f"have {count} of type {kind}; {BUTTONS[kind]} are the most")
    if [kind for kind, _ in groupby(kinds, "QUICK_REPLY".__eq__)].count(True) > 1:
        yield Flaw("buttons", "have quick replies in two places; write them side by side")
    labels = Counter(str(each["text"]).strip() for each in buttons if each.get("text"))
    for label, count in labels.items():
        if count > 1:
            yield Flaw("buttons", f"have the label {label!r} twice")
    for number, (kind, button) in enumerate(zip(kinds, buttons, strict=True)):
        yield from _check_button(f"buttons[{number}]", kind, button)


def _check_button(place: str, kind: str, button: Mapping[str, Any]) -> Iterator[Flaw]:
    label, url = str(button.get("text") or ""), str(button.get("url") or "")
    if not label.strip() and kind not in ("COPY_CODE", "REQUEST_CONTACT_INFO"):
        yield Flaw(f"{place}.text", "is empty")
    yield from _check_length(f"{place}.text", label, limits.TEMPLATE_BUTTON_TEXT)
    if "{{" in label or "\n" in label:
        yield Flaw(f"{place}.text", "takes no variable and no line break")
    if kind == "URL":
        yield from _check_length(f"{place}.url", url, limits.TEMPLATE_URL)
        if not re.match(r"https?://[^/{\s]+", url):
            yield Flaw(f"{place}.url", "is no address that begins with https://")
        found = list(_VARIABLE.finditer(url))
        if len(found) > 1 or (found and found[0].end() != len(url)):
            yield Flaw(f"{place}.url", "takes one variable, at its end")
        if found and not button.get("example"):
            yield Flaw(f"{place}.example", "lacks a whole address as a sample")
    if kind == "PHONE_NUMBER" and not _PHONE.fullmatch(str(button.get("phone_number") or "")):
        yield Flaw(
            f"{place}.phone_number", "is no number of at most 20 digits, such as +15550783881"
        )
    if kind == "COPY_CODE":
        code = button.get("example")
        code = str(code[0] if isinstance(code, list) and code else code or "")
        if not 1 <= len(code) <= limits.TEMPLATE_COUPON_CODE:
            most = limits.TEMPLATE_COUPON_CODE
            yield Flaw(f"{place}.example", f"is a sample code of 1 to {most} characters")


def _check_offer(
    template: TemplateDefinition, parts: Mapping[str, Mapping[str, Any]]
) -> Iterator[Flaw]:
    buttons = object_of(parts.get("BUTTONS")).get("buttons") or ()
    kinds = {str(object_of(each).get("type", "")).upper() for each in buttons}
    if template.category != "MARKETING":
        for kind in sorted({"LIMITED_TIME_OFFER", "COPY_CODE", "CATALOG", "MPM", "OTP"}):
            if kind in kinds or kind in parts:
                wanted = AUTHENTICATION if kind == "OTP" else "MARKETING"
                yield Flaw("category", f"is {wanted} for a template with {kind}")
    if offer := parts.get("LIMITED_TIME_OFFER"):
        text = str(object_of(offer.get("limited_time_offer")).get("text") or "")
        yield from _check_length("limited_time_offer.text", text, limits.TEMPLATE_OFFER)
        if "FOOTER" in parts:
            yield Flaw("footer", "a template with a limited time offer has none")


def _check_cards(carousel: Mapping[str, Any], is_named: bool) -> Iterator[Flaw]:
    cards = [object_of(each) for each in carousel.get("cards") or ()]
    if not limits.CARDS_MIN <= len(cards) <= limits.CARDS:
        yield Flaw("carousel", f"has {limits.CARDS_MIN} to {limits.CARDS} cards, not {len(cards)}")
    shapes = set()
    for number, card in enumerate(cards):
        parts = {str(each.get("type", "")).upper(): each for each in card.get("components") or ()}
        buttons = object_of(parts.get("BUTTONS")).get("buttons") or ()
        shapes.add((*sorted(parts), *(str(each.get("type", "")).upper() for each in buttons)))
        for flaw in _check_parts(parts, is_named, limits.CARD_BODY):
            yield Flaw(f"cards[{number}].{flaw.place}", flaw.problem)
    if len(shapes) > 1:
        yield Flaw("carousel", "needs the same components and buttons in all its cards")


def _check_length(place: str, text: str, limit: int) -> Iterator[Flaw]:
    if len(text) > limit:
        yield Flaw(place, f"has {len(text):,} characters; {limit:,} are the most")
