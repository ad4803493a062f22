"""What stands in the outbox, as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Final

from rasa_whatsapp_channel.outbound.called import call
from rasa_whatsapp_channel.store.base import Body
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import Outgoing, parse_outgoing

_NOTHING: Final[tuple[Any, ...]] = (None, 0, (), [])  # what is not written down


@dataclass(frozen=True)
class Entry:
    """
    One message to one person.

    *template*, a template's body, goes instead of it while the 24-hour window is closed, under
    *template_key*, which all messages of one response share. *changes* are kept for a simulator
    only, see `outbound.note`; *trace* is put there by `tracing`.
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
    #: How often it was put out another way.
    healed: int = 0
    #: How often its files were uploaded again because WhatsApp did not know their ids.
    renewed: int = 0
    #: The ids of our uploads that it went with last.
    ids: Sequence[str] = ()
    trace: Mapping[str, str] | None = None

    @classmethod
    def from_body(cls, body: Body) -> Entry:
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

    def failed(self, now: float) -> Entry:
        """Return it after a try that counts, from which on the queue counts crashes anew, too."""
        since = self.failing_since or now
        return replace(self, failures=self.failures + 1, failing_since=since, crashes=0)


_NAMES: Final = tuple(field.name for field in fields(Entry))
