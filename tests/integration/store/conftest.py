from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from support.redis_server import RedisServer

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


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for all tests that only need some; `redis_url` is a store of their own in it."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_url(shared_redis: RedisServer) -> str:
    return f"{shared_redis.url}?name={uuid4().hex}"


@pytest.fixture(params=["memory", "sqlite", "redis"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    urls = {"memory": "memory:", "sqlite": f"sqlite:///{tmp_path}/whatsapp.db"}
    return urls.get(request.param) or request.getfixturevalue("redis_url")


@pytest.fixture
async def store(store_url: str, clock: Clock) -> AsyncIterator[Store]:
    async with open_store(store_url, clock=clock) as opened:
        yield opened


@pytest.fixture
async def another(store: Store, store_url: str, clock: Clock) -> AsyncIterator[Store]:
    """What another process has of the same store."""
    if store_url == "memory:":
        pytest.skip("a store in memory belongs to one process")
    async with open_store(store_url, clock=clock) as opened:
        yield opened


@pytest.fixture
def queue(store: Store) -> Queue:
    return store.inbox
