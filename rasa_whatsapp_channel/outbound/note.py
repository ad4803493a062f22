"""
What a simulator is told of a message: from which response it comes, and what was changed to fit.

It goes along as a header, see `whatsapp.clients`, and to an API on this machine only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rasa_whatsapp_channel.outbound.compose import Change
from rasa_whatsapp_channel.outbound.compose.characters import cut

# HTTP servers take 8 KB for one header, and the token has to go in as well.
MAX_BYTES: Final = 6 * 1024

_LENGTHS: Final = (1000, 300, 100, 40, 10)  # characters of each text, until all of it fits
_NAME: Final = 100


def write_changes(changes: Iterable[Change]) -> tuple[Mapping[str, str], ...]:
    """Return *changes* as they are kept in the outbox."""
    return tuple(
        {"code": each.code, "message": each.text, "before": each.before, "after": each.after}
        for each in changes
    )


def write_note(response: str | None, changes: Sequence[Mapping[str, str]]) -> str | None:
    """
    Return one line of ASCII JSON, ``{"response": …, "changes": [{"code", "message", …}]}``.

    Texts are shortened, then the last changes left out, until it is at most `MAX_BYTES` long.
    None where there is nothing to tell.
    """
    if not response and not changes:
        return None
    name = cut(response, _NAME) if response else None
    for length in _LENGTHS:
        kept = [{key: cut(text, length) for key, text in each.items()} for each in changes]
        if len(line := _line(name, kept)) <= MAX_BYTES:
            return line
    while len(line) > MAX_BYTES:
        kept.pop()
        line = _line(name, kept)
    return line


def _line(name: str | None, changes: Sequence[Mapping[str, str]]) -> str:
    # JSON leaves DEL as it is, and a header may not hold it.
    return json.dumps({"response": name, "changes": changes}).replace("\x7f", "\\u007f")
