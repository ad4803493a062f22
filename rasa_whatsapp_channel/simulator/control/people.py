"""Who has WhatsApp here."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from rasa_whatsapp_channel.simulator.control.bodies import Wrong, read_object, text_of
from rasa_whatsapp_channel.simulator.state import clean_phone
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import ON_PREMISES


def people_routes(world: World) -> Iterator[web.RouteDef]:
    routes = PeopleRoutes(world)
    yield web.post("/simulator/people", routes.add_person)


class PeopleRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def add_person(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        name = text_of(body, "name")
        if name is None:
            raise Wrong("A person needs a name.")
        phone, user_id = clean_phone(text_of(body, "phone") or "") or None, text_of(body, "user_id")
        if phone is not None and not phone.isdigit():
            raise Wrong("A phone number is written in digits.")
        if phone is None and user_id is not None and self._world.config.api is ON_PREMISES:
            raise Wrong("An on-premises client knows people by their phone number only.")
        for key in (phone, user_id):
            if key is not None and self._world.state.find_person(key) is not None:
                raise Wrong(f"There is somebody with {key} already.", status=409)
        person = self._world.add_person(name, phone=phone, user_id=user_id)
        return web.json_response(self._world.person_to_json(person))
