"""Composer: composes a bot's responses by its settings, and what it said before from memory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.compose.content import IGNORED
from rasa_whatsapp_channel.compose.draft import Composed
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.identity import is_group_id, split_number

REMEMBERED: Final = 500  # responses
LONGEST: Final = 4096  # letters of JSON of one that is remembered
# Parts of a response that may depend on the message it answers, or on who gets it.
_OF_THE_MOMENT: Final = ("custom", "metadata")


@dataclass(frozen=True)
class Composer:
    """
    One per server process; *api* and the options are those of `compose`.

    A bot says the same again and again. Responses of the same JSON become the same messages, so one
    that was said before costs as much as writing that JSON.
    """

    api: Api
    captions: str = "merge"
    markdown: bool = True
    unknown_keys: str = "pass"
    images: str = "all"
    access: FileAccess | None = None
    _said: dict[tuple[str, bool], Composed] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def compose(
        self,
        response: Mapping[str, Any],
        *,
        reply_to: str | None = None,
        recipient_id: str | None = None,
    ) -> Composed:
        """Compose *response*, whatever it holds, as `compose` does."""
        text = _in_json(response)
        # Groups cannot have every kind of message.
        key = text and (text, is_group_id(split_number(recipient_id or "")[0]))
        if key and key in self._said:
            return self._said[key]
        composed = compose(
            response,
            api=self.api,
            captions=self.captions,
            markdown=self.markdown,
            reply_to=reply_to,
            recipient_id=recipient_id,
            unknown_keys=self.unknown_keys,
            images=self.images,
            access=self.access,
        )
        if key:
            if len(self._said) >= REMEMBERED:
                self._said.clear()
            self._said[key] = composed
        return composed


def _in_json(response: Mapping[str, Any]) -> str | None:
    """Return what *response* holds as JSON if that alone decides what it becomes."""
    if not isinstance(response, dict) or any(map(response.get, _OF_THE_MOMENT)):
        return None
    try:
        said = [key for key in response if response[key] is not None and key not in IGNORED]
        text = json.dumps({key: response[key] for key in said})
    except (TypeError, ValueError, RecursionError):  # an action may pass anything
        return None
    return text if len(text) <= LONGEST else None
