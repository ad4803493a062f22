"""Incoming files reach the folder whole and under names of ours, or not at all."""

from __future__ import annotations

import base64
import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from support.modes import mode_of, umask

from rasa_whatsapp_channel.media.folder import MediaFolder
from rasa_whatsapp_channel.media.names import ending
from rasa_whatsapp_channel.media.values import InboundMedia, StoredFile
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.clients.base import Client, Download, MediaInfo
from rasa_whatsapp_channel.whatsapp.errors import MediaError, TransportError
from rasa_whatsapp_channel.whatsapp.messages import Message
from rasa_whatsapp_channel.whatsapp.transport import File

private = pytest.mark.skipif(sys.platform == "win32", reason="has permissions of another kind")

PHOTO = b"\xff\xd8\xff" + b"lake" * 5000
HEX = hashlib.sha256(PHOTO).hexdigest()
BASE64 = base64.b64encode(hashlib.sha256(PHOTO).digest()).decode()


class Shelf(Client):
    """A client with one file on its shelf, handed out in chunks."""

    api = CLOUD

    def __init__(
        self,
        content: bytes = PHOTO,
        *,
        mime_type: str | None = "image/jpeg",
        size: int | None = None,
        breaks_after: int | None = None,
    ) -> None:
        self.asked: list[tuple[str, str | None]] = []
        self._content = content
        self._mime_type = mime_type
        self._size = size
        self._breaks_after = breaks_after

    def download(
        self, media_id: str, *, url: str | None = None
    ) -> AbstractAsyncContextManager[Download]:
        self.asked.append((media_id, url))
        return self._open()

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[Download]:
        yield Download(self._mime_type, self._size, self._chunks())

    async def _chunks(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._content), 4096):
            if self._breaks_after is not None and start >= self._breaks_after:
                raise TransportError("the connection broke")
            yield self._content[start : start + 4096]

    def body(
        self,
        recipient_id: str,
        message: Message,
        *,
        reply_to: str | None = None,
        callback_data: str | None = None,
    ) -> dict[str, Any]:
        raise NotImplementedError

    async def send(
        self,
        recipient_id: str,
        message: Message,
        *,
        reply_to: str | None = None,
        callback_data: str | None = None,
        note: str | None = None,
    ) -> str:
        raise NotImplementedError

    async def upload(self, file: File) -> str:
        raise NotImplementedError

    async def media_info(self, media_id: str) -> MediaInfo:
        raise NotImplementedError

    async def delete_media(self, media_id: str) -> None:
        raise NotImplementedError

    async def mark_read(self, message_id: str, *, typing: bool = False) -> None:
        raise NotImplementedError

    async def ping(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError


def folder_at(path: Path, client: Client, *, max_bytes: int = 1_000_000) -> MediaFolder:
    return MediaFolder(path, client, max_bytes=max_bytes, today=lambda: date(2026, 11, 23))


def image(**changes: Any) -> InboundMedia:
    fields = {"kind": "image", "id": "1003383421387256", "mime_type": "image/jpeg"}
    return InboundMedia(**{**fields, **changes})


def files_in(path: Path) -> list[str]:
    return sorted(file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file())


async def test_a_file_is_kept_under_its_date_and_id(tmp_path: Path) -> None:
    client = Shelf()

    stored = await folder_at(tmp_path / "media", client).fetch(image(url="https://cdn.example/1"))

    path = tmp_path / "media" / "2026-11-23" / "1003383421387256.jpg"
    assert stored == StoredFile(str(path), len(PHOTO), "image/jpeg", HEX)
    assert path.read_bytes() == PHOTO
    assert files_in(tmp_path) == ["media/2026-11-23/1003383421387256.jpg"]
    assert client.asked == [("1003383421387256", "https://cdn.example/1")]


async def test_fetching_again_leaves_one_file(tmp_path: Path) -> None:
    folder = folder_at(tmp_path, Shelf())

    assert await folder.fetch(image()) == await folder.fetch(image())
    assert files_in(tmp_path) == ["2026-11-23/1003383421387256.jpg"]


@pytest.mark.parametrize("announced", [HEX, HEX.upper(), BASE64, f" {BASE64}\n"])
async def test_the_announced_hash_is_taken_in_either_writing(
    tmp_path: Path, announced: str
) -> None:
    stored = await folder_at(tmp_path, Shelf()).fetch(image(sha256=announced))

    assert stored.sha256 == HEX


@pytest.mark.parametrize("announced", [None, "", "unknown", "é" * 40])
async def test_a_hash_that_is_none_is_not_checked(tmp_path: Path, announced: str | None) -> None:
    assert (await folder_at(tmp_path, Shelf()).fetch(image(sha256=announced))).sha256 == HEX


@pytest.mark.parametrize("announced", ["0" * 64, base64.b64encode(bytes(32)).decode(), "é" * 44])
async def test_a_damaged_file_is_not_kept(tmp_path: Path, announced: str) -> None:
    with pytest.raises(MediaError, match="arrived damaged"):
        await folder_at(tmp_path, Shelf()).fetch(image(sha256=announced))

    assert files_in(tmp_path) == []


async def test_a_file_that_says_it_is_too_large_is_not_begun(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="larger than 1000 bytes"):
        await folder_at(tmp_path, Shelf(size=1001), max_bytes=1000).fetch(image())

    assert files_in(tmp_path) == []


async def test_a_file_that_grows_too_large_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="image 1003383421387256 is larger than 9999 bytes"):
        await folder_at(tmp_path, Shelf(size=10), max_bytes=9999).fetch(image())

    assert files_in(tmp_path) == []


