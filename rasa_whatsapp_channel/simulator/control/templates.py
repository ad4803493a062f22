"""Templates: which there are, and whether the platform lets them go."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from rasa_whatsapp_channel.simulator.control.bodies import Wrong, read_object
from rasa_whatsapp_channel.simulator.templates.catalog import STATUSES
from rasa_whatsapp_channel.simulator.world import World


def template_routes(world: World) -> Iterator[web.RouteDef]:
    routes = TemplateRoutes(world)
    yield web.get("/simulator/templates", routes.list_all)
    yield web.post("/simulator/templates/{name}/{language}", routes.set_status)


class TemplateRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def list_all(self, request: web.Request) -> web.Response:
        return web.json_response(self._world.templates.to_json())

    async def set_status(self, request: web.Request) -> web.Response:
        status = (await read_object(request)).get("status")
        if status not in STATUSES:
            raise Wrong(f"status is one of {', '.join(STATUSES)}.")
        name, language = request.match_info["name"], request.match_info["language"]
        template = self._world.templates.set_status(name, language, status)
        if template is None:
            raise Wrong(f"There is no template {name} in {language}.", status=404)
        self._world.feed.publish("templates", templates=self._world.templates.to_json())
        return web.json_response(template.to_json())
