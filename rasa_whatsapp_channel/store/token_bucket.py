"""Token bucket: how many tokens there are, and how long until the next one. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

# Adding seconds to a unix time rounds; after the wait there must be a token all the same.
ROUNDING: Final = 1e-3


class Limit(NamedTuple):
    """Limit of a bucket: *rate* tokens a second (above 0), at most *burst* of them (1 or more)."""

    key: str
    rate: float
    burst: float


class Bucket(NamedTuple):
    """State of a bucket: *tokens* at the time *at*."""

    tokens: float
    at: float


class Taken(NamedTuple):
    """Result of `take`: *wait* is 0.0 or the seconds until the next token; full at *full_at*."""

    bucket: Bucket
    wait: float
    full_at: float


def take(before: Sequence[tuple[Limit, Bucket | None]], *, now: float) -> list[Taken]:
    """
    Take a token from each bucket if every one has a token, else from none.

    *before* are their last states; None is a full bucket.
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
    # A clock that was set back neither adds nor removes tokens.
    passed = max(0.0, now - before.at)
    return min(limit.burst, before.tokens + passed * limit.rate)
