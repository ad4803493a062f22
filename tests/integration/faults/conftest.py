"""The channel, and a platform that can be in trouble."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from support.cloud_api import CloudApi, cloud_api


@pytest_asyncio.fixture
async def platform() -> AsyncIterator[tuple[CloudApi, str]]:
    async with cloud_api() as api:
        yield api, api.url


@pytest.fixture
def api(platform: tuple[CloudApi, str]) -> CloudApi:
    return platform[0]
