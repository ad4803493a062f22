"""A store in a file, and the clock that is set by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from support.desk import Clock
from support.one_chat import OneChat

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import Store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def store(clock: Clock, tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(f"sqlite:///{tmp_path}/whatsapp.db", clock=clock) as store:
        yield store


@pytest.fixture
def chat(store: Store, clock: Clock, tmp_path: Path) -> OneChat:
    return OneChat(store, clock, tmp_path)
