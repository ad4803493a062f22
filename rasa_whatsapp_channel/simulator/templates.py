"""
Message templates: the built-in ones and those of a folder of YAML files, and their filling.

A file holds one template or a list of them, in the form of the platform's own template API:
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ruamel.yaml.error import YAMLError

from rasa_whatsapp_channel.plain_yaml import plain_yaml
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.simulator import problems
from rasa_whatsapp_channel.simulator.problems import Problem, Refused
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.template_definitions import (
    APPROVED,
    AUTHENTICATION,
    CATEGORIES,
    COMPONENTS,
    FORMATS,
    KEYS,
    MARKETING,
    OPTIONS,
    TemplateDefinition,
)

BUILT_IN: Final = Path(__file__).with_name("templates.yaml")
STATUSES: Final = (
    *(APPROVED, "PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL"),
    *("LIMIT_EXCEEDED", "ARCHIVED", "PENDING_DELETION", "DELETED"),
)
QUALITIES: Final = ("GREEN", "YELLOW", "RED", "UNKNOWN")
# Any other status but APPROVED is answered like a template that does not exist.
_NOT_SENT: Final[Mapping[str, Problem]] = {
    "PAUSED": problems.TEMPLATE_PAUSED,
    "DISABLED": problems.TEMPLATE_DISABLED,
}
_LISTS: Final = {"BUTTONS": "buttons", "CAROUSEL": "cards"}


def check_endpoint(template: TemplateDefinition, *, marketing: bool) -> None:
    """Raise `Refused` where *template* belongs to the other endpoint of the two."""
    if marketing and template.category != MARKETING:
        raise Refused(
            problems.MARKETING_ONLY,
            f"/marketing_messages takes templates of category MARKETING; {template.name} is "
            f"{template.category}.",
        )
    if "optimization_spec" in template.options and not marketing:
        raise Refused(
            problems.MAX_PRICE,
            f"The template {template.name} has an optimization_spec: it must be sent to "
            "/marketing_messages.",
        )


def to_json(template: TemplateDefinition) -> dict[str, Any]:
    """Return *template* as the API lists it."""
    return {
        **template.body(),
        "id": template.id,
        "status": template.status,
        "parameter_format": template.parameter_format,
        "quality_score": {"score": template.quality},
        "rejected_reason": template.rejected or "NONE",
    }


class TemplateCatalog:
    """The known templates; with a *folder* of the bot's own templates, others are refused."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._templates: dict[tuple[str, str], TemplateDefinition] = {}
        self.reload()

    def reload(self) -> None:
        """Read all templates again; raise `SettingsError` for an invalid file."""
        found = list(load_file(BUILT_IN))
        if self._folder is not None:
            found += load_folder(self._folder)
        self._templates = {each.key: each for each in found}
        self._from_files = {*self._templates}

    def created(self) -> list[TemplateDefinition]:
        """Return the templates that the management API has created."""
        return [each for key, each in self._templates.items() if key not in self._from_files]

    def __iter__(self) -> Iterator[TemplateDefinition]:
        return iter([*self._templates.values()])

    def get(self, name: str, language: str) -> TemplateDefinition | None:
        return self._templates.get((name, language))

    def put(self, template: TemplateDefinition) -> None:
        """Keep *template*, which was created by the management API, or changed."""
        self._templates[template.key] = template

    def remove(self, name: str, number: str | None = None) -> list[TemplateDefinition]:
        """Delete and return the templates called *name*, or only the one with this id."""
        found = [each for each in self if each.name == name and number in (None, each.id)]
        for each in found:
            del self._templates[each.key]
        return found

    def set_status(
        self, name: str, language: str, status: str, quality: str | None = None
    ) -> TemplateDefinition | None:
        template = self._templates.get((name, language))
        if template is not None:
            quality = quality or template.quality
            template = replace(template, status=status, quality=quality)
            self.put(template)
        return template

    def find(self, name: str, language: str) -> TemplateDefinition | None:
        """
        Return the template; raise `Refused` if it may not be sent.

        None is a template that is unknown here: without a folder, any name is accepted.
        """
        template = self._templates.get((name, language))
        if template is None:
            languages = sorted(known for each, known in self._templates if each == name)
            if not languages and self._folder is None:
                return None
            raise Refused(
                problems.NO_TEMPLATE,
                f"There is no template {name} in {language}, "
                + (f"only in {', '.join(languages)}." if languages else "in no language at all."),
                details=f"template name ({name}) does not exist in {language}",
            )
        if template.status != APPROVED:
            raise Refused(
                _NOT_SENT.get(template.status, problems.NO_TEMPLATE),
                f"The template {name} in {language} is {template.status.lower()}.",
            )
        return template

    def statuses_to_json(self) -> list[list[str]]:
        return [[each.name, each.language, each.status] for each in self._templates.values()]

    def to_json(self) -> list[dict[str, Any]]:
        return [to_json(template) for template in self]


def load_folder(folder: Path) -> list[TemplateDefinition]:
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder} with templates")
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".yml", ".yaml"))
    return [template for path in paths for template in load_file(path)]


def load_file(path: Path) -> Iterator[TemplateDefinition]:
    try:
        content = plain_yaml("safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise SettingsError(f"{path}: invalid YAML: {error}") from error
    for value in content if isinstance(content, list) else [content]:
        template = parse_template(value, str(path))
        for key in template.options.keys() - {*OPTIONS}:
            known = ", ".join((*KEYS, "status", *OPTIONS))
            raise SettingsError(f"{path}: template {template.name}: unknown key {key!r}; {known}")
        yield template


def parse_template(value: object, where: str) -> TemplateDefinition:
    """Read a template of a file or request; raise `SettingsError` with *where*."""
    if not isinstance(value, Mapping):
        raise SettingsError(f"{where}: a template has name, language, category and components")
    name, language = value.get("name"), value.get("language")
    if not isinstance(name, str) or not isinstance(language, str):
        raise SettingsError(f"{where}: a template needs a name and a language, such as en_US")
    where = f"{where}: template {name}"
    try:
        found = TemplateDefinition.parse({"category": "UTILITY", "status": APPROVED, **value})
    except InvalidMessage as error:
        raise SettingsError(f"{where}: {error}") from error
    if not found.components:
        raise SettingsError(f"{where}: components is a list with at least a BODY")
    _one_of(where, "category", found.category, CATEGORIES)
    _one_of(where, "status", found.status, STATUSES)
    _one_of(where, "parameter_format", found.parameter_format, FORMATS)
    for part in found.parts():
        if part.inside == "BUTTONS":
            continue
        _one_of(where, "type of a component", part.kind, COMPONENTS)
        is_silent = part.kind in ("BODY", "FOOTER") and "text" not in part.value
        if is_silent and found.category != AUTHENTICATION:
            raise SettingsError(f"{where}: {part.kind} needs text")
        if (inner := _LISTS.get(part.kind)) and inner not in part.value:
            raise SettingsError(f"{where}: {part.kind} needs a list of {inner}")
    # A number that is the same at each start.
    number = zlib.crc32(f"{found.name}/{found.language}".encode()) + 10**14
    return replace(found, id=str(number), quality=found.quality or "UNKNOWN")


def _one_of(where: str, name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise SettingsError(f"{where}: {name} is one of {', '.join(known)}, not {value!r}")


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
