"""Desk parts: what the modules of the desk share, made once per process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rasa_whatsapp_channel.conversation.handoffs import Handoffs
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.window import Windows
from rasa_whatsapp_channel.desk.contract import Link, envelope
from rasa_whatsapp_channel.media.kept import Kept
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.store.base import Clock, Store
from rasa_whatsapp_channel.whatsapp.limits import WINDOW
from rasa_whatsapp_channel.whatsapp.transport import Transport

# Returns what was said before a time, as the bot's tracker has it.
History = Callable[[str, float], Awaitable[Sequence[Mapping[str, Any]]]]


@dataclass(frozen=True)
class DeskParts:
    """
    *writer* makes the writer of one message; *template* is the one for closed windows, if any.

    *kept* opens the files that people sent. *show_typing* marks a message as read and, if told so,
    shows that somebody types. *number* is the id of the first number, *root* the bot's folder.
    """

    handoffs: Handoffs
    store: Store
    people: People
    transport: Transport
    history: History | None
    writer: Callable[[str, int], OutboxWriter]
    template: Mapping[str, Any] | None
    kept: Callable[[], Kept]
    show_typing: Callable[[str, str, bool], Awaitable[None]]
    number: str
    root: Path
    clock: Clock

    @property
    def settings(self) -> HandoffSettings:
        return self.handoffs.settings

    def link(self) -> Link:
        """Return what makes links to files now."""
        return Link(self.settings.secrets[0], self.settings.public_url, self.clock())

    def envelope(self, conversation: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return envelope(conversation, event, number=self.number, link=self.link())

    async def closes_at(self, conversation: str) -> float | None:
        """Return when the 24-hour window closes; None where that is not known."""
        person = await self.people.of(conversation)
        windows = Windows(self.store.values)
        wrote_at = await windows.last_wrote(person.conversations(conversation))
        return None if wrote_at is None else wrote_at + WINDOW
