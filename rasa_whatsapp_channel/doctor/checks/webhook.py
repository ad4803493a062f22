"""Webhook checks: what the webhook's URL answered."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from rasa_whatsapp_channel.doctor.results import CheckResult, error, ok, skipped, warning
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.whatsapp.clients.requests import is_loopback

PATH: Final = "/webhooks/whatsapp/webhook"
# A webhook of a type that the channel ignores: it is not stored and does not reach the bot.
BODY: Final = (
    b'{"object":"whatsapp_business_account","entry":[{"id":"0","changes":'
    b'[{"field":"template_category_update","value":{}}]}]}'
)


@dataclass(frozen=True)
class WebhookReply:
    """An HTTP answer; *status* is None where there was none, because of *failure*."""

    status: int | None
    text: str = ""
    location: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Call:
    """The headers and the query with which WhatsApp authenticates a webhook."""

    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class WebhookFacts:
    """What the webhook answered to each call."""

    address: str
    health: WebhookReply
    #: None for APIs that send no challenge.
    challenge: WebhookReply | None
    #: The expected answer to the challenge.
    answer: str
    signed: WebhookReply | None = None
    forged: WebhookReply | None = None
    #: Called, like *others*, where there is no webhook at the address.
    root: WebhookReply | None = None
    others: Mapping[str, WebhookReply] = field(default_factory=dict)
    registered: str | None = None


def address_of(url: str) -> str:
    """Return the webhook's URL for a host, a prefix, or the whole URL."""
    base = url if "://" in url else f"https://{url}"
    base = base.split("?")[0].rstrip("/")
    if base.endswith("/webhook"):
        return base
    for part in ("/webhooks/whatsapp", "/webhooks"):
        if base.endswith(part):
            return base.removesuffix(part) + PATH
    return base + PATH


def other_addresses(address: str) -> list[str]:
    """Return other URLs where the webhook may be, if it is not at *address*."""
    parts = urlsplit(address)
    origin = f"{parts.scheme}://{parts.netloc}"
    prefix = parts.path.removesuffix(PATH).strip("/").split("/")[0]
    guesses = [
        origin + PATH,
        *(f"{origin}/{each}{PATH}" for each in (prefix, "rasa", "core") if each),
    ]
    return [each for each in dict.fromkeys(guesses) if each != address]


def new_challenge() -> str:
    return str(secrets.randbelow(10**10))


def check_webhook(facts: WebhookFacts, settings: Settings) -> Iterator[CheckResult]:
    yield from _check_scheme(facts.address)
    reply = facts.challenge or facts.health
    found = _check_reach(facts, reply)
    yield found
    if found.state.value != "ok":
        return
    if settings.allowed_networks and reply.status == 401:
        yield skipped(
            "webhook.signature",
            "The webhook may be called from allowed_networks only, and this machine is in none.",
        )
        return
    if facts.challenge is not None:
        yield _check_challenge(facts.challenge, facts.answer)
    if facts.signed is not None:
        yield _check_signed(facts.signed, settings)
    if facts.forged is not None:
        yield from _check_forged(facts.forged, settings)
    if facts.registered is not None:
        yield _check_registered(facts.registered, facts.address)


def _check_scheme(address: str) -> Iterator[CheckResult]:
    if not address.startswith("https://") and not is_loopback(address):
        yield error(
            "webhook.https",
            "WhatsApp calls https addresses only.",
            "Put a proxy with a certificate in front of Rasa, such as Caddy or nginx.",
        )


def _check_reach(facts: WebhookFacts, reply: WebhookReply) -> CheckResult:
    check, where = "webhook.reach", facts.address
    if reply.failure:
        return error(check, f"{reply.failure}.", _failure_remedy(reply.failure))
    if reply.status is not None and 300 <= reply.status < 400:
        return error(
            check,
            f"{where} sends callers on to {reply.location or 'another address'}; WhatsApp does not "
            "follow.",
            "Register the address it leads to, without a redirect in between.",
        )
    if "store failed" in facts.health.text:
        return error(
            check,
            f"The bot is at {where}, but its store does not work.",
            "See the lines about the store; the bot's log says why.",
        )
    if reply.status is not None and reply.status >= 500:
        return error(
            check,
            f"{where} answers {reply.status}: the proxy is there, the bot behind it is not.",
            "Start Rasa, or correct host and port in the proxy.",
        )
    if reply.status in (400, 404, 405) or (facts.challenge is None and reply.status != 200):
        return _not_found(facts, reply)
    if reply.status == 200 or (reply.status == 401 and "refused" in reply.text):
        return ok(check, where)
    return error(
        check,
        f"{where} answers {reply.status}, and not as the channel does.",
        "Something in front of Rasa answers: a login, a firewall or a page of the tunnel. "
        "Let the path through as it is.",
    )


