"""
What `faults` do to webhooks: twice, again later, late, the wrong way round, several in one, never.

What waits for company does not wait for ever: after `PATIENCE` seconds it goes as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

PATIENCE: Final = 1.5

Accepted = Callable[[], None]


@dataclass(frozen=True)
class QueuedWebhook:
    """A body on its way, in its *lane*; *delay* are seconds to wait before it goes."""

    lane: str
    body: Mapping[str, Any]
    taken: Accepted | None = None
    delay: float = 0.0


def join(bodies: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return one body that holds all of them, in either shape."""
    first, *_ = bodies
    if "entry" in first:
        changes = [change for body in bodies for change in body["entry"][0]["changes"]]
        return {**first, "entry": [{**first["entry"][0], "changes": changes}]}
    keys = dict.fromkeys(key for body in bodies for key in body)
    return {key: [item for body in bodies for item in body.get(key, ())] for key in keys}


class WebhookFaults:
    """Holds back what a rule wants held back; *send* takes what goes on."""

    def __init__(self, send: Callable[[QueuedWebhook], None]) -> None:
        self._send = send
        self._held: list[QueuedWebhook] = []
        self._batches: dict[
            str, tuple[int, list[QueuedWebhook]]
        ] = {}  # place → how many, and which
        self._timers: set[asyncio.TimerHandle] = set()

    def put(self, place: str, queued: QueuedWebhook, fault: tuple[str, Any] | None) -> None:
        """Send *queued* on as *fault* says."""
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
                # Beside the lane: what comes behind does not wait for it.
                self._send(QueuedWebhook(f"{queued.lane}/again", queued.body, None, float(seconds)))
            case "delay", seconds:
                late = QueuedWebhook(queued.lane, queued.body, queued.taken, float(seconds))
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

        def all_taken() -> None:
            for queued in queued_webhooks:
                if queued.taken is not None:
                    queued.taken()

        body = join([queued.body for queued in queued_webhooks])
        self._pass_on(QueuedWebhook(queued_webhooks[0].lane, body, all_taken))

    def _later(self, act: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        self._timers = {timer for timer in self._timers if timer.when() > loop.time()}
        self._timers.add(loop.call_later(PATIENCE, act))
