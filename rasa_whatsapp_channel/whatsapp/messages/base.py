"""Message: the base of all messages, and the media a message may contain."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Final, TypeVar

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import checks
from rasa_whatsapp_channel.whatsapp.messages.keys import Extra, present, put_extras

T = TypeVar("T")

_PROVIDER: Final = re.compile(r"\A[\w.-]+/(?=https?://)", re.IGNORECASE)


@dataclass(frozen=True)
class Message:
    """
    Something that can be sent. A message that exists is inside WhatsApp's limits.

    `body` and `parse` (in this package's ``__init__``) are inverse to each other; `body` returns
    Meta's Cloud shape without the envelope. Each client adds its envelope and its differences.
    *extras* are keys of a body that this package does not know; they stay in their places.
    """

    type: ClassVar[str]  # as in WhatsApp's `type`

    extras: tuple[Extra, ...] = field(default=(), kw_only=True)

    def content(self) -> Any:
        """Return the content of the key named like the type."""
        raise NotImplementedError

    def body(self) -> dict[str, Any]:
        return put_extras({"type": self.type, self.type: self.content()}, self.extras)


@dataclass(frozen=True)
class Outgoing:
    """A message on its way to one person. *reply_to* is the id of the message it quotes."""

    message: Message
    reply_to: str | None = None

    def body(self) -> dict[str, Any]:
        body = self.message.body()
        if not self.reply_to:
            return body
        return put_extras({**body, "context": {"message_id": self.reply_to}}, self.message.extras)


@dataclass(frozen=True)
class Media:
    """
    Where a file comes from: exactly one of *id*, *link* and *path*.

    *path* is a file beside the bot; it is uploaded before sending and its id put in its place, so
    it never reaches WhatsApp. *provider* names the stored credentials an on-premises client fetches
    *link* with.
    """

    id: str | None = None
    link: str | None = None
    path: str | None = None
    provider: str | None = None

    def __post_init__(self) -> None:
        if (self.id, self.link, self.path).count(None) != 2:
            given = present(id=self.id, link=self.link, path=self.path)
            what = " and ".join(given) + " together" if given else "none of them"
            raise InvalidMessage("media", f"needs exactly one of id, link and path, and has {what}")
        if self.link is None:
            checks.optional_text("media.id", self.id)
            checks.optional_text("media.path", self.path)
            if self.provider is not None:
                raise InvalidMessage("media.provider", "goes only with a link")
        elif self.provider is None:
            checks.check_link("media.link", self.link)
        else:
            checks.check_text("media.provider.name", self.provider)
            # The older way to name a provider, still printed beside the newer one:
            # "the-provider-name/https://the-url".
            link = checks.check_text("media.link", self.link)
            checks.check_link("media.link", _PROVIDER.sub("", link))

    def fields(self) -> dict[str, Any]:
        """Return the keys of WhatsApp's media object."""
        provider = None if self.provider is None else {"name": self.provider}
        return present(id=self.id, link=self.link, path=self.path, provider=provider)

    @classmethod
    def parse(cls, field: str, value: Mapping[str, Any]) -> Media:
        provider = value.get("provider")
        if isinstance(provider, dict):  # REF's table says a string, all examples say an object
            provider = provider.get("name")
            if provider is None:
                raise InvalidMessage(f"{field}.provider.name", "is missing")
        media_id = value.get("id")
        try:
            return cls(
                # YAML turns an id of digits into a number; nothing is lost by turning it back
                id=str(media_id) if type(media_id) is int else media_id,
                link=value.get("link"),
                path=value.get("path"),
                provider=provider,
            )
        except InvalidMessage as error:
            where = field + error.field.removeprefix("media")
            raise type(error)(where, error.problem, limit=error.limit) from None


def find_media(value: object) -> Iterator[Media]:
    """Yield every `Media` inside a message, in order."""
    if isinstance(value, Media):
        yield value
    else:
        for part in parts_of(value):
            yield from find_media(part)


def parts_of(value: object) -> Iterable[object]:
    """Return what a message, or a part of one, is made of, without its texts and numbers."""
    if isinstance(value, tuple):
        return value
    parts = [getattr(value, name) for name in _field_names(value)]
    return [part for part in parts if part and not isinstance(part, (str, int, float))]


def _field_names(value: object) -> tuple[str, ...]:
    kind: type = type(value)
    return _names(kind)


@cache
def _names(kind: type) -> tuple[str, ...]:
    fields = dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()
    return tuple(field.name for field in fields)


def replace_media(value: T, replacements: Mapping[Media, Media]) -> T:
    """Return *value* with each `Media` that has a replacement replaced."""
    if isinstance(value, Media):
        return replacements.get(value, value)  # type: ignore[return-value]  # T is Media here
    if names := _field_names(value):
        changed = {
            name: new
            for name in names
            if (new := replace_media(old := getattr(value, name), replacements)) is not old
        }
        return dataclasses.replace(value, **changed) if changed else value  # type: ignore[type-var]
    if isinstance(value, tuple):
        items = tuple(replace_media(item, replacements) for item in value)
        same = all(new is old for new, old in zip(items, value, strict=True))
        return value if same else items  # type: ignore[return-value]  # T is that tuple
    return value
