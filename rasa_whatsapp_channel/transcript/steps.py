"""
Transcript steps: the YAML of a transcript → its steps, and back.

    name: Somebody asks for a picture        # all but `chat` may be left out
    person: "+49 151 12345678"
    budget: 3                              # at most so many billed messages
    turn_budget: 2                         # and in answer to one message
    chat:
    - user: hi                               # a string; else a map, see `DOES`
    - bot: ~/Welcome to .*/                  # a string, a pattern; else a map, see `expect.NAMES`
    - user: {taps: Picture}
    - bot: {image: lake.jpg, text: "The lake, this evening"}
    - clock: 25h
    - silence: 2s                            # the bot says nothing
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ruamel.yaml.error import YAMLError

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.plain_yaml import plain_yaml
from rasa_whatsapp_channel.transcript.expect import NAMES, check_pattern
from rasa_whatsapp_channel.transcript.words import FILES, words_of
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.wording import suggest

_BUDGETS: Final = ("budget", "turn_budget")
_KEYS: Final = ("name", "person", *_BUDGETS, "chat")
_STEPS: Final = ("user", "bot", "clock", "silence")
# What a person can do; paths of files are relative to the transcript.
DOES: Final = ("text", "taps", *FILES, "location", "contacts", "reaction", "message")
_UNITS: Final = {"": 1, "s": 1, "m": 60, "h": 3600, "d": DAY}
# Messages of the platform that carry nothing for the bot.
_LEFT_OUT: Final = frozenset({"system", "ephemeral"})
_TIME: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")


class TranscriptError(ChannelError):
    """A transcript cannot be read, or a step of it cannot be done; the text names the step."""


@dataclass(frozen=True)
class Does:
    """A person does something: *words* as in `DOES`."""

    words: Mapping[str, Any]


@dataclass(frozen=True)
class Expects:
    """The bot says something: *words* as in `expect.NAMES`."""

    words: Mapping[str, Any]


@dataclass(frozen=True)
class Advance:
    """The clock moves on by *seconds*."""

    seconds: float


@dataclass(frozen=True)
class Silence:
    """The bot says nothing for *seconds*."""

    seconds: float


Step = Does | Expects | Advance | Silence


@dataclass(frozen=True)
class Transcript:
    """
    A transcript. *person* is a phone number, None for a new person. The budgets are how many billed
    messages the conversation may be, and the answer to one message.
    """

    name: str
    steps: tuple[Step, ...]
    person: str | None = None
    budget: int | None = None
    turn_budget: int | None = None


def parse_transcript(text: str, *, name: str) -> Transcript:
    """Return the transcript in *text*; raises `TranscriptError`, which names the step."""
    try:
        document = plain_yaml("safe").load(text)
    except YAMLError as error:
        raise TranscriptError(f"{name} is no YAML: {' '.join(str(error).split())}") from error
    if not isinstance(document, Mapping):
        raise TranscriptError(f"{name} must be a map with the key chat")
    _only(name, document, _KEYS)
    chat = document.get("chat")
    if not isinstance(chat, Sequence) or isinstance(chat, str) or not chat:
        raise TranscriptError(f"{name}: chat must be a list of steps")
    steps = tuple(
        _parse_step(f"{name}, step {number}", step) for number, step in enumerate(chat, start=1)
    )
    return Transcript(
        name=str(document.get("name") or name),
        steps=steps,
        person=str(document["person"]) if document.get("person") else None,
        **{key: _parse_budget(name, key, document[key]) for key in _BUDGETS if key in document},
    )


def dump_transcript(transcript: Transcript) -> str:
    """Return *transcript* as YAML in its short form."""
    chat = [_plain_step(step) for step in transcript.steps]
    keys = ("person", *_BUDGETS)
    given = {key: value for key in keys if (value := getattr(transcript, key)) is not None}
    yaml = plain_yaml("rt")
    yaml.default_flow_style = False
    yaml.width = 100
    yaml.allow_unicode = True
    stream = io.StringIO()
    yaml.dump({"name": transcript.name, **given, "chat": chat}, stream)
    return stream.getvalue()


def record(messages: Iterable[Mapping[str, Any]], *, name: str) -> Transcript:
    """
    Return what was written in a chat, as ``GET …/messages`` has it.

    Files are named only: those of the person have to be put beside the transcript. The person's
    number is left out, so that it is played with a new person.
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


def parse_seconds(value: object) -> float | None:
    """Return the seconds in ``90``, ``25h`` or ``1.5 d``; None for anything else."""
    found = _TIME.fullmatch(str(value).strip())
    return None if found is None else float(found[1]) * _UNITS[found[2]]


def _parse_budget(name: str, key: str, value: object) -> int:
    if type(value) is not int or value < 0:
        raise TranscriptError(f"{name}: {key} takes a number of billed messages, not {value!r}")
    return value


def _parse_step(where: str, step: object) -> Step:
    if not isinstance(step, Mapping) or len(step) != 1:
        raise TranscriptError(f"{where} must have one key: {', '.join(_STEPS)}")
    _only(where, step, _STEPS)
    ((kind, value),) = step.items()
    if kind in ("clock", "silence"):
        seconds = parse_seconds(value)
        if seconds is None:
            raise TranscriptError(f"{where}: {kind} takes a time such as 90s or 25h, not {value!r}")
        return Advance(seconds) if kind == "clock" else Silence(seconds)
    words = {"text": value} if isinstance(value, str) else value
    if not isinstance(words, Mapping) or not words:
        raise TranscriptError(f"{where}: {kind} takes a string or a map, not {value!r}")
    if kind == "user":
        _only(where, words, DOES)
        return Does(dict(words))
    _only(where, words, NAMES)
    for problem in _problems(words):
        raise TranscriptError(f"{where}: {problem}")
    return Expects(dict(words))


def _problems(value: object) -> Iterable[str]:
    if isinstance(value, str):
        reason = check_pattern(value)
        if reason is not None:
            yield f"{value} is no pattern: {reason}"
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _problems(part)
    elif isinstance(value, Sequence):
        for part in value:
            yield from _problems(part)


def _plain_step(step: Step) -> dict[str, Any]:
    if isinstance(step, Advance):
        return {"clock": _written(step.seconds)}
    if isinstance(step, Silence):
        return {"silence": _written(step.seconds)}
    words: Any = dict(step.words)
    if set(words) == {"text"}:
        words = words["text"]
    return {"user" if isinstance(step, Does) else "bot": words}


def _written(seconds: float) -> str:
    for unit in ("d", "h", "m"):
        if seconds and seconds % _UNITS[unit] == 0:
            return f"{seconds / _UNITS[unit]:g}{unit}"
    return f"{seconds:g}s"


def _only(where: str, value: Mapping[Any, Any], known: Sequence[str]) -> None:
    for key in value:
        if key in known:
            continue
        raise TranscriptError(f"{where}: {key!r} is not known; {suggest(key, known)}")
