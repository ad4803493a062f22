"""What a page shows: all that happens, as it happens, the files, and how the bot is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final
from urllib.parse import quote

from aiohttp import WSCloseCode, web

from rasa_whatsapp_channel.simulator.bot import ask_bot
from rasa_whatsapp_channel.simulator.control.bodies import Wrong
from rasa_whatsapp_channel.simulator.media import kinds
from rasa_whatsapp_channel.simulator.world import World

# A browser shows these without harm; everything else it is told to save.
_SHOWN: Final = ("image/png", "image/jpeg", "image/webp", "image/gif", "application/pdf")
_SHOWN_KINDS: Final = ("audio/", "video/")


def watching_routes(world: World) -> Iterator[web.RouteDef]:
    routes = WatchingRoutes(world)
    yield web.get("/simulator/socket", routes.socket)
    yield web.get("/simulator/media/{media_id}", routes.media)
    yield web.get("/simulator/bot", routes.bot)


class WatchingRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        """Everything that happens, as it happens. Nothing is read from the other side."""
        socket = web.WebSocketResponse(heartbeat=30)
        await socket.prepare(request)
        with self._world.feed.listen() as happenings:
            sending = asyncio.create_task(_send_all(socket, happenings))
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
            raise Wrong("There is no such file.", status=404)
        plain = kinds.essence(file.mime_type)
        shown = plain in _SHOWN or plain.startswith(_SHOWN_KINDS)
        name = f"; filename*=UTF-8''{quote(file.filename, safe='')}" if file.filename else ""
        headers = {
            "Content-Type": file.mime_type,
            "Content-Disposition": ("inline" if shown else "attachment") + name,
            "Cache-Control": "no-store",
        }
        return web.FileResponse(file.path, headers=headers)

    async def bot(self, request: web.Request) -> web.Response:
        """Does the bot answer, and what does it say of itself?"""
        answer = await ask_bot(self._world.session.get(), self._world.config.webhook)
        return web.json_response(answer, headers={"Cache-Control": "no-store"})


async def _send_all(socket: web.WebSocketResponse, happenings: asyncio.Queue[Any]) -> None:
    with suppress(ConnectionError):
        while (happening := await happenings.get()) is not None:
            await socket.send_json(happening)
        await socket.close(code=WSCloseCode.GOING_AWAY)
