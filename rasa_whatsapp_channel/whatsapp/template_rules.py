"""
Template rules: what of a template WhatsApp would refuse or reject in its review. No I/O.

What concerns one text is in tables, by part and key; the rest are functions.
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/overview
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Final, NamedTuple

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.messages.template import BUTTONS as SUB_TYPES
from rasa_whatsapp_channel.whatsapp.template_definitions import (
    AUTHENTICATION,
    CATEGORIES,
    COMPONENTS,
    FORMATS,
    KEYS,
    MARKETING,
    MEDIA,
    OPTIONS,
    Part,
    TemplateDefinition,
    iterate,
)
from rasa_whatsapp_channel.wording import closest

#: of these types a template has so many buttons at most
BUTTONS: Final[Mapping[str, int]] = {
    **dict.fromkeys(map(str.upper, SUB_TYPES), 1),
    "URL": 2,
    "QUICK_REPLY": limits.TEMPLATE_BUTTONS,
}
_FIXED_LABEL: Final = ("COPY_CODE", "REQUEST_CONTACT_INFO")


def _longest(where: str, most: int) -> tuple[str, str, str]:
    return where, f"^.{{{most + 1}}}", f"has {{size:,}} characters; {most:,} are the most"


def _one_of(where: str, known: Sequence[str]) -> tuple[str, str, str]:
    problem = f"is one of {', '.join(known)}, not {{given}}"
    return where, f"^(?!({'|'.join(known)})$)", problem


# Which part and key, what is refused there, and what to say. Punctuation after a variable is none.
_RULES: Final = (
    ("TEMPLATE.name", r"^(?![a-z0-9_]{1,512}$)", "takes a-z, 0-9 and _, at most 512 of them"),
    (
        "TEMPLATE.language",
        r"^(?![a-z]{2,3}(_[A-Z]{2,4})?$)",
        "{given!r} is none; write one such as en or pt_BR",
    ),
    _one_of("TEMPLATE.category", CATEGORIES),
    _one_of("TEMPLATE.parameter_format", FORMATS),
    _one_of("HEADER.format", ("TEXT", *MEDIA, "LOCATION", "PRODUCT")),
    _one_of("HEADER OF CAROUSEL.format", ("IMAGE", "VIDEO", "PRODUCT")),
    _one_of("HEADER WITH OFFER.format", ("IMAGE", "VIDEO")),
    ("HEADER TEXT.text", r"^$", "is empty"),
    _longest("HEADER.text", limits.HEADER_TEXT),
    ("HEADER TEXT.text", r"[*~`\n]|(?<!\w)_|_(?!\w)", "takes no formatting and no line break"),
    ("HEADER TEXT.text", r"\}\}.*\{\{", "has one variable at most"),
    ("BODY.text", r"^$", "is empty"),
    _longest("BODY.text", limits.INTERACTIVE_BODY),
    _longest("BODY OF CAROUSEL.text", limits.CARD_BODY),
    _longest("BODY WITH OFFER.text", limits.TEMPLATE_OFFER_BODY),
    ("BODY.text", r"\t| {5}|\n{3}", "takes no tab, five spaces or two empty lines in a row"),
    ("BODY.text", r"^\{\{", "begins with a variable; write words before it"),
    ("BODY.text", r"\}\}\W*$", "ends with a variable; write words after it"),
    ("BODY.text", r"\}\}\s*\{\{", "has two variables side by side; write words between them"),
    _longest("FOOTER.text", limits.FOOTER),
    ("FOOTER.text", r"\{\{", "takes no variable"),
    ("FOOTER.text", r"\n", "takes no line break"),
    ("LIMITED_TIME_OFFER.text", r"^$", "is empty"),
    _longest("LIMITED_TIME_OFFER.text", limits.TEMPLATE_OFFER),
    *((f"{kind}.text", r"^$", "is empty") for kind in BUTTONS if kind not in _FIXED_LABEL),
    _longest("ANY OF BUTTONS.text", limits.TEMPLATE_BUTTON_TEXT),
    ("ANY OF BUTTONS.text", r"\{\{|\n", "takes no variable and no line break"),
    _longest("URL.url", limits.TEMPLATE_URL),
    ("URL.url", r"^(?!https?://[^/{\s])", "is no address that begins with https://"),
    ("URL.url", r"\}\}.", "takes one variable, at its end"),
    (
        "PHONE_NUMBER.phone_number",
        r"^(?!\+?[0-9 ()-]{5,20}$)",
        "is no number, such as +15550783881",
    ),
    ("COPY_CODE.example", r"^(?!.{1,20}$)", "is a sample code of 1 to 20 characters"),
    _one_of("OTP OF BUTTONS.otp_type", ("COPY_CODE", "ONE_TAP", "ZERO_TAP")),
)
_ONLY_MARKETING: Final = ("CAROUSEL", "CATALOG", "COPY_CODE", "LIMITED_TIME_OFFER", "MPM", "SPM")
_FLOW: Final = ("flow_id", "flow_name", "flow_json")
_VARIABLE: Final = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_NUMBER: Final = re.compile(r"[1-9][0-9]*")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
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
    parts = [*template.parts()]
    yield from _check_texts(Part("", vars(template)), {"TEMPLATE"})
    yield from _check_template(template, parts)
    if template.category == AUTHENTICATION:
        yield from _check_authentication(parts)
        return
    has_offer = any(part.kind == "LIMITED_TIME_OFFER" for part in parts)
    yield from _check_category(template.category, {part.kind for part in parts})
    for part in parts:
        names = {part.kind, f"{part.kind} {part.value.get('format')}", f"ANY OF {part.inside}"}
        names |= {f"{part.kind} OF {part.inside}", *([f"{part.kind} WITH OFFER"] * has_offer)}
        yield from _check_texts(part, names)
        if part.kind in ("HEADER", "BODY"):
            yield from _check_variables(part, is_named=template.is_named)
        if check := _CHECKS.get(part.kind):
            yield from check(part)


def _check_texts(part: Part, names: set[str]) -> Iterator[Flaw]:
    for where, refused, problem in _RULES:
        name, _, key = where.partition(".")
        if name in names and re.search(refused, given := part.text(key), re.DOTALL):
            yield Flaw(part.name(key), problem.format(given=given, size=len(given)))


def _check_template(template: TemplateDefinition, parts: Sequence[Part]) -> Iterator[Flaw]:
    for key in template.options.keys() - {*OPTIONS}:  # others are passed on
        if meant := closest(key, (*KEYS, *OPTIONS)):
            yield Flaw(key, f"is not known; did you mean {meant}?")
    least, most = limits.TEMPLATE_TTL.get(template.category, (0, 0))
    ttl = template.options.get("message_send_ttl_seconds", -1)
    if most and not (isinstance(ttl, int) and (ttl == -1 or least <= ttl <= most)):
        yield Flaw("message_send_ttl_seconds", f"is {least:,} to {most:,}")
    kinds = Counter(part.kind for part in parts if not part.inside)
    for kind, count in kinds.items():
        if kind not in COMPONENTS:
            yield Flaw("components", f"has the type {kind}; known are {', '.join(COMPONENTS)}")
        elif count > 1:
            yield Flaw("components", f"has {kind} more than once")
    if "BODY" not in kinds:
        yield Flaw("body", "is missing")


def _check_authentication(parts: Sequence[Part]) -> Iterator[Flaw]:
    buttons = [part for part in parts if part.inside == "BUTTONS"]
    if [part.kind for part in buttons] != ["OTP"]:
        yield Flaw("buttons", "of an authentication template are one of type OTP")
    for part in parts:
        if part.kind in ("HEADER", "CAROUSEL"):
            yield Flaw("header", "an authentication template has none, and no cards")
        if part.kind in ("BODY", "FOOTER") and part.text("text"):
            yield Flaw(
                "body", "WhatsApp writes the text of an authentication template; leave it out"
            )
        minutes = part.value.get("code_expiration_minutes", 1)
        if not (isinstance(minutes, int) and 1 <= minutes <= 90):
            yield Flaw("footer.code_expiration_minutes", "is 1 to 90")
    for part in buttons:
        yield from _check_texts(part, {"OTP OF BUTTONS", "ANY OF BUTTONS"})
        yield from _check_otp(part)


def _check_otp(part: Part) -> Iterator[Flaw]:
    kind, apps = part.value.get("otp_type"), part.value.get("supported_apps")
    hashes = [
        len(str(each["signature_hash"]))
        for each in map(object_of, apps if isinstance(apps, list) else ())
        if each.get("package_name") and each.get("signature_hash")
    ]
    if kind in ("ONE_TAP", "ZERO_TAP") and not (hashes and {*hashes} == {11} and len(hashes) <= 5):
        problem = "are 1 to 5, each with package_name and a signature_hash of 11 characters"
        yield Flaw(part.name("supported_apps"), problem)
    if kind == "ZERO_TAP" and part.value.get("zero_tap_terms_accepted") is not True:
        yield Flaw(part.name("zero_tap_terms_accepted"), "must be true")


def _check_category(category: str, kinds: set[str]) -> Iterator[Flaw]:
    for kind in _ONLY_MARKETING:
        if kind in kinds and category != MARKETING:
            yield Flaw("category", f"is {MARKETING} for a template with {kind}")
    if "OTP" in kinds:
        yield Flaw("category", f"is {AUTHENTICATION} for a template with OTP")
    if "LIMITED_TIME_OFFER" in kinds and "FOOTER" in kinds:
        yield Flaw("footer", "a template with a limited time offer has none")
    if "LIMITED_TIME_OFFER" in kinds and not {"URL", "ORDER_DETAILS"} & kinds:
        yield Flaw("buttons", "lack the URL that a limited time offer needs")
    if "CALL_PERMISSION_REQUEST" in kinds and "BUTTONS" in kinds:
        yield Flaw("buttons", "do not go with CALL_PERMISSION_REQUEST")


def _check_variables(part: Part, *, is_named: bool) -> Iterator[Flaw]:
    text = part.text("text")
    names = list(dict.fromkeys(_VARIABLE.findall(text)))
    rest, place = _VARIABLE.sub(" ", text), part.name("text")
    if "{{" in rest or "}}" in rest:
        yield Flaw(place, "has braces that are no variable; write {{name}}")
    for name in names:
        if not (_NAME if is_named else _NUMBER).fullmatch(name):
            wanted = "small letters, digits and _" if is_named else "1, 2, 3 …"
            yield Flaw(place, f"has the variable {{{{{name}}}}}; write {wanted}")
    numbers = sorted(int(name) for name in names if _NUMBER.fullmatch(name))
    if numbers != list(range(1, len(numbers) + 1)):
        yield Flaw(place, "has numbers that do not count from 1 without a gap")
    found, words = len(_VARIABLE.findall(text)), len(re.findall(r"\w+", rest))
    if part.kind == "BODY" and words < _WORDS_EACH * found:
        needed = f"{_WORDS_EACH} for each variable are needed"
        yield Flaw(place, f"has {found} variables and only {words} words; {needed}")
    missing = len(names) - _count_samples(part, names, is_named=is_named)
    if missing > 0:
        yield Flaw(part.name("example"), f"lacks a sample value for {missing} of {len(names)}")


def _count_samples(part: Part, names: Sequence[str], *, is_named: bool) -> int:
    example = object_of(part.value.get("example"))
    given = example.get(f"{part.kind.lower()}_text{'_named_params' if is_named else ''}")
    given = given if isinstance(given, list) else [given]  # one value may stand alone
    if is_named:
        said = {each.get("param_name") for each in map(object_of, given) if each.get("example")}
        return len(said & {*names})
    row = given[0] if given and isinstance(given[0], list) else given
    return sum(bool(str(value or "").strip()) for value in row)


def _check_sample(part: Part) -> Iterator[Flaw]:
    kind = part.text("format")
    handles = object_of(part.value.get("example")).get("header_handle")
    if kind in MEDIA and not (isinstance(handles, list) and handles):
        yield Flaw(part.place, f"needs a sample file for its {kind}: example.header_handle: [file]")


def _check_buttons(part: Part) -> Iterator[Flaw]:
    buttons = part.value.get("buttons", ())
    most = limits.TEMPLATE_CARD_BUTTONS if part.inside else limits.TEMPLATE_BUTTONS
    if not 1 <= len(buttons) <= most:
        yield Flaw(part.place, f"are 1 to {most}, not {len(buttons)}")
    kinds = [str(each.get("type", "")) for each in buttons]
    for kind, count in Counter(kinds).items():
        if kind not in BUTTONS:
            yield Flaw(part.place, f"have the type {kind}; known are {', '.join(BUTTONS)}")
        elif BUTTONS[kind] < count <= most:
            yield Flaw(part.place, f"have {count} of type {kind}; {BUTTONS[kind]} are the most")
    if [is_reply for is_reply, _ in groupby(kinds, "QUICK_REPLY".__eq__)].count(True) > 1:
        yield Flaw(part.place, "have quick replies in two places; write them side by side")
    for label, count in Counter(str(each.get("text", "")).strip() for each in buttons).items():
        if label and count > 1:
            yield Flaw(part.place, f"have the label {label!r} twice")


def _check_url(part: Part) -> Iterator[Flaw]:
    if "{{" in part.text("url") and not part.value.get("example"):
        yield Flaw(part.name("example"), "lacks a whole address as a sample")


def _check_flow(part: Part) -> Iterator[Flaw]:
    if sum(bool(part.value.get(key)) for key in _FLOW) != 1:
        yield Flaw(part.place, f"needs one of {', '.join(_FLOW)}")


def _check_cards(part: Part) -> Iterator[Flaw]:
    cards = [card.get("components", ()) for card in part.value.get("cards", ())]
    if not limits.CARDS_MIN <= len(cards) <= limits.CARDS:
        problem = f"has {limits.CARDS_MIN} to {limits.CARDS} cards, not {len(cards)}"
        yield Flaw(part.place, problem)
    shapes = {
        tuple(sorted(f"{each.kind} {each.text('format')}" for each in iterate(card)))
        for card in cards
    }
    if not all(shape and "HEADER " in " ".join(shape) for shape in shapes):
        yield Flaw(part.place, "needs a header in each of its cards")
    if len(shapes) > 1:
        yield Flaw(part.place, "needs the same components and buttons in all its cards")


_CHECKS: Final = {
    "HEADER": _check_sample,
    "BUTTONS": _check_buttons,
    "CAROUSEL": _check_cards,
    "URL": _check_url,
    "FLOW": _check_flow,
}
