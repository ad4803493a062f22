"""A store in memory, and the clock that is set by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.desk import Clock

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def store(clock: Clock) -> AsyncIterator[Store]:
    async with open_store("memory:", clock=clock) as store:
        yield store
