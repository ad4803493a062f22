"""Settings of calls: the group ``calls:``, what becomes of a call that a person makes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from rasa_whatsapp_channel.settings import parsers
from rasa_whatsapp_channel.settings.keys import Group, key


def _text(value: object) -> str:
    text = parsers.string(value)
    if text.startswith("utter_") and text.isidentifier():
        raise ValueError(
            "the words themselves; a response of the bot is said by a rule for the intent "
            "`whatsapp_call`, with `inbound: {call: turn}`"
        )
    return text


@dataclass(frozen=True)
class CallSettings(Group):
    """The ``calls:`` group."""

    NAME: ClassVar[str] = "calls"
    EXAMPLE: ClassVar[str] = 'calls: {answer: reject, text: "…"}'

    answer: str = key(
        parsers.choice("ignore", "reject"),
        "ignore",
        section="The group `calls`",
        means="`ignore`: it rings until the caller gives up. `reject`: it ends at once.",
    )
    text: str = key(
        _text,
        "",
        means="What is then written to the caller, such as when to call back.",
    )

    def problems(self) -> Iterator[str]:
        if self.text and self.answer != "reject":
            yield "'calls.text' needs `answer: reject`: it is what a rejected caller gets."
