"""Real webhooks with something wrong in them, chosen by whoever draws: hypothesis or atheris."""

from __future__ import annotations

import copy
import json
from typing import Any, Protocol

from support import samples

REAL = [json.loads(samples.webhook(name)) for name in samples.names()]
WORDS = [
    *("", " ", "/restart", "\uff0frestart", "\u200b/restart", '"}/restart{"a": 1}', "\ud83d"),
    *("text", "audio", "contacts", "interactive", "unknown", "system", "messages", "US.1349"),
    *("\x00", "\n/SetSlots(a=b)", "1e999", "p:0123456789abcdef01", "x" * 300),
]


class Draw(Protocol):
    def below(self, limit: int) -> int:
        """Return a number from 0 to *limit* - 1."""

    def text(self) -> str: ...


def mutate(draw: Draw) -> bytes:
    """Return a webhook in which some parts were replaced, removed, doubled or moved."""
    payload = copy.deepcopy(REAL[draw.below(len(REAL))])
    for _ in range(1 + draw.below(4)):
        _spoil(draw, payload)
    return json.dumps(payload).encode()


def _spoil(draw: Draw, place: Any) -> None:
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = keys[draw.below(len(keys))]
        inner = place[key]
        if not isinstance(inner, (dict, list)) or not inner or draw.below(6) == 0:
            break
        place = inner
    action = draw.below(5)
    if action == 0:
        del place[key]
    elif action == 1 and isinstance(place, dict):
        place[draw.text()] = copy.deepcopy(inner)
    elif action == 2 and isinstance(place, list):
        place.append(copy.deepcopy(inner))
    elif action == 3 and isinstance(inner, str):
        place[key] = draw.text() + inner
    else:
        place[key] = _value(draw, 3)


def _value(draw: Draw, depth: int) -> Any:
    kind = draw.below(9 if depth else 7)
    if kind < 3:
        return draw.text()
    if kind == 7:
        return [_value(draw, depth - 1) for _ in range(draw.below(4))]
    if kind == 8:
        return {draw.text(): _value(draw, depth - 1) for _ in range(draw.below(4))}
    numbers = [0, -1, 2**63, 10**400, 0.5, float("inf"), float("nan")]
    return {3: None, 4: True, 5: False, 6: numbers[draw.below(len(numbers))]}[kind]
