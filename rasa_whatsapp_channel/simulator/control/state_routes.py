"""State routes: the whole state, reset, exported and imported."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from urllib.parse import urlsplit

from aiohttp import web

from rasa_whatsapp_channel.simulator import chats, snapshots
from rasa_whatsapp_channel.simulator.control.bodies import ControlError, read_json
from rasa_whatsapp_channel.simulator.world import World


def state_routes(world: World) -> Iterator[web.RouteDef]:
    routes = StateRoutes(world)
    yield web.get("/simulator/state", routes.state)
    yield web.post("/simulator/reset", routes.reset)
    yield web.get("/simulator/export", routes.export)
    yield web.post("/simulator/import", routes.restore)


class StateRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def state(self, request: web.Request) -> web.Response:
        world = self._world
        number = world.config.number
        return web.json_response(
            {
                "api": world.config.api.name,
                "webhook": urlsplit(world.config.webhook)._replace(query="").geturl(),
                "number": number.to_json(),
                "numbers": [each.to_json() for each in world.config.numbers],
                "clock": world.clock_to_json(),
                "faults": world.faults.all_to_json(),
                "templates": world.templates.to_json(),
                "direct_send": world.direct_send,
                "messaging_limit": world.limit_to_json(),
                "rasa": world.config.rasa is not None,
                "weather": world.weather_to_json(),
                "billing": world.billing.to_json(),
                "refusals": [asdict(each) for each in world.state.refusals],
                "owners": [asdict(each) for each in world.state.owners.values()],
                "people": [world.person_to_json(person) for person in world.state.people.values()],
                "messages": [chats.to_json(world, m) for m in world.state.messages.values()],
            }
        )

    async def reset(self, request: web.Request) -> web.Response:
        await self._world.reset()
        return await self.state(request)

    async def export(self, request: web.Request) -> web.Response:
        """Return the whole state, with `person` that of one chat."""
        key = request.query.get("person")
        person = self._world.find_person(key) if key else None
        if key and person is None:
            raise ControlError(f"There is no person with {key}.", status=404)
        exported = await snapshots.export(self._world, person)
        name = f"chat-{person.key}" if person else "simulator"
        headers = {"Content-Disposition": f'attachment; filename="{name}.json"'}
        return web.json_response(exported, headers=headers)

    async def restore(self, request: web.Request) -> web.Response:
        """Replace the whole state by an export."""
        try:
            await snapshots.restore(self._world, await read_json(request))
        except snapshots.InvalidSnapshot as error:
            raise ControlError(str(error)) from error
        return await self.state(request)
