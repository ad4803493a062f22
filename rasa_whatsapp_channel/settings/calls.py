"""Settings of calls: the group ``calls:``, what becomes of a call that a person makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rasa_whatsapp_channel.settings import parsers
from rasa_whatsapp_channel.settings.keys import key, read_keys
from rasa_whatsapp_channel.settings.parsers import SettingsError


def _text(value: object) -> str:
    text = parsers.string(value)
    if text.startswith("utter_") and text.isidentifier():
        raise ValueError(
            "the words themselves; a response of the bot is said by a rule for the intent "
            "`whatsapp_call`, with `inbound: {call: turn}`"
        )
    return text


@dataclass(frozen=True)
class CallSettings:
    """The ``calls:`` group."""

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


def parse_group(value: object) -> CallSettings:
    if not isinstance(value, Mapping):
        raise ValueError('a group of keys, such as `calls: {answer: reject, text: "…"}`')
    values, problems = read_keys(CallSettings, value, prefix="calls.")
    calls = CallSettings(**values)
    if calls.text and calls.answer != "reject":
        problems.append("'calls.text' needs `answer: reject`: it is what a rejected caller gets.")
    if problems:
        raise SettingsError("\n".join(problems))
    return calls
