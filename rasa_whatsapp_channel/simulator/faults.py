"""
Fault injection: rules that are seeded, so that a run can be repeated. No I/O.

A rule defines where (`on`), how often (`when`), for which messages (`match`) and what (`do`).
If no rule applies, the `weather` decides.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from rasa_whatsapp_channel.simulator.problems import SimulatorError
from rasa_whatsapp_channel.simulator.weather import Weather, WeatherFault

_REQUEST: Final = frozenset(
    {"code", "status", "retry_after", "delay", "timeout", "hang_up", "cut", "expire_token"}
)
_ORDER: Final = frozenset({"delay", "duplicate", "again", "reorder", "batch", "lose"})
# Actions by place; the `code` of a status is the error of the failed message.
ACTIONS: Final[Mapping[str, frozenset[str]]] = {
    "messages": _REQUEST | {"early"},
    "media": _REQUEST | {"missing"},
    "download": _REQUEST | {"missing"},
    "login": _REQUEST,
    "ids": frozenset({"missing"}),
    "links": frozenset({"missing"}),
    "phones": frozenset({"delay"}),
    "webhooks": _ORDER | {"hide_number"},
    "statuses": _ORDER | {"code"},
}
ON_REQUESTS: Final = _REQUEST | {"missing", "early"}
ON_WEBHOOKS: Final = _ORDER
_COUNTS: Final = ("next", "every", "duplicate", "batch", "code", "status", "retry_after")
_FLAGS: Final = (
    *("always", "reorder", "lose", "missing", "expire_token", "cut", "early", "hide_number"),
)
_SECONDS: Final = ("delay", "again")
_MOST: Final = 100  # copies or messages in one webhook
LONGEST_DELAY: Final = 600.0


class InvalidRule(SimulatorError):
    """Raised for an invalid rule."""


@dataclass(frozen=True)
class Hit:
    """A fault that occurs: *do* as in `FaultRule`, *why* in a sentence, *fault* if from weather."""

    do: tuple[str, Any]
    why: str
    fault: WeatherFault | None = None


@dataclass(frozen=True)
class FaultRule:
    on: str
    when: tuple[str, Any]
    do: tuple[str, Any]
    match: Mapping[str, str] = field(default_factory=dict)

    def fits(self, facts: Mapping[str, str | None]) -> bool:
        return all(facts.get(key) == value for key, value in self.match.items())


class Faults:
    """Find what goes wrong; *on_hit* is called with each hit and the facts of the event."""

    def __init__(
        self,
        seed: int = 0,
        *,
        weather: Weather | None = None,
        on_hit: Callable[[Hit, Mapping[str, str | None]], None] = lambda hit, facts: None,
    ) -> None:
        self.weather = weather
        self._on_hit = on_hit
        self._ids = count(1)
        self._rules: dict[str, FaultRule] = {}
        self._seen: dict[str, int] = {}
        self._hits: dict[str, int] = {}
        self.seed(seed)

    def seed(self, seed: int) -> None:
        """Restart the random sequence of shares from *seed*."""
        self._random = random.Random(seed)  # noqa: S311  # to repeat itself, not to be secret

    def add(self, value: object) -> str:
        """Add a rule as JSON and return its id; raise `InvalidRule`."""
        rule, key = parse_rule(value), str(next(self._ids))
        self._rules[key], self._seen[key], self._hits[key] = rule, 0, 0
        return key

    def remove(self, key: str) -> bool:
        return self._rules.pop(key, None) is not None

    def clear(self) -> None:
        self._rules.clear()

    def find(
        self, on: str, actions: Collection[str], *, weather: str | None = None, **facts: str | None
    ) -> Hit | None:
        """
        Return the fault of the first matching rule that does one of *actions*, and count it.

        Without one, return that of the weather, where the place is called *weather*, or *on*.
        """
        hit = self._find_rule(on, actions, facts)
        if hit is None and self.weather is not None:
            fault = self.weather.next(weather or on, actions, facts)
            hit = (
                Hit(fault.do, f"Rough weather: {fault.words}.", fault)
                if fault is not None
                else None
            )
        if hit is not None:
            self._on_hit(hit, facts)
        return hit

    def _find_rule(
        self, on: str, actions: Collection[str], facts: Mapping[str, str | None]
    ) -> Hit | None:
        for key, rule in self._rules.items():
            if rule.on != on or rule.do[0] not in actions or not rule.fits(facts):
                continue
            self._seen[key] += 1
            if self._is_due(rule, self._seen[key]):
                self._hits[key] += 1
                what, value = rule.do
                return Hit(rule.do, f"Fault rule {key} of the simulator: {what} {value}.")
        return None

    def _is_due(self, rule: FaultRule, seen: int) -> bool:
        match rule.when:
            case "next", number:
                return seen <= int(number)
            case "every", number:
                return seen % int(number) == 0
            case "share", share:
                return self._random.random() < float(share)
            case _:
                return True

    def to_json(self, key: str) -> dict[str, Any]:
        rule = self._rules[key]
        return {
            "id": key,
            "on": rule.on,
            "when": dict([rule.when]),
            "match": dict(rule.match),
            "do": dict([rule.do]),
            "hits": self._hits[key],
            "spent": rule.when[0] == "next" and self._seen[key] >= int(rule.when[1]),
        }

    def all_to_json(self) -> list[dict[str, Any]]:
        return [self.to_json(key) for key in self._rules]


def parse_rule(value: object) -> FaultRule:
    """Return the rule in a JSON value; raise `InvalidRule`."""
    if not isinstance(value, Mapping):
        raise InvalidRule("A rule is an object with on, when, do and perhaps match.")
    for key in value:
        if key not in ("on", "when", "do", "match"):
            raise InvalidRule(f"A rule knows on, when, do and match, not {key}.")
    on = value.get("on")
    if not isinstance(on, str) or on not in ACTIONS:
        raise InvalidRule(f"on is one of {', '.join(ACTIONS)}.")
    when = _pair("when", value.get("when", {"always": True}), ("next", "every", "share", "always"))
    do = _pair("do", value.get("do"), sorted(ACTIONS[on]))
    return FaultRule(on, when, do, _match(value.get("match")))


def _match(value: object) -> Mapping[str, str]:
    match = {} if value is None else value
    if not isinstance(match, Mapping) or not set(match) <= {"type", "person"}:
        raise InvalidRule("match takes type and person.")
    if not all(isinstance(each, str) for each in match.values()):
        raise InvalidRule("type and person in match are strings.")
    return dict(match)


def _pair(name: str, value: object, known: Collection[str]) -> tuple[str, Any]:
    if not isinstance(value, Mapping) or len(value) != 1 or next(iter(value)) not in known:
        raise InvalidRule(f"{name} is an object with one of {', '.join(known)}.")
    ((key, given),) = value.items()
    _check(key, given)
    return key, given


def _check(key: str, value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if key in _COUNTS and not (isinstance(value, int) and number and value > 0):
        raise InvalidRule(f"{key} is a whole number above 0.")
    if key in ("duplicate", "batch") and value > _MOST:
        raise InvalidRule(f"{key} is at most {_MOST}.")
    if key == "status" and not 200 <= value <= 599:
        raise InvalidRule("status is an HTTP status, 200 to 599.")
    if key == "share" and not (number and 0 <= value <= 1):
        raise InvalidRule("share is a number from 0 to 1.")
    if key in _SECONDS and not (number and 0 <= value <= LONGEST_DELAY):
        raise InvalidRule(f"{key} is a number of seconds up to {LONGEST_DELAY:g}.")
    if key in _FLAGS and value is not True:
        raise InvalidRule(f"{key} is true.")
    if key in ("timeout", "hang_up") and value not in (True, "after"):
        raise InvalidRule(f'{key} is true, or "after": the request is done, and its answer lost.')
