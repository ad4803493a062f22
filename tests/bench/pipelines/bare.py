"""The least that answers: a Sanic handler that posts with aiohttp. No queue, checks or store."""

from __future__ import annotations

from typing import Any

import aiohttp
from bench.pipelines.bodies import read, text
from sanic import Sanic
from sanic import response as http
from sanic.request import Request
from sanic.response import HTTPResponse


def prepare(app: Sanic, *, url: str, token: str, receipts: bool = False) -> None:
    """*url* is where messages are posted. *receipts*: mark every message as read, too."""
    headers = {"Authorization": f"Bearer {token}"}

    @app.listener("before_server_start")
    async def open_session(app: Sanic, _loop: Any) -> None:
        app.ctx.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    @app.listener("after_server_stop")
    async def close_session(app: Sanic, _loop: Any) -> None:
        await app.ctx.session.close()

    async def post(body: dict[str, Any]) -> None:
        async with app.ctx.session.post(url, json=body, headers=headers) as answer:
            await answer.json()

    @app.get("/webhooks/whatsapp/")
    async def health(_request: Request) -> HTTPResponse:
        return http.json({"status": "ok"})

    @app.post("/nothing")
    async def nothing(_request: Request) -> HTTPResponse:
        return http.text("ok")

    @app.post("/webhooks/whatsapp/webhook")
    async def webhook(request: Request) -> HTTPResponse:
        for entry in request.json["entry"]:
            for change in entry["changes"]:
                for message in change["value"].get("messages", ()):
                    if receipts:
                        app.add_task(post(read(message["id"])))
                    await post(text(message["from"], message["text"]["body"]))
        return http.text("ok")
