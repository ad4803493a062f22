"""
Ownership: who answers in a chat, as the bot says or as the chat looks, and WhatsApp's threads.

With Conversation Routing one app has the thread of a person: it gets their messages and may answer.
The other one gets copies on standby. Here are two, the bot and another app; one of them is the
primary, which gets what nobody has, and the other the escalation partner, which may take.

https://developers.facebook.com/documentation/business-messaging/whatsapp/conversation-routing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from rasa_whatsapp_channel.simulator import problems, reports
from rasa_whatsapp_channel.simulator.config import ESCALATION, PRIMARY, Number
from rasa_whatsapp_channel.simulator.problems import Problem, Refused
from rasa_whatsapp_channel.simulator.state import ChatOwner, WhatsAppUser, Writer
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.unix_time import DAY

ACTIONS: Final = ("take", "pass", "release")
OWNERS: Final = ("bot", "waiting", "human", "app")
_IMPLICIT: Final = "Control taken via service message"
_OTHER: Final[Mapping[str, str]] = {PRIMARY: ESCALATION, ESCALATION: PRIMARY}
# How the handovers name them.
_ROLES: Final[Mapping[str, str]] = {PRIMARY: "ai_agent", ESCALATION: "escalation"}
_WRONG: Final[Mapping[str, tuple[Problem, str]]] = {
    "take": (problems.NOT_ESCALATION, "Only the escalation partner takes a thread."),
    "pass": (problems.NOT_PRIMARY, "Only the app that has the thread passes it on."),
    "release": (problems.NOT_PRIMARY, "Only the app that has the thread releases it."),
}


def report(
    world: World,
    person: WhatsAppUser,
    number: Number,
    owner: str,
    *,
    by: str = "",
    reason: str = "",
    return_words: tuple[str, ...] = (),
) -> None:
    """Take from the bot who answers in a chat; from then on only the bot says it."""
    now = world.clock()
    known = ChatOwner(
        person.key, number.phone_number_id, owner, now, by, reason, True, return_words
    )
    _set_owner(world, known)


def derive(world: World, person: WhatsAppUser, number: Number, owner: str, *, by: str) -> None:
    """Note who answers in a chat, as it looks, unless the bot says it."""
    known = world.state.owners.get((person.key, number.phone_number_id))
    if known is not None and (known.reported or known.owner == owner):
        return
    if known is not None or owner != "bot":
        _set_owner(
            world, ChatOwner(person.key, number.phone_number_id, owner, world.clock(), by=by)
        )


def _set_owner(world: World, owner: ChatOwner) -> None:
    world.state.owners[owner.person, owner.number] = owner
    world.feed.publish("owner", **asdict(owner))


def note_message(world: World, person: WhatsAppUser, number: Number) -> Writer:
    """Return which app gets a message that the person writes now: it has the thread."""
    pair = (person.key, number.phone_number_id)
    written = world.state.last_written(*pair)
    if written is not None and written + DAY < world.clock():
        world.state.threads.pop(pair, None)  # nobody's, a day after the person's last message
    app = world.state.threads.setdefault(pair, _role_holder(world, PRIMARY))
    known = world.state.owners.get(pair)
    if app == "app" or (known is not None and known.owner == "app"):
        derive(world, person, number, app, by="whatsapp")
    return app


def check_sending(world: World, person: WhatsAppUser, number: Number, kind: str) -> None:
    """Let the bot send a message of this type, which may take the thread; raise `Refused`."""
    pair = (person.key, number.phone_number_id)
    if kind == "template" or world.state.threads.get(pair) != "app":
        known = world.state.owners.get(pair)
        if kind != "template" and known is not None and known.owner == "human":
            derive(world, person, number, "bot", by="bot")
        return
    if world.config.routing != ESCALATION:
        raise Refused(problems.NOT_PRIMARY, "Another app has the thread: only templates are sent.")
    _give(world, person, number, "bot")


def control(
    world: World,
    app: Writer,
    person: WhatsAppUser,
    number: Number,
    action: str,
    *,
    metadata: str = "",
) -> None:
    """Let *app* take, pass or release the thread of *person*; raise `Refused`."""
    pair = (person.key, number.phone_number_id)
    role = world.config.routing if app == "bot" else _OTHER[world.config.routing]
    may = role == ESCALATION if action == "take" else world.state.threads.get(pair) == app
    if not may:
        raise Refused(*_WRONG[action])
    if action == "release":
        world.state.threads.pop(pair)
        return
    other: Writer = "app" if app == "bot" else "bot"
    to = app if action == "take" else other
    taken = action == "take" and world.state.threads.get(pair) == app
    _give(world, person, number, to)
    if app == "app" and not taken:
        kind = "control_taken" if action == "take" else "control_passed"
        reports.send_event(
            world, "messaging_handovers", _handover(world, person, number, kind, metadata)
        )


def write_as_app(world: World, person: WhatsAppUser, number: Number) -> None:
    """Let the other app write, which may take the thread; raise `Refused`."""
    if world.state.threads.get((person.key, number.phone_number_id)) != "app":
        control(world, "app", person, number, "take", metadata=_IMPLICIT)


def _give(world: World, person: WhatsAppUser, number: Number, app: Writer) -> None:
    world.state.threads[person.key, number.phone_number_id] = app
    waits = app == "bot" and world.config.routing == ESCALATION
    derive(world, person, number, "waiting" if waits else app, by="whatsapp")


def _role_holder(world: World, role: str) -> Writer:
    return "bot" if world.config.routing == role else "app"


def _handover(
    world: World, person: WhatsAppUser, number: Number, kind: str, metadata: str
) -> dict[str, Any]:
    """Return the value of the webhook by which the bot hears of a change."""
    bot, other = _ROLES[world.config.routing], _ROLES[_OTHER[world.config.routing]]
    before, after = (bot, other) if kind == "control_taken" else (other, bot)
    roles = {"previous_owner_role": before, "new_owner_role": after}
    person = world.as_reported(person)
    sender = {"phone_number": person.phone} if person.phone else {"user_id": person.user_id}
    return {
        "messaging_product": "whatsapp",
        "sender": sender,
        "recipient": {
            "phone_number_id": number.phone_number_id,
            "display_phone_number": number.display_phone_number,
        },
        "type": kind,
        "timestamp": str(int(world.clock())),
        kind: {**roles, **({"metadata": metadata} if metadata else {})},
    }
