"""What became of everything that people wrote: a judgement of records, without looking inside."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from support.cloud_api import Accepted
from support.crowd import Written
from support.numbered import answers_to

# Seconds in which a sender notes that a message was accepted, on a machine that does much else.
NOTED = 10.0
# Seconds in which the last request of a sender that was killed comes in.
ARRIVES = 3.0


@dataclass(frozen=True)
class Kill:
    at: float  # time.monotonic()
    server: str | None  # None: the store that all servers share


@dataclass(frozen=True)
class Verdict:
    """Each field but the first two is a list of faults, in the words of the messages."""

    answers: int  # that had to come
    doubled: Mapping[Kill, list[str]]  # messages that were sent twice around a kill
    lost: list[str]
    strangers: list[str]  # answers nobody asked for
    unexplained: list[str]  # sent twice without a kill in between
    disordered: list[str]  # answers that overtook others
    heard_disordered: list[str]  # by the bot
    turned_twice: list[str]  # turns of the bot that came to their end more than once

    @property
    def faults(self) -> list[str]:
        lists = {
            "lost": self.lost,
            "strange": self.strangers,
            "twice without a kill": self.unexplained,
            "out of order": self.disordered,
            "heard out of order": self.heard_disordered,
            "two turns": self.turned_twice,
        }
        return [f"{name}: {text}" for name, texts in lists.items() for text in texts]

    @property
    def doubles(self) -> int:
        return sum(len(texts) for texts in self.doubled.values())

    def __str__(self) -> str:
        most = max((len(texts) for texts in self.doubled.values()), default=0)
        return (
            f"{self.answers} answers, {len(self.lost)} lost, {self.doubles} doubled "
            f"(at most {most} by one kill), {len(self.disordered)} out of order"
        )


def judge(
    written: Iterable[Written],
    accepted: Sequence[Accepted],
    journal: Sequence[Mapping[str, Any]],
    kills: Sequence[Kill],
    *,
    answers_to: Callable[[str], list[str]] = answers_to,
    shown: Sequence[Accepted] | None = None,
) -> Verdict:
    """
    Judge what became of *written*.

    Order is that in which the phones have *shown* the answers; else in which they were *accepted*.
    """
    expected: dict[str, list[str]] = defaultdict(list)  # by phone, in order
    heard: dict[str, list[str]] = defaultdict(list)
    for message in sorted(written, key=lambda message: (message.user, message.number)):
        expected[message.phone] += answers_to(message.text)
        heard[message.phone].append(message.text)
    seen = Counter(message.text for message in accepted)
    doubled, unexplained = sort_doubles(accepted, kills)
    wanted = {text for texts in expected.values() for text in texts}
    saved = Counter(line["text"] for line in journal if line["what"] == "saved")
    began = [(line["sender_id"], line["text"]) for line in journal if line["what"] == "began"]
    seen_by = [(message.to, message.text) for message in (accepted if shown is None else shown)]
    return Verdict(
        answers=len(wanted),
        doubled=doubled,
        lost=sorted(wanted - seen.keys()),
        strangers=sorted(seen.keys() - wanted),
        unexplained=unexplained,
        disordered=_overtaken(seen_by, expected),
        heard_disordered=_overtaken(began, heard),
        turned_twice=[text for text, count in saved.items() if count > 1],
    )


def sort_doubles(
    accepted: Sequence[Accepted], kills: Sequence[Kill]
) -> tuple[dict[Kill, list[str]], list[str]]:
    """Tell the doubles a kill explains from all others."""
    copies: dict[str, list[Accepted]] = defaultdict(list)
    for message in accepted:
        copies[message.text].append(message)
    doubled: dict[Kill, list[str]] = defaultdict(list)
    unexplained = []
    for text, messages in copies.items():
        for first, again in pairwise(messages):
            kill = _killed_in_between(first, again, kills, accepted)
            if kill is None:
                unexplained.append(text)
            else:
                doubled[kill].append(text)
    return doubled, unexplained


def _killed_in_between(
    first: Accepted, again: Accepted, kills: Sequence[Kill], accepted: Sequence[Accepted]
) -> Kill | None:
    """Return the kill that kept the sender of *first* from noting it."""
    for kill in kills:
        was_on_its_way = first.at - ARRIVES <= kill.at <= first.at + NOTED
        # A person is sent nothing before it is noted that the message before was accepted.
        was_noted = any(m.to == first.to and first.at < m.at < kill.at for m in accepted)
        is_its = kill.server in (first.token, None)
        if is_its and was_on_its_way and not was_noted and kill.at < again.at:
            return kill
    return None


def _overtaken(
    happened: Iterable[tuple[str, str]], expected: Mapping[str, Sequence[str]]
) -> list[str]:
    """Return what came after something that belongs behind it; a repeat may follow itself."""
    places = {
        (who, text): place for who, texts in expected.items() for place, text in enumerate(texts)
    }
    latest: dict[str, int] = {}
    overtaken = []
    for who, text in happened:
        place = places.get((who, text))
        if place is None:
            continue
        if place < latest.get(who, 0):
            overtaken.append(text)
        latest[who] = max(place, latest.get(who, 0))
    return overtaken
