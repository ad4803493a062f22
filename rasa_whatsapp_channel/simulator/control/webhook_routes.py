"""Webhook routes: the logs of webhooks, requests and refusals; redelivery and custom webhooks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from aiohttp import web

from rasa_whatsapp_channel.simulator import refusals, reports
from rasa_whatsapp_channel.simulator.control.bodies import ControlError, read_object, text_of
from rasa_whatsapp_channel.simulator.state import WhatsAppUser
from rasa_whatsapp_channel.simulator.webhooks.log import Webhook, as_curl, as_test
from rasa_whatsapp_channel.simulator.webhooks.platform_events import PlatformEvent, examples, fill
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360


def webhook_routes(world: World) -> Iterator[web.RouteDef]:
    routes = WebhookRoutes(world)
    webhook = "/simulator/webhooks/{id}"
    yield web.get("/simulator/requests", routes.requests)
    yield web.get("/simulator/refusals", routes.refusals)
    yield web.post("/simulator/dead-letters", routes.dead_letter)
    yield web.get("/simulator/webhooks", routes.webhooks)
    yield web.post("/simulator/webhooks", routes.send)
    yield web.get("/simulator/events", routes.events)
    yield web.post("/simulator/events", routes.send_event)
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
        refusals.record_dead_letter(
            self._world,
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

    async def events(self, request: web.Request) -> web.Response:
        """Return the platform's other webhooks; with `person`, filled with their facts."""
        person = self._person(request.query.get("person"))
        return web.json_response(
            [
                {"name": each.name, "field": each.field, "values": self._fill(each, person)}
                for each in examples().values()
            ]
        )

    async def send_event(self, request: web.Request) -> web.Response:
        """Send one of them by its `name`, or `values` of a `field`, one webhook each."""
        given = await read_object(request)
        person, name = self._person(text_of(given, "person")), text_of(given, "name")
        field, values = text_of(given, "field"), given.get("values")
        if self._world.config.api not in (CLOUD, DIALOG360):
            raise ControlError("Only the Cloud API and 360dialog send these webhooks.")
        if name is not None and name not in examples():
            raise ControlError(
                f"There is no event {name!r}; GET /simulator/events lists them.", 404
            )
        if name is not None:
            event = examples()[name]
            field, values = event.field, values or self._fill(event, person)
        if field is None or not isinstance(values, list) or not values:
            raise ControlError('An event is {"name"} or {"field", "values": [{…}]}.')
        for value in values:
            self._world.note_preferences(person, value)
            self._world.note_limit(field, value)
            reports.send_event(self._world, field, value, person=person)
        return web.json_response({"field": field, "values": values})

    def _person(self, key: str | None) -> WhatsAppUser:
        people = self._world.state.people
        person = self._world.find_person(key) if key else next(iter(people.values()), None)
        if person is None:
            raise ControlError(f"There is no person with {key}.", status=404)
        return person

    def _fill(self, event: PlatformEvent, person: WhatsAppUser) -> list[Mapping[str, Any]]:
        world = self._world
        return fill(event, person, number=world.config.number, now=int(world.clock()))

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
