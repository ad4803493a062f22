"""
Rough weather: random faults as on WhatsApp, from a seed. No I/O, no clock, no random state.

`decide` returns the fault of the n-th event of a kind; rules of `faults` take precedence. A fault
depends only on seed, kind and n, so the same traffic meets the same faults at any speed.

A correct channel delivers every message: what is refused or lost once succeeds on a retry. Only
*lasting* faults, such as a blocked number, are permanent, and they can be excluded.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

CALM: Final = "calm"
ROUGH: Final = "rough"
WEATHERS: Final = (CALM, ROUGH)

_INFIXES: Final = {"52": "1", "54": "9"}
FILES: Final = frozenset({"image", "video", "audio", "document", "sticker"})


@dataclass(frozen=True)
class Span:
    """A random number from *least* to *most*."""

    least: float
    most: float


@dataclass(frozen=True)
class Fault:
    """
    A fault of a *share* of the events of a kind; *do* is as in a rule of `faults`.

    *words* describe it, with ``{}`` for the value. *types* limits it to types of messages.
    """

    do: tuple[str, Any]
    share: float
    words: str
    types: frozenset[str] | None = None
    lasting: bool = False


@dataclass(frozen=True)
class Kind:
    """The faults of one kind of event; the *rest* events after a fault succeed."""

    faults: tuple[Fault, ...]
    rest: int = 3


@dataclass(frozen=True)
class WeatherFault:
    """The fault of the *n*-th event of *kind*, counted from 1."""

    kind: str
    n: int
    do: tuple[str, Any]
    words: str


def _says(code: int, share: float, *, meaning: str) -> Fault:
    return Fault(("code", code), share, f"WhatsApp refuses the message: {code}, {meaning}")


def _fails(code: int, share: float, *, meaning: str, lasting: bool = False) -> Fault:
    words = f"WhatsApp takes the message and cannot deliver it: {code}, {meaning}"
    return Fault(("code", code), share, words, lasting=lasting)


_TRANSFER: Final = (
    Fault(("status", 500), 0.03, "the request for a file is answered with HTTP 500"),
    Fault(("status", 503), 0.01, "the request for a file is answered with HTTP 503"),
    Fault(("hang_up", True), 0.02, "the connection of a file breaks"),
    Fault(("cut", True), 0.02, "the answer with a file breaks off in the middle"),
    Fault(("delay", Span(0.2, 1.5)), 0.05, "a file takes {:.1f} s longer"),
)

_STATUSES: Final = (
    Fault(("duplicate", 1), 0.1, "a status comes twice"),
    Fault(("again", Span(1.0, 5.0)), 0.03, "a status comes again after {:.1f} s"),
    Fault(("delay", Span(0.1, 2.0)), 0.1, "a status comes {:.1f} s late"),
    Fault(("reorder", True), 0.1, "a status is overtaken by the next one"),
    Fault(("batch", 3), 0.05, "a status waits for company in its webhook"),
)

ROUGH_KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        # requests that send a message
        "messages": Kind(
            (
                _says(131000, 0.02, meaning="something went wrong"),
                _says(131016, 0.01, meaning="service unavailable"),
                _says(2, 0.01, meaning="temporarily unavailable"),
                _says(131056, 0.02, meaning="too many to this person"),
                Fault(("retry_after", 2), 0.01, "WhatsApp wants no message for {} s: HTTP 429"),
                _says(130429, 0.005, meaning="too many of this number"),
                Fault(("status", 500), 0.01, "WhatsApp answers with HTTP 500"),
                Fault(("status", 502), 0.01, "WhatsApp answers with HTTP 502"),
                Fault(("hang_up", True), 0.02, "the connection breaks before WhatsApp reads"),
                Fault(("hang_up", "after"), 0.02, "WhatsApp takes the message, the answer is lost"),
                Fault(("timeout", "after"), 0.003, "WhatsApp takes the message and never answers"),
                Fault(("cut", True), 0.02, "WhatsApp takes the message, its answer breaks off"),
                Fault(("early", True), 0.05, "the statuses come before the answer"),
                Fault(("delay", Span(0.2, 2.0)), 0.03, "WhatsApp answers {:.1f} s late"),
                Fault(("expire_token", True), 0.002, "WhatsApp does not accept the token once"),
            )
        ),
        # accepted messages that fail after the response
        "fates": Kind(
            (
                _fails(131000, 0.02, meaning="something went wrong"),
                _fails(131016, 0.01, meaning="service unavailable"),
                Fault(
                    ("code", 131053),
                    0.05,
                    "WhatsApp takes the message and cannot deliver its file: 131053",
                    types=FILES,
                ),
                _fails(131026, 0.002, meaning="undeliverable", lasting=True),
                _fails(131047, 0.001, meaning="the window is closed", lasting=True),
                _fails(131049, 0.002, meaning="WhatsApp chose not to", lasting=True),
                _fails(131050, 0.001, meaning="the person wants no marketing", lasting=True),
                _fails(130472, 0.001, meaning="the number is in an experiment", lasting=True),
            )
        ),
        # One upload serves many people, so the next one must last.
        "ids": Kind(
            (Fault(("missing", True), 0.05, "an uploaded file is gone from WhatsApp"),),
            rest=20,
        ),
        "links": Kind((Fault(("missing", True), 0.1, "the server of a link answers HTTP 503"),)),
        "media": Kind(_TRANSFER),
        "download": Kind(_TRANSFER),
        "login": Kind(
            (
                Fault(("status", 503), 0.05, "the login is answered with HTTP 503"),
                Fault(("hang_up", True), 0.05, "the connection of the login breaks"),
            )
        ),
        # webhooks of incoming messages
        "webhooks": Kind(
            (
                Fault(("duplicate", 1), 0.05, "a message comes twice"),
                Fault(("again", Span(1.0, 5.0)), 0.05, "a message comes again after {:.1f} s"),
                Fault(("delay", Span(0.1, 1.5)), 0.05, "a message comes {:.1f} s late"),
                Fault(("reorder", True), 0.03, "a message is overtaken by the next one"),
                Fault(("batch", 2), 0.03, "a message waits for company in its webhook"),
            ),
            rest=1,
        ),
        "names": Kind(
            (
                Fault(
                    ("hide_number", True),
                    0.05,
                    "a message names its sender by user id, without a phone number",
                ),
            ),
            rest=0,
        ),
        "statuses": Kind((*_STATUSES, Fault(("lose", True), 0.02, "a status is lost")), rest=0),
        # A failure is never lost: nothing else would report it.
        "failures": Kind(_STATUSES, rest=0),
        # a phone loads a file while it shows the next text
        "phones": Kind(
            (
                Fault(
                    ("delay", Span(0.8, 2.0)),
                    1.0,
                    "the phone shows a file after {:.1f} s",
                    types=FILES,
                ),
            ),
            rest=0,
        ),
    }
)


def decide(
    seed: int,
    kind: str,
    n: int,
    *,
    who: int = 0,
    of_type: str | None = None,
    lasting: bool = True,
    kinds: Mapping[str, Kind] = ROUGH_KINDS,
) -> WeatherFault | None:
    """
    Return the fault of the *n*-th event of *kind* of the *who*-th person; None if it succeeds.

    *of_type* is the message's type, *lasting* includes permanent faults.
    """
    wanted = kinds[kind]
    drawn = _draw(seed, kind, who, n, wanted)
    if drawn is None or (drawn.types is not None and of_type not in drawn.types):
        return None
    if drawn.lasting and not lasting:
        return None
    # Depends on the draws, not on their outcome: n alone decides.
    if any(_draw(seed, kind, who, n - back, wanted) for back in range(1, wanted.rest + 1)):
        return None
    name, value = drawn.do
    if isinstance(value, Span):
        share = _share(seed, kind, who, n, "value")
        value = round(value.least + share * (value.most - value.least), 2)
    return WeatherFault(kind, n, (name, value), drawn.words.format(value))


def _draw(seed: int, kind: str, who: int, n: int, wanted: Kind) -> Fault | None:
    if n < 1:
        return None
    left = _share(seed, kind, who, n)
    for fault in wanted.faults:
        if left < fault.share:
            return fault
        left -= fault.share
    return None


def _share(*what: object) -> float:
    """Return a number from 0 to 1 that depends on *what* only, on any machine."""
    digest = hashlib.sha256(repr(what).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


@dataclass
class Weather:
    """
    The weather of one run: counts the events of each person.

    People are numbered in the order of their first event, so that phone numbers have no effect.
    """

    seed: int
    lasting: bool = True
    kinds: Mapping[str, Kind] = field(default_factory=lambda: ROUGH_KINDS)

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Reset the counters."""
        self._people: dict[str, int] = {}
        self._counts: Counter[tuple[str, int]] = Counter()

    def next(
        self,
        kind: str,
        actions: Collection[str],
        facts: Mapping[str, str | None],
    ) -> WeatherFault | None:
        """
        Count an event of *kind* and return its fault, if it is one of *actions*.

        *facts* may hold person and type.
        """
        if kind not in self.kinds:
            return None
        person = facts.get("person")
        who = self._people.setdefault(person, len(self._people) + 1) if person else 0
        self._counts[kind, who] += 1
        n = self._counts[kind, who]
        fault = decide(
            self.seed,
            kind,
            n,
            who=who,
            of_type=facts.get("type"),
            lasting=self.lasting,
            kinds=self.kinds,
        )
        return fault if fault is not None and fault.do[0] in actions else None


def local_number(phone: str) -> str:
    """
    Return the number of *phone* on WhatsApp, which differs in three countries.

    Brazil's older accounts have no 9 after the area code, Mexico's mobiles have a 1 after 52 and
    Argentina's a 9 after 54, unlike the dialled numbers.
    https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
    """
    country, rest = phone[:2], phone[2:]
    if country == "55" and len(rest) == 11 and rest[2] == "9":
        return f"55{rest[:2]}{rest[3:]}"
    if country in _INFIXES and len(rest) == 10:
        return f"{country}{_INFIXES[country]}{rest}"
    return phone
