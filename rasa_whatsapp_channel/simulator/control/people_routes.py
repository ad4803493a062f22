"""People routes: people, groups, identity changes and trackers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import incoming
from rasa_whatsapp_channel.simulator.bot import TrackerError, read_tracker
from rasa_whatsapp_channel.simulator.control.bodies import (
    ControlError,
    find_person,
    read_object,
    text_of,
)
from rasa_whatsapp_channel.simulator.state import clean_phone
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import ON_PREMISES
from rasa_whatsapp_channel.whatsapp.identity import at_number

# https://developers.facebook.com/documentation/business-messaging/whatsapp/groups
PARTICIPANTS: Final = 8


def people_routes(world: World) -> Iterator[web.RouteDef]:
    routes = PeopleRoutes(world)
    yield web.post("/simulator/people", routes.add_person)
    yield web.delete("/simulator/people/{person}", routes.delete)
    yield web.post("/simulator/people/{person}/restart", routes.restart)
    yield web.post("/simulator/people/{person}/change", routes.change)
    yield web.get("/simulator/people/{person}/tracker", routes.tracker)
    yield web.post("/simulator/groups", routes.add_group)


class PeopleRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def add_person(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        name = text_of(body, "name")
        if name is None:
            raise ControlError("A person needs a name.")
        phone, user_id = clean_phone(text_of(body, "phone") or "") or None, text_of(body, "user_id")
        if phone is None and user_id is not None and self._world.config.api is ON_PREMISES:
            raise ControlError("An on-premises client knows people by their phone number only.")
        self._check_keys(phone, user_id)
        person = self._world.add_person(name, phone=phone, user_id=user_id)
        return web.json_response(self._world.person_to_json(person))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete a person and what was said with them."""
        world, person = self._world, find_person(self._world, request)
        groups = [
            each.name for each in world.state.people.values() if person.key in each.participants
        ]
        if groups:
            raise ControlError(f"{person.name} is in the group {groups[0]}.", status=409)
        await world.delete_person(person)
        return web.json_response({"deleted": person.key})

    async def restart(self, request: web.Request) -> web.Response:
        """Delete what was said with a person, as if nobody had written yet."""
        person = find_person(self._world, request)
        await self._world.restart_chat(person)
        return web.json_response({"restarted": person.key})

    async def change(self, request: web.Request) -> web.Response:
        """Change a person's phone number or user id."""
        person = find_person(self._world, request)
        body = await read_object(request)
        phone, user_id = clean_phone(text_of(body, "phone") or "") or None, text_of(body, "user_id")
        if (phone is None and user_id is None) or person.group:
            raise ControlError("A person changes to another phone, another user_id, or both.")
        self._check_keys(phone, user_id)
        changed = incoming.change_identity(self._world, person, phone=phone, user_id=user_id)
        return web.json_response(self._world.person_to_json(changed))

    async def tracker(self, request: web.Request) -> web.Response:
        """Return Rasa's tracker of the person; with `number`, of the chat with that number."""
        world, person = self._world, find_person(self._world, request)
        if world.config.rasa is None:
            raise ControlError("The simulator knows no Rasa: start it with --rasa URL.", status=404)
        number = request.query.get("number", world.config.number.phone_number_id)
        first = number == world.config.number.phone_number_id
        sender_id = person.key if first else at_number(person.key, number)
        try:
            tracker = await read_tracker(
                world.session(), world.config.rasa, sender_id, token=world.config.rasa_token
            )
        except TrackerError as error:
            raise ControlError(str(error), status=502) from error
        return web.json_response(tracker)

    async def add_group(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        name, keys = text_of(body, "name"), body.get("people")
        if name is None or not isinstance(keys, list) or not keys:
            raise ControlError(
                "A group needs a name and people, a list of their phone numbers or ids."
            )
        if len(keys) > PARTICIPANTS:
            raise ControlError(f"A group has at most {PARTICIPANTS} participants.")
        people = [self._world.state.find_person(clean_phone(str(key))) for key in keys]
        found = [person.key for person in people if person is not None and not person.group]
        if len(found) < len(keys):
            raise ControlError("All people of a group must be here already.", status=404)
        if self._world.config.api.name not in ("cloud", "360dialog"):
            raise ControlError("Only the Cloud API and 360dialog have groups.")
        group = self._world.add_group(name, tuple(dict.fromkeys(found)))
        return web.json_response(self._world.person_to_json(group))

    def _check_keys(self, phone: str | None, user_id: str | None) -> None:
        if phone is not None and not phone.isdigit():
            raise ControlError("A phone number is written in digits.")
        for key in (phone, user_id):
            if key is not None and self._world.state.find_person(key) is not None:
                raise ControlError(f"A person with {key} exists already.", status=409)
