"""Tokens that come at a rate: how many there are, and how long until the next. Without a clock."""

from __future__ import annotations

from typing import Final, NamedTuple

# Who waited as long as told finds a token, though adding seconds to a unix time rounds.
ROUNDING: Final = 1e-3


class Bucket(NamedTuple):
    """*tokens* at the time *at*."""

    tokens: float
    at: float


class Taken(NamedTuple):
    """*wait*: 0.0, or the seconds until there would be a token. *full_at*: nothing to remember."""

    bucket: Bucket
    wait: float
    full_at: float


def take(before: Bucket | None, *, now: float, rate: float, burst: float) -> Taken:
    """Take a token, if there is one. *before* None: the bucket is full."""
    tokens = burst if before is None else _fill(before, now, rate, burst)
    if tokens > 1 - ROUNDING:
        tokens, wait = tokens - 1, 0.0
    else:
        wait = (1 - tokens) / rate
    return Taken(Bucket(tokens, now), wait, now + (burst - tokens) / rate)


def _fill(before: Bucket, now: float, rate: float, burst: float) -> float:
    # A clock that was set back brings no tokens, and takes none.
    passed = max(0.0, now - before.at)
    return min(burst, before.tokens + passed * rate)
