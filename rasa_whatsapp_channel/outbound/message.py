"""
Outbox message: the body of an outbox item, and the name that log lines give it.

In this package *item* is the claimed queue item, *entry* the `OutboxMessage` in its body, and
*message* the WhatsApp message in that.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from functools import cached_property
from typing import Any, Final

from rasa_whatsapp_channel.compose.changes import Change
from rasa_whatsapp_channel.compose.closed_window import Outside, Way, subject_of, words_of
from rasa_whatsapp_channel.conversation.message_notes import part_key
from rasa_whatsapp_channel.conversation.owner import ANY_OWNER
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store.base import Body
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.messages import Message, Outgoing, parse_outgoing
from rasa_whatsapp_channel.whatsapp.messages.envelope import DIRECT, POLICIES, is_direct

logger = logging.getLogger(__name__)

# The end of the key of an item that replaces another one, or is a part of it.
_STAND_IN: Final = re.compile(r"(?::template|:later|:waits|:after-[^:]*|:part-\d+)+\Z")


def name_of(said: Mapping[str, Any]) -> str | None:
    """Return the name of the response in the domain."""
    return _text(said.get("utter_action"))


def source_of(said: Mapping[str, Any]) -> str | None:
    """Return the action, policy or agent of Rasa Pro that made the response."""
    return _text(said.get("utter_source"))


def call(key: str, *, name: str | None = None, source: str | None = None) -> str:
    """
    Return the name of the item *key* in log lines, so that the author of the bot finds it.

    A response of the domain has a name. What an action says otherwise has none: Rasa Pro tells the
    action (``utter_source``), Rasa 3.6 nothing, so its position in the turn is the name.
    """
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


def log_change(change: Change, metrics: Metrics) -> None:
    metrics.changed(change.code)
    logger.log(
        logging.ERROR if change.lost else (logging.INFO if change.as_set else logging.WARNING),
        "whatsapp.changed: %s",
        change,
    )


def _text(value: Any) -> str | None:
    # An action may pass anything.
    return value if isinstance(value, str) and value else None


_WAYS: Final = frozenset(way.value for way in Way)
_NOTHING: Final[tuple[Any, ...]] = (None, 0, (), [])  # values that a body leaves out


class SendRemedy(str, Enum):
    """What may still deliver a message after an error."""

    UPLOAD_AGAIN = "upload_again"  # WhatsApp does not know the id of our upload any more
    SAME_FILE = "same_file"  # WhatsApp could not handle a file whose id the author wrote
    UPLOAD_LINK = "upload_link"  # WhatsApp cannot fetch the link, so we do
    DROP_FILE = "drop_file"
    AS_MARKETING = "as_marketing"  # the template must go to the endpoint for marketing messages
    AS_DIALLED = "as_dialled"  # WhatsApp does not accept its own id of the number
    AS_SERVICE = "as_service"  # Direct Send refuses it, so it goes as an ordinary message
    WITHOUT_TEMPLATE = "without_template"  # the template for its text is refused
    TEMPLATE_REFUSED = "template_refused"  # the template that its response is


@dataclass(frozen=True)
class OutboxMessage:
    """
    One message to one person.

    Times are unix seconds. Methods that take a *key* take that of the item in the outbox.
    """

    recipient_id: str
    #: WhatsApp's body without envelope
    message: Mapping[str, Any]
    #: name of the Rasa response, if known
    response: str | None = None
    #: the action or agent that made the response, if known
    source: str | None = None
    #: what composing changed, for a simulator only
    changes: Sequence[Mapping[str, str]] = ()
    #: body of the template that replaces it while the 24-hour window is closed
    template: Mapping[str, Any] | None = None
    #: key of that template, shared by all messages of a response
    template_key: str | None = None
    #: whether that template is the response itself, and nothing follows it
    is_own: bool = False
    #: body with which it goes by Direct Send while the window is closed
    direct: Mapping[str, Any] | None = None
    #: body of the ordinary message whose place it takes while the window is closed
    instead_of: Mapping[str, Any] | None = None
    #: whether it is such a template, and needs not go once the window is open
    stands_in: bool = False
    #: whether it tells the person that a limit of `billing` is reached, and goes all the same
    is_notice: bool = False
    #: version of the conversation's owner with which its turn began
    turn_version: int = ANY_OWNER
    #: number of failed attempts, and time of the first
    failures: int = 0
    failing_since: float = 0.0
    #: time before which it is not sent
    not_before: float = 0.0
    #: attempts without an answer
    unconfirmed: int = 0
    #: crashes after which a confirmation was waited for
    crashes: int = 0
    #: what was tried to deliver its file, see `SendRemedy`
    remedies: Sequence[str] = ()
    #: ids of our uploads in the last attempt
    ids: Sequence[str] = ()
    #: number of passing failures of its file, and time of the first
    file_failures: int = 0
    file_failing_since: float = 0.0
    #: why the file is dropped: `reason`, and the `source` and WhatsApp's `code` if known
    file_error: Mapping[str, Any] | None = None
    #: number of this part of a message that became several, and the bodies of the later parts
    part: int = 0
    following: Sequence[Mapping[str, Any]] = ()
    #: context of the trace, written by `instrumentation`
    trace: Mapping[str, str] | None = None

    @classmethod
    def from_body(cls, body: Body) -> OutboxMessage:
        """Read the body of an item; raises `InvalidMessage` if it is none."""
        try:
            return cls(**body)
        except TypeError as error:
            raise InvalidMessage("outbox", f"the item cannot be read: {error}") from error

    def body(self) -> dict[str, Any]:
        return {name: value for name in _NAMES if (value := getattr(self, name)) not in _NOTHING}

    @cached_property
    def outgoing(self) -> Outgoing:
        return parse_outgoing(self.message)

    @property
    def is_template(self) -> bool:
        return self.message.get("type") == "template"

    @property
    def template_name(self) -> str:
        """Return the name of the template that it is, in no language."""
        return str(object_of(self.message.get("template")).get("name", ""))

    @property
    def template_subject(self) -> str | None:
        """Return the template that it is, as account events name it; None if it is none."""
        return subject_of(self.message)

    @property
    def needs_window(self) -> bool:
        """Return whether it goes only while the 24-hour window is open."""
        return not self.is_template and not is_direct(self.message)

    @property
    def words(self) -> str:
        """Return what a person would read of it, as far as it is text."""
        return words_of(self.instead_of or self.message)

    def called(self, key: str) -> str:
        """Return its name in log lines."""
        return call(key, name=self.response, source=self.source)

    def key_of(self, key: str) -> str:
        """Return the key under which it is sent, and confirmed by statuses."""
        return part_key(key, self.part) if self.part else key

    def alone(self) -> OutboxMessage:
        """Return it without the later parts."""
        return replace(self, part=0, following=()) if self.part or self.following else self

    def next(self, crashes: int) -> OutboxMessage:
        """Return the next part, of which nothing failed yet."""
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
        """Return it with *messages* in its place, as one part or several."""
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

    def with_remedy(self, remedy: SendRemedy) -> OutboxMessage:
        return replace(self, remedies=(*self.remedies, remedy.value))

    def as_marketing(self) -> OutboxMessage:
        """Return it for the endpoint for marketing messages; the policy is WhatsApp's default."""
        message = {**self.message, "product_policy": POLICIES[0]}
        return replace(self.with_remedy(SendRemedy.AS_MARKETING), message=message)

    def as_service(self) -> OutboxMessage:
        """Return it without the keys of Direct Send."""
        message = {key: value for key, value in self.message.items() if key not in DIRECT}
        return self._ordinary(SendRemedy.AS_SERVICE, message)

    def without_template(self) -> OutboxMessage:
        """Return the message that goes as a template."""
        if self.is_own and self.message == self.template:
            return replace(self._ordinary(SendRemedy.TEMPLATE_REFUSED, {}), is_own=False)
        return self._ordinary(SendRemedy.WITHOUT_TEMPLATE, self.message)

    def _ordinary(self, remedy: SendRemedy, message: Mapping[str, Any]) -> OutboxMessage:
        return replace(
            self.with_remedy(remedy),
            message=self.instead_of or message,
            direct=None,
            instead_of=None,
            changes=[each for each in self.changes if each["code"] not in _WAYS],
        )

    def replaced_by_way(self, outside: Outside) -> OutboxMessage:
        """Return it as what goes while the window is closed, of which nothing failed yet."""
        assert outside.body is not None
        return replace(
            self,
            message=outside.body,
            instead_of=self.message,
            direct=None,
            failures=0,
            failing_since=0.0,
        )

    def remedies_for_parts(self) -> Sequence[str]:
        """Return the remedies that also hold for other files of the same response."""
        return tuple(each for each in self.remedies if each == SendRemedy.UPLOAD_LINK)

    def file_failed(self, now: float) -> OutboxMessage:
        """Return it after an attempt that failed because of its file, see `failed`."""
        since = self.file_failing_since or now
        failures = self.file_failures + 1
        return replace(self, file_failures=failures, file_failing_since=since, crashes=0)

    def failed(self, now: float) -> OutboxMessage:
        """Return it after a failed attempt; the queue counts crashes from zero again."""
        since = self.failing_since or now
        return replace(self, failures=self.failures + 1, failing_since=since, crashes=0)


_NAMES: Final = tuple(field.name for field in fields(OutboxMessage))