def _failure_remedy(failure: str) -> str:
    words = failure.lower()
    if "certificate" in words:
        return "Give the host a certificate that everybody trusts, with its whole chain."
    if "name or service" in words or "getaddrinfo" in words or "dns" in words.split():
        return "Correct the host's name, or its DNS."
    return "Start Rasa, and open the way to it: `rasa run --credentials credentials.yml`."


def _not_found(facts: WebhookFacts, reply: WebhookReply) -> CheckResult:
    check, where = "webhook.path", facts.address
    found = next((url for url, each in facts.others.items() if _is_channel(each)), None)
    if found is not None:
        return error(
            check,
            f"{where} answers {reply.status}: the webhook is at {found}.",
            f"Register {found}, or correct the prefix in the proxy.",
        )
    if facts.root is not None and "Hello from Rasa" in facts.root.text:
        return error(
            check,
            f"Rasa answers there, but has no channel for WhatsApp: {where} is {reply.status}.",
            "Start it with this file: `rasa run --credentials credentials.yml`.",
        )
    return error(
        check,
        f"{where} answers {reply.status}: there is no webhook.",
        f"The path is {PATH}, behind the prefix of your proxy if it has one.",
    )


def _is_channel(reply: WebhookReply) -> bool:
    return reply.status == 200 or (reply.status == 401 and "refused" in reply.text)


def _check_challenge(reply: WebhookReply, answer: str) -> CheckResult:
    check = "webhook.verify_token"
    if reply.status == 200 and hmac.compare_digest(reply.text.strip().encode(), answer.encode()):
        return ok(check, "the challenge is answered")
    if reply.status == 401:
        return error(
            check,
            "The path is right, but the bot there has another verify_token than this file.",
            "Give both the same word, start the bot again, and enter it at Meta.",
        )
    return error(
        check,
        "The challenge is answered with something else; who answers there is not the channel.",
        "Let the path through to Rasa as it is, with its query.",
    )


def _check_signed(reply: WebhookReply, settings: Settings) -> CheckResult:
    check = "webhook.signature"
    if reply.status == 200:
        return ok(check, "a webhook with a valid signature is accepted")
    if reply.status == 401:
        return error(
            check,
            f"The bot there refuses a webhook with this file's {_secret_of(settings)}.",
            "It was started with another one, or a proxy changes bytes or headers on the way: "
            "start it again with this file.",
        )
    if reply.status == 503:
        return error(
            check,
            "The bot there cannot keep a webhook: its store does not write.",
            "See the lines about the store; the bot's log says why.",
        )
    shown = reply.failure or f"HTTP {reply.status}"
    return error(
        check,
        f"A webhook with a valid signature is answered {shown}.",
        "Let POST through to Rasa, with bodies up to 3 MB.",
    )


def _secret_of(settings: Settings) -> str:
    for name in ("app_secret", "webhook_secret", "webhook_token", "webhook_password"):
        if getattr(settings, name):
            return name
    return "settings"


def _check_forged(reply: WebhookReply, settings: Settings) -> Iterator[CheckResult]:
    if reply.status == 401:
        yield ok("webhook.forged", "a webhook with an invalid signature is refused")
    elif reply.status == 200 and not settings.allow_unsigned_webhooks:
        yield error(
            "webhook.forged",
            "A webhook with an invalid signature is accepted: anybody can write to the bot.",
            "Start the bot again with this file, without allow_unsigned_webhooks.",
        )
    elif reply.status == 200 and not is_loopback(settings.base_url):
        yield warning(
            "webhook.forged",
            "Webhooks are accepted without authentication.",
            "Take allow_unsigned_webhooks away.",
        )


def _check_registered(registered: str, address: str) -> CheckResult:
    if registered.split("?")[0].rstrip("/") == address:
        return ok("webhook.registered", "WhatsApp calls this address")
    return error(
        "webhook.registered",
        f"WhatsApp calls {registered.split('?')[0]}, not this address.",
        f"Enter {address} at WhatsApp → Configuration → Webhook.",
    )
