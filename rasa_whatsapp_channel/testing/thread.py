"""
Loop thread: an event loop in a thread of its own.

Simulator and bot live there for a whole session, whatever loops the tests have; and tests that are
not async can use them too.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")


class LoopThread:
    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="whatsapp-testing", daemon=True
        )
        self._thread.start()

    def start(self, coroutine: Coroutine[Any, Any, Result]) -> Future[Result]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run *coroutine* to its end while the caller waits."""
        return self.start(coroutine).result()

    async def wait(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run *coroutine* there, and await it here."""
        return await asyncio.wrap_future(self.start(coroutine))

    def close(self) -> None:
        self.run(self._loop.shutdown_default_executor())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
