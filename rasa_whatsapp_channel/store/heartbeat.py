"""
Heartbeat: a process keeps its claims as long as it increments its counter in the store.

Each process that claims items increments a counter of its own in the store once a second, from a
thread, so that a busy event loop (a synchronous action, a model being loaded) does not stop it. It
also reads the counters of the other processes. A counter that is unchanged in LOOKS reads in a row
belongs to a process that died, and its claims become ready again.

Reads are counted, not seconds. So neither the clocks matter, nor an outage of the store (nobody
reads, nobody counts as dead), nor a suspension of all processes together.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Final

from rasa_whatsapp_channel.store.base import StoreError

logger = logging.getLogger(__name__)

INTERVAL: Final = 1.0  # seconds between two beats
LOOKS: Final = 10  # reads of an unchanged counter after which its process counts as dead
# Seconds after which the claims of a dead process are ready again, while other processes run.
LEASE: Final = INTERVAL * LOOKS


class Liveness:
    """Which processes are alive, as one process sees it. No I/O."""

    def __init__(self, own: str, *, looks: int = LOOKS) -> None:
        self._own = own
        self._looks = looks
        self._seen: dict[str, tuple[int, int]] = {}  # claimant → counter, reads of it

    def look(self, beats: Mapping[str, int]) -> Mapping[str, int]:
        """Return those of *beats* (claimant → counter) that count as dead."""
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
    Thread that calls *beat* until it is stopped. *beat* may raise `StoreError`.

    It is a daemon thread: a process that ends without `stop` counts as dead.
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
        """Stop, and wait for a running beat. Blocks."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                self._beat()
            except StoreError as error:
                # The event loop meets the same failure, and logs it as an error.
                logger.debug("whatsapp.heartbeat_failed: %s", error)
            except Exception as error:  # a stopped heartbeat would lose all claims
                logger.exception("whatsapp.heartbeat_failed: %s: %s", type(error).__name__, error)
