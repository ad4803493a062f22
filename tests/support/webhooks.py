"""Webhooks of the Cloud API as Meta documents them, put together."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

NUMBER = "106540352242922"


def envelope(contents: Iterable[dict[str, Any]], *, field: str = "messages") -> dict[str, Any]:
    """Return one webhook with one change for each of *contents*."""
    metadata = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
    common = {"messaging_product": "whatsapp", "metadata": metadata}
    changes = [{"field": field, "value": {**common, **content}} for content in contents]
    entry = {"id": "102290129340398", "changes": changes}
    return {"object": "whatsapp_business_account", "entry": [entry]}


def text(phone: str, message_id: str, body: str) -> dict[str, Any]:
    """Return what a change says when somebody wrote *body*."""
    return {
        "contacts": [{"profile": {"name": f"Person {phone[-4:]}"}, "wa_id": phone}],
        "messages": [
            {
                "from": phone,
                "id": message_id,
                "timestamp": str(int(time.time())),
                "type": "text",
                "text": {"body": body},
            }
        ],
    }


def echo(phone: str, message_id: str, body: str) -> dict[str, Any]:
    """Return a webhook of what somebody wrote with the WhatsApp Business app."""
    sent = {"from": "15550783881", "to": phone, "id": message_id, "type": "text"}
    sent |= {"timestamp": str(int(time.time())), "text": {"body": body}}
    return envelope([{"message_echoes": [sent]}], field="smb_message_echoes")


def picture(
    phone: str, message_id: str, caption: str, *, media_id: str, sha256: str
) -> dict[str, Any]:
    """Return what a change says when somebody sent a picture with *caption*."""
    content = text(phone, message_id, caption)
    (message,) = content["messages"]
    del message["text"]
    message["type"] = "image"
    message["image"] = {
        "caption": caption,
        "mime_type": "image/jpeg",
        "sha256": sha256,
        "id": media_id,
    }
    return content


def reaction(phone: str, message_id: str, emoji: str, about: str) -> dict[str, Any]:
    """Return what a change says when somebody put *emoji* on the message *about*."""
    told = text(phone, message_id, "")
    [message] = told["messages"]
    del message["text"]
    message |= {"type": "reaction", "reaction": {"message_id": about, "emoji": emoji}}
    return told


def status(message_id: str, name: str, phone: str, **more: Any) -> dict[str, Any]:
    """Return what a change says of a message we sent."""
    return {
        "statuses": [
            {
                "id": message_id,
                "status": name,
                "timestamp": str(int(time.time())),
                "recipient_id": phone,
                **more,
            }
        ]
    }


def texts(*bodies: str, phone: str = "4915112345678", first: int = 1) -> dict[str, Any]:
    """Return a webhook of several messages; their ids are numbered from *first*."""
    return envelope(
        text(phone, f"wamid.in.{phone}.{number}", body) for number, body in enumerate(bodies, first)
    )
