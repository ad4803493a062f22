"""Clock routes: the simulator's time, put forward."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator.control.bodies import ControlError, read_object
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.unix_time import DAY

FURTHEST: Final = 10 * 366 * DAY  # seconds


def clock_routes(world: World) -> Iterator[web.RouteDef]:
    routes = ClockRoutes(world)
    yield web.get("/simulator/clock", routes.read)
    yield web.post("/simulator/clock", routes.move)


class ClockRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def read(self, request: web.Request) -> web.Response:
        return web.json_response(self._world.clock_to_json())

    async def move(self, request: web.Request) -> web.Response:
        match await read_object(request):
            case {"advance": seconds, **rest} if not rest:
                offset = self._world.clock.offset + _seconds(seconds)
            case {"offset": seconds, **rest} if not rest:
                offset = _seconds(seconds)
            case _:
                raise ControlError('The clock takes {"advance": seconds} or {"offset": seconds}.')
        if not 0 <= offset <= FURTHEST:
            raise ControlError("The clock can be put forward only, by ten years at most.")
        self._world.move_clock(offset)
        return await self.read(request)


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ControlError("Seconds are a number.")
    return float(value)
