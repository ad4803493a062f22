"""The bot, seen from a desk: checks what it tells, and asks it for something."""

import base64
import hashlib
import hmac
import json
import os
import time
import uuid

from aiohttp import ClientSession


def sign(message_id: str, at: str, body: bytes) -> str:
    key = os.environ["WHATSAPP_DESK_SECRET"].encode()
    signed = f"{message_id}.{at}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def read(headers, body: bytes):
    """Return the event in *body*, or None if the bot did not sign it."""
    at = headers.get("webhook-timestamp", "")
    ours = sign(headers.get("webhook-id", ""), at, body)
    shown = headers.get("webhook-signature", "").split()
    fits = any(hmac.compare_digest(ours, each) for each in shown)
    return json.loads(body) if fits and abs(time.time() - int(at)) < 300 else None


async def ask(conversation: str, what: str, **body) -> int:
    """Ask for `messages` or `owner`, and return the HTTP status."""
    raw, at, message_id = json.dumps(body).encode(), str(int(time.time())), uuid.uuid4().hex
    headers = {"webhook-id": message_id, "webhook-timestamp": at}
    headers["webhook-signature"] = sign(message_id, at, raw)
    bot = os.environ.get("WHATSAPP_BOT", "http://127.0.0.1:5005")
    url = f"{bot}/webhooks/whatsapp/handoff/{conversation}/{what}"
    async with ClientSession() as http, http.post(url, data=raw, headers=headers) as answer:
        return answer.status
