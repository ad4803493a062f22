"""
Turn: what Rasa gets of an event, as text, sender and metadata; or what its tracker records.

A message with words is those words. A tap is the payload of what was tapped, if it was offered to
this person. Everything else is an intent of this package, see `inbound.intents`.
`handling_of_message` decides between a turn, an event and neither.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from rasa_whatsapp_channel.conversation.handoffs import EpisodeMessage
from rasa_whatsapp_channel.conversation.identity import sender_of
from rasa_whatsapp_channel.conversation.message_notes import is_failure_of_failure
from rasa_whatsapp_channel.conversation.payloads import is_command
from rasa_whatsapp_channel.inbound.intents import describe, intent_of
from rasa_whatsapp_channel.inbound.metadata import MEDIA, flow_response, metadata_of
from rasa_whatsapp_channel.inbound.sanitize import sanitize
from rasa_whatsapp_channel.media.values import StoredFile, Transcript
from rasa_whatsapp_channel.settings.inbound import (
    EVERYWHERE,
    FIELDS,
    NO_MESSAGES,
    Handling,
    fill,
    handling_of_kind,
    template_of,
    to_line,
)
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed, InboundMessage, IntentAsked, Part
from rasa_whatsapp_channel.whatsapp.json_values import object_of, text_of

FAILED: Final = "delivery_failed"  # the type of such an event

NO_WORDING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class Turn:
    """
    *text* is never empty, and begins with a slash only where the bot's author meant it to.

    *version* is that of the conversation's owner when the turn began, 0 where nobody takes over.
    """

    text: str
    sender_id: str
    message_id: str
    metadata: dict[str, Any]
    version: int = 0


@dataclass(frozen=True)
class TrackerEvent:
    """
    What the tracker keeps without a turn. *id* is the same however often it is handed over.

    *episode* holds the messages of a handoff, which the tracker gets before the event.
    """

    sender_id: str
    id: str
    metadata: dict[str, Any]
    episode: Sequence[EpisodeMessage] | None = None

    @property
    def type(self) -> str:
        return str(self.metadata["whatsapp"]["type"])


def handling_of_message(event: InboundMessage, wording: Mapping[str, str] = NO_WORDING) -> Handling:
    """Return what becomes of *event*; *wording* is the setting ``inbound``."""
    if event.type in ("text", "button"):
        return Handling.TURN
    is_kind = event.type in FIELDS and event.type not in NO_MESSAGES
    kind = event.type if is_kind else describe(event)[0]
    if kind == "unsupported" and _typed_or_tapped(event, ()):
        return Handling.TURN  # a tap, which has its title
    return handling_of_kind(kind, wording)


def handling_of_failure(event: DeliveryFailed, intent: str | None) -> Handling:
    """
    Return whether the bot hears of a failure, or its tracker only.

    What the bot says about a failure may fail as well; that must not go round in circles.
    """
    return Handling.EVENT if intent is None or is_failure_of_failure(event.key) else Handling.TURN


def to_turn(
    event: InboundMessage,
    *,
    commands: Collection[str] = (),
    wording: Mapping[str, str] = NO_WORDING,
    sender_id: str | None = None,
    file: StoredFile | None = None,
    problem: str | None = None,
    payload: str | None = None,
    title: str | None = None,
    response: str | None = None,
    transcript: Transcript | None = None,
    first: bool = False,
    readable: bool = False,
) -> Turn | None:
    """
    Return what Rasa shall hear of *event*, or None when it is nothing that somebody said.

    *commands* are slash texts that people may type. *wording* is the setting ``inbound``. *file* is
    the medium, where it was fetched, and *response* the one that the message quotes or reacts to.
    *transcript* is what is said in a voice note. *first*: no message of this person was a turn yet.
    *payload* is what was chosen, where we know that we offered it to this person: then it is the
    text. Without it a tap is what the label says, and no command: the phone of a person writes the
    id that comes back. *title* is that of the option whose number was typed.

    *readable*: the bot's engine lets a model read the text, so it is no intent.
    """
    if event.type == "system":
        return None
    said = transcript.text if transcript else None
    text = (
        payload
        or _fill_template(event, file, wording, said, readable=readable)
        or sanitize(said or "", ())
        or _typed_or_tapped(event, commands)
        or intent_of(event, file)
    )
    facts = metadata_of(event, file, problem=problem, response=response, transcript=transcript)
    if first:
        facts["first"] = True
    if tapped_id(event):
        title = written(event)
    return Turn(
        text=text,
        sender_id=sender_id or sender_of(event),
        message_id=event.id,
        # Rasa Pro's engine Mantle tells its model the title, as a payload may mean nothing to it.
        # Nothing else at this level: Rasa Pro reads `user_id` here.
        metadata={"whatsapp": facts, **({"button_title": title} if title else {})},
    )


def to_event(
    event: InboundMessage,
    *,
    sender_id: str | None = None,
    file: StoredFile | None = None,
    problem: str | None = None,
    response: str | None = None,
) -> TrackerEvent:
    """Return what the tracker keeps of *event*: what the metadata of a turn would hold."""
    facts = metadata_of(event, file, problem=problem, response=response)
    return TrackerEvent(sender_id or sender_of(event), event.id, {"whatsapp": facts})


def asked_turn(event: IntentAsked, sender_id: str) -> Turn:
    """Return how the bot hears of an intent that your server asked for."""
    entities = json.dumps(dict(event.slots)) if event.slots else ""
    metadata = {"whatsapp": {"type": "notification", "id": event.turn_id}}
    return Turn(f"/{event.intent.lstrip('/')}{entities}", sender_id, event.turn_id, metadata)


def failure_turn(event: DeliveryFailed, intent: str) -> Turn:
    """Return how the bot hears that something it said did not arrive."""
    return Turn(
        text=f"/{intent.lstrip('/')}{json.dumps(_failure(event))}",
        sender_id=event.recipient_id,
        message_id=event.key,
        metadata={"whatsapp": _failure_facts(event)},
    )


def failure_event(event: DeliveryFailed) -> TrackerEvent:
    return TrackerEvent(event.recipient_id, event.key, {"whatsapp": _failure_facts(event)})


def _failure(event: DeliveryFailed) -> dict[str, Any]:
    entities = {"code": event.code, "reason": event.reason, "response": event.response}
    return {name: value for name, value in entities.items() if value is not None}


def _failure_facts(event: DeliveryFailed) -> dict[str, Any]:
    title = {"title": event.title} if event.title else {}
    return {"type": FAILED, "id": event.key, **title, **_failure(event)}


def tapped_id(event: InboundMessage) -> str | None:
    """Return the id of the button or row that was tapped; None when *event* is no tap."""
    if event.type == "button":  # of a template
        return text_of(object_of(event.content).get("payload"))
    return (
        text_of(_reply(object_of(event.content)).get("id")) if event.type == "interactive" else None
    )


def written(event: InboundMessage) -> str:
    """Return what somebody wrote, or the label of what they tapped."""
    return words_of(event.type, event.content)


def words_of(kind: str, content: Any) -> str:
    """Return what the *content* of a message of the type *kind* says in words."""
    part = object_of(content)
    text = {
        "text": part.get("body"),
        "button": part.get("text"),
        "interactive": _reply(part).get("title") or object_of(part.get("body")).get("text"),
        **dict.fromkeys(MEDIA, part.get("caption")),
    }.get(kind)
    return text_of(text) or ""


def answers_of(event: InboundMessage) -> str:
    """Return what was filled into a form of WhatsApp: ``room: double, guests: 2``."""
    answers = flow_response(object_of(object_of(event.content).get("nfm_reply"))) or {}
    return _pairs({name: value for name, value in answers.items() if name != "flow_token"})


def _fill_template(
    event: InboundMessage,
    file: StoredFile | None,
    wording: Mapping[str, str],
    transcript: str | None,
    *,
    readable: bool,
) -> str | None:
    """Return the text that the bot's author, or its engine, wants for this kind of message."""
    if not wording and not readable:
        return None
    kind, fields = describe(event, file)
    template = template_of(kind, wording)
    if template is None and (transcript or not readable):
        return None
    if kind == "unsupported" and _typed_or_tapped(event, ()):
        return None
    caption = text_of(object_of(event.content).get("caption")) if event.type in MEDIA else None
    more = {"caption": caption, "transcript": transcript}
    if kind == "flow" and not (template or "").startswith("/"):
        more["answers"] = answers_of(event)
    fields = {**fields, **{key: value for key, value in more.items() if value}}
    return word(template, fields, event.profile_name) if template else to_line(kind, fields)


