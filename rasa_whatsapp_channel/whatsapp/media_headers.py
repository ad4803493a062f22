"""
Media headers: reads what WhatsApp checks of images, audio and video, without decoding them.

That is size and channels of an image, channels of Opus, and where an mp4 has its index. A header
that cannot be read gives None; nothing in a file makes these functions raise.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

_PNG_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# start-of-frame markers: C4, C8 and CC of that range are something else
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_BOXES: Final = 1000  # looked at in an mp4; a real one has a handful


@dataclass(frozen=True)
class Picture:
    """An image; *channels* as stored: 3 for RGB, 4 for RGBA or CMYK, 1 for grey or a palette."""

    width: int
    height: int
    channels: int = 3
    depth: int = 8  # bits of one channel
    animated: bool = False


def read_picture(file: BinaryIO) -> Picture | None:
    """Return what the header of a JPEG, PNG or WebP *file* says."""
    head = file.read(32)
    try:
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return _read_png(head)
        if head.startswith(b"\xff\xd8"):
            file.seek(2)
            return _read_jpeg(file)
        if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
            return _read_webp(head)
    except (struct.error, IndexError):
        return None
    return None


def read_opus_channels(head: bytes) -> int | None:
    """Return how many channels an Opus stream has, from the first bytes of its file."""
    # https://www.rfc-editor.org/rfc/rfc7845#section-5.1
    at = head.find(b"OpusHead")
    return head[at + 9] if at >= 0 and len(head) > at + 9 else None


def is_index_first(file: BinaryIO) -> bool:
    """Return whether an mp4 has its index, ``moov``, before its data: it plays while it loads."""
    for name in _box_names(file):
        if name in (b"moov", b"mdat"):
            return name == b"moov"
    return False


def _read_png(head: bytes) -> Picture | None:
    if head[12:16] != b"IHDR":
        return None
    width, height, depth, colour = struct.unpack(">IIBB", head[16:26])
    return Picture(width, height, _PNG_CHANNELS.get(colour, 3), depth)


def _read_jpeg(file: BinaryIO) -> Picture | None:
    while (mark := file.read(2)) and mark[0] == 0xFF and len(mark) == 2:
        if mark[1] == 0xFF:  # filling
            file.seek(-1, 1)
            continue
        if mark[1] in _ALONE:
            continue
        (length,) = struct.unpack(">H", file.read(2))
        if mark[1] in _FRAMES:
            depth, height, width, channels = struct.unpack(">BHHB", file.read(6))
            return Picture(width, height, channels, depth)
        file.seek(max(length - 2, 0), 1)
    return None


def _read_webp(head: bytes) -> Picture | None:
    # https://developers.google.com/speed/webp/docs/riff_container
    chunk = head[12:16]
    if chunk == b"VP8X":
        width = int.from_bytes(head[24:27], "little") + 1
        height = int.from_bytes(head[27:30], "little") + 1
        return Picture(width, height, animated=bool(head[20] & 0b10))
    if chunk == b"VP8L" and head[20] == 0x2F:
        bits = int.from_bytes(head[21:25], "little")
        return Picture((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if chunk == b"VP8 " and head[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", head[26:30])
        return Picture(width & 0x3FFF, height & 0x3FFF)
    return None


def _box_names(file: BinaryIO) -> Iterator[bytes]:
    for _ in range(_BOXES):
        head = file.read(16)
        if len(head) < 8:
            return
        size, name = struct.unpack(">I4s", head[:8])
        if size == 1 and len(head) == 16:
            (size,) = struct.unpack(">Q", head[8:])
        yield name
        if not 8 <= size < 1 << 62:  # 0: up to the end of the file
            return
        file.seek(size - len(head), 1)
