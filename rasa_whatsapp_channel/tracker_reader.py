"""Tracker reader: what Rasa's trackers tell of turns, of conversations, and of what was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rasa_whatsapp_channel.unix_time import time_of


def was_handled(tracker: Any, message_id: str) -> bool:
    """
    Return whether a turn was completed before its process died.

    Rasa saves the tracker at the end of a turn, after all responses were sent.
    """
    return tracker is not None and any(
        getattr(event, "message_id", None) == message_id for event in reversed(tracker.events)
    )


def was_ignored(tracker: Any, message_id: str) -> bool:
    """Return whether Rasa Pro took no notice of a message, as it had ended the conversation."""
    return is_terminated(tracker) and not was_handled(tracker, message_id)


def has_event(tracker: Any, metadata: Mapping[str, Any]) -> bool:
    """Return whether the tracker holds an event with the id in *metadata*."""
    return any(
        id_in(getattr(event, "metadata", None)) == id_in(metadata)
        for event in reversed(tracker.events)
    )


def id_in(metadata: Any) -> Any:
    facts = metadata.get("whatsapp") if isinstance(metadata, Mapping) else None
    return facts.get("id") if isinstance(facts, Mapping) else None


def silence_of(tracker: Any) -> str | None:
    """Return why the bot does not answer in the conversation of *tracker*, if it is silenced."""
    if tracker is None:
        return None
    if is_terminated(tracker):
        return "terminated"
    # A method in Rasa 3.6, a property in Rasa Pro.
    paused = tracker.is_paused() if hasattr(tracker, "is_paused") else tracker.paused
    return "paused" if paused else None


def is_terminated(tracker: Any) -> bool:
    """Return whether Rasa Pro has ended the conversation, with `SessionEnded`."""
    return bool(getattr(tracker, "terminated", False))


def actions_of(tracker: Any, message_id: str) -> set[str]:
    """Return the actions that ran since *message_id*, without responses (``utter_…``)."""
    names: set[str] = set()
    for event in reversed(tracker.events):
        if getattr(event, "message_id", None) == message_id:
            break
        name = getattr(event, "action_name", None)
        if name and not name.startswith("utter_"):
            names.add(name)
    return names


def names_of_turn(tracker: Any, message_id: str) -> set[str]:
    """Return the names of the intent, the actions and the flows since *message_id*."""
    names: set[str] = set()
    for event in reversed(tracker.events if tracker is not None else ()):
        found = (getattr(event, each, None) for each in ("intent_name", "action_name", "flow_id"))
        names.update(filter(None, found))
        if getattr(event, "message_id", None) == message_id:
            break
    return names


def history_of(tracker: Any, before: float, turn_id: str | None = None) -> list[dict[str, Any]]:
    """
    Return what was said before the time *before*, for a person who takes over.

    What follows the message *turn_id* is left out: whoever asks is told of that turn otherwise.
    """
    said = []
    for event in tracker.events if tracker is not None else ():
        name, at = getattr(event, "type_name", None), float(getattr(event, "timestamp", 0.0))
        if turn_id is not None and getattr(event, "message_id", None) == turn_id:
            break
        if name not in ("user", "bot") or at >= before:
            continue
        metadata = event.metadata or {}
        facts = dict(metadata.get("whatsapp") or {})
        kind = str(facts.get("type") or "text")
        part = facts.get(kind) or facts.get("media")
        media = part if isinstance(part, dict) and part.get("path") else None
        # Of a tap a person reads the title, and of an intent nothing.
        shown = "" if kind != "text" and (event.text or "").startswith("/") else event.text
        text = metadata.get("button_title") or shown
        speaker = "user" if name == "user" else facts.get("speaker", "bot")
        line = {"from": speaker, "type": kind, "text": text, "media": media}
        line["time"] = time_of(at)
        line["id"] = getattr(event, "message_id", None) if name == "user" else None
        said.append({key: value for key, value in line.items() if value})
    return said
