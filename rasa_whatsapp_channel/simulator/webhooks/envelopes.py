"""
Webhook envelopes: bodies in the nested format (Cloud, 360dialog) and the flat one, and headers.

https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages
https://developers.facebook.com/docs/whatsapp/api/webhooks
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.simulator.config import Config, Number
from rasa_whatsapp_channel.simulator.media_library import MediaFile
from rasa_whatsapp_channel.simulator.problems import Problem
from rasa_whatsapp_channel.simulator.state import ChatMessage, WhatsAppUser
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, ON_PREMISES, TURN, Api
from rasa_whatsapp_channel.whatsapp.messages.envelope import is_direct

WABA_ID: Final = "102290129340398"
# An on-premises client includes contacts only with these types.
_WITH_CONTACTS: Final = frozenset({"text", "contacts", "location"})
_CLOUD_UNSUPPORTED: Final = {
    "code": 131051,
    "title": "Message type unknown",
    "message": "Message type unknown",
    "error_data": {"details": "Message type is currently not supported."},
}
_FLAT_UNSUPPORTED: Final = {
    "code": 501,
    "title": "Unknown message type",
    "details": "Message type is not currently supported",
}


@dataclass(frozen=True)
class StatusChange:
    """A new status of a message of the bot."""

    message: ChatMessage
    status: str
    timestamp: int
    errors: tuple[Mapping[str, Any], ...] = ()


def media_content(
    kind: str, file: MediaFile, api: Api, *, url: str, caption: str | None = None
) -> dict[str, Any]:
    """Return the media object of an incoming file; *kind* may be ``voice``."""
    nested = api in (CLOUD, DIALOG360)
    content: dict[str, Any] = {
        "id": file.id,
        "mime_type": file.mime_type,
        "sha256": _base64_of(file) if nested else file.sha256,
    }
    if nested:
        content["url"] = url
    if caption and kind in ("image", "video", "document"):
        content["caption"] = caption
    if kind == "document" and file.filename:
        content["filename"] = file.filename
    if kind in ("audio", "voice"):
        content["voice"] = kind == "voice"
    if kind == "sticker" and nested:
        content["animated"] = file.animated
    return content


def media_in_flow(file: MediaFile) -> dict[str, Any]:
    """
    Return how the response of a flow holds a photo or document.

    https://developers.facebook.com/docs/whatsapp/flows/reference/media_upload
    """
    return {
        "file_name": file.filename,
        "mime_type": file.mime_type,
        "sha256": _base64_of(file),
        "id": file.id,
    }


def _base64_of(file: MediaFile) -> str:
    return base64.b64encode(bytes.fromhex(file.sha256)).decode()


def status_error(problem: Problem, api: Api, details: str) -> dict[str, Any]:
    """Return the error of a `failed` status."""
    code = problem.code(api)
    if api not in (CLOUD, DIALOG360):
        return code.to_json(details)
    return {
        "code": code.number,
        "title": code.title,
        "message": code.title,
        "error_data": {"details": details},
        "href": "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/",
    }


def messages_webhook(
    messages: Sequence[ChatMessage], person: WhatsAppUser, *, api: Api, number: Number
) -> dict[str, Any]:
    """Return the webhook of *messages*, all of one person."""
    if api in (CLOUD, DIALOG360):
        value: dict[str, Any] = {}
        if any(message.type != "system" for message in messages):
            value["contacts"] = [contact(person)]
        value["messages"] = [_nested_message(message, person) for message in messages]
        return _nest(value, number)
    body: dict[str, Any] = {}
    if api is TURN or any(message.type in _WITH_CONTACTS for message in messages):
        body["contacts"] = [_flat_contact(person, api)]
    body["messages"] = [_flat_message(message, person, api) for message in messages]
    return body


def statuses_webhook(
    changes: Sequence[StatusChange], person: WhatsAppUser, *, api: Api, number: Number
) -> dict[str, Any]:
    """Return the webhook of status *changes*, all of one person."""
    if api not in (CLOUD, DIALOG360):
        return {"statuses": [_flat_status(change, person) for change in changes]}
    value: dict[str, Any] = {}
    if not person.group and any(change.status != "failed" for change in changes):
        value["contacts"] = [contact(person)]
    value["statuses"] = [_nested_status(change, person) for change in changes]
    return _nest(value, number)


def overheard(
    message: ChatMessage, person: WhatsAppUser, *, number: Number
) -> tuple[str, dict[str, Any]]:
    """Return field and value of the webhook for a *message* that is not the bot's to answer."""
    head = {"messaging_product": "whatsapp", "metadata": metadata(number)}
    part = {message.type: message.content}
    known = {"id": message.id, "timestamp": str(message.timestamp)}
    if message.direction == "inbound":
        told: dict[str, Any] = {
            "contacts": [contact(person)],
            "messages": [_nested_message(message, person)],
        }
        return "standby", {**head, "standby": told}
    to = {"to": person.phone} if person.phone else {}
    if message.by == "app":
        recipient = to or {"recipient": person.user_id}
        body = {"messaging_product": "whatsapp", **recipient, "type": message.type, **part}
        return "standby", {**head, "standby": {"message_echoes": [{**known, "message": body}]}}
    echo = {
        "from": number.display_phone_number,
        **to,
        "to_user_id": person.user_id,
        **known,
        "type": message.type,
        **part,
    }
    return "smb_message_echoes", {**head, "message_echoes": [echo]}


def user_id_webhook(
    old: WhatsAppUser, new: WhatsAppUser, *, now: int, number: Number
) -> dict[str, Any]:
    """Return the webhook of a new user id, which has its own field."""
    update = {
        **({"wa_id": new.phone} if new.phone else {}),
        "detail": f"The user id changed from {old.user_id} to {new.user_id}",
        "user_id": {"previous": old.user_id, "current": new.user_id},
        "timestamp": str(now),
    }
    return _nest({"user_id_update": [update]}, number, field="user_id_update")


