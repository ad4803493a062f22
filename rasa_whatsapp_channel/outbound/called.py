"""
What log lines call something that the bot said, so that its author finds it.

A response of the domain has a name. What an action says in its own words has none: Rasa Pro tells
the action beside it (``utter_source``), Rasa 3.6 nothing, so there it is its place in the turn.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

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
