"""Sampled stacks → which part of the program they were in. Decides only."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

LOOP: Final = "event loop, tasks, timers"
# Found in a frame from the innermost on: what json or sqlite3 does belongs to whoever asked.
AREAS: Final[Mapping[str, str]] = {
    "rasa_whatsapp_channel/store/": "channel: store, queues",
    "rasa_whatsapp_channel/inbound/": "channel: inbound",
    "rasa_whatsapp_channel/compose/": "channel: composing",
    "rasa_whatsapp_channel/outbound/": "channel: outbound",
    "rasa_whatsapp_channel/media/": "channel: media",
    "rasa_whatsapp_channel/whatsapp/": "channel: WhatsApp's bodies, webhooks, errors",
    "rasa_whatsapp_channel/": "channel: the rest",
    "markdown_it/": "markdown-it",
    "prometheus_client/": "prometheus-client",
    "aiohttp/": "aiohttp",
    "sanic": "Sanic",
    "rasa/": "Rasa",
}
# Under these frames is how the server was started, which is part of every stack.
ROOTS: Final = ("serve (sanic/server/runners.py", "run (rasa_whatsapp_channel/server.py")
_FRAME: Final = re.compile(r"(.+) \((.+?)(?::\d+)?\)\Z")


def shares(stacks: Iterable[str]) -> dict[str, float]:
    """
    Return the share of each area, the largest first.

    *stacks* are folded: frames from the outermost to the innermost between semicolons, each a name
    and its file in brackets, and behind a blank the number of samples.
    """
    counted: Counter[str] = Counter()
    for line in stacks:
        frames, _, count = line.rpartition(" ")
        counted[area_of(frames.split(";"))] += int(count)
    total = counted.total()
    return {area: count / total for area, count in counted.most_common()}


def area_of(frames: list[str]) -> str:
    begin = max((n + 1 for n, frame in enumerate(frames) if frame.startswith(ROOTS)), default=0)
    for frame in reversed(frames[begin:]):
        found = _FRAME.match(frame)
        if found is None:
            continue
        name, file = found.groups()
        if name == file:  # compiled from a text, as Sanic does with its handlers
            return AREAS["sanic"]
        for part, area in AREAS.items():
            if file.startswith(part):
                return area
    return LOOP
