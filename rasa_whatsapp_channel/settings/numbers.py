"""Number settings: the list ``numbers:``, further business numbers of the same bot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rasa_whatsapp_channel.settings import parsers
from rasa_whatsapp_channel.settings.keys import key, read_keys
from rasa_whatsapp_channel.settings.parsers import SettingsError


@dataclass(frozen=True)
class NumberSettings:
    """One item of ``numbers:``, a further business number of the same bot."""

    phone_number_id: str = key(
        parsers.identifier,
        "",
        section="An item of `numbers`",
        means="The id of the number, in quotes.",
    )
    access_token: str = key(
        parsers.access_token, "", secret=True, means="Its own token, if it needs one."
    )


def parse_numbers(value: object) -> tuple[NumberSettings, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, Mapping) for item in value):
        raise ValueError('a list such as `numbers: [{phone_number_id: "106540352242922"}]`')
    numbers: list[NumberSettings] = []
    problems: list[str] = []
    for item in value:
        values, wrong = read_keys(NumberSettings, item, prefix="numbers.")
        problems += wrong
        if not wrong and "phone_number_id" not in values:
            problems.append("'numbers.phone_number_id' is missing.")
        numbers.append(NumberSettings(**values))
    if problems:
        raise SettingsError("\n".join(problems))
    return tuple(numbers)
