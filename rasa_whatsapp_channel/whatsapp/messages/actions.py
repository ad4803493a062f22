"""
Interactive messages with one named action and its parameters: forms, contact data, calls, payments.

https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/call-button-messages-deep-links
https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/user-call-permissions
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-in/pg
https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-br/orders
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import checks
from rasa_whatsapp_channel.whatsapp.messages.interactive import HEADER_MEDIA, Interactive
from rasa_whatsapp_channel.whatsapp.messages.keys import present
from rasa_whatsapp_channel.whatsapp.messages.orders import check_order, check_order_status

_FIELD = "interactive.action.parameters"
_ANY_HEADER = ("text", *HEADER_MEDIA)


@dataclass(frozen=True)
class Action(Interactive):
    """
    *action_name* is WhatsApp's ``action.name``.

    *shown* are the parts beside the body that a page shows with this kind: types of header, and
    ``footer``; what else `headers` and `has_footer` allow is only not known.
    """

    action_name: ClassVar[str]
    shown: ClassVar[tuple[str, ...]] = (*_ANY_HEADER, "footer")

    parameters: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.parameters is not None:
            checks.mapping(_FIELD, self.parameters)

    def action(self) -> dict[str, Any]:
        parameters = None if self.parameters is None else dict(self.parameters)
        return present(name=self.action_name, parameters=parameters)

    @classmethod
    def parse_action(cls, action: Mapping[str, Any]) -> dict[str, Any]:
        if action.get("name") != cls.action_name:
            raise InvalidMessage("interactive.action.name", f"must be {cls.action_name}")
        return {"parameters": action.get("parameters")}


@dataclass(frozen=True)
class LocationRequest(Action):
    """A button that sends the user's location."""

    kind: ClassVar[str] = "location_request_message"
    action_name: ClassVar[str] = "send_location"
    has_footer: ClassVar[bool] = False


@dataclass(frozen=True)
class Flow(Action):
    """A button that opens a form; *parameters* are WhatsApp's, with ``flow_cta`` as its label."""

    kind: ClassVar[str] = "flow"
    action_name: ClassVar[str] = "flow"
    headers: ClassVar[tuple[str, ...]] = _ANY_HEADER

    def __post_init__(self) -> None:
        super().__post_init__()
        parameters = checks.mapping(_FIELD, self.parameters)
        checks.check_text(f"{_FIELD}.flow_message_version", parameters.get("flow_message_version"))
        checks.check_text(f"{_FIELD}.flow_cta", parameters.get("flow_cta"), limits.FLOW_CTA)
        if bool(parameters.get("flow_id")) == bool(parameters.get("flow_name")):
            raise InvalidMessage(_FIELD, "needs exactly one of flow_id and flow_name")


@dataclass(frozen=True)
class ContactRequest(Action):
    """A button by which a user shares their phone number; the answer is a contact card."""

    kind: ClassVar[str] = "request_contact_info"
    action_name: ClassVar[str] = "request_contact_info"
    headers: ClassVar[tuple[str, ...]] = _ANY_HEADER
    shown: ClassVar[tuple[str, ...]] = ()


@dataclass(frozen=True)
class VoiceCall(Action):
    """A button that calls the business; `payload` comes back with the call."""

    kind: ClassVar[str] = "voice_call"
    action_name: ClassVar[str] = "voice_call"
    headers: ClassVar[tuple[str, ...]] = _ANY_HEADER
    shown: ClassVar[tuple[str, ...]] = ("text",)

    def __post_init__(self) -> None:
        super().__post_init__()
        parameters = self.parameters or {}
        for key, limit in (
            ("display_text", limits.BUTTON_TITLE),
            ("payload", limits.VOICE_CALL_PAYLOAD),
        ):
            if key in parameters:
                checks.check_text(f"{_FIELD}.{key}", parameters[key], limit)
        if "ttl_minutes" in parameters:
            checks.check_whole(f"{_FIELD}.ttl_minutes", parameters["ttl_minutes"], *limits.CALL_TTL)


@dataclass(frozen=True)
class CallPermissionRequest(Action):
    """Asks whether the business may call; once in 24 hours and twice in 7 days to one person."""

    kind: ClassVar[str] = "call_permission_request"
    action_name: ClassVar[str] = "call_permission_request"
    body_required: ClassVar[bool] = False
    has_footer: ClassVar[bool] = False


@dataclass(frozen=True)
class OrderDetails(Action):
    """An order to be paid; its amounts add up."""

    kind: ClassVar[str] = "order_details"
    action_name: ClassVar[str] = "review_and_pay"
    headers: ClassVar[tuple[str, ...]] = _ANY_HEADER
    shown: ClassVar[tuple[str, ...]] = ("image", "footer")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order(_FIELD, self.parameters)


@dataclass(frozen=True)
class OrderStatus(Action):
    """What became of an order, or of its payment."""

    kind: ClassVar[str] = "order_status"
    action_name: ClassVar[str] = "review_order"
    headers: ClassVar[tuple[str, ...]] = _ANY_HEADER
    shown: ClassVar[tuple[str, ...]] = ("image", "footer")

    def __post_init__(self) -> None:
        super().__post_init__()
        check_order_status(_FIELD, self.parameters)
