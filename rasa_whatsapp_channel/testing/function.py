"""Function bot: a Python function in place of Rasa, with the whole channel around it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import web

from rasa_whatsapp_channel.app import App
from rasa_whatsapp_channel.inbound.turn import Turn
from rasa_whatsapp_channel.server import make_runner
from rasa_whatsapp_channel.settings import Settings

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
        app = App(settings, self._handler(lambda: app), ready=lambda: True, root=root)
        await app.open()
        runner = make_runner(app.endpoint)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        app.start()
        try:
            yield
        finally:
            await runner.cleanup()
            await app.stop()
            await app.close()

    def _handler(self, app: Callable[[], App]) -> Callable[..., Awaitable[None]]:
        async def handle(turn: Turn, *, repeated: bool) -> None:
            function = self.function
            if function is None:
                return
            async with app().turn_writer(turn.message_id, turn.version) as writer:

                async def say(response: Any) -> None:
                    words = {"text": response} if isinstance(response, str) else response
                    await writer.write(turn.sender_id, words)

                await function(turn, say)

        return handle
