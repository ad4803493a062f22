"""Asks WhatsApp what `account` judges. Changes nothing there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from rasa_whatsapp_channel.doctor.account import Account, Answer, CloudFacts, accounts_of
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.whatsapp.clients.credentials import Headers, bearer, login_request
from rasa_whatsapp_channel.whatsapp.clients.on_premises import v1_url
from rasa_whatsapp_channel.whatsapp.clients.requests import join
from rasa_whatsapp_channel.whatsapp.errors import TransportError
from rasa_whatsapp_channel.whatsapp.transport import Request, Transport

_MOST_ACCOUNTS: Final = 5
_FIELDS: Final = (
    "id,display_phone_number,verified_name,quality_rating,status,platform_type,"
    "webhook_configuration"
)
_TIMEOUT: Final = 15.0


async def ask_cloud(
    transport: Transport, settings: Settings, account: str | None, *, now: float
) -> CloudFacts:
    base = join(settings.base_url, settings.api_version)
    ours = bearer(settings.access_token)
    # Meta takes the token to look at in the address only; its host has it anyway.
    debug = f"{base}/debug_token?input_token={quote(settings.access_token, safe='')}"
    token = await _get(transport, debug, ours)
    if token.failure or token.refuses_token:
        return CloudFacts(token, {}, (), (), now)
    numbers: dict[str, Answer] = {}
    for number, its in settings.by_number().items():
        numbers[number] = await _ask_number(transport, base, number, bearer(its.access_token))
    ids = [account] if account else accounts_of(token)
    accounts = [await _ask_account(transport, base, each, ours) for each in ids[:_MOST_ACCOUNTS]]
    data = token.body.get("data")
    app = str(data.get("app_id") or "") if isinstance(data, Mapping) else ""
    secrets = [
        await _get(transport, debug, bearer(f"{app}|{each}")) for each in _secrets(settings, app)
    ]
    return CloudFacts(token, numbers, accounts, secrets, now)


def _secrets(settings: Settings, app: str) -> tuple[str, ...]:
    """Return the secrets that can be tried: as ``app|secret`` each is a token of the app."""
    given = settings.app_secret
    return () if not app else (given,) if isinstance(given, str) and given else tuple(given)


async def _ask_number(transport: Transport, base: str, number: str, ours: Headers) -> Answer:
    url = join(base, number)
    answer = await _get(transport, f"{url}?fields={_FIELDS}", ours)
    # A version of Graph that lacks one of the fields refuses all of them.
    if answer.error is not None and "field" in str(answer.error).lower():
        return await _get(transport, url, ours)
    return answer


async def _ask_account(transport: Transport, base: str, account: str, ours: Headers) -> Account:
    fields = "?fields=id,display_phone_number"
    numbers = await _get(transport, join(base, account, "phone_numbers") + fields, ours)
    apps = await _get(transport, join(base, account, "subscribed_apps"), ours)
    return Account(account, numbers, apps)


async def ask_other(transport: Transport, settings: Settings) -> tuple[Answer, Answer | None]:
    """Return the answer that shows whether the token is taken, and the client's health if any."""
    base = settings.base_url
    if settings.api == "360dialog":
        key = {"D360-API-KEY": settings.access_token}
        return await _get(transport, join(base, "v1", "configs", "webhook"), key), None
    v1 = v1_url(base)
    if settings.api == "turn":
        # There is no such file; who asks without a good token does not learn that.
        url = join(v1, "media", "rasa-whatsapp-doctor")
        return await _get(transport, url, bearer(settings.access_token)), None
    login = await _send(
        transport, login_request(join(v1, "users", "login"), settings.username, settings.password)
    )
    match login.body:
        case {"users": [{"token": str(token)}, *_]}:
            return login, await _get(transport, join(v1, "health"), bearer(token))
    return login, None


async def _get(transport: Transport, url: str, headers: Headers) -> Answer:
    return await _send(transport, Request("GET", url, headers, timeout=_TIMEOUT))


async def _send(transport: Transport, request: Request) -> Answer:
    try:
        response = await transport.send(request)
    except TransportError as error:
        return Answer(None, failure=str(error))
    return Answer(response.status, _object(response.body))


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
