"""What stands in the outbox, as a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Final

from rasa_whatsapp_channel.store.base import Body
from rasa_whatsapp_channel.whatsapp.messages import Outgoing, parse_outgoing

_NOTHING: Final = (None, 0, ())  # what is not written down


@dataclass(frozen=True)
class Entry:
    """
    One message to one person.

    *template*, a template's body, goes instead of it while the 24-hour window is closed, under
    *template_key*, which all messages of one response share. *failures* counts what WhatsApp or
    the way to it refused, the first at *failing_since*, unix seconds; *healed* how often the
    message was put out another way; *renewed* how often its files were uploaded again because
    WhatsApp did not know their ids; *ids* are those of our uploads that it went with last.
    *changes* are kept for a simulator only, see `outbound.note`; *trace* is put there by `tracing`.
    """

    recipient_id: str
    message: Mapping[str, Any]  # WhatsApp's body without envelope
    response: str | None = None  # name of the Rasa response, where known
    changes: Sequence[Mapping[str, str]] = ()
    template: Mapping[str, Any] | None = None
    template_key: str | None = None
    failures: int = 0
    failing_since: float = 0.0
    healed: int = 0
    renewed: int = 0
    ids: Sequence[str] = ()
    trace: Mapping[str, str] | None = None

    @classmethod
    def from_body(cls, body: Body) -> Entry:
        return cls(**body)

    def body(self) -> dict[str, Any]:
        return {name: value for name in _NAMES if (value := getattr(self, name)) not in _NOTHING}

    @cached_property
    def outgoing(self) -> Outgoing:
        return parse_outgoing(self.message)

    @property
    def is_template(self) -> bool:
        return self.message.get("type") == "template"

    @property
    def name(self) -> str:
        return self.response or "a response without a name"

    def failed(self, now: float) -> Entry:
        since = self.failing_since or now
        return replace(self, failures=self.failures + 1, failing_since=since)


_NAMES: Final = tuple(field.name for field in fields(Entry))
