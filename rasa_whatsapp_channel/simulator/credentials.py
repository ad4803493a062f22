"""The block for credentials.yml that makes a bot speak to this simulator."""

from __future__ import annotations

import json
from typing import Any

from rasa_whatsapp_channel.simulator.config import Config


def credentials_block(config: Config, base_url: str) -> str:
    """Return the block as YAML, with the keys its API knows."""
    keys = {"api": config.api.name, "base_url": base_url, **_account(config), **_proof(config)}
    lines = [f"  {key}: {json.dumps(value)}" for key, value in keys.items()]
    return "\n".join(["rasa_whatsapp_channel.WhatsAppInput:", *lines])


def _account(config: Config) -> dict[str, Any]:
    if config.api.name == "on_premises":
        return {"username": config.username, "password": config.password}
    token = {"access_token": config.access_token}
    if config.api.name != "cloud":
        return token
    more = [{"phone_number_id": number.phone_number_id} for number in config.more_numbers]
    first = {"phone_number_id": config.number.phone_number_id}
    return {**first, **token, **({"numbers": more} if more else {})}


def _proof(config: Config) -> dict[str, str]:
    """The keys by which the channel knows that a webhook comes from here."""
    if config.api.name == "cloud":
        return {"app_secret": config.app_secret, "verify_token": config.verify_token}
    if config.basic_webhook:
        return {
            "webhook_username": config.webhook_username or "",
            "webhook_password": config.webhook_password or "",
        }
    if config.api.name == "on_premises":
        return {"webhook_token": config.webhook_token}
    return {"webhook_secret": config.webhook_secret}
