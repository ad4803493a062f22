"""
Template messages, the only ones outside the 24-hour window.

https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import checks
from rasa_whatsapp_channel.whatsapp.messages.base import Media, Message
from rasa_whatsapp_channel.whatsapp.messages.keys import TEMPLATE_MEDIA, present, short
from rasa_whatsapp_channel.whatsapp.messages.orders import check_order, check_order_status

_NAME: Final = re.compile(r"[a-z0-9_]+")
_TEXTS: Final = ("text", "payload", "coupon_code", "group_id")
_OBJECTS: Final = ("currency", "date_time", "location", "product", "action")
# The known types of component; others are sent as written.
COMPONENTS: Final = (
    "header",
    "body",
    "button",
    "call_permission_request",
    "carousel",
    "limited_time_offer",
    "order_status",
    "tap_target_configuration",
)
# The kinds of button there are.
BUTTONS: Final = (
    "quick_reply",
    "url",
    "phone_number",
    "copy_code",
    "otp",
    "flow",
    "catalog",
    "mpm",
    "spm",
    "voice_call",
    "request_contact_info",
    "order_details",
    "order_status",
)
CATEGORIES: Final = ("marketing", "utility", "authentication")
# newline, tab and more than four spaces in a row are answered with 132018
REFUSED_SPACE: Final = re.compile(r"[\n\r\t]| {5,}")


def _check_tap_target(field: str, value: object) -> None:
    targets = checks.sequence(field, value)
    checks.check_count(field, targets, 1)
    for target in targets:
        checks.mapping(field, target)
        checks.check_link(f"{field}.url", target.get("url"))
        checks.check_text(f"{field}.title", target.get("title"))


def _check_offer(field: str, value: object) -> None:
    offer = checks.mapping(field, value)
    if "expiration_time_ms" in offer:
        milliseconds = offer["expiration_time_ms"]
        checks.check_whole(f"{field}.expiration_time_ms", milliseconds, 1, 10**15)


def _check_ttl(field: str, value: object) -> None:
    checks.check_whole(field, value, *limits.CALL_TTL)


_CHECKS: Final[Mapping[str, Callable[[str, object], None]]] = {
    "limited_time_offer": _check_offer,
    "order_status": check_order_status,
    "tap_target_configuration": _check_tap_target,
    "ttl_minutes": _check_ttl,
}


@dataclass(frozen=True)
class Parameter:
    """
    One value put into a template.

    *value* stands under the key named like *type*: a text (text, payload, coupon_code), a `Media`
    (image, video, document, gif), an object (currency, date_time, location, product, action), one
    of `_CHECKS`, or whatever else WhatsApp has there.
    *name* is for templates with named parameters.
    """

    type: str
    value: Any
    name: str | None = None
    filename: str | None = None

    def __post_init__(self) -> None:
        field = f"template.components.parameters.{short(self.type)}"
        if self.type in TEMPLATE_MEDIA:
            if not isinstance(self.value, Media):
                raise InvalidMessage(field, "must be a media object")
        elif self.type in _TEXTS:
            checks.check_text(field, self.value)
            if self.type == "text" and REFUSED_SPACE.search(self.value):
                raise InvalidMessage(field, "takes no line break, tab or five spaces in a row")
            if self.type == "coupon_code":
                checks.check_text(field, self.value, limits.TEMPLATE_COUPON_CODE)
        elif self.type in _OBJECTS:
            value = checks.mapping(field, self.value)
            if self.type == "action" and "order_details" in value:
                check_order(f"{field}.order_details", value["order_details"])
        elif self.type in _CHECKS:
            _CHECKS[self.type](field, self.value)
        elif self.value is None:
            raise InvalidMessage(field, "is missing")
        checks.optional_text(f"{field}.parameter_name", self.name)
        checks.optional_text(f"{field}.filename", self.filename)

    def content(self) -> dict[str, Any]:
        value: Any = self.value
        if isinstance(value, Media):
            value = present(**value.fields(), filename=self.filename)
        return {**present(type=self.type, parameter_name=self.name), self.type: value}

    @classmethod
    def parse(cls, value: object) -> Parameter:
        field = "template.components.parameters"
        parameter = checks.mapping(field, value)
        kind = checks.check_text(f"{field}.type", parameter.get("type"))
        content = parameter.get(kind)
        filename = None
        if kind in TEMPLATE_MEDIA:
            media = checks.mapping(f"{field}.{kind}", content)
            filename = media.get("filename")
            content = Media.parse(f"{field}.{kind}", media)
        elif kind in _TEXTS and isinstance(content, (int, float)) and not isinstance(content, bool):
            content = str(content)
        return cls(kind, content, name=parameter.get("parameter_name"), filename=filename)


@dataclass(frozen=True)
class Component:
    """Header, body, button or carousel of a template. *sub_type* and *index* belong to buttons."""

    type: str
    parameters: tuple[Parameter, ...] = ()
    sub_type: str | None = None
    index: int | None = None
    cards: tuple[tuple[Component, ...], ...] = ()

    def __post_init__(self) -> None:
        field = "template.components"
        checks.check_text(f"{field}.type", self.type)
        if self.type == "button":
            checks.check_text(f"{field}.sub_type", self.sub_type)
        if self.index is not None and not 0 <= self.index < limits.TEMPLATE_BUTTONS:
            raise InvalidMessage(f"{field}.index", f"must be 0 to {limits.TEMPLATE_BUTTONS - 1}")

    def content(self) -> dict[str, Any]:
        parts: dict[str, Any] = {"type": self.type}
        if self.type == "button":
            parts["sub_type"] = self.sub_type
            if self.index is not None:  # a button that calls may go without one
                parts["index"] = str(self.index)
        if self.type == "carousel":
            return parts | {
                "cards": [
                    {"card_index": index, "components": [part.content() for part in card]}
                    for index, card in enumerate(self.cards)
                ]
            }
        return parts | {"parameters": [parameter.content() for parameter in self.parameters]}

    @classmethod
    def parse(cls, value: object) -> Component:
        field = "template.components"
        part = checks.mapping(field, value)
        cards = [
            checks.mapping(f"{field}.cards", card)
            for card in checks.sequence(f"{field}.cards", part.get("cards") or [])
        ]
        return cls(
            type=checks.check_text(f"{field}.type", part.get("type")).lower(),
            parameters=tuple(
                Parameter.parse(item)
                for item in checks.sequence(f"{field}.parameters", part.get("parameters") or [])
            ),
            sub_type=part.get("sub_type"),
            index=_index(part.get("index")),
            cards=tuple(
                tuple(
                    cls.parse(item)
                    for item in checks.sequence(f"{field}.cards.components", card.get("components"))
                )
                for card in cards
            ),
        )


@dataclass(frozen=True)
class Template(Message):
    """
    An approved template with its parameters.

    *namespace* is for on-premises clients older than 2.41 and for Turn; the others do not get it.
    *category* is for us, no API gets it.
    """

    type: ClassVar[str] = "template"

    name: str
    language: str
    components: tuple[Component, ...] = ()
    namespace: str | None = None
    category: str | None = None

    def __post_init__(self) -> None:
        checks.check_text("template.name", self.name, limits.TEMPLATE_NAME)
        if not _NAME.fullmatch(self.name):
            raise InvalidMessage("template.name", "takes a-z, 0-9 and _ only")
        checks.check_text("template.language.code", self.language)
        checks.optional_text("template.namespace", self.namespace)
        if self.category is not None and str(self.category).lower() not in CATEGORIES:
            raise InvalidMessage("template.category", f"is one of {', '.join(CATEGORIES)}")

    def content(self) -> dict[str, Any]:
        return present(
            name=self.name,
            language={"code": self.language},
            namespace=self.namespace,
            category=self.category,
            components=[component.content() for component in self.components] or None,
        )

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Template:
        language = value.get("language")
        if isinstance(language, Mapping):
            language = language.get("code")
        return cls(
            name=checks.check_text("template.name", value.get("name")),
            language=checks.check_text("template.language.code", language),
            components=tuple(
                Component.parse(item)
                for item in checks.sequence("template.components", value.get("components") or [])
            ),
            namespace=value.get("namespace"),
            category=value.get("category"),
        )


def _index(value: object) -> int | None:
    """WhatsApp writes the number as text; authors write either."""
    if value is None:
        return None
    return int(str(value)) if re.fullmatch(r"[0-9]{1,3}", str(value)) else limits.TEMPLATE_BUTTONS
