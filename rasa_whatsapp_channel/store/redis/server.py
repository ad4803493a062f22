"""Redis server: its URL in credentials.yml, and the configuration that the promises need."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from rasa_whatsapp_channel.store.base import StoreError

FORM: Final = "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE][?name=BOT], or rediss:// with TLS"
PORT: Final = 6379
# Separates bots that share a database. No braces: every key has the name in braces.
NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
DEFAULT_NAME: Final = "rasa"


@dataclass(frozen=True)
class RedisUrl:
    """Parsed URL of a Redis: *url* is for redis-py; *place* is without secrets."""

    url: str = field(repr=False)
    place: str
    name: str


def parse_url(url: str) -> RedisUrl:
    """Parse *url*. Raises `StoreError`, whose message has nothing of the URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORT
        database = int(parts.path.strip("/") or 0)
    except ValueError:
        # Without the cause: urllib's message may have a password with a slash in it.
        raise StoreError(
            f"store: its URL cannot be read; the form is {FORM}, "
            "and a password's special characters are written as %XX"
        ) from None
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        raise StoreError(f"store: its URL names no host; the form is {FORM}")
    options = dict(parse_qsl(parts.query))
    name = options.pop("name", DEFAULT_NAME)
    if not NAME.fullmatch(name):
        raise StoreError(
            "store: the name in its URL may hold letters, digits, dots, hyphens and underscores"
        )
    return RedisUrl(
        url=urlunsplit(parts._replace(query=urlencode(options))),
        place=f"{parts.scheme}://{parts.hostname}:{port}/{database}",
        name=name,
    )


# The first version whose BLPOP accepts fractions of a second.
OLDEST: Final = (6, 0)


def check(info: Mapping[str, Any], place: str) -> Sequence[str]:
    """
    Return warnings for an operator, from the answer to INFO.

    Raises `StoreError` if messages would be lost, or nothing would work.
    """
    version = str(info.get("redis_version", "")) or "6.0"
    if _numbers(version) < OLDEST:
        raise StoreError(f"store {place}: it is Redis {version}; 6.0 is the oldest that works")
    warnings = []
    policy = str(info.get("maxmemory_policy", ""))
    if int(info.get("maxmemory", 0)) and policy.startswith("allkeys"):
        raise StoreError(
            f"store {place}: with maxmemory-policy {policy} it throws messages away when its "
            "memory is full; set `maxmemory-policy noeviction`"
        )
    if int(info.get("maxmemory", 0)) and policy.startswith("volatile"):
        warnings.append(
            f"with maxmemory-policy {policy} a message may be handled twice when the memory is "
            "full; set `maxmemory-policy noeviction`"
        )
    if not int(info.get("aof_enabled", 1)):
        warnings.append(
            "a crash of Redis loses what came since its last snapshot; set `appendonly yes`"
        )
    return warnings


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
