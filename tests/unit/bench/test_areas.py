"""Which part of the program a sampled stack was in."""

from __future__ import annotations

import pytest
from bench.areas import LOOP, area_of, shares

SERVER = ["<module> (rasa/__main__.py:9)", "serve (sanic/server/runners.py:5)"]


@pytest.mark.parametrize(
    ("frames", "area"),
    [
        ([], LOOP),
        (["_run_once (asyncio/base_events.py:1909)"], LOOP),
        (["http1 (sanic/http.py:127)"], "Sanic"),
        (["connection_task (connection_task:1)", "handle_request (handle_request:70)"], "Sanic"),
        (["receive (rasa_whatsapp_channel/channel.py:190)"], "channel: the rest"),
        (["put (rasa_whatsapp_channel/store/sqlite/queue.py:3)"], "channel: store, queues"),
        (["compose (rasa_whatsapp_channel/compose/__init__.py:3)"], "channel: composing"),
        (["handle (rasa_whatsapp_channel/outbound/sender.py:3)"], "channel: outbound"),
        (["_work (rasa_whatsapp_channel/store/consumer.py:9)", "m (rasa/core/agent.py:1)"], "Rasa"),
        (["m (rasa/core/agent.py:1)", "bmat (scipy/sparse/_construct.py:1)"], "Rasa"),
        (["send (rasa_whatsapp_channel/whatsapp/x.py:1)", "get (aiohttp/client.py:1)"], "aiohttp"),
    ],
)
def test_a_stack_belongs_to_the_innermost_part_that_is_known(frames, area):
    assert area_of([*SERVER, *frames]) == area


def test_a_constructor_belongs_to_whoever_called_it():
    frames = ["parse (rasa_whatsapp_channel/whatsapp/event_parser.py:1)", "__init__ (<string>:3)"]

    assert area_of(frames) == "channel: WhatsApp's bodies, webhooks, errors"


def test_shares_are_of_all_samples_and_the_largest_comes_first():
    stacks = [
        "http1 (sanic/http.py:1) 1",
        "m (rasa/core/agent.py:1);x (numpy/core.py:2) 5",
        "m (rasa/core/agent.py:2) 2",
    ]

    assert list(shares(stacks).items()) == [("Rasa", 0.875), ("Sanic", 0.125)]
