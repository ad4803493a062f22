"""Webhook routes: the logs of webhooks, requests and refusals; redelivery and custom webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict

from aiohttp import web

from rasa_whatsapp_channel.simulator.control.bodies import ControlError, read_object, text_of
from rasa_whatsapp_channel.simulator.webhooks.log import Webhook, as_curl, as_test
from rasa_whatsapp_channel.simulator.world import World


def webhook_routes(world: World) -> Iterator[web.RouteDef]:
    routes = WebhookRoutes(world)
    webhook = "/simulator/webhooks/{id}"
    yield web.get("/simulator/requests", routes.requests)
    yield web.get("/simulator/refusals", routes.refusals)
    yield web.post("/simulator/dead-letters", routes.dead_letter)
    yield web.get("/simulator/webhooks", routes.webhooks)
    yield web.post("/simulator/webhooks", routes.send)
    yield web.post(f"{webhook}/redeliver", routes.redeliver)
    yield web.get(f"{webhook}/curl", routes.curl)
    yield web.get(f"{webhook}/fixture", routes.fixture)


class WebhookRoutes:
    def __init__(self, world: World) -> None:
        self._world = world
        self._webhooks = world.webhooks

    async def requests(self, request: web.Request) -> web.Response:
        return web.json_response(list(self._world.requests))

    async def refusals(self, request: web.Request) -> web.Response:
        """Return messages that were not sent: refused by WhatsApp, or dead letters."""
        return web.json_response([asdict(each) for each in self._world.state.refusals])

    async def dead_letter(self, request: web.Request) -> web.Response:
        """Record a dead letter that the channel reports."""
        given = await read_object(request)
        recipient, reason = text_of(given, "to"), text_of(given, "reason")
        body, code = given.get("body"), given.get("code")
        if recipient is None or reason is None:
            raise ControlError('A dead letter is {"to", "reason", "code", "response", "body"}.')
        if not isinstance(body, Mapping | None) or not isinstance(code, int | None):
            raise ControlError("body is a message as it would have been sent, code a number.")
        self._world.record_dead_letter(
            recipient,
            reason,
            code=code or None,
            number=text_of(given, "number") or "",
            response=text_of(given, "response"),
            body=body,
        )
        return web.json_response({"noted": True})

    async def webhooks(self, request: web.Request) -> web.Response:
        return web.json_response([attempt.to_json() for attempt in self._webhooks.log.attempts])

    async def send(self, request: web.Request) -> web.Response:
        """Send a custom body with a valid or an invalid signature."""
        given = await read_object(request)
        body, sign = given.get("body"), given.get("sign", True)
        if not isinstance(body, Mapping) or not isinstance(sign, bool):
            raise ControlError('A webhook is {"body": {…}, "sign": true}.')
        attempt = await self._webhooks.deliver_once(self._webhooks.make(body, sign=sign))
        return web.json_response(attempt.to_json())

    async def redeliver(self, request: web.Request) -> web.Response:
        attempt = await self._webhooks.deliver_once(self._find(request))
        return web.json_response(attempt.to_json())

    async def curl(self, request: web.Request) -> web.Response:
        return web.Response(text=as_curl(self._find(request)))

    async def fixture(self, request: web.Request) -> web.Response:
        return web.Response(text=as_test(self._find(request)))

    def _find(self, request: web.Request) -> Webhook:
        webhook = self._webhooks.log.find(request.match_info["id"])
        if webhook is None:
            raise ControlError(f"There is no webhook {request.match_info['id']}.", status=404)
        return webhook
