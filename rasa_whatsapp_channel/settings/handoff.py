"""Handoff settings: the group ``handoff:``, how a person takes a conversation and gives it back."""

from __future__ import annotations

from dataclasses import dataclass

from rasa_whatsapp_channel.settings import parsers
from rasa_whatsapp_channel.settings.keys import key, read_group


@dataclass(frozen=True)
class HandoffSettings:
    """The ``handoff:`` group."""

    waiting: float = key(
        parsers.positive,
        600.0,
        section="The group `handoff`",
        means="How many seconds somebody waits for a person; then the bot answers again.",
    )
    idle: float = key(
        parsers.positive,
        43_200.0,
        means="How many seconds after a person's last word the bot answers again.",
    )
    while_waiting: str = key(
        parsers.choice("silent", "bot"),
        "silent",
        means="Who answers until a person comes: nobody, or the bot.",
    )


def parse_group(value: object) -> HandoffSettings:
    return read_group(HandoffSettings, value, "handoff", "handoff: {idle: 43200}")
