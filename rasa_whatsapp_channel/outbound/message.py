"""What stands in the outbox, as a value."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from functools import cached_property
from typing import Any, Final

from rasa_whatsapp_channel.conversation.queue_keys import part_key
from rasa_whatsapp_channel.store.base import Body
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import Message, Outgoing, parse_outgoing

# Behind the key of an entry, where it stands in for another one, or is a part of it.
_STAND_IN: Final = re.compile(r"(?::template|:after-[^:]*|:part-\d+)+\Z")


def name_of(said: Mapping[str, Any]) -> str | None:
    """Return the name of the response in the domain."""
    return _text(said.get("utter_action"))


def source_of(said: Mapping[str, Any]) -> str | None:
    """Return the action, policy or agent of Rasa Pro whose words these are."""
    return _text(said.get("utter_source"))


def call(key: str, *, name: str | None = None, source: str | None = None) -> str:
    """Return what a line calls the entry *key* of the outbox: the best that is known of it."""
    if name:
        return name
    turn, _, position = _STAND_IN.sub("", key).rpartition(":")
    if not (turn and position.isdecimal()):
        place = key
    elif turn.startswith("out:"):
        place = f"message {int(position) + 1} of {turn}, which no turn asked for"
    else:
        place = f"message {int(position) + 1} of the turn of {turn}"
    return f"a response of {source} ({place})" if source else place


def _text(value: Any) -> str | None:
    # An action may pass anything.
    return value if isinstance(value, str) and value else None


_NOTHING: Final[tuple[Any, ...]] = (None, 0, (), [])  # what is not written down


class FileRemedy(str, Enum):
    """What may still deliver a message after an error of its file."""

    UPLOAD_AGAIN = "upload_again"  # WhatsApp does not know the id of our upload any more
    UPLOAD_LINK = "upload_link"  # WhatsApp cannot fetch the link, so we do
    DROP_FILE = "drop_file"


@dataclass(frozen=True)
class OutboxMessage:
    """
    One message to one person.

    *template*, a template's body, goes instead of it while the 24-hour window is closed, under
    *template_key*, which all messages of one response share. *changes* are kept for a simulator
    only, see `outbound.simulator_header`; *trace* is put there by `instrumentation`.
    """

    recipient_id: str
    message: Mapping[str, Any]  # WhatsApp's body without envelope
    response: str | None = None  # name of the Rasa response, where known
    source: str | None = None  # the action or agent whose own words these are, where known
    changes: Sequence[Mapping[str, str]] = ()
    template: Mapping[str, Any] | None = None
    template_key: str | None = None
    #: What WhatsApp or the way to it refused, and when the first of them was, unix seconds.
    failures: int = 0
    failing_since: float = 0.0
    #: Unix seconds before which it does not go.
    not_before: float = 0.0
    #: How often it was sent without an answer.
    unconfirmed: int = 0
    #: Those of its crashes after which a status was waited for.
    crashes: int = 0
    #: What was tried to deliver its file, see `FileRemedy`.
    remedies: Sequence[str] = ()
    #: The ids of our uploads in the last attempt.
    ids: Sequence[str] = ()
    #: How often its file could not be had, though it may be soon, and since when, unix seconds.
    file_failures: int = 0
    file_failing_since: float = 0.0
    #: Why the file is dropped: `reason`, and the `source` and WhatsApp's `code` where known.
    file_error: Mapping[str, Any] | None = None
    #: Where it is one of several that a message became: its number, and the bodies after it.
    part: int = 0
    following: Sequence[Mapping[str, Any]] = ()
    trace: Mapping[str, str] | None = None

    @classmethod
    def from_body(cls, body: Body) -> OutboxMessage:
        """Raise `InvalidMessage` for what is no entry of ours."""
        try:
            return cls(**body)
        except TypeError as error:
            raise InvalidMessage("outbox", f"the entry cannot be read: {error}") from error

    def body(self) -> dict[str, Any]:
        return {name: value for name in _NAMES if (value := getattr(self, name)) not in _NOTHING}

    @cached_property
    def outgoing(self) -> Outgoing:
        return parse_outgoing(self.message)

    @property
    def is_template(self) -> bool:
        return self.message.get("type") == "template"

    def called(self, key: str) -> str:
        """Return what a log line calls it; *key* is its own in the outbox."""
        return call(key, name=self.response, source=self.source)

    def key_of(self, key: str) -> str:
        """Return the key under which it is sent; *key* is that of the outbox."""
        return part_key(key, self.part) if self.part else key

    def alone(self) -> OutboxMessage:
        """Return it without the others that the same message became."""
        return replace(self, part=0, following=())

    def next(self, crashes: int) -> OutboxMessage:
        """Return what goes after it, of which nothing failed yet."""
        return replace(
            self,
            message=self.following[0],
            following=self.following[1:],
            part=self.part + 1,
            failures=0,
            failing_since=0.0,
            unconfirmed=0,
            crashes=crashes,
            remedies=self.remedies_for_parts(),
            ids=(),
            file_failures=0,
            file_failing_since=0.0,
        )

    def replaced_by(
        self, messages: Sequence[Message], changes: Sequence[Mapping[str, str]]
    ) -> OutboxMessage:
        """Return it as *messages*, in order, which *changes* made of it."""
        first, *others = messages
        return replace(
            self,
            message=Outgoing(first, self.outgoing.reply_to).body(),
            following=(*(other.body() for other in others), *self.following),
            part=self.part or int(bool(others)),
            changes=(*self.changes, *changes),
            remedies=self.remedies_for_parts(),
            file_error=None,
        )

    def with_remedy(self, remedy: FileRemedy) -> OutboxMessage:
        return replace(self, remedies=(*self.remedies, remedy.value))

    def remedies_for_parts(self) -> Sequence[str]:
        """Return the remedies that also hold for other files of the same response."""
        return tuple(each for each in self.remedies if each == FileRemedy.UPLOAD_LINK)

    def file_failed(self, now: float) -> OutboxMessage:
        """Return it after a try that failed for its file, see `failed`."""
        since = self.file_failing_since or now
        failures = self.file_failures + 1
        return replace(self, file_failures=failures, file_failing_since=since, crashes=0)

    def failed(self, now: float) -> OutboxMessage:
        """Return it after a try that counts, from which on the queue counts crashes anew, too."""
        since = self.failing_since or now
        return replace(self, failures=self.failures + 1, failing_since=since, crashes=0)


_NAMES: Final = tuple(field.name for field in fields(OutboxMessage))
