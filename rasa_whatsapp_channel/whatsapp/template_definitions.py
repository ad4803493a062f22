"""
Template definitions: templates as the management API creates and lists them, and what they say.

All are read into one form: types in upper case, and an authentication template as it is created.
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of
from rasa_whatsapp_channel.whatsapp.messages import checks

APPROVED: Final = "APPROVED"
AUTHENTICATION: Final = "AUTHENTICATION"
MARKETING: Final = "MARKETING"
CATEGORIES: Final = ("UTILITY", MARKETING, AUTHENTICATION)
NAMED: Final = "NAMED"
POSITIONAL: Final = "POSITIONAL"
FORMATS: Final = (POSITIONAL, NAMED)
MEDIA: Final = ("IMAGE", "VIDEO", "GIF", "DOCUMENT")
ORDER: Final = ("HEADER", "LIMITED_TIME_OFFER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL")
COMPONENTS: Final = (*ORDER, "CALL_PERMISSION_REQUEST", "ORDER_STATUS")
KEYS: Final = ("name", "language", "category", "parameter_format", "components")
#: what else a template is created with
OPTIONS: Final = (
    *("message_send_ttl_seconds", "sub_category", "display_format", "allow_category_change"),
    *("optimization_spec", "degrees_of_freedom_spec", "cta_url_link_tracking_opted_out"),
    "is_primary_device_delivery_only",
)
#: what only WhatsApp tells
TOLD: Final = ("id", "status", "quality_score", "rejected_reason", "correct_category")
_NOTHING: Final = (None, "CUSTOM")  # the latter is listed as `sub_category` of most
_WORDS: Final = ("type", "format", "otp_type")  # written in any case
_LISTS: Final = ("components", "buttons", "cards")
_OTP_LINK: Final = "https://www.whatsapp.com/otp/"
# Samples are seen by the review only; the others WhatsApp writes or does not list.
_UNSEEN: Final = ("example",)
_UNSEEN_OTP: Final = ("text", "autofill_text", "supported_apps", "zero_tap_terms_accepted")


class Part(NamedTuple):
    """A component or button; *place* names it, *inside* is the component of a button or card."""

    place: str
    value: Mapping[str, Any]
    inside: str = ""

    @property
    def kind(self) -> str:
        return str(self.value.get("type", ""))

    def text(self, key: str) -> str:
        """Return the text at *key*, which may be the first of a list."""
        value = self.value.get(key)
        value = value[0] if isinstance(value, list) and value else value
        return str(value or "").strip()

    def name(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key


@dataclass(frozen=True)
class TemplateDefinition:
    """*components* are in WhatsApp's form. What follows *options* only WhatsApp knows."""

    name: str
    language: str
    category: str
    components: tuple[Mapping[str, Any], ...]
    parameter_format: str = POSITIONAL
    #: what else it is created with, by WhatsApp's keys
    options: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    status: str = ""
    quality: str = ""
    #: why it was rejected
    rejected: str = ""
    #: the category it would have
    correct_category: str = ""

    @classmethod
    def parse(cls, value: object) -> TemplateDefinition:
        """Read a template of an answer or a file. Raises `InvalidMessage`."""
        given = checks.mapping("template", value)
        name = checks.check_text("template.name", given.get("name"))
        place = f"{name}.components"
        parts = [read_part(place, each) for each in checks.sequence(place, given.get("components"))]
        category = checks.check_text(f"{name}.category", given.get("category")).upper()
        reason = text_of(given.get("rejected_reason")) or ""
        others = given.keys() - {*KEYS, *TOLD}
        return cls(
            name,
            checks.check_text(f"{name}.language", given.get("language")),
            category,
            tuple(_as_created(parts) if category == AUTHENTICATION else parts),
            str(given.get("parameter_format") or POSITIONAL).upper(),
            {key: given[key] for key in given if key in others and given[key] not in _NOTHING},
            str(given.get("id") or ""),
            str(given.get("status") or "").upper(),
            text_of(object_of(given.get("quality_score")).get("score")) or "",
            "" if reason == "NONE" else reason,
            text_of(given.get("correct_category")) or "",
        )

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.language

    @property
    def detail(self) -> str:
        """Return what WhatsApp says against it."""
        correct = self.correct_category
        moves = f"should be {correct}" if correct not in ("", self.category) else ""
        return ", ".join(filter(None, (self.rejected, moves)))

    @property
    def is_named(self) -> bool:
        return self.parameter_format == NAMED

    def body(self) -> dict[str, Any]:
        """Return what is sent to create it, and written into files."""
        return {
            "name": self.name,
            "language": self.language,
            "category": self.category,
            **({"parameter_format": NAMED} if self.is_named else {}),
            **self.options,
            "components": [dict(each) for each in self.components],
        }

    def parts(self) -> Iterator[Part]:
        """Yield its components, and their buttons and cards with what is in them."""
        yield from iterate(self.components)

    @property
    def samples(self) -> list[str]:
        """Return the sample files of its headers, each once."""
        examples = [object_of(part.value.get("example")) for part in self.parts()]
        found = [str(each) for one in examples for each in one.get("header_handle") or ()]
        return [*dict.fromkeys(found)]

    def with_handles(self, handles: Mapping[str, str]) -> TemplateDefinition:
        """Return it with the *handles* of its uploaded samples."""
        return replace(self, components=tuple(_with_handles(self.components, handles)))

    def content(self) -> Mapping[str, Any]:
        """Return what of it people see, the same however it is written."""
        unseen = _UNSEEN + _UNSEEN_OTP if self.category == AUTHENTICATION else _UNSEEN
        parts = [_seen(each, unseen) for each in self.components]
        parts.sort(key=lambda each: ORDER.index(each["type"]) if each["type"] in ORDER else 9)
        return {
            "category": self.category,
            "parameter_format": self.parameter_format,
            "components": parts,
        }


