"""Which message of a response quotes the user's."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.whatsapp.messages import Outgoing, Reaction, Template

_NEVER_QUOTE = (Reaction, Template)  # WhatsApp refuses the first and shows nothing on the second


def quote(
    draft: Draft, messages: Sequence[Outgoing], wanted: bool | str, reply_to: str | None
) -> list[Outgoing]:
    """Let the first message that can quote what is *wanted*: the user's message, or one by id."""
    messages = list(messages)
    if not wanted or not messages:
        return messages
    quoted = wanted if isinstance(wanted, str) else reply_to
    able = [
        number
        for number, outgoing in enumerate(messages)
        if not isinstance(outgoing.message, _NEVER_QUOTE)
    ]
    reason = ""
    if not draft.api.context:
        reason = f"api {draft.api.name} cannot"
    elif quoted is None:
        reason = "the bot does not answer one"
    elif not able:
        reason = "a message of this kind cannot"
    if reason:
        draft.change("WA109", reason=reason)
    elif messages[able[0]].reply_to is None:
        messages[able[0]] = dataclasses.replace(messages[able[0]], reply_to=quoted)
    return messages
