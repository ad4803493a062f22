"""A bot of rules, trained within seconds: it remembers a note, orders, and fetches a person."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from aiohttp import web
from support.bot import write

INTENTS: Final = {
    "note": "note",
    "recall": "recall",
    "order": "order",
    "human": "human",
    "break": "break",
}
RULES: Final = {
    "note": ["utter_noted"],
    "recall": ["utter_recall"],
    "order": ["utter_moment", "action_order", "utter_done"],
    "human": ["utter_human", "action_human"],
    "break": ["utter_moment"],
}
RESPONSES: Final = {
    "utter_noted": "Noted.",
    "utter_recall": "You said: {heard}",
    "utter_moment": "One moment",
    "utter_done": "Done.",
    "utter_human": "Somebody comes.",
}


def write_bot(folder: Path) -> None:
    shutil.copy(Path(__file__).with_name("fragile.py"), folder)
    pipeline = [{"name": "KeywordIntentClassifier"}, {"name": "fragile.Fragile"}]
    config = {
        "recipe": "default.v1",
        "assistant_id": "small",
        "language": "en",
        "pipeline": pipeline,
        "policies": [{"name": "RulePolicy"}],
    }
    write(folder / "config.yml", config)
    nlu = [{"intent": name, "examples": f"- {text}\n"} for name, text in INTENTS.items()]
    rules = [
        {"rule": name, "steps": [{"intent": name}, *({"action": step} for step in steps)]}
        for name, steps in RULES.items()
    ]
    write(folder / "data" / "all.yml", {"version": "3.1", "nlu": nlu, "rules": rules})
    heard = {
        "type": "text",
        "influence_conversation": False,
        "mappings": [{"type": "from_text", "intent": "note"}],
    }
    domain = {
        "version": "3.1",
        "intents": [*INTENTS],
        "slots": {"heard": heard},
        "actions": ["action_order", "action_human"],
        "responses": {name: [{"text": text}] for name, text in RESPONSES.items()},
        "session_config": {"session_expiration_time": 0, "carry_over_slots_to_new_session": True},
    }
    write(folder / "domain.yml", domain)


class ActionServer:
    """Runs the two actions of the bot; may be closed, and opened again at the same port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.orders: list[str] = []  # who ordered
        self._runner: web.AppRunner | None = None

    async def open(self) -> None:
        app = web.Application(client_max_size=2**24)
        app.router.add_post("/webhook", self._run)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _run(self, request: web.Request) -> web.Response:
        # Rasa packs the body, and says so.
        call: dict[str, Any] = json.loads(await request.read())
        if call["next_action"] == "action_human":
            return web.json_response({"events": [{"event": "pause"}], "responses": []})
        self.orders.append(call["sender_id"])
        return web.json_response({"events": [], "responses": [{"text": "Ordered."}]})


@asynccontextmanager
async def action_server(port: int) -> AsyncIterator[ActionServer]:
    server = ActionServer(port)
    await server.open()
    try:
        yield server
    finally:
        await server.close()
