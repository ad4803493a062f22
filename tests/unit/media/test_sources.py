from __future__ import annotations

import base64
import errno
import sys

import pytest
from support.modes import mode_of, umask
from support.real_files import picture

from rasa_whatsapp_channel.media.access import FileAccess, scheme_of
from rasa_whatsapp_channel.media.sources import Sources, read_data
from rasa_whatsapp_channel.whatsapp.errors import MediaError

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def memory():
    """A store inside of this process."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    yield system
    system.store.clear()


@pytest.fixture
def sources():
    return Sources(FileAccess(sources=("memory://bucket/",)), max_bytes=10_000)


@pytest.mark.parametrize(
    ("url", "mime_type", "content"),
    [
        ("data:,hello%20you", "text/plain", b"hello you"),
        ("data:text/plain;charset=utf-8,%C3%A4", "text/plain", "ä".encode()),
        ("data:image/png;base64,aGVsbG8=", "image/png", b"hello"),
        ("data:image/png;base64,aGVs\nbG8", "image/png", b"hello"),
        ("data:image/png;BASE64,-_-_", "image/png", b"\xfb\xff\xbf"),
    ],
)
def test_a_data_url_holds_its_file(url, mime_type, content):
    assert read_data(url) == (mime_type, content)


@pytest.mark.parametrize("url", ["data:image/png;base64", "data:image/png;base64,a?!"])
def test_a_data_url_that_is_broken_is_said_to_be_so(url):
    with pytest.raises(MediaError, match=r"^data:image/png;base64,…: "):
        read_data(url)


async def test_a_data_url_becomes_a_file_with_an_ending(sources):
    url = "data:image/png;base64," + base64.b64encode(picture("PNG")).decode()

    async with sources.fetch(url) as fetched:
        assert (fetched.path.read_bytes(), fetched.name) == (picture("PNG"), "file.png")
    assert not fetched.path.exists()


async def test_a_file_in_a_store_is_read(sources, memory):
    memory.pipe("/bucket/Our lake.jpg", b"a lake")

    async with sources.fetch("memory://bucket/Our lake.jpg") as fetched:
        assert (fetched.path.read_bytes(), fetched.name) == (b"a lake", "Our lake.jpg")


async def test_the_tag_changes_with_the_file(sources, memory):
    memory.pipe("/bucket/a.jpg", b"one")
    first = await sources.tag("memory://bucket/a.jpg")
    again = await sources.tag("memory://bucket/a.jpg")
    memory.pipe("/bucket/a.jpg", b"and another")

    assert first == again != await sources.tag("memory://bucket/a.jpg")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("file:///etc/passwd", "lies below none"),
        ("local:///etc/passwd", "lies below none"),
        ("ftp://a.example/a.jpg", "lies below none"),
        ("javascript:alert(1)", "lies below none"),
        ("memory://other/a.jpg", "lies below none"),
        ("memory://bucketeer/a.jpg", "lies below none"),
        ("memory://bucket", "lies below none"),
        ("memory:bucket/a.jpg", "lies below none"),
        ("file:///etc/passwd::memory://bucket/a.jpg", "lies below none"),
        ("memory://bucket/a::file:///etc/passwd", "is not read"),
        ("memory://bucket/../other/a.jpg", "is not read"),
        ("memory://bucket/b/../../other/a.jpg", "is not read"),
        ("memory://bucket/%2e%2e/other/a.jpg", "is not read"),
        ("memory://bucket/%252E%252e/other/a.jpg", "is not read"),
        ("memory://bucket/..%2fother/a.jpg", "is not read"),
        ("memory://bucket/..\\other\\a.jpg", "is not read"),
        ("memory://bucket/\uff0e\uff0e/other/a.jpg", "is not read"),
        ("memory://bucket/./a.jpg", "is not read"),
        ("memory://bucket/a.jpg?user=admin", "is not read"),
        ("memory://bucket/a.jpg#b", "is not read"),
        ("memory://bucket/%" + "25" * 9 + "2e%2e/other/a.jpg", "is not read"),
        ("memory://bucket/.env", "a hidden file is never sent"),
        ("memory://bucket/%2eenv", "a hidden file is never sent"),
        ("memory://bucket/credentials.yml", "YAML is never sent"),
        ("memory://bucket/credentials%2eyml", "YAML is never sent"),
        ("memory://bucket/models/a.tar.gz", "a model is never sent"),
        ("memory://bucket/none.jpg", "cannot be read"),
        ("memory://bucket/large.bin", "is larger than"),
    ],
)
async def test_what_cannot_be_had_is_said(sources, memory, url, problem):
    for name in ("/other/a.jpg", "/bucketeer/a.jpg", "/bucket/credentials.yml", "/bucket/.env"):
        memory.pipe(name, b"secret")
    memory.pipe("/bucket/large.bin", b"\0" * 10_001)

    with pytest.raises(MediaError, match=problem):
        async with sources.fetch(url):
            raise AssertionError
    if "none.jpg" not in url and "large" not in url:
        with pytest.raises(MediaError, match=problem):
            await sources.tag(url)


async def test_without_settings_no_store_is_asked():
    with pytest.raises(
        MediaError, match=r"`media: \{sources: \[.*\]\}` in the block of the channel names them"
    ):
        await Sources(FileAccess()).tag("s3://bucket/a.jpg")


@pytest.mark.parametrize("store", ["memory://own/kept", "MEMORY://own/kept/"])
async def test_of_the_own_store_what_people_sent_is_read_and_nothing_beside_it(memory, store):
    sources = Sources(FileAccess(store=store))
    memory.pipe("/own/kept/2026-11-29/1037_2bb80d537b1d.jpg", b"a lake")
    memory.pipe("/own/kept/orders/private.jpg", b"secret")

    async with sources.fetch("memory://own/kept/2026-11-29/1037_2bb80d537b1d.jpg") as fetched:
        assert fetched.path.read_bytes() == b"a lake"
    for there in ("orders/private.jpg", "private.jpg", "2026-11-29/../orders/private.jpg"):
        with pytest.raises(MediaError, match="lies below none"):
            await sources.tag(f"memory://own/kept/{there}")


async def test_a_store_whose_package_is_missing_is_said():
    sources = Sources(FileAccess(sources=("hdfs://somewhere/",)))

    with pytest.raises(MediaError, match=r"^hdfs://somewhere/a.jpg: cannot be opened: "):
        async with sources.fetch("hdfs://somewhere/a.jpg"):
            raise AssertionError


@pytest.mark.parametrize(
    ("path", "scheme"),
    [("media/a.jpg", ""), ("C:\\a.jpg", ""), ("s3://b/a", "s3"), ("DATA:,x", "data")],
)
def test_a_scheme_tells_an_address_from_a_path(path, scheme):
    assert scheme_of(path) == scheme


@pytest.mark.skipif(sys.platform == "win32", reason="has permissions of another kind")
@pytest.mark.parametrize("url", ["data:,hello", "memory://bucket/a.jpg"])
async def test_what_is_fetched_is_nobody_elses(sources, memory, url):
    memory.pipe("/bucket/a.jpg", b"a lake")

    with umask(0):
        async with sources.fetch(url) as fetched:
            assert (mode_of(fetched.path), mode_of(fetched.path.parent)) == ("600", "700")


async def test_where_no_temporary_file_can_be_written_it_is_tried_again(sources, no_room):
    with pytest.raises(MediaError, match="a folder for it cannot be made") as caught:
        async with sources.fetch("data:,hello"):
            pass

    assert caught.value.passing


async def test_a_disk_that_is_full_is_no_fault_of_the_file(memory, sources, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    memory.pipe("/bucket/a.txt", b"hello")
    monkeypatch.setattr("rasa_whatsapp_channel.media.sources.create_private", full)
    for url in ("memory://bucket/a.txt", "data:,hello"):
        with pytest.raises(MediaError, match="No space left") as caught:
            async with sources.fetch(url):
                pass
        assert caught.value.passing, url
