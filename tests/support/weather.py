"""
Bad weather: what meets a message on its way to WhatsApp, by a seed.

No message meets more than a few troubles, fewer than after which a sender may give it up: what
brings no answer it meets once.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web
from support.cloud_api import Asked, CloudApi, Trouble, answers, fails, hangs_up

MOST = 2  # troubles of one message
UNANSWERED = frozenset({"reset before", "reset after", "late"})
LATE = (32.0, 40.0)  # seconds; who sends waits for about 30


def takes_and(api: CloudApi, trouble: Trouble) -> Trouble:
    """Take the message, and let *trouble* be all that its sender hears."""

    async def takes(request: web.Request) -> web.StreamResponse:
        await api.take(request)
        return await trouble(request)

    return takes


def takes_and_answers_after(api: CloudApi, seconds: float) -> Trouble:
    async def takes(request: web.Request) -> web.StreamResponse:
        answer = await api.take(request)
        await asyncio.sleep(seconds)
        return web.json_response(answer)

    return takes


SHARES: Mapping[str, float] = MappingProxyType(
    {
        "131000": 0.04,
        "131056": 0.02,
        "131056 with Retry-After": 0.02,
        "130429": 0.005,
        "429 with Retry-After": 0.005,
        "500": 0.02,
        "502": 0.02,
        "503 with Retry-After": 0.005,
        "reset before": 0.03,
        "reset after": 0.03,
    }
)


class Weather:
    """Set it as the `weather` of *api*. *shares* of the messages meet each trouble."""

    def __init__(
        self,
        api: CloudApi,
        *,
        seed: int,
        shares: Mapping[str, float] = SHARES,
        late: float = 0.0,
    ) -> None:
        self.met: Counter[str] = Counter()
        self._api = api
        self._random = random.Random(seed)
        self._shares = {**shares, "late": late}
        self._troubles_of: Counter[str] = Counter()
        self._unanswered: set[str] = set()

    def __call__(self, asked: Asked) -> Trouble | None:
        names = ["", *self._shares]
        weights = [1 - sum(self._shares.values()), *self._shares.values()]
        (name,) = self._random.choices(names, weights)
        if not name:
            return None
        if self._troubles_of[asked.text] >= MOST:
            return None
        if name in UNANSWERED:
            if asked.text in self._unanswered:
                return None
            self._unanswered.add(asked.text)
        self._troubles_of[asked.text] += 1
        self.met[name] += 1
        return self._trouble(name)

    def _trouble(self, name: str) -> Trouble:
        seconds = str(self._random.randint(1, 3))
        if name == "late":
            return takes_and_answers_after(self._api, self._random.uniform(*LATE))
        return {
            "131000": fails(500, 131000, "Something went wrong"),
            "131056": fails(400, 131056, "Pair rate limit hit"),
            "131056 with Retry-After": fails(
                400, 131056, "Pair rate limit hit", Retry_After=seconds
            ),
            "130429": fails(400, 130429, "Rate limit hit"),
            "429 with Retry-After": fails(429, 130429, "Rate limit hit", Retry_After=seconds),
            "500": fails(500, 2, "Service temporarily unavailable"),
            "502": answers(502, b"<html><h1>502 Bad Gateway</h1></html>"),
            "503 with Retry-After": answers(503, b"maintenance", Retry_After=seconds),
            "reset before": hangs_up,
            "reset after": takes_and(self._api, hangs_up),
        }[name]