async def test_a_file_of_exactly_the_limit_is_kept(tmp_path: Path) -> None:
    folder = folder_at(tmp_path, Shelf(), max_bytes=len(PHOTO))

    assert (await folder.fetch(image())).size == len(PHOTO)


async def test_half_a_file_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(TransportError):
        await folder_at(tmp_path, Shelf(breaks_after=8000)).fetch(image())

    assert files_in(tmp_path) == []


async def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "media").write_text("in the way")

    with pytest.raises(MediaError, match="cannot be written"):
        await folder_at(tmp_path / "media", Shelf()).fetch(image())


@pytest.mark.parametrize(
    "media_id", ["../../etc/passwd", "a/b", "UPPER", "", ".", "x" * 65, "é\ud800", "a\x00b", "CON "]
)
async def test_an_odd_id_becomes_a_name_that_is_safe(tmp_path: Path, media_id: str) -> None:
    await folder_at(tmp_path / "media", Shelf()).fetch(image(id=media_id))

    (name,) = files_in(tmp_path)
    day, _, stem = name.removeprefix("media/").removesuffix(".jpg").partition("/")
    assert day == "2026-11-23"
    assert len(stem) == 32
    assert set(stem) <= set("0123456789abcdef")


async def test_nothing_of_the_senders_filename_reaches_the_disk(tmp_path: Path) -> None:
    media = image(kind="document", mime_type="application/pdf", filename="../run me.exe")

    stored = await folder_at(tmp_path, Shelf()).fetch(media)

    assert Path(stored.path).name == "1003383421387256.pdf"


async def test_the_type_is_the_webhooks_else_the_downloads(tmp_path: Path) -> None:
    folder = folder_at(tmp_path, Shelf(mime_type="audio/ogg"))

    told = await folder.fetch(image(id="1", mime_type="audio/ogg; codecs=opus"))
    announced = await folder.fetch(image(id="2", mime_type=None))
    unknown = await folder_at(tmp_path, Shelf(mime_type=None)).fetch(image(id="3", mime_type=None))

    assert told.mime_type == "audio/ogg; codecs=opus"
    assert announced.mime_type == "audio/ogg"
    assert unknown.mime_type == "application/octet-stream"
    assert files_in(tmp_path) == ["2026-11-23/1.ogg", "2026-11-23/2.ogg", "2026-11-23/3.bin"]


@pytest.mark.parametrize(
    ("mime_type", "expected"),
    [
        ("image/jpeg", ".jpg"),
        ("IMAGE/JPEG", ".jpg"),
        ("image/webp", ".webp"),
        ("video/mp4", ".mp4"),
        ("video/3gpp", ".3gp"),
        ("audio/ogg; codecs=opus", ".ogg"),
        ("audio/mpeg", ".mp3"),
        ("audio/mp4", ".m4a"),
        ("audio/amr", ".amr"),
        ("application/pdf", ".pdf"),
        ("application/vnd.ms-excel", ".xls"),
        ("text/plain", ".txt"),
        ("text/csv", ".csv"),
        ("application/x-../../evil", ".bin"),
        ("", ".bin"),
    ],
)
def test_the_ending_follows_the_type(mime_type: str, expected: str) -> None:
    assert ending(mime_type) == expected


async def test_without_a_clock_of_the_test_it_is_today(tmp_path: Path) -> None:
    stored = await MediaFolder(tmp_path, Shelf(), max_bytes=1_000_000).fetch(image())

    assert date.fromisoformat(Path(stored.path).parent.name).year >= 2026


@private
@pytest.mark.parametrize("mask", [0, 0o022, 0o077, 0o777])
async def test_only_the_bots_own_user_can_read_what_people_sent(tmp_path: Path, mask: int) -> None:
    with umask(mask):
        stored = await folder_at(tmp_path / "data" / "media", Shelf()).fetch(image())

    path = Path(stored.path)
    modes = [mode_of(each) for each in (path, path.parent, *list(path.parents)[1:3])]
    assert modes == ["600", "700", "700", "700"]


@private
async def test_days_that_were_open_before_are_closed(tmp_path: Path) -> None:
    today, before, other = (tmp_path / name for name in ("2026-11-23", "2026-11-20", "menus"))
    for folder in (today, before, other):
        folder.mkdir()
        folder.chmod(0o755)

    await folder_at(tmp_path, Shelf()).fetch(image())

    assert [mode_of(folder) for folder in (today, before, other)] == ["700", "700", "755"]


@private
async def test_a_folder_that_somebody_made_for_us_stays_as_it_is(tmp_path: Path) -> None:
    store = tmp_path / "media"
    store.mkdir()
    store.chmod(0o770)

    await folder_at(store, Shelf()).fetch(image())

    assert (mode_of(store), mode_of(store / "2026-11-23")) == ("770", "700")
