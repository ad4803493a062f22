"""Tracker: what happened outside of Rasa, as events of Rasa's trackers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rasa.shared.core.constants import ACTION_LISTEN_NAME, ACTION_SESSION_START_NAME
from rasa.shared.core.events import (
    ActionExecuted,
    BotUttered,
    SessionStarted,
    SlotSet,
    StoryExported,
    UserUttered,
)

from rasa_whatsapp_channel.conversation.handoffs import EpisodeMessage

STEP: Final = 0.001  # seconds between two events that are added to a tracker


def note_of(metadata: Mapping[str, Any]) -> Any:
    """
    Return an event that holds *metadata*, and has no effect on policies, forms, flows and prompts.

    Rasa has no event types of other packages: a tracker with one could not be read without this
    package.
    """
    return StoryExported(metadata=metadata)


def events_of(episode: Iterable[EpisodeMessage], tracker: Any, *, channel: str) -> Iterator[Any]:
    """
    Yield what was said in *episode*, by *channel*, as events that follow those of *tracker*.

    An open form asked its question before a person came; what is said next is no answer to it. So
    a new session begins, with all slots: whatever else ends a form is taken back where Rasa does
    not understand what is said next. SQL stores order events by time, so none may have an earlier
    one than those of the tracker.
    """
    at = float(tracker.events[-1].timestamp)
    for event in _new_session(tracker) if tracker.active_loop_name else ():
        event.timestamp = at = at + STEP
        yield event
    for message in episode:
        at = max(message.at, at + STEP)
        facts = {"type": message.type, "id": message.id, "speaker": message.speaker}
        metadata = {"whatsapp": {**facts, **({"media": message.media} if message.media else {})}}
        text = message.text or f"[{message.type}]"
        if message.speaker == "user":
            yield UserUttered(
                text,
                timestamp=at,
                input_channel=channel,
                message_id=message.id,
                metadata=metadata,
            )
        else:
            yield BotUttered(text, metadata=metadata, timestamp=at)


def _new_session(tracker: Any) -> list[Any]:
    slots = {name: slot.value for name, slot in tracker.slots.items() if slot.value is not None}
    slots.pop("requested_slot", None)
    kept = [SlotSet(name, value) for name, value in slots.items()]
    begin = (ActionExecuted(ACTION_SESSION_START_NAME), SessionStarted())
    return [*begin, *kept, ActionExecuted(ACTION_LISTEN_NAME)]
