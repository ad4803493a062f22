"""
Who still lives: a process keeps what it claimed as long as its heart beats.

Each process that claims entries counts up a number of its own in the store, once a second, from a
thread: a busy event loop (a synchronous action, a model that is loaded) does not stop it. Each also
looks at the numbers of the others. One that was the same in so many looks in a row belongs to a
process that died, and what it had claimed is ready again.

Looks are counted, not seconds. So it does not matter what the clocks say, whether the store was
away meanwhile (nobody could look, nobody counts as silent), or whether all processes were suspended
together.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from rasa_whatsapp_channel.store.errors import StoreError

logger = logging.getLogger(__name__)

INTERVAL: Final = 1.0  # seconds between two beats
LOOKS: Final = 10  # in a row that find a process silent before it counts as dead
# Seconds within which a claim of a process that died comes back, when others look.
LEASE: Final = INTERVAL * LOOKS


class Liveness:
    """What one process has seen of the others, without I/O."""

    def __init__(self, own: str, *, looks: int = LOOKS) -> None:
        self._own = own
        self._looks = looks
        self._seen: dict[str, tuple[int, int]] = {}  # claimant → its number, looks that found it

    def look(self, beats: Mapping[str, int]) -> Mapping[str, int]:
        """Return those of *beats* (claimant → its number) that count as dead."""
        self._seen = {
            claimant: (number, self._count(claimant, number))
            for claimant, number in beats.items()
            if claimant != self._own
        }
        return {
            claimant: number
            for claimant, (number, looks) in self._seen.items()
            if looks > self._looks
        }

    def _count(self, claimant: str, number: int) -> int:
        before, looks = self._seen.get(claimant, (None, 0))
        return looks + 1 if before == number else 1


class Heartbeat:
    """
    The thread that calls *beat* until it is stopped. *beat* may raise `StoreError`.

    It is a daemon: a process that ends without `stop` is a process that died.
    """

    def __init__(self, beat: Callable[[], None], *, interval: float = INTERVAL) -> None:
        self._beat = beat
        self._interval = interval
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_started(self) -> bool:
        return self._thread is not None

    def start(self) -> None:
        thread = threading.Thread(target=self._run, name="whatsapp heartbeat", daemon=True)
        thread.start()
        self._thread = thread

    def stop(self) -> None:
        """Return when no beat is under way any more. Blocks for as long as one may take."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                self._beat()
            except StoreError as error:
                # The event loop meets the same failure, and says so where people look.
                logger.debug("whatsapp.heartbeat_failed: %s", error)
            except Exception as error:  # a heart that stops would cost us all that is in hand
                logger.exception("whatsapp.heartbeat_failed: %s: %s", type(error).__name__, error)
