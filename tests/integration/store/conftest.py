from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import Queue, Store


@dataclass
class Clock:
    """Time that stands still until a test moves it."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> AsyncIterator[Store]:
    urls = {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/whatsapp.db"}
    async with open_store(urls[request.param], clock=clock) as opened:
        yield opened


@pytest.fixture
def queue(store: Store) -> Queue:
    return store.inbox
