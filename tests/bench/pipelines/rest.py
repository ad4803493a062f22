"""A server with Rasa's own REST channel, to compare how fast it starts."""

from __future__ import annotations

from rasa.core.channels.channel import register
from rasa.core.channels.rest import RestInput
from sanic import Sanic


def prepare(app: Sanic) -> None:
    register([RestInput()], app, route="/webhooks/")
