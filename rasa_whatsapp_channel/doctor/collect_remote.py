"""Remote fact collector: asks WhatsApp's API, and calls the webhook as WhatsApp would."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

from rasa_whatsapp_channel import standard_webhooks
from rasa_whatsapp_channel.desk import chatwoot
from rasa_whatsapp_channel.doctor.account_report import FIELDS, AccountReport
from rasa_whatsapp_channel.doctor.checks.account import Account, ApiAnswer, CloudFacts, accounts_of
from rasa_whatsapp_channel.doctor.checks.desk import DeskFacts
from rasa_whatsapp_channel.doctor.checks.webhook import (
    BODY,
    Call,
    WebhookFacts,
    WebhookReply,
    address_of,
    new_challenge,
    other_addresses,
)
from rasa_whatsapp_channel.factories import make_templates_client
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.whatsapp.clients.credentials import Headers, bearer, login_request
from rasa_whatsapp_channel.whatsapp.clients.on_premises import v1_url
from rasa_whatsapp_channel.whatsapp.clients.requests import join
from rasa_whatsapp_channel.whatsapp.errors import TransportError, WhatsAppError
from rasa_whatsapp_channel.whatsapp.template_definitions import TemplateDefinition
from rasa_whatsapp_channel.whatsapp.transport import Request, Transport
from rasa_whatsapp_channel.whatsapp.webhook import sign

_TIMEOUT: Final = 15.0  # seconds
_MOST_ACCOUNTS: Final = 5
_FIELDS: Final = (
    "id,display_phone_number,verified_name,quality_rating,status,platform_type,"
    "webhook_configuration"
)
_SHOWN: Final = 2000  # characters


async def collect_cloud(
    transport: Transport, settings: Settings, account: str | None, *, now: float
) -> CloudFacts:
    base = join(settings.base_url, settings.api_version)
    ours = bearer(settings.access_token)
    # Meta takes the token to look at in the address only; its host has it anyway.
    debug = f"{base}/debug_token?input_token={quote(settings.access_token, safe='')}"
    token = await _get(transport, debug, ours)
    if token.failure or token.refuses_token:
        return CloudFacts(token, {}, (), (), now)
    numbers: dict[str, ApiAnswer] = {}
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


async def collect_account(
    transport: Transport, settings: Settings, account: str | None
) -> AccountReport:
    """Ask the Cloud API for the state of the numbers and for the templates of the account."""
    if settings.api != "cloud":
        return AccountReport(failures=[f"WhatsApp was not asked: api {settings.api} cannot tell"])
    base = join(settings.base_url, settings.api_version)
    numbers = [
        await _get(transport, f"{join(base, each)}?fields={FIELDS}", bearer(its.access_token))
        for each, its in settings.by_number().items()
    ]
    failed: list[object] = [why for each in numbers if (why := each.failure or each.error)]
    templates: Sequence[TemplateDefinition] = ()
    try:
        templates = await make_templates_client(settings, transport, account).list()
    except WhatsAppError as error:
        failed.append(error)
    said = [f"WhatsApp was not asked for everything: {failed[0]}"] if failed else []
    return AccountReport(
        numbers=[each for each in numbers if each.is_good], templates=templates, failures=said
    )


def _secrets(settings: Settings, app: str) -> tuple[str, ...]:
    """Return the secrets to try: ``app|secret`` is an access token of the app."""
    return settings.app_secret if app else ()


async def _ask_number(transport: Transport, base: str, number: str, ours: Headers) -> ApiAnswer:
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


async def collect_other(
    transport: Transport, settings: Settings
) -> tuple[ApiAnswer, ApiAnswer | None]:
    """Return an answer that shows whether the token is accepted, and the client's health."""
    base = settings.base_url
    if settings.api == "360dialog":
        key = {"D360-API-KEY": settings.access_token}
        return await _get(transport, join(base, "v1", "configs", "webhook"), key), None
    v1 = v1_url(base)
    if settings.api == "turn":
        # There is no such file: a valid token gets 404, another one 401.
        url = join(v1, "media", "rasa-whatsapp-doctor")
        return await _get(transport, url, bearer(settings.access_token)), None
    login = await _send(
        transport, login_request(join(v1, "users", "login"), settings.username, settings.password)
    )
    match login.body:
        case {"users": [{"token": str(token)}, *_]}:
            return login, await _get(transport, join(v1, "health"), bearer(token))
    return login, None


