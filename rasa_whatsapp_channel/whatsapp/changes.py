"""
Which ids of a person are over and which are new, as WhatsApp tells in its several ways.

A ``system`` message names the old number as its sender, or as ``customer``, where the number is
known, the old user ids as ``previous_…``, and where neither is told, both ids in its text. The
``user_id_update`` in a webhook names old and new apart.
https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/system
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.whatsapp.events import InboundMessage, Part, UserIdChanged
from rasa_whatsapp_channel.whatsapp.identity import is_user_id, read_id
from rasa_whatsapp_channel.whatsapp.plain import object_of, text_of

# "User Ines changed from US.1349 to US.9876": at the end, since people choose their names.
_IN_WORDS: Final = re.compile(r"\bchanged from (\S{1,140}) to (\S{1,140}?)\.?\s*\Z")


@dataclass(frozen=True)
class IdChange:
    """Each of *old* and *new* is a name of one person; user ids stand before numbers."""

    old: tuple[str, ...]
    new: tuple[str, ...]
    timestamp: int = 0


def read_change(event: InboundMessage | UserIdChanged) -> IdChange:
    """Return what *event* says; with nothing new where it is about something else."""
    if isinstance(event, UserIdChanged):
        return _change(
            (event.previous, event.previous_parent),
            (event.current, event.current_parent, event.phone),
            event.timestamp,
        )
    system = object_of(event.content)
    if "identity" in (text_of(system.get("type")) or ""):  # another phone, the same ids
        return IdChange((), ())
    new = _ids(system, "user_id", "parent_user_id", "wa_id", "new_wa_id")
    old = (
        *_ids(system, "previous_user_id", "previous_parent_user_id"),
        event.user_id,
        event.parent_user_id,
        event.phone,
        *_ids(system, "customer"),
    )
    is_change = "changed" in (text_of(system.get("type")) or "")
    if is_change and not any(value not in new for value in old if value):
        old, new = _in_words(system, new)
    return _change(old, new, event.timestamp)


def _change(
    old: tuple[str | None, ...], new: tuple[str | None, ...], timestamp: int | None
) -> IdChange:
    current = tuple(dict.fromkeys(value for value in new if value))
    over = dict.fromkeys(value for value in old if value and value not in current)
    return IdChange(tuple(sorted(over, key=_is_number)), current, timestamp or 0)


def _in_words(
    system: Part, new: tuple[str | None, ...]
) -> tuple[tuple[str | None, ...], tuple[str | None, ...]]:
    """Return the ids that stand in the text alone; what is told outside of it must agree."""
    found = _IN_WORDS.search(text_of(system.get("body")) or "")
    if found is None:
        return (), new
    old, current = (read_id(each) for each in found.groups())
    if old is None or current is None or (any(new) and current not in new):
        return (), new
    return (old,), (*new, current)


def _ids(part: Part, *names: str) -> tuple[str | None, ...]:
    return tuple(read_id(part.get(name)) for name in names)


def _is_number(value: str) -> bool:
    return not is_user_id(value)
