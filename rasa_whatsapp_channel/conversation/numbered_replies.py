"""
Numbered replies: what the numbers stand for that the bot offered, and which one was typed.

Where a message has no room for buttons, the choices are numbered, and the person types a number.
Numbers hold for one turn: what the bot offers next replaces them, and a typed "3" is then only a 3.
The message that begins a turn is still read by the numbers before it, also when the turn is
repeated after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.events import InboundMessage
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of

LIFE: Final = DAY  # as long as the bot may answer
MOST_DIGITS: Final = 6


class Choice(NamedTuple):
    """What a number stands for: the payload of a button, and its title."""

    payload: str
    title: str


class NumberedReplies:
    """The numbers that were offered in each conversation. Every method raises `StoreError`."""

    def __init__(self, values: Values) -> None:
        self._values = values

    async def offer(self, conversation: str, turn_id: str, choices: Mapping[str, Choice]) -> None:
        """Store number → choice, as offered in the turn *turn_id*; earlier numbers expire."""
        key = offer_key(conversation)
        kept = await self._values.get(key)
        same_turn = isinstance(kept, Mapping) and kept["turn"] == turn_id
        if not choices and (same_turn or not kept or not kept["now"]):
            return
        before = kept["before" if same_turn else "now"] if kept else {}
        await self._values.set(key, {"turn": turn_id, "now": dict(choices), "before": before}, LIFE)

    async def find(self, conversation: str, event: InboundMessage, people: People) -> Choice | None:
        """Return what the number typed in *event* stands for, if anything."""
        number = typed_number(event)
        if number is None:
            return None
        person = await people.of(conversation)
        for name in person.conversations(conversation):
            choice = await self._find(name, event.id, number)
            if choice is not None:
                return choice
        return None

    async def _find(self, conversation: str, turn_id: str, number: str) -> Choice | None:
        kept = await self._values.get(offer_key(conversation))
        if not isinstance(kept, Mapping):
            return None
        choice = kept["before" if kept["turn"] == turn_id else "now"].get(number)
        return Choice(*choice) if choice is not None else None


def typed_number(event: InboundMessage) -> str | None:
    """Return the number that *event* consists of, in any notation: "3", " 3. ", "3)", "٣"."""
    if event.type != "text":
        return None
    written = (text_of(object_of(event.content).get("body")) or "").strip().rstrip(".)").strip()
    is_number = written.isdecimal() and len(written) <= MOST_DIGITS
    return str(int(written)) if is_number else None


def offer_key(conversation: str) -> str:
    return f"choices:{conversation}"