def _pairs(answers: Mapping[str, Any]) -> str:
    given = {name: _answer(value) for name, value in answers.items()}
    return ", ".join(f"{name}: {value}" for name, value in given.items() if value)


def _answer(value: Any) -> str:
    """
    Return one answer in words, "" where there is none: a box that is ticked, several, a file.

    https://developers.facebook.com/docs/whatsapp/flows/reference/components
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return " and ".join(filter(None, map(_answer, value)))
        case dict():
            return text_of(value.get("file_name")) or _pairs(value)
        case _:
            return str(value)


def word(template: str, fields: Mapping[str, Any], name: str | None = None) -> str:
    """Return the text that *template* makes of *fields*, for somebody who is called *name*."""
    if template.startswith("/"):
        return fill(template, fields)
    return sanitize(fill(template, {**fields, EVERYWHERE: name}))


def _typed_or_tapped(event: InboundMessage, commands: Collection[str]) -> str:
    """Return what somebody wrote or tapped; of a tap the label, when its id is a command."""
    tapped = tapped_id(event) or ""
    if tapped and (not is_command(tapped) or tapped in commands):
        return tapped if tapped in commands else sanitize(tapped)
    return sanitize(written(event) or tapped, commands)


def _reply(content: Part) -> Part:
    return object_of(content.get("button_reply")) or object_of(content.get("list_reply"))