def _nest(value: Mapping[str, Any], number: Number, *, field: str = "messages") -> dict[str, Any]:
    head = {"messaging_product": "whatsapp", "metadata": metadata(number)}
    change = {"value": {**head, **value}, "field": field}
    return {"object": "whatsapp_business_account", "entry": [{"id": WABA_ID, "changes": [change]}]}


def metadata(number: Number) -> dict[str, str]:
    """Return the number as nested webhooks name it."""
    return {
        "display_phone_number": number.display_phone_number,
        "phone_number_id": number.phone_number_id,
    }


def contact(person: WhatsAppUser) -> dict[str, Any]:
    """Return the person as nested webhooks name them."""
    phone = {"wa_id": person.phone} if person.phone else {}
    return {"profile": {"name": person.name}, **phone, "user_id": person.user_id}


def _flat_contact(person: WhatsAppUser, api: Api) -> dict[str, Any]:
    phone = {"wa_id": person.phone} if person.phone else {}
    user_id = {"user_id": person.user_id} if api is TURN else {}
    return {"profile": {"name": person.name}, **phone, **user_id}


def _nested_message(message: ChatMessage, person: WhatsAppUser) -> dict[str, Any]:
    phone = {"from": person.phone} if person.phone else {}
    extra = dict(message.extra)
    if message.type == "unsupported":
        extra = {"errors": [_CLOUD_UNSUPPORTED], **extra}
    return {
        **({"context": message.context} if message.context else {}),
        **phone,
        "from_user_id": person.user_id,
        "id": message.id,
        "timestamp": str(message.timestamp),
        "type": message.type,
        **({message.type: message.content} if message.content is not None else {}),
        **extra,
    }


def _flat_message(message: ChatMessage, person: WhatsAppUser, api: Api) -> dict[str, Any]:
    kind, content, extra = message.type, message.content, dict(message.extra)
    if kind == "audio" and isinstance(content, Mapping) and "voice" in content:
        kind = "voice" if content["voice"] else "audio"
        content = {key: value for key, value in content.items() if key != "voice"}
    if kind == "unsupported":
        on_premises = api is ON_PREMISES
        kind, content = ("unknown" if on_premises else kind), None
        error = _FLAT_UNSUPPORTED if on_premises else _CLOUD_UNSUPPORTED
        extra = {"errors": [error], **extra}
    return {
        **({"context": message.context} if message.context else {}),
        **({"from": person.phone} if person.phone else {}),
        **({"from_bsuid": person.user_id} if api is TURN else {}),
        "id": message.id,
        "timestamp": str(message.timestamp),
        "type": kind,
        **({kind: content} if content is not None else {}),
        **extra,
    }


def _nested_status(change: StatusChange, person: WhatsAppUser) -> dict[str, Any]:
    message = change.message
    to_phone = person.phone is not None
    status: dict[str, Any] = {
        "id": message.id,
        "status": change.status,
        "timestamp": str(change.timestamp),
    }
    if person.phone is not None:
        status["recipient_id"] = person.phone
    if person.group:
        status |= {"recipient_id": person.user_id, "recipient_type": "group"}
    elif change.status != "failed" or not to_phone:
        status["recipient_user_id"] = person.user_id
    if message.callback_data is not None:
        status["biz_opaque_callback_data"] = message.callback_data
    if change.status in ("sent", "delivered"):
        status |= message.charge
    if is_direct(message.body or {}):
        status["template_id"] = _template_id(message)
    if change.errors:
        status["errors"] = list(change.errors)
    return status


def _template_id(message: ChatMessage) -> str:
    """Return the id of the template that Direct Send made of the message: the same for the same."""
    digest = hashlib.sha256(json.dumps(message.content, sort_keys=True).encode()).digest()
    return str(int.from_bytes(digest[:6], "big"))


def _flat_status(change: StatusChange, person: WhatsAppUser) -> dict[str, Any]:
    recipient = person.phone or person.user_id
    return {
        "id": change.message.id,
        "recipient_id": recipient,
        "status": change.status,
        "timestamp": str(change.timestamp),
        "type": "message",
        "message": {"recipient_id": recipient},
        **({"errors": list(change.errors)} if change.errors else {}),
    }


def webhook_bytes(body: Mapping[str, Any]) -> bytes:
    """Return *body* with everything above U+007F as ``\\uXXXX``: exactly these bytes are signed."""
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()


def webhook_headers(config: Config, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/json", **_webhook_auth(config, body)}
    agent = {"User-Agent": "facebookexternalua"} if config.api is CLOUD else {}
    return {**headers, **agent}


def _webhook_auth(config: Config, body: bytes) -> dict[str, str]:
    if config.api is CLOUD:
        digest = _hmac(config.app_secret, body).hex()
        return {"X-Hub-Signature-256": f"sha256={digest}"}
    if config.api is TURN:
        signature = base64.b64encode(_hmac(config.webhook_secret, body)).decode()
        return {
            "X-Turn-Hook-Signature": signature,
            "X-Turn-Hook-Subscription": "whatsapp",
        }
    if config.basic_webhook:
        pair = f"{config.webhook_username}:{config.webhook_password or ''}"
        return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    if config.api is DIALOG360:
        return {"x-360dialog-signature": "sha256=" + _hmac(config.webhook_secret, body).hex()}
    return {}  # an on-premises client signs nothing


def _hmac(secret: str, body: bytes) -> bytes:
    return hmac.new(secret.encode(), body, hashlib.sha256).digest()
