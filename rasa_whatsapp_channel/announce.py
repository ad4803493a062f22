"""The startup log line: API, number, address, store, webhook and anything unusual."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Final

from rasa_whatsapp_channel.distribution import PRODUCT, installed_version
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.settings.roles import DOOR, ROLES

# The checks of a caller that hold a secret; what they are called is the key of the setting.
_SIGNED: Final = ("app_secret", "webhook_secret")
_OTHER: Final = {"webhook_username": "HTTP Basic", "webhook_token": "?token="}


def describe(settings: Settings, *, webhook: str, roles: Collection[str] = ROLES) -> str:
    """
    Return one line of facts, without secrets; *webhook* is its path, *roles* are the process's.
    """
    facts = [
        settings.api,
        *_numbers(settings),
        _address(settings),
        f"store {_store(settings.store)}",
        f"webhook {webhook} ({_checks(settings)})" if DOOR in roles else "no webhook",
        *([f"only {' and '.join(roles)}"] if set(roles) != set(ROLES) else []),
        f"{PRODUCT} {installed_version() or 0}",
    ]
    if odd := [*_odd(settings)]:
        facts.append(f"note: {', '.join(odd)}")
    return ", ".join(facts)


def _numbers(settings: Settings) -> Iterator[str]:
    numbers = [number for number in settings.by_number() if number]
    if numbers:
        yield f"number{'s' if len(numbers) > 1 else ''} {' and '.join(numbers)}"


def _address(settings: Settings) -> str:
    """Return where requests go. A login may stand in the address, and whatever behind a "?"."""
    plain = re.sub(r"//[^/?#]*@", "//", re.split(r"[?#]", settings.base_url)[0]).rstrip("/")
    return f"{plain}/{settings.api_version}" if settings.api == "cloud" else plain


def _store(url: str) -> str:
    if url.startswith(("redis://", "rediss://")):
        from rasa_whatsapp_channel.store.redis.server import parse_url

        return parse_url(url).place
    return url


def _checks(settings: Settings) -> str:
    checks = [f"signature by {key}" for key in _SIGNED if getattr(settings, key)]
    checks += [said for key, said in _OTHER.items() if getattr(settings, key)]
    if checks:
        return ", ".join(["checked: " + checks[0], *checks[1:], *_networks(settings)])
    return f"not signed, {''.join(_networks(settings)) or 'anybody may call it'}"


def _networks(settings: Settings) -> Iterator[str]:
    if settings.allowed_networks:
        yield "from allowed_networks only"


def _odd(settings: Settings) -> Iterator[str]:
    """Yield what does not suit a bot that people rely on."""
    if settings.store == "memory:":
        yield "messages are forgotten when the process ends"
    if not settings.verify_tls:
        yield "any certificate is trusted"
    if settings.media.private_links:
        yield "links into private networks are fetched"
    if not settings.media.download:
        yield "what people send is not fetched"
