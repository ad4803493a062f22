"""What the parts of a response share while they are composed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from rasa_whatsapp_channel.outbound.compose.changes import make_change
from rasa_whatsapp_channel.outbound.compose.plan import Change
from rasa_whatsapp_channel.whatsapp.apis import Api


@dataclass
class Draft:
    """
    One response being composed: for which API, what was changed, and which payloads to keep.

    Made new for each response; the parts of composing write into it and nothing else does.
    """

    api: Api
    captions: str = "merge"
    name: str | None = None
    changes: list[Change] = field(default_factory=list)
    payloads: dict[str, str] = field(default_factory=dict)

    def change(self, code: str, **values: object) -> None:
        self.changes.append(make_change(code, self.name, values))

    def keep(self, payload: str, copy: int = 0) -> str:
        """
        Return a short id for *payload* and remember to keep it.

        The same payload has the same id in every response, so a tap is understood days later;
        *copy* counts where one message holds it more than once.
        """
        content = f"{payload}\0{copy}" if copy else payload
        short = f"p:{hashlib.sha256(content.encode()).hexdigest()[:24]}"
        self.payloads[short] = payload
        return short
