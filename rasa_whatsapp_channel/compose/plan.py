"""What composing a response gives: messages in order, and every change that was made to fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rasa_whatsapp_channel.whatsapp.messages import Outgoing, Template


@dataclass(frozen=True)
class Change:
    """
    Something of a response that was changed, or could not be sent, said in the bot author's words.

    *before* is what was written and *after* what came of it, shortened; *after* is "" where nothing
    did. *lost* is true when a part of the response does not reach the user.
    """

    code: str  # WA101 …, see docs/changes.md
    text: str
    response: str | None = None  # name of the Rasa response, where known
    lost: bool = False
    before: str = ""
    after: str = ""

    def __str__(self) -> str:
        return f"{self.response or 'a response without a name'}: {self.text} [{self.code}]"


@dataclass(frozen=True)
class Composed:
    """
    *payloads* are kept until their buttons are tapped: short id, sent to WhatsApp → payload.
    *choices* are kept until the bot says something else: number, shown in the text → payload.
    *template* goes instead of the messages while the 24-hour window is closed.
    """

    messages: tuple[Outgoing, ...]
    changes: tuple[Change, ...] = ()
    payloads: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, str] = field(default_factory=dict)
    template: Template | None = None
