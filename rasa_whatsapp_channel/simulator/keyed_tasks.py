"""Keyed tasks: jobs of the same key run in order, those of different keys concurrently."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

Job = Callable[[], Awaitable[None]]


class KeyedTasks:
    def __init__(self) -> None:
        self._waiting: dict[str, deque[Job]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def put(self, key: str, job: Job) -> None:
        """Run *job* after all earlier ones of *key*."""
        self._waiting.setdefault(key, deque()).append(job)
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._run(key))

    async def close(self) -> None:
        """Drop waiting jobs and cancel running ones."""
        tasks = list(self._tasks.values())
        self._waiting.clear()
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, key: str) -> None:
        jobs = self._waiting[key]
        while jobs:
            job = jobs.popleft()
            try:
                await job()
            except Exception as error:
                # A failed job must not block the next ones.
                logger.exception("simulator.job_failed: %s: %s", type(error).__name__, error)
        # No await since the last check of the queue: no job was added meanwhile.
        self._waiting.pop(key, None)
        self._tasks.pop(key, None)
