"""Budget: how many billed messages a conversation was, and whether that is too many. No I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from rasa_whatsapp_channel.billing.charges import is_billable
from rasa_whatsapp_channel.billing.costs import NO_NAME
from rasa_whatsapp_channel.transcript.words import line_of, words_of
from rasa_whatsapp_channel.whatsapp.pricing import REGULAR
from rasa_whatsapp_channel.wording import counted

ChatMessages = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Budget:
    """How many billed messages a *conversation* may be, and what follows one of the person's."""

    conversation: int | None = None
    turn: int | None = None

    def overruns(self, messages: ChatMessages) -> list[str]:
        """Return in words what of *messages*, as ``GET …/messages`` has them, is too much."""
        parts = [(self.conversation, "the conversation", messages)]
        if self.turn is not None:
            parts += [(self.turn, f"the turn {said!r}", turn) for said, turn in _turns(messages)]
        return [
            f"{what} is {counted(billed.total(), 'billed message')}, more than {most}: "
            f"{write(billed)}"
            for most, what, part in parts
            if most is not None and (billed := count_billed(part)).total() > most
        ]


def count_billed(messages: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Return how many billed messages each response is; those joined have several names."""
    return Counter(message["response"] or NO_NAME for message in messages if _is_billed(message))


def write(billed: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in billed.most_common())


def _is_billed(message: Mapping[str, Any]) -> bool:
    if message["direction"] != "outbound" or message["status"] == "failed":
        return False
    return is_billable(message["type"], (message["pricing"] or {}).get("type", REGULAR))


def _turns(messages: ChatMessages) -> Iterator[tuple[str, ChatMessages]]:
    """Yield what the person said, and what follows it."""
    starts = [place for place, each in enumerate(messages) if each["direction"] == "inbound"]
    for start, end in pairwise([*starts, len(messages)]):
        yield line_of(words_of(messages[start])), messages[start + 1 : end]
