"""
How long bodies of 3 MB take, and how much memory: real ones, and ones made to hurt.

    PYTHONPATH=.:tests python tests/bench/hostile_webhooks.py

Goal: under 100 ms and 64 MB each, for reading and for turning all messages into turns, on a machine
whose `json.loads` of the same body is shown beside it.
"""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import suppress

from rasa_whatsapp_channel.inbound.turn import to_turn
from rasa_whatsapp_channel.whatsapp.events import InboundMessage
from rasa_whatsapp_channel.whatsapp.limits import WEBHOOK_BYTES
from rasa_whatsapp_channel.whatsapp.webhook import read

SIZE = WEBHOOK_BYTES


def value(**parts: object) -> bytes:
    return json.dumps({"entry": [{"changes": [{"field": "messages", "value": parts}]}]}).encode()


def message(number: int, **part: object) -> dict[str, object]:
    head = {"from": "15550002222", "id": f"wamid.{number}", "timestamp": "1757000000"}
    return {**head, **(part or {"type": "text", "text": {"body": "x"}})}


def many(item: bytes, before: bytes, after: bytes) -> bytes:
    """Return as many of *item* as fit, with commas between them."""
    count = (SIZE - len(before) - len(after)) // (len(item) + 1)
    return before + b",".join([item] * count) + after


HEAD, TAIL = b'{"entry":[{"changes":[{"field":"messages","value":{', b"}}]}]}"
TEXT = b'"messages":[{"id":"1","from":"1","type":"text","text":'
CARD = {"name": {"formatted_name": "A"}, "phones": [{"phone": "1"}]}


def real() -> Iterator[tuple[str, bytes]]:
    long = [message(number, type="text", text={"body": "x" * 2500}) for number in range(1000)]
    yield "1000 messages of 2500 characters", value(messages=long)
    yield "257 contact cards", value(messages=[message(1, type="contacts", contacts=[CARD] * 257)])
    one = message(1, type="text", text={"body": "x" * (SIZE - 300)})
    yield "one text of 3 MB", value(messages=[one])


def broken() -> Iterator[tuple[str, bytes]]:
    yield "no JSON", b"x" * SIZE
    yield "opening brackets", b"[" * SIZE
    yield "opening braces", b'{"a":' * (SIZE // 5)
    yield "nested where a text is", HEAD + TEXT + b"[" * 900 + b"]" * 900 + b"}]" + TAIL
    yield "a number of 3 MB", HEAD + b'"messages":[' + b"9" * (SIZE - 200) + b"]" + TAIL
    halves = b"\\ud83d" * (SIZE // 6 - 100)
    yield "half emojis", HEAD + TEXT + b'{"body":"' + halves + b'"}}]' + TAIL


def crowded() -> Iterator[tuple[str, bytes]]:
    messages = HEAD + b'"messages":['
    yield "empty objects as messages", many(b"{}", messages, b"]" + TAIL)
    yield "numbers as messages", many(b"1", messages, b"]" + TAIL)
    yield "small messages", many(json.dumps(message(1)).encode(), messages, b"]" + TAIL)
    yield "empty objects as entries", many(b"{}", b'{"entry":[', b"]}")
    contacts = HEAD + b'"messages":[],"contacts":['
    yield "empty objects as contacts", many(b"{}", contacts, b"]" + TAIL)
    statuses = HEAD + b'"statuses":['
    yield "small statuses", many(b'{"id":"1","status":"sent"}', statuses, b"]" + TAIL)
    yield "a text of a million values", many(b"1", HEAD + TEXT + b'{"body":[', b"]}}]" + TAIL)
    keys = b",".join(b'"%d":1' % number for number in range(250_000))
    yield "a message of 250,000 keys", HEAD + b'"messages":[{' + keys + b"}]" + TAIL


def handle(body: bytes) -> int:
    events = read(body)
    for event in events:
        if isinstance(event, InboundMessage):
            to_turn(event)
    return len(events)


def fastest(work: Callable[[bytes], object], body: bytes, times: int = 3) -> float:
    best = float("inf")
    for _ in range(times):
        begin = time.perf_counter()
        work(body)
        best = min(best, time.perf_counter() - begin)
    return best


def load(body: bytes) -> None:
    with suppress(ValueError, RecursionError):
        json.loads(body)


def peak(body: bytes) -> float:
    tracemalloc.start()
    handle(body)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20


def main() -> None:
    print(f"{'body':36} {'MB':>5} {'events':>7} {'ms':>7} {'json ms':>8} {'peak MB':>8}")
    for name, body in (*real(), *broken(), *crowded()):
        assert len(body) <= SIZE, (name, len(body))
        spent, beside = fastest(handle, body), fastest(load, body)
        most = peak(body)
        note = "" if spent < 0.1 and most < 64 else "  above the goal"
        print(
            f"{name:36} {len(body) / 2**20:5.1f} {handle(body):7} {spent * 1000:7.1f} "
            f"{beside * 1000:8.1f} {most:8.1f}{note}"
        )


if __name__ == "__main__":
    main()
