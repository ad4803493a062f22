"""
A connector the way the best-known one for Rasa is built: heyoo, which posts with `requests`.

The call blocks the server until WhatsApp has answered, and opens a connection each time.
"""

from __future__ import annotations

from sanic import Sanic
from sanic import response as http
from sanic.request import Request
from sanic.response import HTTPResponse


def prepare(app: Sanic, *, url: str, token: str, number: str) -> None:
    from heyoo import WhatsApp  # only where the bench is at home

    client = WhatsApp(token, phone_number_id=number)
    client.url = url  # heyoo knows no other host than Meta's

    @app.get("/webhooks/whatsapp/")
    async def health(_request: Request) -> HTTPResponse:
        return http.json({"status": "ok"})

    @app.post("/webhooks/whatsapp/webhook")
    async def webhook(request: Request) -> HTTPResponse:
        message = request.json["entry"][0]["changes"][0]["value"]["messages"][0]
        client.send_message(message["text"]["body"], message["from"])
        return http.text("ok")
