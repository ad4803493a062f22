"""How each API writes a webhook's bytes, and proves that they are its own. No I/O."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, TURN


def webhook_bytes(body: Mapping[str, Any]) -> bytes:
    """Return *body* with everything above U+007F as ``\\uXXXX``: exactly these bytes are signed."""
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()


def webhook_headers(config: Config, body: bytes) -> dict[str, str]:
    headers = {"Content-Type": "application/json", **_proof(config, body)}
    agent = {"User-Agent": "facebookexternalua"} if config.api is CLOUD else {}
    return {**headers, **agent}


def _proof(config: Config, body: bytes) -> dict[str, str]:
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
