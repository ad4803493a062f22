"""Draft: the state that the parts of a response share while they are composed, and the result."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from rasa_whatsapp_channel.compose.changes import Change, make_change
from rasa_whatsapp_channel.compose.markdown import MARKS, to_whatsapp, too_marked
from rasa_whatsapp_channel.conversation.numbered_replies import Choice
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.messages import Outgoing, Template

# With "p:" before it as long as the shortest id WhatsApp takes, that of a card's button.
_DIGITS: Final = 18


@dataclass(frozen=True)
class Composed:
    """
    The result: messages in order, and all changes that were made.

    *payloads* are kept until their buttons are tapped: short id, sent to WhatsApp → payload.
    *choices* are kept until the bot's next message: number, shown in the text → choice.
    *template* is sent instead of the messages while the 24-hour window is closed.
    *is_own*: that is the response itself, and nothing follows it.
    *direct_send*: it may go by Direct Send then, where the settings allow that.
    *handoff* is the reason for a handoff to a person, empty if none is given; None: no handoff.
    """

    messages: tuple[Outgoing, ...]
    changes: tuple[Change, ...] = ()
    payloads: Mapping[str, str] = field(default_factory=dict)
    choices: Mapping[str, Choice] = field(default_factory=dict)
    template: Template | None = None
    handoff: str | None = None
    direct_send: bool = True
    is_own: bool = False


@dataclass
class Draft:
    """
    One response being composed: the API, the changes, and the payloads to keep.

    *recipient_id* is the recipient, if known. *strict*: unknown keys of WhatsApp's bodies are
    refused. *images* are the pictures of a text that are sent (``all``, ``files``, ``none``),
    *access* the files that may be. Each response has its own draft; only the parts of composing
    write into it.
    """

    api: Api
    captions: str = "merge"
    markdown: bool = True
    name: str | None = None
    recipient_id: str | None = None
    strict: bool = False
    images: str = "all"
    access: FileAccess = field(default_factory=FileAccess)
    changes: list[Change] = field(default_factory=list)
    payloads: dict[str, str] = field(default_factory=dict)
    choices: dict[str, Choice] = field(default_factory=dict)

    def change(self, code: str, **values: object) -> None:
        self.changes.append(make_change(code, self.name, values))

    def format(self, text: str) -> str:
        """Return *text* with WhatsApp's formatting in the place of Markdown's."""
        if not self.markdown:
            return text
        marks = too_marked(text)
        if marks:
            self.change("WA112", marks=marks, limit=MARKS)
            return text
        return to_whatsapp(text)

    def keep(self, payload: str, copy: int = 0) -> str:
        """
        Return a short id for *payload* and remember to keep it.

        The same payload has the same id in every response, so a tap is understood days later;
        *copy* counts where one message holds it more than once.
        """
        content = f"{payload}\0{copy}" if copy else payload
        short = f"p:{hashlib.sha256(content.encode()).hexdigest()[:_DIGITS]}"
        self.payloads[short] = payload
        return short

    def offer(self, payload: str, title: str) -> str:
        """Return the number that stands for *payload* when it is typed."""
        number = str(len(self.choices) + 1)
        self.choices[number] = Choice(payload, title)
        return number
