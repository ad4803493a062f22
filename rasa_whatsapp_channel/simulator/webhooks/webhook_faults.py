"""Webhook faults: duplicated, repeated, delayed, reordered and batched webhooks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

LONGEST_HOLD: Final = 1.5  # seconds until an incomplete batch is sent

Accepted = Callable[[], None]


@dataclass(frozen=True)
class QueuedWebhook:
    """A body to deliver; bodies with the same *key* in order, after *delay* seconds."""

    key: str
    body: Mapping[str, Any]
    on_accepted: Accepted | None = None
    delay: float = 0.0


def join(bodies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one body with the content of all, in either format."""
    first, *_ = bodies
    if "entry" in first:
        changes = [change for body in bodies for change in body["entry"][0]["changes"]]
        return {**first, "entry": [{**first["entry"][0], "changes": changes}]}
    keys = dict.fromkeys(key for body in bodies for key in body)
    return {key: [item for body in bodies for item in body.get(key, ())] for key in keys}


class WebhookFaults:
    """Applies faults to webhooks; *send* delivers the result."""

    def __init__(self, send: Callable[[QueuedWebhook], None]) -> None:
        self._send = send
        self._held: list[QueuedWebhook] = []
        #: place → size and content
        self._batches: dict[str, tuple[int, list[QueuedWebhook]]] = {}
        self._timers: set[asyncio.TimerHandle] = set()

    def put(self, place: str, queued: QueuedWebhook, fault: tuple[str, Any] | None) -> None:
        """Send *queued* as *fault* demands."""
        if place in self._batches:
            self._add_to_batch(place, queued)
            return
        match fault:
            case "batch", size:
                self._batches[place] = int(size), []
                self._later(lambda: self._end_batch(place))
                self._add_to_batch(place, queued)
            case "reorder", _:
                self._held.append(queued)
                self._later(self._release)
            case "duplicate", copies:
                for _ in range(int(copies) + 1):
                    self._pass_on(queued)
            case "again", seconds:
                self._pass_on(queued)
                # With its own key: later webhooks do not wait for it.
                self._send(QueuedWebhook(f"{queued.key}/again", queued.body, None, float(seconds)))
            case "delay", seconds:
                late = QueuedWebhook(queued.key, queued.body, queued.on_accepted, float(seconds))
                self._pass_on(late)
            case _:
                self._pass_on(queued)

    def clear(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._held.clear()
        self._batches.clear()

    def _pass_on(self, queued: QueuedWebhook) -> None:
        self._send(queued)
        self._release()

    def _release(self) -> None:
        held, self._held = self._held, []
        for queued in held:
            self._send(queued)

    def _add_to_batch(self, place: str, queued: QueuedWebhook) -> None:
        size, queued_webhooks = self._batches[place]
        queued_webhooks.append(queued)
        if len(queued_webhooks) >= size:
            self._end_batch(place)

    def _end_batch(self, place: str) -> None:
        _, queued_webhooks = self._batches.pop(place, (0, []))
        if not queued_webhooks:
            return

        def all_accepted() -> None:
            for queued in queued_webhooks:
                if queued.on_accepted is not None:
                    queued.on_accepted()

        body = join([queued.body for queued in queued_webhooks])
        self._pass_on(QueuedWebhook(queued_webhooks[0].key, body, all_accepted))

    def _later(self, act: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._timers = {timer for timer in self._timers if timer.when() > loop.time()}
        self._timers.add(loop.call_later(LONGEST_HOLD, act))
