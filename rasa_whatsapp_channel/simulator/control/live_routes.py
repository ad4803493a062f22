"""Live routes: events as they happen, the files of messages, the bot's health."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from aiohttp import WSCloseCode, web

from rasa_whatsapp_channel.simulator.bot import ask_bot
from rasa_whatsapp_channel.simulator.control.bodies import ControlError
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp import mime

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
