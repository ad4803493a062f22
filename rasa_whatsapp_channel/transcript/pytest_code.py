"""Pytest code: a transcript → a test with the fixture `whatsapp`, in Python."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.transcript.steps import Advance, Does, Expects, Silence, Step, Transcript
from rasa_whatsapp_channel.transcript.words import FILES

_HEAD: Final = '''"""Recorded from a chat. Files of the person belong beside this module."""


async def {name}(whatsapp):
    user = whatsapp.user()

'''
_WIDTH: Final = 96


def dump_test(transcript: Transcript) -> str:
    """Return *transcript* as a module of one test."""
    words = "_".join(re.findall(r"[a-z0-9]+", transcript.name.lower()))
    lines = [line for step in transcript.steps for line in _code(step)]
    body = "\n".join(lines or ["    await user.gets_nothing()"])
    return _HEAD.format(name=f"test_{words or 'the_chat'}") + body.lstrip("\n") + "\n"


def _code(step: Step) -> Iterator[str]:
    """Yield the lines of *step*; a blank one before what the person does."""
    if isinstance(step, Does):
        yield ""
        yield from _call(f"user.{_verb(step.words)}", *_given(step.words))
    elif isinstance(step, Expects):
        yield from _call("await user.gets", [], step.words)
    elif isinstance(step, Advance):
        yield f"    whatsapp.clock.advance(seconds={step.seconds:g})"
    elif isinstance(step, Silence):
        yield f"    await user.gets_nothing(within={step.seconds:g})"


def _verb(words: Mapping[str, Any]) -> str:
    file = next((name for name in FILES if name in words), None)
    if file is not None:
        return f"sends_{file}"
    return next((verb for name, verb in _VERBS.items() if name in words), "sends_message")


def _given(words: Mapping[str, Any]) -> tuple[list[Any], Mapping[str, Any]]:
    """Return the arguments of `_verb`."""
    file = next((name for name in FILES if name in words), None)
    if file is not None:
        return [words[file], *([words["text"]] if words.get("text") else [])], {}
    match words:
        case {"location": {"latitude": latitude, "longitude": longitude, **more}}:
            return [latitude, longitude], {str(key): value for key, value in more.items()}
        case {"contacts": list(names)}:
            return names, {}
        case {"reaction": value} | {"taps": value} | {"message": value} | {"text": value}:
            return [value], {}
    return [dict(words)], {}


def _call(name: str, given: list[Any], named: Mapping[str, Any]) -> Iterator[str]:
    """Yield a call, on one line if it fits."""
    arguments = [*map(repr, given), *(f"{key}={value!r}" for key, value in named.items())]
    line = f"    {name}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"    {name}("
    yield from (f"        {argument}," for argument in arguments)
    yield "    )"


_VERBS: Final[Mapping[str, str]] = {
    "taps": "taps",
    "location": "sends_location",
    "contacts": "sends_contacts",
    "reaction": "reacts",
    "message": "sends_message",
    "text": "sends",
}
