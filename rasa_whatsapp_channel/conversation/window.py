"""
Customer service window: when a person wrote last, and what may be sent to them now.

After a person's last message anything may be sent for a day; after that only templates.
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/send-messages
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from rasa_whatsapp_channel.conversation.identity import LIFE
from rasa_whatsapp_channel.store.base import Notes, Values
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.limits import WINDOW

CLOSED_LIFE: Final = 2 * DAY
CLOSED: Final = 0.0  # last message of a person whose window is closed, as WhatsApp says
# WhatsApp counts from its own clock, and a message needs a moment to get there.
MARGIN: Final = 60.0


class Windows:
    """
    The last message of each person, whether one of theirs became a turn, and the last template sent
    for a closed window.

    *names* are all conversations of one person. Every method raises `StoreError`.
    """

    def __init__(self, values: Values) -> None:
        self._values = values

    async def last_wrote(self, names: Iterable[str]) -> float | None:
        """Return when the person wrote last, in unix seconds; None if that is not known."""
        found = await self._values.get_many(*map(wrote_key, names))
        return max((at for at in found.values() if at is not None), default=None)

    async def past_of(self, name: str) -> tuple[float | None, bool]:
        """Return when the person wrote last, and whether a message of theirs became a turn."""
        found = await self._values.get_many(wrote_key(name), heard_key(name))
        return found.get(wrote_key(name)), heard_key(name) in found

    async def note(self, notes: Notes) -> None:
        """Note what `notes_of_message` says of a message that is put nowhere."""
        await self._values.set_many(notes.values, notes.ttl)

    async def close(self, names: Sequence[str], *, since: float) -> bool:
        """Note that WhatsApp says the window is closed; False if the person wrote after *since*."""
        wrote_at = await self.last_wrote(names)
        if wrote_at is not None and wrote_at > since:
            return False
        await self._values.set_many({wrote_key(name): CLOSED for name in names}, CLOSED_LIFE)
        return True

    async def last_template(self, name: str) -> float | None:
        """Return when the template for closed windows was sent last, in unix seconds."""
        at = await self._values.get(template_key(name))
        return at if isinstance(at, float) else None

    async def note_template(self, name: str, at: float, *, life: float) -> None:
        await self._values.set(template_key(name), at, life)


def notes_of_message(name: str, at: float, *, is_turn: bool) -> Notes:
    """Return what is noted of a message of *name* at *at*, in unix seconds."""
    heard = {heard_key(name): True} if is_turn else {}
    return Notes({wrote_key(name): at, **heard}, LIFE)


def wrote_key(name: str) -> str:
    return f"wrote:{name}"


def heard_key(name: str) -> str:
    return f"known:{name}"


def template_key(name: str) -> str:
    return f"reengaged:{name}"


def is_closed(wrote_at: float | None, now: float) -> bool:
    """
    Return whether the window of a person who last wrote at *wrote_at* is certainly closed.

    If the time is not known, the window may be open: the store may be younger than the
    conversation, and WhatsApp refuses the message if it is closed.
    """
    return wrote_at is not None and now - wrote_at > WINDOW - MARGIN


def is_covered(last: float | None, *, wrote_at: float | None, put_at: float, keep: float) -> bool:
    """
    Return whether a template sent at *last* also stands for a message put at *put_at*.

    It does until the person writes, for messages put in the first half of the *keep* seconds that
    messages wait. A message that the bot sends once a day is worth a template each time.
    """
    return last is not None and (wrote_at or 0.0) < last and put_at < last + keep / 2
