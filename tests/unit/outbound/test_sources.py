from __future__ import annotations

import base64

import pytest
from support.real_files import picture

from rasa_whatsapp_channel.outbound.schemes import scheme_of
from rasa_whatsapp_channel.outbound.sources import Sources, read_data
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
    return Sources(schemes=frozenset({"memory"}), max_bytes=10_000)


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
    memory.pipe("/a.jpg", b"one")
    first = await sources.tag("memory://a.jpg")
    again = await sources.tag("memory://a.jpg")
    memory.pipe("/a.jpg", b"and another")

    assert first == again != await sources.tag("memory://a.jpg")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("file:///etc/passwd", "file: is not read"),
        ("local:///etc/passwd", "local: is not read"),
        ("memory://a::file:///etc/passwd", "is not read"),
        ("ftp://a.example/a.jpg", "ftp: is not read"),
        ("javascript:alert(1)", "javascript: is not read"),
        ("memory://none.jpg", "cannot be read"),
        ("memory://large.bin", "is larger than"),
    ],
)
async def test_what_cannot_be_had_is_said(sources, memory, url, problem):
    memory.pipe("/large.bin", b"\0" * 10_001)

    with pytest.raises(MediaError, match=problem):
        async with sources.fetch(url):
            raise AssertionError


async def test_a_store_whose_package_is_missing_is_said():
    sources = Sources(schemes=frozenset({"hdfs"}))

    with pytest.raises(MediaError, match=r"^hdfs://somewhere/a.jpg: cannot be opened: "):
        async with sources.fetch("hdfs://somewhere/a.jpg"):
            raise AssertionError


@pytest.mark.parametrize(
    ("path", "scheme"),
    [("media/a.jpg", ""), ("C:\\a.jpg", ""), ("s3://b/a", "s3"), ("DATA:,x", "data")],
)
def test_a_scheme_tells_an_address_from_a_path(path, scheme):
    assert scheme_of(path) == scheme
