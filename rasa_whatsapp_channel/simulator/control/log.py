"""What went over the line: webhooks to the bot, and its requests."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from rasa_whatsapp_channel.simulator.world import World


def log_routes(world: World) -> Iterator[web.RouteDef]:
    routes = LogRoutes(world)
    yield web.get("/simulator/webhooks", routes.webhooks)
    yield web.get("/simulator/requests", routes.requests)


class LogRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def webhooks(self, request: web.Request) -> web.Response:
        attempts = self._world.webhooks.attempts
        return web.json_response([attempt.to_json() for attempt in attempts])

    async def requests(self, request: web.Request) -> web.Response:
        return web.json_response(list(self._world.requests.entries))
