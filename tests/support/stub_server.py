"""
The channel in Sanic as Rasa serves it, with a bot of ours, in processes that tests may kill.

    python -m support.stub_server

What each line on its stdin orders, see `forking`: `port`, `credentials`, `journal` and `bot` (see
`Bot`); `clock`, a file with how many seconds its clock is wrong, and `speed`, with which its time
passes; `killed_at`, see `commit_kills`; `apart`, whether it is only the bot, or door and sender as
`rasa-whatsapp serve` is.
A server ends with this process, whatever ends it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import signal
import time
from pathlib import Path
from typing import Any

from rasa.core.channels.channel import UserMessage, register
from sanic import Sanic
from sanic.request import Request
from sanic.response import HTTPResponse, empty
from support import commit_kills, wall_clock
from support.forking import fork_for_each_line
from support.journal import Journal
from support.no_locks import NoLocks
from support.numbered import BOTS, order_of

from rasa_whatsapp_channel import WhatsAppInput, server
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.settings.roles import BOT, DOOR, SENDER

PAUSE = 0.03  # longest time the bot thinks before each message, in seconds
SLOW = 1.0  # the same for "u17 m4 slow"


class Bot:
    """
    Rasa's agent, as far as the channel knows it; answers "u17 m4" with "u17 m4 a", "u17 m4 b", ….

    *kind* says with what, see `numbered`. What people write may be an order, too: "u17 m4 blocks
    14" keeps the whole server busy for 14 seconds, "u17 m4 crashes" ends it.
    Like Rasa's tracker, what is saved of a turn is saved at its end, and outlives the process.
    """

    def __init__(self, name: str, kind: str, journal: Journal) -> None:
        self.tracker_store = self
        self.lock_store = NoLocks()
        self.domain = None
        self._name = name
        self._responses = BOTS[kind]
        self._journal = journal

    def is_ready(self) -> bool:
        return True

    async def handle_message(self, message: UserMessage) -> None:
        began = time.monotonic()
        self._note("began", message)
        obey(order_of(message.text))
        pause = SLOW if order_of(message.text) == ["slow"] else PAUSE
        for response in self._responses(message.text):
            await asyncio.sleep(random.uniform(pause / 2, pause))
            await message.output_channel.send_response(message.sender_id, response)
        self._note("saved", message, took=time.monotonic() - began)

    def _note(self, what: str, message: UserMessage, **more: Any) -> None:
        said = {"sender_id": message.sender_id, "message_id": message.message_id}
        self._journal.write(what=what, server=self._name, text=message.text, **said, **more)

    async def retrieve(self, sender_id: str) -> Tracker:
        lines = [line for line in self._journal.read() if line["sender_id"] == sender_id]
        heard = [UserUttered(line["message_id"]) for line in lines if line["what"] == "saved"]
        kept = [Kept(line["metadata"]) for line in lines if line["what"] == "kept"]
        return Tracker(sender_id, [*heard, *kept])

    async def save(self, tracker: Tracker) -> None:
        for event in tracker.new:
            facts = event.metadata["whatsapp"]
            self._journal.write(
                what="kept",
                text=getattr(event, "text", ""),
                server=self._name,
                sender_id=tracker.sender_id,
                metadata=event.metadata,
                speaker=facts.get("speaker"),
                type=facts["type"],
            )


def obey(order: list[str]) -> None:
    if order[:1] == ["blocks"]:  # as a synchronous action does
        time.sleep(float(order[1]))
    if order[:1] == ["crashes"]:  # as a fault in a library, or when the memory ends
        os.kill(os.getpid(), signal.SIGKILL)


class UserUttered:
    timestamp = 0.0

    def __init__(self, message_id: str) -> None:
        self.message_id = message_id
        self.metadata = {"whatsapp": {"id": message_id}}


class Kept:
    """An event without a turn."""

    timestamp = 0.0

    def __init__(self, metadata: dict[str, Any]) -> None:
        self.metadata = metadata


class Tracker:
    active_loop_name = None

    def __init__(self, sender_id: str, events: list[Any]) -> None:
        self.sender_id = sender_id
        self.events = events
        self.new: list[Any] = []

    def update(self, event: Any, domain: Any) -> None:
        self.events.append(event)
        self.new.append(event)


def run(order: dict[str, Any]) -> None:
    wall_clock.follow(order.get("clock"))
    wall_clock.run_fast(order.get("speed", 1.0))
    # Sanic sets that of uvloop, whose watcher of child processes serves no other loop.
    asyncio.set_event_loop_policy(None)
    loop = wall_clock.event_loop()
    asyncio.set_event_loop(loop)
    commit_kills.arm(order.get("killed_at"))
    if order.get("apart") == "bot":
        order["credentials"]["roles"] = [BOT]
    is_door = order.get("apart") == "door and sender"
    loop.run_until_complete(serve_without_rasa(order) if is_door else serve(order))


async def serve_without_rasa(order: dict[str, Any]) -> None:
    settings = Settings.from_credentials(order["credentials"])
    serving = asyncio.create_task(
        server.serve(settings, roles=(DOOR, SENDER), host="127.0.0.1", port=order["port"])
    )
    parent = os.getppid()
    while os.getppid() == parent and not serving.done():
        await asyncio.wait([serving], timeout=1)
    if serving.done():
        serving.result()


async def serve(order: dict[str, Any]) -> None:
    channel = WhatsAppInput.from_credentials(order["credentials"])
    app = Sanic("rasa_core_no_api", configure_logging=False)
    journal = Journal(Path(order["journal"]))
    app.ctx.agent = Bot(order["name"], order.get("bot", "texts"), journal)
    register([channel], app, route="/webhooks/")

    @app.post("/says")
    async def says(request: Request) -> HTTPResponse:
        """Let the bot write first, as a reminder does."""
        output = channel.get_output_channel()
        await output.send_response(request.json["to"], request.json["response"])
        return empty()

    @app.post("/blocks")
    async def blocks(request: Request) -> HTTPResponse:
        obey(["blocks", request.json["seconds"]])
        return empty()

    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    running = await app.create_server(
        host="127.0.0.1",
        port=order["port"],
        return_asyncio_server=True,
        access_log=False,
        # As Sanic itself does it, nobody can call before the listeners of the start are through.
        asyncio_server_kwargs={"start_serving": False},
    )
    await running.startup()
    await running.before_start()
    await running.start_serving()
    await running.after_start()
    await _wait(stop, parent=os.getppid())
    await running.before_stop()
    await running.close()
    await running.after_stop()


async def _wait(stop: asyncio.Event, *, parent: int) -> None:
    while os.getppid() == parent:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stop.wait(), 1)
            return


class Words(logging.Formatter):
    """Event and data, so that a failing test can tell what happened."""

    def format(self, record: logging.LogRecord) -> str:
        usual = vars(logging.makeLogRecord({}))
        data = {name: value for name, value in vars(record).items() if name not in usual}
        return f"{time.monotonic():.3f} {record.levelname} {super().format(record)} {data}"


def main() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(Words())
    logging.basicConfig(handlers=[handler])
    fork_for_each_line(run)


if __name__ == "__main__":
    main()
