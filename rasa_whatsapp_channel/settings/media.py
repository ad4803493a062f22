"""Media settings: the group ``media:``, where files are kept, found and fetched."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rasa_whatsapp_channel.settings import parsers
from rasa_whatsapp_channel.settings.keys import Group, key
from rasa_whatsapp_channel.whatsapp.limits import MB


@dataclass(frozen=True)
class MediaSettings(Group):
    """The ``media:`` group."""

    NAME: ClassVar[str] = "media"
    EXAMPLE: ClassVar[str] = "media: {download: false}"

    store: str = key(
        parsers.string,
        "whatsapp_media",
        section="The group `media`",
        means="The folder for what people send, or an address such as `s3://bucket/whatsapp`.",
    )
    folders: tuple[str, ...] = key(
        parsers.folders,
        ("media",),
        means="The folders beside the bot that files are sent from, beside `store`: [where a file "
        "may come from](media.md#where-a-file-may-come-from).",
    )
    sources: tuple[str, ...] = key(
        parsers.prefixes,
        (),
        means='Prefixes of object stores that may be read, such as `["s3://bucket/menus/"]`. '
        "Nothing else is read.",
    )
    download: bool = key(
        parsers.flag, True, means="`false`: files that people send are not downloaded."
    )
    max_bytes: int = key(parsers.whole, 100 * MB, means="Larger files are not fetched.")
    private_links: bool = key(
        parsers.flag,
        False,
        means="`true` lets the channel fetch links into your own network, also those that a "
        "person wrote.",
    )
    upload: str = key(
        parsers.choice("auto", "always", "never"),
        "auto",
        means="`auto`: files beside the bot go by id, links as links. `always`: links too are "
        "fetched and go by id. `never`: links only.",
    )
    convert: bool = key(parsers.flag, True, means="Convert files that WhatsApp would refuse.")
    keep_days: int | None = key(
        parsers.whole,
        None,
        means="Delete files that people sent after this many days; default: never.",
    )