def read_part(place: str, value: object) -> dict[str, Any]:
    """Read a component, card or button. Raises `InvalidMessage`."""
    part = {key: each for key, each in checks.mapping(place, value).items() if each is not None}
    part |= {key: str(part[key]).upper() for key in _WORDS if key in part}
    for key in part.keys() & {*_LISTS}:
        inner = f"{place}.{key}"
        part[key] = [read_part(inner, each) for each in checks.sequence(inner, part[key])]
    if part.get("type") == "HEADER":
        part.setdefault("format", "TEXT")
    return part


def _as_created(parts: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """
    Yield the components of an authentication template as they are created.

    WhatsApp writes its texts, and lists its button as one with a link that holds the rest.
    .../templates/authentication-templates/zero-tap-authentication-templates
    """
    link = next((str(each.value.get("url")) for each in iterate(parts) if each.inside), "")
    if not link.startswith(_OTP_LINK):
        yield from parts
        return
    said = dict(parse_qsl(urlsplit(link).query))
    apps = {key: said[key] for key in ("package_name", "signature_hash") if key in said}
    button = {
        "type": "OTP",
        "otp_type": said.get("otp_type", "COPY_CODE"),
        **({"autofill_text": said["cta_display_name"]} if "cta_display_name" in said else {}),
        **({"supported_apps": [apps]} if apps else {}),
        **({"zero_tap_terms_accepted": True} if said.get("otp_type") == "ZERO_TAP" else {}),
    }
    for part in parts:
        kept = {key: each for key, each in part.items() if key not in ("text", "example")}
        if "buttons" in part:
            labels = [{"text": each["text"]} if "text" in each else {} for each in part["buttons"]]
            kept["buttons"] = [button | label for label in labels]
        minutes = said.get("code_expiration_minutes", "")
        if part.get("type") == "FOOTER" and minutes.isdecimal():
            kept["code_expiration_minutes"] = int(minutes)
        yield kept


def iterate(
    components: Sequence[Mapping[str, Any]], place: str = "", inside: str = ""
) -> Iterator[Part]:
    """Yield *components*, and their buttons and cards with what is in them."""
    for component in components:
        kind = str(component.get("type", "")).lower()
        yield Part(f"{place}{kind}", {**component, **object_of(component.get(kind))}, inside)
        for number, button in enumerate(component.get("buttons", ())):
            yield Part(f"{place}buttons[{number}]", button, "BUTTONS")
        for number, card in enumerate(component.get("cards", ())):
            yield from iterate(card.get("components", ()), f"cards[{number}].", "CAROUSEL")


def _with_handles(parts: Any, handles: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    for part in parts:
        changed = dict(part)
        if samples := object_of(part.get("example")).get("header_handle"):
            changed["example"] = {"header_handle": [handles[str(each)] for each in samples]}
        for key in part.keys() & {*_LISTS}:
            changed[key] = [*_with_handles(part[key], handles)]
        yield changed


def _seen(value: Any, unseen: Collection[str]) -> Any:
    if isinstance(value, Mapping):
        return {
            str(key): _seen(each, unseen)
            for key, each in value.items()
            if key not in unseen and each is not None and each is not False
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_seen(each, unseen) for each in value]
    return value.strip() if isinstance(value, str) else value
