"""Fault routes: rules and the weather."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from rasa_whatsapp_channel.simulator.control.bodies import ControlError, read_json, read_object
from rasa_whatsapp_channel.simulator.faults import InvalidRule
from rasa_whatsapp_channel.simulator.weather import ROUGH, WEATHERS, Weather
from rasa_whatsapp_channel.simulator.world import World


def fault_routes(world: World) -> Iterator[web.RouteDef]:
    routes = FaultRoutes(world)
    yield web.get("/simulator/faults", routes.list_all)
    yield web.post("/simulator/faults", routes.add)
    yield web.delete("/simulator/faults", routes.clear)
    yield web.post("/simulator/faults/seed", routes.seed)
    yield web.delete("/simulator/faults/{id}", routes.remove)
    yield web.get("/simulator/weather", routes.weather)
    yield web.post("/simulator/weather", routes.change_weather)


class FaultRoutes:
    def __init__(self, world: World) -> None:
        self._world = world
        self._faults = world.faults

    async def list_all(self, request: web.Request) -> web.Response:
        return web.json_response(self._faults.all_to_json())

    async def add(self, request: web.Request) -> web.Response:
        try:
            key = self._faults.add(await read_json(request))
        except InvalidRule as error:
            raise ControlError(str(error)) from error
        self._world.publish_faults()
        return web.json_response(self._faults.to_json(key))

    async def seed(self, request: web.Request) -> web.Response:
        seed = _seed_of((await read_object(request)).get("seed"))
        self._faults.seed(seed)
        return web.json_response({"seed": seed})

    async def clear(self, request: web.Request) -> web.Response:
        self._faults.clear()
        self._world.publish_faults()
        return await self.list_all(request)

    async def remove(self, request: web.Request) -> web.Response:
        if not self._faults.remove(request.match_info["id"]):
            raise ControlError(f"There is no rule {request.match_info['id']}.", status=404)
        self._world.publish_faults()
        return await self.list_all(request)

    async def weather(self, request: web.Request) -> web.Response:
        """Return the weather and its faults."""
        return web.json_response(self._world.weather_to_json())

    async def change_weather(self, request: web.Request) -> web.Response:
        given = await read_object(request)
        weather, seed = given.get("weather"), _seed_of(given.get("seed", 1))
        lasting = given.get("lasting", True)
        if weather not in WEATHERS or not isinstance(lasting, bool):
            raise ControlError(
                'The weather is {"weather": "calm" or "rough", "seed", "lasting": true}.'
            )
        rough = Weather(seed, lasting=lasting) if weather == ROUGH else None
        self._world.change_weather(rough)
        return await self.weather(request)


def _seed_of(seed: object) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ControlError("seed is a whole number.")
    return seed
