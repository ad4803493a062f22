"""Snapshots: the whole state of a simulator as JSON, and back."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Final

from rasa_whatsapp_channel.simulator.media_library import MediaFile
from rasa_whatsapp_channel.simulator.problems import SimulatorError
from rasa_whatsapp_channel.simulator.state import (
    BY,
    ChatMessage,
    ChatOwner,
    Refusal,
    SimulatorState,
    StatusStep,
    WhatsAppUser,
)
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.template_definitions import TemplateDefinition

FORMAT: Final = 1
_MESSAGE_TUPLES: Final = ("errors", "changes")
_NEEDED: Final = ("people", "messages", "files", "written", "clock")


class InvalidSnapshot(SimulatorError):
    """Raised for an invalid export or state file."""


async def export(world: World, person: WhatsAppUser | None = None) -> dict[str, Any]:
    """Return the whole state, or the chats of *person*, with the files as base64."""
    parts = take(world)
    if person is not None:
        parts |= _of_person(parts, world, person)
    for file in parts["files"]:
        content = await world.library.read(file["id"])
        file["content"] = base64.b64encode(content).decode()
    return parts


def take(world: World) -> dict[str, Any]:
    """Return the whole state without the content of files."""
    state = world.state
    return {
        "simulator": FORMAT,
        "api": world.config.api.name,
        "clock": {"offset": world.clock.offset},
        "people": [asdict(person) for person in state.people.values()],
        "messages": [asdict(message) for message in state.messages.values()],
        "refusals": [asdict(refusal) for refusal in state.refusals],
        "written": state.written_to_json(),
        "owners": [asdict(owner) for owner in state.owners.values()],
        "threads": [[*pair, app] for pair, app in state.threads.items()],
        "files": [_file_to_json(file) for file in world.library.all()],
        "templates": world.templates.statuses_to_json(),
        "created_templates": [asdict(each) for each in world.templates.created()],
        "providers": dict(world.providers),
        "packs": dict(world.packs),
    }


def _of_person(
    parts: Mapping[str, Any], world: World, person: WhatsAppUser
) -> dict[str, list[Any]]:
    """Return those *parts* of the state that belong to *person*, and to a group's participants."""
    keys = {person.key, *person.participants}
    known = [each for each in world.state.people.values() if each.key in keys]
    files = {file for each in world.state.chat(person.key) for file in each.media.values()}
    return {
        "people": [asdict(each) for each in known],
        "files": [each for each in parts["files"] if each["id"] in files],
        "written": [each for each in parts["written"] if each[0] == person.key],
        "threads": [each for each in parts["threads"] if each[0] == person.key],
        **{
            name: [each for each in parts[name] if each["person"] == person.key]
            for name in ("messages", "refusals", "owners")
        },
    }


async def restore(world: World, value: object, contents: Mapping[str, bytes] | None = None) -> None:
    """
    Replace the whole state by *value*, from `export` or `take`; raise `InvalidSnapshot`.

    *contents* are the files by id, if they are not in *value*. An invalid one changes nothing.
    """
    if not isinstance(value, Mapping) or value.get("simulator") != FORMAT:
        raise InvalidSnapshot(f'An export of a simulator holds "simulator": {FORMAT}.')
    missing = [key for key in _NEEDED if key not in value]
    if missing:
        raise InvalidSnapshot(f"The export lacks {', '.join(missing)}.")
    try:
        state = _read_state(value)
        files = [_read_file(file, contents) for file in value["files"]]
        offset = float(value["clock"]["offset"])
        statuses = [(str(n), str(lang), str(s)) for n, lang, s in value.get("templates", ())]
        created = [
            TemplateDefinition(**{**each, "components": tuple(each["components"])})
            for each in value.get("created_templates", ())
        ]
        providers, packs = dict(value.get("providers", {})), dict(value.get("packs", {}))
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise InvalidSnapshot(f"The export cannot be read: {error!r}.") from error
    await world.clear()
    for file, content in files:
        await world.library.put(file, content)
    world.state = state
    world.providers.update(providers)
    world.packs.update(packs)
    for template in created:
        world.templates.put(template)
    for name, language, status in statuses:
        world.templates.set_status(name, language, status)
    world.clock.set_offset(offset)
    world.feed.publish("reset")


def _read_state(value: Mapping[str, Any]) -> SimulatorState:
    state = SimulatorState()
    for each in value["people"]:
        person = WhatsAppUser(**{**each, "participants": tuple(each.get("participants", ()))})
        if not isinstance(person.key, str) or not isinstance(person.name, str):
            raise TypeError("a person has a name and a phone or a user_id, all strings")
        state.add_person(person)
    for each in value["messages"]:
        state.add_message(_read_message(each))
    for each in value.get("refusals", ()):
        state.refusals.append(_read_refusal(each))
    for person_key, number, when in value["written"]:
        state.record_written(str(person_key), str(number), float(when))
    for each in value.get("owners", ()):
        owner = ChatOwner(**{**each, "return_words": tuple(each.get("return_words", ()))})
        state.owners[owner.person, owner.number] = owner
    for person_key, number, app in value.get("threads", ()):
        state.threads[str(person_key), str(number)] = app
    return state


def _read_message(value: Mapping[str, Any]) -> ChatMessage:
    known = {field.name for field in fields(ChatMessage)}
    values = {key: each for key, each in value.items() if key in known}
    values |= {key: tuple(values[key]) for key in _MESSAGE_TUPLES if key in values}
    values["statuses"] = tuple(StatusStep(**note) for note in values.get("statuses", ()))
    message = ChatMessage(**values)
    texts = (message.id, message.person, message.type, message.status)
    if not all(isinstance(text, str) for text in texts) or not isinstance(message.timestamp, int):
        raise TypeError("a message has id, person, type, status and timestamp")
    return message


def _read_refusal(value: Mapping[str, Any]) -> Refusal:
    refusal = Refusal(**value)
    texts = (refusal.id, refusal.rule)
    if not all(isinstance(text, str) for text in texts) or refusal.by not in BY:
        raise TypeError("a refusal has id, rule, and by: whatsapp or channel")
    return replace(refusal, timestamp=float(refusal.timestamp))


def _file_to_json(file: MediaFile) -> dict[str, Any]:
    value = asdict(file)
    del value["path"]  # local to this machine
    return value


def _read_file(
    value: Mapping[str, Any], contents: Mapping[str, bytes] | None
) -> tuple[Mapping[str, Any], bytes]:
    file = {key: each for key, each in value.items() if key != "content"}
    if not isinstance(file.get("id"), str) or not file["id"].replace("-", "").isalnum():
        raise ValueError("a file has an id of letters and digits")  # used as a file name
    if contents is not None:
        return file, contents[file["id"]]
    return file, base64.b64decode(value["content"], validate=True)
