"""A disk that is really full: what came in, what is made to fit, and the store."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.full_disk import fill, small_disk
from support.quiet_client import QuietClient

from rasa_whatsapp_channel.inbound.worker import InboxWorker
from rasa_whatsapp_channel.media.convert.converter import Converter
from rasa_whatsapp_channel.media.convert.plan import Need
from rasa_whatsapp_channel.media.folder import MediaFolder
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.whatsapp.clients import Download
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, to_body

PHONE = "4915112345678"
PHOTO = b"\xff\xd8\xff" + b"p" * 600_000


class Shelf(QuietClient):
    """Holds one photo."""

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Download]:
        yield Download("image/jpeg", len(PHOTO), self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(PHOTO), 65_536):
            yield PHOTO[start : start + 65_536]

    def download(self, media_id: str, *, url: str | None = None) -> Any:
        return self._open()


async def hear(media: MediaFolder, number: int) -> dict[str, Any]:
    """Return what the bot reads of a photo that somebody sends."""
    turns = []

    async def bot(turn: Any, *, repeated: bool) -> None:
        turns.append(turn)

    async def sleep(seconds: float) -> None:
        pass

    event = InboundMessage(
        f"wamid.{number}", "image", phone=PHONE, content={"id": "1003", "mime_type": "image/jpeg"}
    )
    async with open_store("memory:") as store:
        worker = InboxWorker(
            Shelf(), store, bot, media=media, mark_read=False, typing=False, sleep=sleep
        )
        await store.inbox.put(event.id, PHONE, to_body(event))
        item = await store.inbox.claim()
        assert item is not None
        await worker.handle(item)
    [turn] = turns
    part: dict[str, Any] = turn.metadata["whatsapp"]["image"]
    return part


async def test_a_photo_that_finds_no_room_starts_the_turn_without_it_and_says_so(tmp_path):
    with small_disk(tmp_path / "disk", 700) as disk:
        media = MediaFolder(disk / "received", Shelf(), max_bytes=1_000_000)
        ballast = fill(disk)

        without = await hear(media, 1)
        left = [path for path in disk.rglob("*") if path.is_file()]
        ballast.unlink()
        with_it = await hear(media, 2)

        assert without["path"] is None
        assert "No space left on device" in without["problem"]
        assert left == [ballast]
        assert "problem" not in with_it
        with open(with_it["path"], "rb") as file:  # noqa: PTH123, ASYNC230
            assert file.read() == PHOTO


async def test_a_photo_for_which_the_room_ends_midway_leaves_nothing_behind(tmp_path):
    with small_disk(tmp_path / "disk", 300) as disk:
        media = MediaFolder(disk / "received", Shelf(), max_bytes=1_000_000)

        without = await hear(media, 1)

        assert "No space left on device" in without["problem"]
        assert [path for path in disk.rglob("*") if path.is_file()] == []


async def test_a_picture_is_made_to_fit_when_there_is_room_again(tmp_path):
    pillow = pytest.importorskip("PIL.Image", reason="nothing converts pictures here")
    source = tmp_path / "lake.bmp"
    pillow.effect_noise((300, 300), 90).save(source)
    content = source.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    with small_disk(tmp_path / "disk", 400) as disk:
        converter = Converter(disk / "made")
        ballast = fill(disk)

        with pytest.raises(MediaError, match="No space left on device"):
            await converter.fit(source, digest, Need("image"), "image/bmp")
        ballast.unlink()
        made = await converter.fit(source, digest, Need("image"), "image/bmp")

        with pillow.open(made) as picture:
            assert picture.size == (300, 300)
        assert [path.name for path in (disk / "made").iterdir()] == [made.name]
    assert source.read_bytes() == content


async def test_the_store_keeps_what_it_took_and_goes_on_when_there_is_room(tmp_path):
    with small_disk(tmp_path / "disk", 1500) as disk:
        async with open_store(f"sqlite:///{disk / 'whatsapp.db'}") as store:
            ballast = disk / "ballast"
            ballast.write_bytes(b"x" * 400_000)
            kept, refusal = 0, ""
            while not refusal:
                try:
                    await store.inbox.put(f"k{kept}", f"{kept}", {"text": "x" * 5000})
                    kept += 1
                except StoreError as error:
                    refusal = str(error)
            ballast.unlink()

            await store.inbox.put("after", "after", {})

            assert "make room" in refusal or "may be full" in refusal
            assert kept > 10
            assert (await store.inbox.depth()).waiting == kept + 1
        async with open_store(f"sqlite:///{disk / 'whatsapp.db'}") as again:
            assert (await again.inbox.depth()).waiting == kept + 1
