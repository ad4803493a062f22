"""Validation: what is wrong with the channel's block as a whole, in words with a way out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from rasa_whatsapp_channel.settings.foreign_keys import CHANNEL
from rasa_whatsapp_channel.settings.roles import ROLES
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, ON_PREMISES, TURN


def find_problems(
    cls: type, api: str, block: Mapping[str, Any], values: Mapping[str, Any]
) -> Iterator[str]:
    """
    Yield what is wrong with the keys that *cls* declares, each of which can be read.

    *block* is what was written, *values* what was read of it and of the environment.
    """
    for field in dataclasses.fields(cls):
        given = block.get(field.name) is not None
        if given and api not in field.metadata["apis"]:
            of = " and ".join(field.metadata["apis"])
            yield f"'{field.name}' is a key for api {of}; this block says `api: {api}`."
        if api in field.metadata["required"] and field.name not in values and not given:
            yield _missing(field.name, field.metadata["line"], api)
    yield from _together(values)
    yield from _authentication(api, values)


def _together(values: Mapping[str, Any]) -> Iterator[str]:
    ids = [values.get("phone_number_id"), *(n.phone_number_id for n in values.get("numbers", ()))]
    for twice in sorted({number for number in ids if number and ids.count(number) > 1}):
        yield f"'numbers' names {twice} twice, or it is the block's own 'phone_number_id'."
    if "transcribe" in values and "media" in values and not values["media"].download:
        yield "'transcribe' needs the files: take away `download: false` from 'media'."
    if "trusted_proxies" in values and "allowed_networks" not in values:
        yield "'trusted_proxies' needs 'allowed_networks' beside it."
    if "roles" in values and values["roles"] != ROLES and values.get("store") == "memory:":
        yield (
            "'roles' leaves work to other processes, which cannot see the store memory:. Write "
            "`store: sqlite:///whatsapp.db`."
        )
    if "notify_webhook" in values and "notify_token" not in values:
        yield "'notify_webhook' needs 'notify_token' beside it, which signs what it is told."


def _missing(name: str, line: str, api: str) -> str:
    return f"'{name}' is missing; api {api} needs it. Write\n\n  {CHANNEL}:\n    {line}\n"


def _authentication(api: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is missing to authenticate webhooks; without that the channel does not start."""
    if "webhook_username" in values and "webhook_password" not in values:
        yield "'webhook_username' needs 'webhook_password' beside it."
    if "webhook_password" in values and "webhook_username" not in values:
        yield "'webhook_password' needs 'webhook_username' beside it."
    ways = {
        CLOUD.name: {"app_secret": "app_secret: ${WHATSAPP_APP_SECRET}"},
        TURN.name: {"webhook_secret": "webhook_secret: ${WHATSAPP_WEBHOOK_SECRET}"},
        ON_PREMISES.name: {
            "webhook_token": "webhook_token: ${WHATSAPP_WEBHOOK_TOKEN}",
            "webhook_password": "",
        },
        DIALOG360.name: {
            "webhook_token": "webhook_token: ${WHATSAPP_WEBHOOK_TOKEN}",
            "webhook_password": "",
            "webhook_secret": "",
        },
    }[api]
    if values.get("allow_unsigned_webhooks") or any(way in values for way in ways):
        return
    name, line = next(iter(ways.items()))
    yield (
        f"'{name}' is missing: without it anybody could write to your bot. Write\n\n"
        f"  {CHANNEL}:\n    {line}\n\n"
        "or, to run without any check, `allow_unsigned_webhooks: true`."
    )
