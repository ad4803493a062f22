"""Calls the webhook as WhatsApp would, and as a stranger would."""

from __future__ import annotations

import base64
from typing import Final
from urllib.parse import urlencode, urlsplit

from rasa_whatsapp_channel.doctor.webhook import (
    BODY,
    Call,
    Reply,
    WebhookFacts,
    address_of,
    new_challenge,
    other_addresses,
)
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.whatsapp.errors import TransportError
from rasa_whatsapp_channel.whatsapp.transport import Request, Transport
from rasa_whatsapp_channel.whatsapp.webhook import sign

_SHOWN: Final = 2000  # characters
_TIMEOUT: Final = 15.0


async def probe(
    transport: Transport, settings: Settings, url: str, *, registered: str | None = None
) -> WebhookFacts:
    """Call the webhook at *url*; *registered* is the address that WhatsApp has."""
    address, answer = address_of(url), new_challenge()
    health = await _call(transport, "GET", address.removesuffix("webhook"))
    challenge = None
    if settings.api == "cloud":
        query = {
            "hub.mode": "subscribe",
            "hub.verify_token": settings.verify_token,
            "hub.challenge": answer,
        }
        challenge = await _call(transport, "GET", address, Call(query=query))
    reply = challenge or health
    if reply.status is None or reply.status in (400, 404, 405):
        parts = urlsplit(address)
        root = await _call(transport, "GET", f"{parts.scheme}://{parts.netloc}/")
        others = {
            other: await _call(transport, "GET", other.removesuffix("webhook"))
            for other in other_addresses(address)
            if reply.status is not None
        }
        return WebhookFacts(
            address, health, challenge, answer, root=root, others=others, registered=registered
        )
    return WebhookFacts(
        address,
        health,
        challenge,
        answer,
        signed=await _call(transport, "POST", address, proof(settings, BODY)),
        forged=await _call(transport, "POST", address, proof(settings, BODY, wrong=True)),
        registered=registered,
    )


def proof(settings: Settings, body: bytes, *, wrong: bool = False) -> Call:
    """Return what WhatsApp shows with *body*; with *wrong* what somebody else would."""
    headers, query = {"Content-Type": "application/json"}, {}
    secret = settings.app_secret or settings.webhook_secret
    if secret:
        key = secret if isinstance(secret, str) else secret[0]
        digest = sign(body, f"not {key}" if wrong else key)
        hexadecimal = f"sha256={digest.hex()}"
        headers |= {
            "cloud": {"X-Hub-Signature-256": hexadecimal},
            "turn": {"X-Turn-Hook-Signature": base64.b64encode(digest).decode()},
            "360dialog": {"X-360dialog-Signature": hexadecimal},
        }.get(settings.api, {})
    if settings.webhook_token:
        query["token"] = f"not-{settings.webhook_token}" if wrong else settings.webhook_token
    if settings.webhook_username:
        pair = f"{settings.webhook_username}:{'not-' if wrong else ''}{settings.webhook_password}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Call(headers, query)


async def _call(transport: Transport, method: str, url: str, call: Call | None = None) -> Reply:
    call = call or Call()
    address = f"{url}?{urlencode(call.query)}" if call.query else url
    body = BODY if method == "POST" else None
    try:
        response = await transport.send(
            Request(method, address, call.headers, body, timeout=_TIMEOUT)
        )
    except TransportError as error:
        return Reply(None, failure=str(error))
    text = response.body[:_SHOWN].decode("utf-8", "replace")
    return Reply(response.status, text, response.headers.get("location", ""))
