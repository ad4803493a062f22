"""Owner routes: colleagues and another app write and take threads; the bot says who answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from aiohttp import web

from rasa_whatsapp_channel.simulator import chats, colleagues, ownership
from rasa_whatsapp_channel.simulator.api.uploads import read_form
from rasa_whatsapp_channel.simulator.config import Number
from rasa_whatsapp_channel.simulator.control.bodies import (
    ControlError,
    find_person,
    read_object,
    text_of,
)
from rasa_whatsapp_channel.simulator.control.chat_routes import read_arrival, read_file_arrival
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360


def owner_routes(world: World) -> Iterator[web.RouteDef]:
    routes = OwnerRoutes(world)
    yield web.post("/simulator/people/{person}/echoes", routes.write)
    yield web.post("/simulator/people/{person}/thread", routes.control)
    yield web.post("/simulator/owners", routes.report)


class OwnerRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def write(self, request: web.Request) -> web.Response:
        """Write as a colleague with the WhatsApp app, `"by": "phone"`, or as another app, `app`."""
        self._check_api()
        world, person = self._world, find_person(self._world, request)
        given: Mapping[str, Any]
        if request.content_type == "multipart/form-data":
            given, upload = await read_form(request)
            arrival = await read_file_arrival(world, request, given, upload)
        else:
            given = await read_object(request)
            arrival = read_arrival(given)
        by = given.get("by", "phone")
        if by not in ("phone", "app") or person.group or not isinstance(arrival.content, Mapping):
            raise ControlError("by is phone or app, and they write to one person.")
        try:
            message = colleagues.write(
                world, by, person, self._number(given), arrival.type, arrival.content
            )
        except Refused as error:
            raise ControlError(error.rule, status=409) from error
        return web.json_response(chats.to_json(world, message))

    async def control(self, request: web.Request) -> web.Response:
        """Let the other app take, pass or release the thread of a person."""
        self._check_api()
        person, given = find_person(self._world, request), await read_object(request)
        action = given.get("action")
        if action not in ownership.ACTIONS or person.group:
            raise ControlError(f"action is one of {', '.join(ownership.ACTIONS)}.")
        metadata = text_of(given, "metadata") or ""
        try:
            ownership.control(
                self._world, "app", person, self._number(given), action, metadata=metadata
            )
        except Refused as error:
            raise ControlError(error.rule, status=409) from error
        return web.json_response({"action": action})

    async def report(self, request: web.Request) -> web.Response:
        """Take from the bot who answers in a chat."""
        given = await read_object(request)
        person = self._world.find_person(self._world.key_of(text_of(given, "to") or ""))
        owner, words = given.get("owner"), given.get("return_words", [])
        if person is None or owner not in ownership.OWNERS or not isinstance(words, list):
            raise ControlError('An owner is {"to", "owner": "bot", "by", "reason"}.')
        ownership.report(
            self._world,
            person,
            self._number(given),
            owner,
            by=text_of(given, "by") or "",
            reason=text_of(given, "reason") or "",
            return_words=tuple(str(word) for word in words),
        )
        return web.json_response({"noted": True})

    def _number(self, given: Mapping[str, Any]) -> Number:
        number = self._world.config.find_number(text_of(given, "number"))
        if number is None:
            raise ControlError(f"The bot has no number {given['number']}.", status=404)
        return number

    def _check_api(self) -> None:
        if self._world.config.api not in (CLOUD, DIALOG360):
            raise ControlError("Only the Cloud API and 360dialog tell of others who answer.")
