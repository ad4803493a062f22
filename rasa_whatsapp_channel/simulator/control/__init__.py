"""
Control API (``/simulator``) for the page and tests.

Errors are not in the platform's format: ``{"error": "a sentence"}`` with a fitting HTTP status.
"""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from rasa_whatsapp_channel.simulator.control.account_routes import account_routes
from rasa_whatsapp_channel.simulator.control.chat_routes import chat_routes
from rasa_whatsapp_channel.simulator.control.clock_routes import clock_routes
from rasa_whatsapp_channel.simulator.control.fault_routes import fault_routes
from rasa_whatsapp_channel.simulator.control.live_routes import live_routes
from rasa_whatsapp_channel.simulator.control.owner_routes import owner_routes
from rasa_whatsapp_channel.simulator.control.people_routes import people_routes
from rasa_whatsapp_channel.simulator.control.state_routes import state_routes
from rasa_whatsapp_channel.simulator.control.webhook_routes import webhook_routes
from rasa_whatsapp_channel.simulator.world import World


def control_routes(world: World) -> Iterator[web.RouteDef]:
    yield from state_routes(world)
    yield from live_routes(world)
    yield from webhook_routes(world)
    yield from clock_routes(world)
    yield from fault_routes(world)
    yield from account_routes(world)
    yield from people_routes(world)
    yield from chat_routes(world)
    yield from owner_routes(world)
