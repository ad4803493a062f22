"""All that is there, at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from urllib.parse import urlsplit

from aiohttp import web

from rasa_whatsapp_channel.simulator import snapshot
from rasa_whatsapp_channel.simulator.control.bodies import Wrong, read_json
from rasa_whatsapp_channel.simulator.world import World


def whole_routes(world: World) -> Iterator[web.RouteDef]:
    routes = WholeRoutes(world)
    yield web.get("/simulator/state", routes.state)
    yield web.post("/simulator/reset", routes.reset)
    yield web.get("/simulator/export", routes.export)
    yield web.post("/simulator/import", routes.restore)


class WholeRoutes:
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
                "rasa": world.config.rasa is not None,
                "weather": world.weather_to_json(),
                "refusals": [asdict(each) for each in world.state.refusals],
                "people": [world.person_to_json(person) for person in world.state.people.values()],
                "messages": [world.to_json(m) for m in world.state.messages.values()],
            }
        )

    async def reset(self, request: web.Request) -> web.Response:
        await self._world.reset()
        return await self.state(request)

    async def export(self, request: web.Request) -> web.Response:
        headers = {"Content-Disposition": 'attachment; filename="simulator.json"'}
        return web.json_response(await snapshot.export(self._world), headers=headers)

    async def restore(self, request: web.Request) -> web.Response:
        """What an export holds, in the place of all there is."""
        try:
            await snapshot.restore(self._world, await read_json(request))
        except snapshot.BadSnapshot as error:
            raise Wrong(str(error)) from error
        return await self.state(request)
