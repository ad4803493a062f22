"""A Python function as the bot: the whole channel around it, without Rasa."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from rasa_whatsapp_channel.inbound.turn import Turn
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.whatsapp import webhook
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused
from rasa_whatsapp_channel.wiring import Wiring, make_proof

PATH = "/webhooks/whatsapp"

Say = Callable[[Any], Awaitable[None]]
Bot = Callable[[Turn, Say], Awaitable[None]]


class FunctionBot:
    """
    The channel with a function in Rasa's place, for as long as it is served.

    The function is called with what Rasa would hear (`Turn`: text, sender_id, metadata) and with a
    function that says a response, as a domain file has it, or a plain text.
    """

    def __init__(self) -> None:
        self.function: Bot | None = None

    @asynccontextmanager
    async def serve(self, settings: Settings, *, port: int, root: Path) -> AsyncIterator[None]:
        wiring = Wiring(settings, self._handler(lambda: wiring), ready=lambda: True, root=root)
        await wiring.open()
        runner = web.AppRunner(_app(wiring, settings), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        wiring.start()
        try:
            yield
        finally:
            await runner.cleanup()
            await wiring.stop()
            await wiring.close()

    def _handler(self, wiring: Callable[[], Wiring]) -> Callable[..., Awaitable[None]]:
        async def handle(turn: Turn, *, repeated: bool) -> None:
            function = self.function
            if function is None:
                return
            outlet = wiring().outlet(turn.message_id)

            async def say(response: Any) -> None:
                words = {"text": response} if isinstance(response, str) else response
                await outlet.say(turn.sender_id, words)

            await function(turn, say)

        return handle


def _app(wiring: Wiring, settings: Settings) -> web.Application:
    proof = make_proof(settings)

    async def health(request: web.Request) -> web.Response:
        return web.json_response(dict(await wiring.health()))

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        try:
            webhook.verify(proof, body=body, headers=request.headers, query=dict(request.query))
        except WebhookRefused as error:
            return web.Response(text=str(error), status=401)
        await wiring.receive(webhook.read(body))
        return web.Response(text="ok")

    app = web.Application()
    app.router.add_get(f"{PATH}/", health)
    app.router.add_post(f"{PATH}/webhook", receive)
    return app
