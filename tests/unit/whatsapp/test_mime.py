from __future__ import annotations

import pytest

from rasa_whatsapp_channel.whatsapp import mime


@pytest.mark.parametrize(
    ("head", "mime_type"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\0\0\0\0WEBP", "image/webp"),
        (b"RIFF\0\0\0\0WAVE", "audio/wav"),
        (b"RIFF\0\0\0\0????", None),
        (b"%PDF-1.4", "application/pdf"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),  # MPEG 1, layer III
        (b"\xff\xf3\x90\x64", "audio/mpeg"),  # MPEG 2, layer III
        (b"\xff\xf1\x50\x80", "audio/aac"),  # ADTS, MPEG 4
        (b"\xff\xf9\x50\x80", "audio/aac"),  # ADTS, MPEG 2
        (b"\xff\xfeH\0i\0", None),  # a text in UTF-16
        (b"#!AMR\n", "audio/amr"),
        (b"OggS" + b"\0" * 24 + b"OpusHead", "audio/ogg; codecs=opus"),
        (b"OggS" + b"\0" * 24 + b"\x01vorbis", "audio/ogg"),
        (b"\0\0\0\x20ftypisom", "video/mp4"),
        (b"\0\0\0\x20ftypmp42", "video/mp4"),
        (b"\0\0\0\x20ftypM4A ", "audio/mp4"),
        (b"\0\0\0\x20ftyp3gp5", "video/3gpp"),
        (b"\0\0\0\x20ftypqt  ", "video/quicktime"),
        (b"\0\0\0\x20ftypheic", "image/heic"),
        (b"\x1a\x45\xdf\xa3", "video/webm"),
        (b"PK\x03\x04", None),
        (b"plain words", None),
        (b"\xff", None),
        (b"", None),
    ],
)
def test_the_first_bytes_tell_the_type(head, mime_type):
    assert mime.from_content(head) == mime_type


@pytest.mark.parametrize(
    ("name", "mime_type"),
    [
        ("photo.JPG", "image/jpeg"),
        ("https://a.example/files/offer.pdf?x=.png#y.gif", "application/pdf"),
        ("https://a.example", None),
        ("https://[", None),
        ("media\\song.opus", "audio/ogg"),
        ("jpg", None),
        (".jpg", None),
        ("archive.tar.unknown", None),
    ],
)
def test_the_ending_tells_the_type(name, mime_type):
    assert mime.from_extension(name) == mime_type


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://a.example/files/price%20list.pdf?x=1", "price list.pdf"),
        ("media/a.png", "a.png"),
        ("https://a.example/", ""),
        ("http://[", ""),
    ],
)
def test_a_file_is_named_by_the_end_of_its_address(address, name):
    assert mime.file_name(address) == name


@pytest.mark.parametrize(
    ("mime_type", "kind"),
    [
        ("image/png", "image"),
        ("image/webp", "sticker"),
        ("audio/ogg; codecs=opus", "audio"),
        ("VIDEO/MP4", "video"),
        ("image/gif", "document"),
        ("application/x-unheard-of", "document"),
    ],
)
def test_the_type_tells_the_kind_of_message(mime_type, kind):
    assert mime.kind_of(mime_type) == kind
