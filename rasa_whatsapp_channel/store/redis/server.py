"""What a Redis has to be so that the promises hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.store.errors import StoreError

# BLPOP takes fractions of a second since then.
OLDEST: Final = (6, 0)


def check(info: Mapping[str, Any], place: str) -> Sequence[str]:
    """
    Return what an operator should know, from the answer to INFO.

    Raises `StoreError` when messages would be lost or nothing would work.
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
