"""How long bodies of 3 MB and texts of 200 kB take: real ones, and ones made to hurt."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from typing import Final

from bench.bench import Bench
from bench.goals import Row, below

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.inbound.sanitize import sanitize
from rasa_whatsapp_channel.inbound.turn import to_turn
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.events import InboundMessage
from rasa_whatsapp_channel.whatsapp.limits import WEBHOOK_BYTES
from rasa_whatsapp_channel.whatsapp.webhook import read

SIZE: Final = WEBHOOK_BYTES
SLOWEST: Final = 3  # that the table names
LONG: Final = 200_000
# Each is repeated: marks of Markdown, alone and nested; what may end a sentence; and characters
# that are put together of several.
PATTERNS: Final = (
    *("*", "_", "~", "`", "**_", "*[*", "![](", "[](", "[", "](", "|", "<a:", "\\", "> ", "- [ ] "),
    *("```\n", "# a\n", "|a|\n|-|\n", "'", ")", ". ", "\u3002", "\n ", "\u2028", "https://a/ "),
    *("\U0001f1e9\U0001f1ea", "\U0001f600", "\u0301", "\u0327\u0301", "\u202e", "\u200d\U0001f600"),
)


async def rows(bench: Bench) -> AsyncIterator[Row]:
    spent, beside, most = {}, {}, {}
    for name, body in (*real(), *broken(), *crowded()):
        if len(body) > SIZE:
            raise ValueError(f"{name}: {len(body)} bytes are more than a webhook may have")
        bench.say(f"hostile webhooks: {name}")
        times = 1 if bench.size.quick else 3
        spent[name] = 1000 * fastest(handle, body, times)
        beside[name] = 1000 * fastest(load, body, times)
        most[name] = peak(body)
    slowest = sorted(spent, key=lambda name: -spent[name])[:SLOWEST]
    yield Row(
        f"reading the slowest of {len(spent)} webhooks of 3 MB",
        spent[slowest[0]],
        "json.loads of it",
        beside[slowest[0]],
        "ms",
        below(100),
        "; ".join(f"{name}: {spent[name]:.0f} ms" for name in slowest),
    )
    largest = max(most, key=lambda name: most[name])
    yield Row(
        "memory for the largest of them", most[largest], "its size", 3.0, "MB", below(64), largest
    )

    yield written(bench)


def written(bench: Bench) -> Row:
    """How long the slowest text takes to become messages, beside one of the same size that is."""
    spent = {}
    for pattern in PATTERNS:
        bench.say(f"hostile texts: {pattern!r}")
        text = ("**a** " + pattern * LONG)[:LONG]
        spent[pattern] = 1000 * fastest(answer, text, 1)
    slowest = sorted(spent, key=lambda pattern: -spent[pattern])[:SLOWEST]
    return Row(
        f"composing the slowest of {len(spent)} texts of 200 kB, and reading it",
        spent[slowest[0]],
        "words of that size",
        1000 * fastest(answer, ("two words. " * LONG)[:LONG], 1),
        "ms",
        below(1000),
        "; ".join(f"{pattern!r}: {spent[pattern]:.0f} ms" for pattern in slowest),
    )


def answer(text: str) -> None:
    """Compose a response that says and offers *text*, and hear it typed."""
    compose({"text": text}, api=CLOUD)
    compose({"text": "So?", "buttons": [{"title": text, "payload": text}]}, api=CLOUD)
    sanitize(text, ["/restart"])


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


def fastest(work: Callable[[bytes], object], body: bytes, times: int) -> float:
    """Return the least processor time that it took, in seconds."""
    best = float("inf")
    for _ in range(times):
        begin = time.thread_time()
        work(body)
        best = min(best, time.thread_time() - begin)
    return best


def load(body: bytes) -> None:
    with suppress(ValueError, RecursionError):
        json.loads(body)


def peak(body: bytes) -> float:
    """Return the most memory that handling took, in MB."""
    tracemalloc.start()
    handle(body)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 2**20
