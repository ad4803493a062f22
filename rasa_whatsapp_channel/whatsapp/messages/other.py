"""A type of message that this package knows no more of than its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from rasa_whatsapp_channel.whatsapp.messages.base import Message
from rasa_whatsapp_channel.whatsapp.messages.keys import put_extras


@dataclass(frozen=True)
class OtherMessage(Message):
    """Handed on as written: *value* is what stands under the key named like *kind*."""

    type: ClassVar[str] = "other"

    kind: str
    value: Any

    def content(self) -> Any:
        return self.value

    def body(self) -> dict[str, Any]:
        return put_extras({"type": self.kind, self.kind: self.value}, self.extras)
