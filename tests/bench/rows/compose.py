"""Composing one response: Rasa's dict → what goes into the outbox, beside `json.dumps` of that."""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from statistics import median
from typing import Any, Final

from bench.bench import Bench
from bench.goals import Row, at_most

from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.garbage_collection import leave_out_loaded
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

Response = dict[str, Any]
COMPOSER: Final = Composer(CLOUD)  # one for each process, as in a server
SAMPLED: Final = 2.0  # seconds
BLOCKS: Final = 40  # each once with ours and once with json

# As Rasa hands them over: every key of a response is there.
RASA: Final = dict.fromkeys(
    ("text", "elements", "quick_replies", "buttons", "attachment", "image", "custom")
)


def text(number: int) -> Response:
    return {"text": f"Thank you, Ada. Your order {number} leaves our house today."}


def markdown(number: int) -> Response:
    return {
        "text": f"## Order {number}\n\nIt holds **three things**:\n\n- a [map](https://lake.example"
        f"/{number})\n- *two* keys\n- ~~one~~ no boat\n\nCall `+49 151 {number}` for **more**."
    }


def media(number: int) -> Response:
    attachment = {"type": "document", "link": f"https://lake.example/{number}.pdf"}
    return {"text": f"Your invoice {number}", "attachment": {**attachment, "filename": "i.pdf"}}


def buttons(number: int) -> Response:
    choices = [("The lake", "/ask_picture"), ("The guide", "/ask_guide"), ("The house", "/house")]
    return {
        "text": f"Welcome, number {number}. What would you like to see?",
        "buttons": [{"title": title, "payload": payload} for title, payload in choices],
    }


def carousel(number: int) -> Response:
    return {
        "elements": [
            {
                "title": f"Room {room}",
                "subtitle": f"Free on day {number}",
                "image_url": f"https://lake.example/{room}.jpg",
                "buttons": [{"title": "Book", "payload": f"/book{room}"}],
            }
            for room in range(5)
        ]
    }


KINDS: Final[dict[str, Callable[[int], Response]]] = {
    "a text": text,
    "Markdown, seen for the first time": markdown,
    "text and document": media,
    "text and three buttons": buttons,
    "carousel of five cards": carousel,
}

PROFILED: Final = (markdown, media)


async def rows(bench: Bench) -> AsyncIterator[Row]:
    count = 20 if bench.size.quick else 100
    leave_out_loaded()  # as in a server
    for name, make in KINDS.items():
        bench.say(f"composing: {name}")
        ours, beside = measure(make, count)
        # Beside a turn of Rasa it counts, see `rasa`: a text is seen for the first time once.
        goal = None if make is markdown else at_most(20.0)
        yield Row(f"composing {name}", ours, "json.dumps of its body", beside, "µs", goal)
        if make in PROFILED:
            work = partial(compose_for_a_while, make)
            await bench.profile(f"composing {name}", os.getpid(), ours / 1000, work)


async def compose_for_a_while(make: Callable[[int], Response]) -> None:
    responses = _responses(make)
    end = time.monotonic() + SAMPLED
    while time.monotonic() < end:
        body(next(responses))


def measure(make: Callable[[int], Response], count: int) -> tuple[float, float]:
    """Return the medians for one response, and for its body as JSON, in microseconds."""
    responses = _responses(make)
    ours, beside = [], []
    for _ in range(BLOCKS):
        block = [next(responses) for _ in range(count)]
        # Processor time: a block of ours is long enough for others to come in between.
        begin = time.thread_time()
        bodies = [body(response) for response in block]
        ours.append((time.thread_time() - begin) / count)
        begin = time.thread_time()
        for each in bodies:
            json.dumps(each)
        beside.append((time.thread_time() - begin) / count)
    return median(ours) * 1e6, median(beside) * 1e6


def body(response: Response) -> list[dict[str, Any]]:
    """What `OutboxWriter.write` does with a response before it goes into the outbox."""
    composed = COMPOSER.compose(response)
    return [outgoing.body() for outgoing in composed.messages]


def _responses(make: Callable[[int], Response]) -> Iterator[Response]:
    number = 0
    while True:
        number += 1
        yield {**RASA, **make(number), "utter_action": "utter_bench"}
