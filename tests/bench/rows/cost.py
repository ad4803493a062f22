"""
What WhatsApp bills: sixty conversations, sent one message for each part, as the channel does
without `combine`, and with `combine: turn`. Each row is a kind of conversation.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from bench.bench import Bench
from bench.goals import Row, at_most
from support.conversations import Conversation, corpus, losses, sent
from support.one_per_part import NOWHERE, one_per_part

BESIDE: Final = "one message for each part"
WHOLE: Final = "the same, no text split at its empty lines"
UNIT: Final = "messages"


class Lost(Exception):
    """Something of a conversation did not reach the phone, so that its messages do not count."""


@dataclass
class Count:
    """Messages: one for each part, with texts in one piece, without and with `combine`."""

    parts: int = 0
    whole: int = 0
    apart: int = 0
    together: int = 0


async def rows(bench: Bench) -> AsyncIterator[Row]:
    bench.say("cost")
    conversations = corpus()
    for kind, group in groupby(conversations, key=lambda each: each.kind):
        of = await count(list(group))
        yield Row(kind, of.together, BESIDE, of.parts, UNIT, note=f"{of.apart} without `combine`")
    of, name = await count(conversations), f"all {len(conversations)} conversations"
    yield Row(f"{name}, without `combine`", of.apart, BESIDE, of.parts, UNIT)
    yield Row(f"{name}, `combine: turn`", of.together, BESIDE, of.parts, UNIT, at_most(0.5))
    yield Row(f"{name}, `combine: turn`", of.together, WHOLE, of.whole, UNIT)


async def count(conversations: Sequence[Conversation]) -> Count:
    """Raises `Lost`."""
    count = Count()
    for turn in (turn for each in conversations for turn in each.turns):
        apart, together = sent(turn, together=False), sent(turn, together=True)
        if lost := [*losses(turn, apart), *losses(turn, together)]:
            raise Lost("; ".join(lost))
        count.parts += len(await one_per_part(turn))
        count.whole += len(await one_per_part(turn, end=NOWHERE))
        count.apart += len(apart.bodies)
        count.together += len(together.bodies)
    return count
