"""
Interactive messages that ask people for something, and that this package hands on unread. No I/O.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/address-messages
https://developers.facebook.com/documentation/business-messaging/whatsapp/business-scoped-user-ids
https://developers.facebook.com/documentation/business-messaging/whatsapp/calling/call-button-messages-deep-links
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.simulator import problems
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.whatsapp import limits

_TTL: Final = (1, 43_200)  # minutes a call button lives
# What the action is called, by type; payments are India's and Brazil's.
_ACTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "address_message": ("address_message",),
    "request_contact_info": ("request_contact_info",),
    "voice_call": ("voice_call",),
    "call_permission_request": ("call_permission_request",),
    "order_details": ("review_and_pay",),
    "order_status": ("review_order",),
}
_BODYLESS: Final = ("call_permission_request",)


def check_other(content: Mapping[str, Any]) -> None:
    """Raise `Refused` for an interactive message that no page of WhatsApp's describes."""
    kind = str(content.get("type"))
    if kind not in _ACTIONS:
        raise Refused(problems.INVALID, f"WhatsApp has no interactive type {kind}.")
    action = content.get("action")
    if not isinstance(action, Mapping) or action.get("name") not in _ACTIONS[kind]:
        raise Refused(problems.INVALID, f"action.name must be {' or '.join(_ACTIONS[kind])}.")
    if kind not in _BODYLESS:
        _check_body(content.get("body"))
    if kind == "call_permission_request" and {"header", "footer"} & set(content):
        raise Refused(problems.INVALID, f"A {kind} has neither header nor footer.")
    parameters = action.get("parameters", {})
    if not isinstance(parameters, Mapping):
        raise Refused(problems.INVALID, "action.parameters must be an object.")
    check = _CHECKS.get(kind)
    if check is not None:
        check(parameters)


def _check_body(body: object) -> None:
    text = body.get("text") if isinstance(body, Mapping) else None
    if not text:
        raise Refused(problems.MISSING, "The message needs body.text.")
    if not isinstance(text, str) or len(text) > limits.INTERACTIVE_BODY:
        raise Refused(
            problems.INVALID,
            f"body.text is a text of at most {limits.INTERACTIVE_BODY} characters.",
        )


def _check_address(parameters: Mapping[str, Any]) -> None:
    if "country" not in parameters:
        raise Refused(problems.MISSING, "An address message needs parameters.country.")
    if parameters["country"] != "IN":
        raise Refused(problems.INVALID, 'Addresses can be asked for in India only: "IN".')


def _check_call(parameters: Mapping[str, Any]) -> None:
    label, payload = parameters.get("display_text", ""), parameters.get("payload", "")
    least, most = _TTL
    ttl = parameters.get("ttl_minutes", least)
    if not isinstance(label, str) or len(label) > limits.BUTTON_TITLE:
        raise Refused(
            problems.INVALID, f"display_text has at most {limits.BUTTON_TITLE} characters."
        )
    if not isinstance(payload, str) or len(payload) > limits.VOICE_CALL_PAYLOAD:
        raise Refused(
            problems.INVALID, f"payload has at most {limits.VOICE_CALL_PAYLOAD} characters."
        )
    if isinstance(ttl, bool) or not isinstance(ttl, int) or not least <= ttl <= most:
        raise Refused(problems.INVALID, f"ttl_minutes is a number from {least} to {most}.")


_CHECKS: Final[Mapping[str, Callable[[Mapping[str, Any]], None]]] = {
    "address_message": _check_address,
    "voice_call": _check_call,
}
