"""Incoming files in an object store, here one inside of this process."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import date

import pytest

from rasa_whatsapp_channel.media.object_store import MediaObjectStore
from rasa_whatsapp_channel.media.values import InboundMedia
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.whatsapp.clients.base import Download
from rasa_whatsapp_channel.whatsapp.errors import MediaError

fsspec = pytest.importorskip("fsspec")

LAKE = b"\xff\xd8\xff" + b"lake" * 1000


class Shelf:
    """What a client has to be for this: it hands out one file."""

    @asynccontextmanager
    async def download(self, media_id, *, url=None):
        yield Download("image/jpeg", len(LAKE), self._chunks())

    async def _chunks(self):
        yield LAKE


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def make(url="memory://whatsapp", **options):
    options = {"max_bytes": 10_000, "today": lambda: date(2026, 3, 10), **options}
    return MediaObjectStore(url, Shelf(), **options)


async def test_a_file_is_put_there_and_its_address_is_told(memory):
    stored = await make().fetch(InboundMedia("image", "1037", mime_type="image/jpeg"))

    assert stored.path == "memory://whatsapp/2026-03-10/1037.jpg"
    assert memory.cat("/whatsapp/2026-03-10/1037.jpg") == LAKE
    assert (stored.size, stored.mime_type) == (len(LAKE), "image/jpeg")


async def test_what_arrives_damaged_is_not_put_there(memory):
    with pytest.raises(MediaError, match="arrived damaged"):
        await make().fetch(InboundMedia("image", "1037", sha256="0" * 64))

    assert memory.find("/") == []


async def test_a_store_that_takes_nothing_is_said(memory):
    memory.pipe("/whatsapp", b"a file where a folder should be")

    with pytest.raises(MediaError, match="cannot be written"):
        await make().fetch(InboundMedia("image", "1037"))


@pytest.mark.parametrize("url", ["nothing://bucket", "hdfs://bucket/a"])
def test_a_store_that_cannot_be_opened_is_said_at_the_start(url):
    with pytest.raises(SettingsError, match=f"'media.store': {url} cannot be opened"):
        make(url)


async def test_where_no_temporary_file_can_be_written_it_is_tried_again(memory, no_room):
    with pytest.raises(MediaError, match="a folder for it cannot be made") as caught:
        await make().fetch(InboundMedia("image", "1037"))

    assert caught.value.passing
