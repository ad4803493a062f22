"""When a person wrote last, over all conversations that turned out to be theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.store.keys import wrote_key

CLOSED: Final = 0.0  # "last written" of a person whose window WhatsApp says is closed


async def last_wrote(values: Values, conversations: Iterable[str]) -> float | None:
    """Return it in unix seconds; None where nothing is known. Raises `StoreError`."""
    found = [await values.get(wrote_key(name)) for name in conversations]
    return max((at for at in found if at is not None), default=None)


async def note_closed(values: Values, conversations: Iterable[str]) -> None:
    """Note that WhatsApp says the window is closed. Raises `StoreError`."""
    await values.set_many({wrote_key(name): CLOSED for name in conversations}, 2 * DAY)
