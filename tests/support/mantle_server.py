"""
The channel in a server with Mantle's engine, which kills itself at the moments that a file names.

    python -m support.mantle_server PORT SETTINGS MODEL KILLS

Each line of the file KILLS is a moment (`said`: between two messages of a tool, `save`: before
Rasa saves the turn); the first one is taken away when its moment has come.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import register
from rasa.core.tracker_stores.sql_tracker_store import SQLTrackerStore
from sanic import Sanic
from support.mantle import Bot, Odd, Script, activate, load_agent

from rasa_whatsapp_channel import WhatsAppInput


class Kills:
    """Dies as in a crash at the moments in *file*, when all that was said until then is sent."""

    def __init__(self, file: Path, channel: WhatsAppInput) -> None:
        self._file = file
        self._channel = channel

    async def at(self, moment: str) -> None:
        moments = self._file.read_text().split()
        if moments[:1] != [moment]:
            return
        while (await self._channel._running().store.outbox.depth()).waiting:
            await asyncio.sleep(0.01)
        self._file.write_text("\n".join(moments[1:]))
        os.kill(os.getpid(), signal.SIGKILL)


class Model(Script):
    """Begins the skill where it may, and else says a last word."""

    async def acompletion(
        self, messages: Any, tools: Any = None, model_settings: Any = None
    ) -> Any:
        self.lines = [activate("odd_tool") if tools else "Anything else?"]
        return await super().acompletion(messages, tools, model_settings)


def main() -> None:
    port, settings, model, file = sys.argv[1:]
    channel = WhatsAppInput.from_credentials(json.loads(settings))
    kills = Kills(Path(file), channel)

    async def act(context: Any, send: Any) -> None:
        await context.send("One moment")
        await send(text="The lake", image="https://shop.example/lake.jpg")
        await kills.at("said")
        await send(text="The guide", document="https://shop.example/guide.pdf")

    Odd.act = act
    app = Sanic("rasa_core_no_api", configure_logging=False)
    register([channel], app, route="/webhooks/")

    async def load(app: Sanic, _loop: Any = None) -> None:
        store = SQLTrackerStore(None, dialect="sqlite", db="tracker.db")
        agent = load_agent(Bot(Path.cwd(), model), Model(), tracker_store=store)
        save = agent.processor.tracker_store.save

        async def dying_save(tracker: Any) -> None:
            await kills.at("save")
            await save(tracker)

        agent.processor.tracker_store.save = dying_save
        app.ctx.agent = agent

    app.register_listener(load, "before_server_start")
    asyncio.set_event_loop(asyncio.new_event_loop())
    app.run("127.0.0.1", int(port), access_log=False, single_process=True)


if __name__ == "__main__":
    main()
