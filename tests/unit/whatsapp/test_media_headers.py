from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.whatsapp.media_headers import (
    Picture,
    is_index_first,
    read_opus_channels,
    read_picture,
)

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"


@pytest.mark.parametrize(
    ("content", "picture"),
    [
        (PNG + b"\0\0\x02\x80\0\0\x01\xe0\x08\x06\0\0\0", Picture(640, 480, 4, 8)),
        (PNG + b"\0\0\0\x10\0\0\0\x08\x10\x00\0\0\0", Picture(16, 8, 1, 16)),
        (
            b"\xff\xd8\xff\xe0\0\x10" + b"J" * 14 + b"\xff\xff\xc2\0\x11\x08\x01\xe0\x02\x80\x04",
            Picture(640, 480, 4, 8),
        ),
        (b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a\0\x02\x00\x01", Picture(512, 256)),
        (b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f\xff\xc1\x7f\0\0\0\0\0", Picture(512, 512)),
        (
            b"RIFF\0\0\0\0WEBPVP8X\n\0\0\0\x02\0\0\0\xff\x01\0\xff\x01\0",
            Picture(512, 512, animated=True),
        ),
        (b"GIF89a" + b"\0" * 30, None),
        (b"\xff\xd8\xff\xe0" + b"\0" * 64, None),
        (b"", None),
    ],
)
def test_the_header_tells_pixels_and_colours(content, picture):
    assert read_picture(io.BytesIO(content)) == picture


@given(st.sampled_from([PNG, b"\xff\xd8", b"RIFF\0\0\0\0WEBP"]), st.binary(max_size=200))
def test_no_header_makes_it_raise(start, rest):
    for cut in (0, 1, 7):
        content = start[: len(start) - cut] + rest
        read_picture(io.BytesIO(content))
        is_index_first(io.BytesIO(content))
        read_opus_channels(content)


def test_the_header_of_opus_tells_its_channels():
    assert read_opus_channels(b"OggS" + b"\0" * 24 + b"OpusHead\x01\x02\x38\x01") == 2
    assert read_opus_channels(b"OggS" + b"\0" * 24 + b"\x01vorbis") is None


def test_the_index_is_in_front_or_behind():
    head, index = b"\0\0\0\x0cftypisom", b"\0\0\0\x10moov" + b"\0" * 8
    data, long = b"\0\0\0\x0cmdat....", b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x14...."

    assert is_index_first(io.BytesIO(head + index + data))
    assert not is_index_first(io.BytesIO(head + data + index))
    assert not is_index_first(io.BytesIO(head + long + index))
