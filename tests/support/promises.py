"""What holds for every body of a webhook, whatever is in it."""

from __future__ import annotations

import json
import re

from rasa_whatsapp_channel.inbound.intents import INTENTS
from rasa_whatsapp_channel.inbound.metadata import media_of
from rasa_whatsapp_channel.inbound.turn import (
    Turn,
    handling_of_message,
    tapped_id,
    to_event,
    to_turn,
)
from rasa_whatsapp_channel.media.values import Transcript
from rasa_whatsapp_channel.settings.inbound import Handling
from rasa_whatsapp_channel.whatsapp.events import Event, InboundMessage, from_body, to_body
from rasa_whatsapp_channel.whatsapp.webhook import read

# As Rasa reads it.
COMMAND = re.compile(r"/([^{@]+)(@[0-9.]+)?({.+})?(.*)", re.DOTALL)
WORDING = {
    "image": "[picture] {caption}",
    "document": "/upload{...}",
    "location": "{name} {address}",
    "contacts": "/card{...}",
    "reaction": "{emoji}",
    "edit": "{text}",
    "unsupported": "{type} of {profile_name}",
}
WORDED = {"upload", "card"}


def check(body: bytes) -> list[Event]:
    """Return the events of *body*; raises `AssertionError`, or what ours raised, on a finding."""
    events = read(body)
    assert events
    for event in events:
        stored = json.dumps(to_body(event), allow_nan=False)
        assert from_body(json.loads(stored)) == event
        stored.encode()
        if isinstance(event, InboundMessage):
            check_message(event)
    return list(events)


def check_message(event: InboundMessage) -> None:
    media_of(event)
    tapped_id(event)
    assert handling_of_message(event) in Handling
    json.dumps(to_event(event).metadata, allow_nan=False).encode()
    spoken = Transcript("/restart") if event.type == "voice" else None
    for turn, intents in (
        (to_turn(event), set(INTENTS)),
        (to_turn(event, wording=WORDING, transcript=spoken, first=True), {*INTENTS, *WORDED}),
    ):
        if turn is not None:
            check_turn(turn, intents)


def check_turn(turn: Turn, intents: set[str]) -> None:
    text = turn.text.strip()
    assert text, "an empty text"
    json.dumps(turn.metadata, allow_nan=False).encode()
    text.encode()
    assert turn.sender_id
    if not text.startswith("/"):
        return
    read = COMMAND.fullmatch(text)
    assert read, text
    name, confidence, entities, rest = read.groups()
    assert name in intents, text
    assert not confidence, text
    assert not rest, text
    if entities:
        assert isinstance(json.loads(entities), dict), text
