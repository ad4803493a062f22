"""A chat → the transcript that repeats it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.transcript.expect import NAMES
from rasa_whatsapp_channel.transcript.steps import Does, Expects, Step, Transcript
from rasa_whatsapp_channel.transcript.words import words_of

# Only these say something to the bot.
_LEFT_OUT: Final = frozenset({"system", "ephemeral"})


def record(messages: Iterable[Mapping[str, Any]], *, name: str) -> Transcript:
    """
    Return what was written in a chat, as ``GET …/messages`` has it.

    Of files only the names are in it: those of the person must be put beside the transcript. Who
    the person was is left out: it is played with somebody new.
    """
    steps: list[Step] = []
    for message in messages:
        if message["type"] in _LEFT_OUT:
            continue
        words = words_of(message)
        if message["direction"] == "inbound":
            steps.append(Does(words))
        elif message.get("status") != "failed":
            steps.append(Expects({key: words[key] for key in words if key in NAMES}))
    return Transcript(name=name, steps=tuple(steps))
