"""State routes: the whole state, live events, files, the bot's health, clock and templates."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import quote, urlsplit

from aiohttp import WSCloseCode, web

from rasa_whatsapp_channel.common import DAY
from rasa_whatsapp_channel.simulator import snapshots
from rasa_whatsapp_channel.simulator.bot import ask_bot
from rasa_whatsapp_channel.simulator.control.bodies import ControlError, read_json, read_object
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
from rasa_whatsapp_channel.whatsapp import mime
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360


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
                "messages": [world.to_json(m) for m in world.state.messages.values()],
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


# Safe to show in a browser; everything else is downloaded.
_SHOWN: Final = ("image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf")
_SHOWN_KINDS: Final = ("audio/", "video/")


def live_routes(world: World) -> Iterator[web.RouteDef]:
    routes = LiveRoutes(world)
    yield web.get("/simulator/socket", routes.socket)
    yield web.get("/simulator/media/{media_id}", routes.media)
    yield web.get("/simulator/bot", routes.bot)


class LiveRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Send every event; nothing is read from the client."""
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        with self._world.feed.listen() as events:
            sending = asyncio.create_task(_send_all(socket, events))
            try:
                async for _ in socket:
                    pass
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        return socket

    async def media(self, request: web.Request) -> web.StreamResponse:
        file = self._world.library.find(request.match_info["media_id"])
        if file is None:
            raise ControlError("There is no such file.", status=404)
        plain = mime.base_type(file.mime_type)
        shown = plain in _SHOWN or plain.startswith(_SHOWN_KINDS)
        name = f"; filename*=UTF-8''{quote(file.filename, safe='')}" if file.filename else ""
        headers = {
            "Content-Type": file.mime_type,
            "Content-Disposition": ("inline" if shown else "attachment") + name,
            "Cache-Control": "no-store",
        }
        return web.FileResponse(file.path, headers=headers)

    async def bot(self, request: web.Request) -> web.Response:
        """Return the bot's health."""
        answer = await ask_bot(self._world.session(), self._world.config.webhook)
        return web.json_response(answer, headers={"Cache-Control": "no-store"})


async def _send_all(socket: web.WebSocketResponse, events: asyncio.Queue[Any]) -> None:
    with suppress(ConnectionError):
        while (event := await events.get()) is not None:
            await socket.send_json(event)
        await socket.close(code=WSCloseCode.GOING_AWAY)


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


def bill_routes(world: World) -> Iterator[web.RouteDef]:
    async def bill(request: web.Request) -> web.Response:
        """Return the bill of a month: `?month=2026-11`, by default the current one."""
        month = request.query.get("month")
        messages = world.state.messages.values()
        return web.json_response(world.billing.bill(messages, month, world.clock()))

    yield web.get("/simulator/bill", bill)


MOST_PEOPLE: Final = 10**9  # no messaging limit is that high


def template_routes(world: World) -> Iterator[web.RouteDef]:
    routes = TemplateRoutes(world)
    yield web.get("/simulator/templates", routes.list_all)
    yield web.post("/simulator/templates/{name}/{language}", routes.set_status)
    yield web.post("/simulator/account", routes.set_account)


class TemplateRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

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
                self._world.tell(TEMPLATE_QUALITY, template_quality(template, found.quality))
            if status != found.status or quality is None:
                self._world.tell(TEMPLATE_STATUS, template_status(template, now))
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
            world.tell(NUMBER_QUALITY, value)


def _is_limit(value: Any) -> bool:
    return value is None or (type(value) is int and 0 < value < MOST_PEOPLE)
