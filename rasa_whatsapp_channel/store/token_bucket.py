"""Tokens that come at a rate: how many there are, and how long until the next. Without a clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

# Who waited as long as told finds a token, though adding seconds to a unix time rounds.
ROUNDING: Final = 1e-3


class Limit(NamedTuple):
    """A bucket: it gets *rate* tokens a second, above 0, and holds *burst* of them, from 1 on."""

    key: str
    rate: float
    burst: float


class Bucket(NamedTuple):
    """*tokens* at the time *at*."""

    tokens: float
    at: float


class Taken(NamedTuple):
    """*wait*: 0.0, or the seconds until there would be a token. *full_at*: nothing to remember."""

    bucket: Bucket
    wait: float
    full_at: float


def take(before: Sequence[tuple[Limit, Bucket | None]], *, now: float) -> list[Taken]:
    """
    Take a token from each bucket if every one has one, else from none.

    *before* is how they were left; None: full.
    """
    tokens = [_fill(limit, bucket, now) for limit, bucket in before]
    waits = [
        0.0 if left > 1 - ROUNDING else (1 - left) / limit.rate
        for left, (limit, _) in zip(tokens, before, strict=True)
    ]
    price = 0 if any(waits) else 1
    return [
        Taken(Bucket(left - price, now), wait, now + (limit.burst - left + price) / limit.rate)
        for left, wait, (limit, _) in zip(tokens, waits, before, strict=True)
    ]


def _fill(limit: Limit, before: Bucket | None, now: float) -> float:
    if before is None:
        return limit.burst
    # A clock that was set back brings no tokens, and takes none.
    passed = max(0.0, now - before.at)
    return min(limit.burst, before.tokens + passed * limit.rate)
