"""
Simulator header: tells a simulator the response of a message, and what was changed to fit.

It is sent only to an API on this machine. Dead letters, and who answers in a conversation, are
reported in requests of their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.compose import Change
from rasa_whatsapp_channel.compose.text import cut
from rasa_whatsapp_channel.conversation.owner import Ownership
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.whatsapp.identity import split_number

HEADER: Final = "X-Rasa-Response"
DEAD_LETTERS: Final = "/simulator/dead-letters"  # where dead letters are posted
OWNERS: Final = "/simulator/owners"  # where it is posted who answers in a conversation now

# HTTP servers take 8 KB for one header, and the token has to go in as well.
MAX_BYTES: Final = 6 * 1024

_LENGTHS: Final = (1000, 300, 100, 40, 10)  # characters of each text, until all of it fits
_NAME: Final = 300  # several where responses were joined


def write_changes(changes: Iterable[Change]) -> tuple[Mapping[str, str], ...]:
    """Return *changes* as the outbox keeps them."""
    return tuple(
        {"code": each.code, "message": each.text, "before": each.before, "after": each.after}
        for each in changes
    )


def response_header(
    response: str | None, changes: Sequence[Mapping[str, str]]
) -> Mapping[str, str]:
    """Return the header that names *response* and *changes*; none where there are neither."""
    return {HEADER: _write(response, changes)} if response or changes else {}


def _write(response: str | None, changes: Sequence[Mapping[str, str]]) -> str:
    """
    Return one line of ASCII JSON, ``{"response": …, "changes": [{"code", "message", …}]}``.

    Texts are shortened, then the last changes left out, until it is at most `MAX_BYTES` long.
    """
    name = cut(response, _NAME) if response else None
    for length in _LENGTHS:
        kept = [{key: cut(text, length) for key, text in each.items()} for each in changes]
        if len(line := _line(name, kept)) <= MAX_BYTES:
            return line
    while len(line) > MAX_BYTES:
        kept.pop()
        line = _line(name, kept)
    return line


def write_dead_letter(entry: OutboxMessage, *, code: int, reason: str) -> dict[str, Any]:
    """Return the report of a dead letter; *code* is WhatsApp's, or 0."""
    name, number = split_number(entry.recipient_id)
    return {
        "to": name,
        "number": number,
        "reason": reason,
        "code": code or None,
        "response": entry.response,
        "body": entry.message,
    }


def write_lost(
    recipient_id: str, response: str | None, changes: Sequence[Change]
) -> dict[str, Any]:
    """Return the report of a response of which nothing could be sent."""
    name, number = split_number(recipient_id)
    reason = "; ".join(each.text for each in changes)
    return {"to": name, "number": number, "reason": reason, "response": response}


def write_owner(conversation: str, owner: Ownership, return_words: Sequence[str]) -> dict[str, Any]:
    """Return the report of a conversation's new owner; *return_words* give it back to the bot."""
    name, number = split_number(conversation)
    return {
        "to": name,
        "number": number,
        "owner": owner.owner.value,
        "by": owner.by,
        "reason": owner.reason,
        "return_words": list(return_words),
    }


def _line(name: str | None, changes: Sequence[Mapping[str, str]]) -> str:
    # JSON leaves DEL as it is, and a header may not hold it.
    return json.dumps({"response": name, "changes": changes}).replace("\x7f", "\\u007f")
