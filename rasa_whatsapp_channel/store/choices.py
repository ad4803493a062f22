"""
Numbers a bot offered in a text, and what each stands for when it is typed.

They count until the bot speaks in another turn: whoever types a 3 later means a 3. The message that
begins a turn is still read by the numbers before it, also when the turn is repeated after a crash.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.store.keys import choices_key

LIFE: Final = DAY  # as long as the bot may answer


async def offer(
    values: Values, recipient_id: str, turn_id: str, choices: Mapping[str, str]
) -> None:
    """Note what the bot offers in *turn_id*: number → payload. Earlier numbers are over."""
    key = choices_key(recipient_id)
    kept = await values.get(key)
    same_turn = isinstance(kept, Mapping) and kept["turn"] == turn_id
    if not choices and (same_turn or not kept or not kept["now"]):
        return
    before = kept["before" if same_turn else "now"] if kept else {}
    await values.set(key, {"turn": turn_id, "now": dict(choices), "before": before}, LIFE)


async def choose(values: Values, sender_id: str, turn_id: str, number: str) -> str | None:
    """Return what *number* stands for in the message that begins *turn_id*, if for anything."""
    kept = await values.get(choices_key(sender_id))
    if not isinstance(kept, Mapping):
        return None
    payload = kept["before" if kept["turn"] == turn_id else "now"].get(number)
    return payload if isinstance(payload, str) else None
