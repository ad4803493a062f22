"""Account routes: the bill, the templates, and what the account may send."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import reports
from rasa_whatsapp_channel.simulator.control.bodies import ControlError, read_object
from rasa_whatsapp_channel.simulator.templates import QUALITIES, STATUSES, to_json
from rasa_whatsapp_channel.simulator.webhooks.platform_events import (
    NUMBER_QUALITY,
    TEMPLATE_QUALITY,
    TEMPLATE_STATUS,
    limit_change,
    template_quality,
    template_status,
)
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360

MOST_PEOPLE: Final = 10**9  # no messaging limit is that high


def account_routes(world: World) -> Iterator[web.RouteDef]:
    routes = AccountRoutes(world)
    yield web.get("/simulator/bill", routes.bill)
    yield web.get("/simulator/templates", routes.list_all)
    yield web.post("/simulator/templates/{name}/{language}", routes.set_status)
    yield web.post("/simulator/account", routes.set_account)


class AccountRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def bill(self, request: web.Request) -> web.Response:
        """Return the bill of a month: `?month=2026-11`, by default the current one."""
        world, month = self._world, request.query.get("month")
        messages = world.state.messages.values()
        return web.json_response(world.billing.bill(messages, month, world.clock()))

    async def list_all(self, request: web.Request) -> web.Response:
        return web.json_response(self._world.templates.to_json())

    async def set_status(self, request: web.Request) -> web.Response:
        """Set the `status` of a template, or its `quality`; a bad one pauses it."""
        given = await read_object(request)
        name, language = request.match_info["name"], request.match_info["language"]
        found = self._world.templates.get(name, language)
        if found is None:
            raise ControlError(f"There is no template {name} in {language}.", status=404)
        quality = given.get("quality")
        status = given.get("status", found.status if quality else None)
        if quality not in (None, *QUALITIES):
            raise ControlError(f"quality is one of {', '.join(QUALITIES)}.")
        if status not in STATUSES:
            raise ControlError(f"status is one of {', '.join(STATUSES)}.")
        if quality == "RED" and status == "APPROVED":
            status = "PAUSED"
        template = self._world.templates.set_status(name, language, status, quality)
        assert template is not None
        self._world.feed.publish("templates", templates=self._world.templates.to_json())
        if self._world.config.api in (CLOUD, DIALOG360):
            now = int(self._world.clock())
            if quality is not None:
                reports.send_event(
                    self._world, TEMPLATE_QUALITY, template_quality(template, found.quality)
                )
            if status != found.status or quality is None:
                reports.send_event(self._world, TEMPLATE_STATUS, template_status(template, now))
        return web.json_response(to_json(template))

    async def set_account(self, request: web.Request) -> web.Response:
        """Set whether the account may use Direct Send, or its messaging limit."""
        world = self._world
        match await read_object(request):
            case {"direct_send": bool(given), **rest} if not rest:
                world.direct_send = given
            case {"messaging_limit": people, **rest} if not rest and _is_limit(people):
                self._set_limit(people)
            case _:
                raise ControlError(
                    'An account takes {"direct_send": true}, or {"messaging_limit": 250}, people '
                    "a day, null for all."
                )
        return web.json_response(
            {"direct_send": world.direct_send, "messaging_limit": world.limit_to_json()}
        )

    def _set_limit(self, people: int | None) -> None:
        """Set how many people may be written to a day; the bot is told as WhatsApp tells it."""
        world, before = self._world, self._world.rates.people
        value = limit_change(world.config.number, before, people)
        world.note_limit(NUMBER_QUALITY, value)
        if people != before and world.config.api in (CLOUD, DIALOG360):
            reports.send_event(world, NUMBER_QUALITY, value)


def _is_limit(value: Any) -> bool:
    return value is None or (type(value) is int and 0 < value < MOST_PEOPLE)
