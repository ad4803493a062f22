"""Transcription settings: a function of the author's, or the group ``transcribe:`` of a server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from rasa_whatsapp_channel.settings import parsers
from rasa_whatsapp_channel.settings.keys import Group, key
from rasa_whatsapp_channel.whatsapp.limits import MB

ENDPOINT: Final = "/audio/transcriptions"


def _url(value: object) -> str:
    address = parsers.url(value)
    if any(mark in address for mark in "?#@") or address.endswith(ENDPOINT):
        raise ValueError(
            f"the address before `{ENDPOINT}`, such as https://api.openai.com/v1, without a login"
        )
    return address


@dataclass(frozen=True)
class TranscriptionSettings(Group):
    """The ``transcribe:`` group: a server with OpenAI's API for transcriptions."""

    NAME: ClassVar[str] = "transcribe"
    EXAMPLE: ClassVar[str] = '{url: "https://api.openai.com/v1", model: whisper-1}'

    url: str = key(
        _url,
        "",
        secret=True,
        section="The group `transcribe`",
        means="Where the server is; `/audio/transcriptions` is put behind it. Required.",
    )  # a wrong one may hold a login
    model: str = key(parsers.string, "", means="The name of its model. Required.")
    api_key: str = key(
        parsers.string, "", secret=True, means="The key of the server, if it has one."
    )
    language: str = key(
        parsers.string, "", means="The language of all voice notes, such as `de`, if there is one."
    )
    timeout: float = key(
        parsers.positive, 60.0, means="Seconds after which a voice note is heard without words."
    )
    max_bytes: int = key(parsers.whole, 25 * MB, means="Larger voice notes are not sent there.")

    def problems(self) -> Iterator[str]:
        for name in ("url", "model"):
            if not getattr(self, name):
                yield f"'transcribe.{name}' is missing; write `{self.EXAMPLE}`."


def parse(value: object) -> str | TranscriptionSettings:
    """Read the name of a function, or the group."""
    if not isinstance(value, Mapping):
        try:
            return parsers.dotted(value)
        except ValueError as error:
            example = TranscriptionSettings.EXAMPLE
            raise ValueError(f"{error}, or a group such as `{example}`") from error
    return TranscriptionSettings.parse(value)
