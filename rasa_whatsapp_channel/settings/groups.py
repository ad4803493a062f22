"""The groups and lists inside of the block: ``media:``, ``numbers:`` and ``inbound:``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rasa_whatsapp_channel.settings import inbound as inbound_settings
from rasa_whatsapp_channel.settings import kinds
from rasa_whatsapp_channel.settings.errors import SettingsError
from rasa_whatsapp_channel.settings.keys import key, read_keys, unknown_key
from rasa_whatsapp_channel.whatsapp.limits import MB


@dataclass(frozen=True)
class MediaSettings:
    """The ``media:`` group."""

    store: str = key(
        kinds.text,
        "whatsapp_media",
        means="The folder for what users send, or an address such as `s3://bucket/whatsapp`.",
    )
    folders: tuple[str, ...] = key(
        kinds.folders,
        ("media",),
        means="The folders beside the bot that files are sent from, beside `store`: [where a file "
        "may come from](media.md#where-a-file-may-come-from).",
    )
    sources: tuple[str, ...] = key(
        kinds.prefixes,
        (),
        means='What of object stores may be read, such as `["s3://bucket/menus/"]`. Nothing else '
        "is, whoever wrote the address.",
    )
    download: bool = key(kinds.flag, True, means="`false` leaves at WhatsApp what users send.")
    max_bytes: int = key(kinds.whole, 100 * MB, means="Larger files are not fetched.")
    private_links: bool = key(
        kinds.flag,
        False,
        means="`true` lets the channel fetch links into your own network, also those that a "
        "person wrote.",
    )
    upload: str = key(
        kinds.choice("auto", "always", "never"),
        "auto",
        means="`auto`: files beside the bot go by id, links as links. `always`: links too are "
        "fetched and go by id. `never`: links only.",
    )
    convert: bool = key(kinds.flag, True, means="Files that WhatsApp would refuse are made to fit.")
    keep_days: int | None = key(
        kinds.whole, None, means="What users sent is deleted after so many days; without it never."
    )


def media(value: object) -> MediaSettings:
    if not isinstance(value, Mapping):
        raise ValueError("a group of keys, such as `media: {download: false}`")
    values, problems = read_keys(MediaSettings, value, prefix="media.")
    if problems:
        raise SettingsError("\n".join(problems))
    return MediaSettings(**values)


@dataclass(frozen=True)
class NumberSettings:
    """One item of ``numbers:``, a further business number of the same bot."""

    phone_number_id: str = key(kinds.identifier, "", means="The id of the number, in quotes.")
    access_token: str = key(kinds.text, "", secret=True, means="Its own token, if it needs one.")


def numbers(value: object) -> tuple[NumberSettings, ...]:
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


def inbound(value: object) -> Mapping[str, str]:
    """Return kind of message → its way or its template, checked by `settings.inbound`."""
    if not isinstance(value, Mapping):
        raise ValueError(
            'a group of keys, such as `inbound: {sticker: ignore, image: "[picture] {caption}"}`'
        )
    words: dict[str, str] = {}
    problems: list[str] = []
    for kind, template in value.items():
        if kind not in inbound_settings.FIELDS:
            problems.append(unknown_key(str(kind), inbound_settings.FIELDS, "inbound."))
            continue
        try:
            words[kind] = inbound_settings.check(kind, template)
        except ValueError as error:
            problems.append(f"'inbound.{kind}' must be {error}, not {template!r}.")
    if problems:
        raise SettingsError("\n".join(problems))
    return words