async def _get(transport: Transport, url: str, headers: Headers) -> ApiAnswer:
    return await _send(transport, Request("GET", url, headers, timeout=_TIMEOUT))


async def _send(transport: Transport, request: Request) -> ApiAnswer:
    try:
        response = await transport.send(request)
    except TransportError as error:
        return ApiAnswer(None, failure=str(error))
    return ApiAnswer(response.status, _object(response.body))


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


async def collect_webhook(
    transport: Transport, settings: Settings, url: str, *, registered: str | None = None
) -> WebhookFacts:
    """Call the webhook at *url*; *registered* is the URL that WhatsApp has."""
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
        signed=await _call(transport, "POST", address, authentication(settings, BODY)),
        forged=await _call(transport, "POST", address, authentication(settings, BODY, valid=False)),
        registered=registered,
    )


async def collect_desk(
    transport: Transport, settings: HandoffSettings, url: str | None, *, now: float
) -> DeskFacts:
    """Call the desk, and the bot's door for it as the desk would."""
    door, address = None, ""
    if url:
        address = f"{address_of(url).removesuffix('webhook')}handoff/"
        signed = standard_webhooks.sign(settings.secret, "ping", b"", now)
        door = await _send(transport, Request("GET", f"{address}10000000000", signed))
    if settings.desk == "chatwoot":
        asked = chatwoot.request(settings, "GET", f"/inboxes/{settings.inbox}")
        hook = f"{address}chatwoot" if address else ""
        return DeskFacts(await _send(transport, asked), door=door, address=hook)
    body, wrong = b'{"type": "ping"}', [f"not {secret}" for secret in settings.secret]
    probe, forged = (
        Request("POST", settings.url, headers, body, _TIMEOUT)
        for headers in (
            standard_webhooks.sign(each, "ping", body, now) for each in (settings.secret, wrong)
        )
    )
    reached = await _send(transport, probe)
    return DeskFacts(reached, await _send(transport, forged), door, address)


def authentication(settings: Settings, body: bytes, *, valid: bool = True) -> Call:
    """Return the authentication of a webhook with *body*; a wrong one unless *valid*."""
    headers, query = {"Content-Type": "application/json"}, {}
    if secrets := settings.app_secret or settings.webhook_secret:
        digest = sign(body, secrets[0] if valid else f"not {secrets[0]}")
        hexadecimal = f"sha256={digest.hex()}"
        headers |= {
            "cloud": {"X-Hub-Signature-256": hexadecimal},
            "turn": {"X-Turn-Hook-Signature": base64.b64encode(digest).decode()},
            "360dialog": {"X-360dialog-Signature": hexadecimal},
        }.get(settings.api, {})
    if settings.webhook_token:
        query["token"] = settings.webhook_token if valid else f"not-{settings.webhook_token}"
    if settings.webhook_username:
        pair = f"{settings.webhook_username}:{'' if valid else 'not-'}{settings.webhook_password}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Call(headers, query)


async def _call(
    transport: Transport, method: str, url: str, call: Call | None = None
) -> WebhookReply:
    call = call or Call()
    address = f"{url}?{urlencode(call.query)}" if call.query else url
    body = BODY if method == "POST" else None
    try:
        response = await transport.send(
            Request(method, address, call.headers, body, timeout=_TIMEOUT)
        )
    except TransportError as error:
        return WebhookReply(None, failure=str(error))
    text = response.body[:_SHOWN].decode("utf-8", "replace")
    return WebhookReply(response.status, text, response.headers.get("location", ""))
