"""
MIME types: of a file by content or by extension, and the type of message that carries it.

The endings are a table of our own, because Python's `mimetypes` reads files of the machine it runs
on and answers differently on each.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

from rasa_whatsapp_channel.whatsapp.limits import MEDIA_TYPES

ANY: Final = "application/octet-stream"
OPUS: Final = "audio/ogg; codecs=opus"
HEAD: Final = 64  # bytes of a file that `from_content` looks at

_OFFICE: Final = "application/vnd.openxmlformats-officedocument"
EXTENSIONS: Final[Mapping[str, str]] = {
    "aac": "audio/aac",
    "aif": "audio/aiff",
    "aiff": "audio/aiff",
    "amr": "audio/amr",
    "avi": "video/x-msvideo",
    "avif": "image/avif",
    "bmp": "image/bmp",
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": f"{_OFFICE}.wordprocessingml.document",
    "flac": "audio/flac",
    "flv": "video/x-flv",
    "gif": "image/gif",
    "heic": "image/heic",
    "htm": "text/html",
    "html": "text/html",
    "ics": "text/calendar",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "mkv": "video/x-matroska",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "mpg": "video/mpeg",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "ppt": "application/vnd.ms-powerpoint",
    "pptx": f"{_OFFICE}.presentationml.presentation",
    "rtf": "application/rtf",
    "svg": "image/svg+xml",
    "tif": "image/tiff",
    "tiff": "image/tiff",
    "txt": "text/plain",
    "vcf": "text/vcard",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "wma": "audio/x-ms-wma",
    "wmv": "video/x-ms-wmv",
    "xls": "application/vnd.ms-excel",
    "xlsx": f"{_OFFICE}.spreadsheetml.sheet",
    "xml": "application/xml",
    "zip": "application/zip",
    "3gp": "video/3gpp",
}
_STARTS: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"fLaC", "audio/flac"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),  # Matroska too, which is the same inside
    (b"FLV\x01", "video/x-flv"),
    (b"\0\0\x01\xba", "video/mpeg"),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "video/x-ms-wmv"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}
_BRANDS: Final = (  # the brand after "ftyp"; every other one is an mp4
    (b"M4A", "audio/mp4"),
    (b"M4B", "audio/mp4"),
    (b"3g", "video/3gpp"),
    (b"qt", "video/quicktime"),
    (b"hei", "image/heic"),
    (b"hev", "image/heic"),
    (b"mif1", "image/heic"),
    (b"avif", "image/avif"),
)
# Every file of these types is known by its content.
TOLD: Final = frozenset(
    [mime_type for _, mime_type in (*_STARTS, *_BRANDS)] + [*_RIFF.values(), "video/mp4"]
)
_PAGE: Final = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype html|html)\b", re.IGNORECASE)


def from_extension(name: str) -> str | None:
    """Return the MIME type for the extension of a file name, path or URL, if it is known."""
    stem, dot, ending = file_name(name).rpartition(".")
    return EXTENSIONS.get(ending.lower()) if dot and stem else None


def file_name(address: str) -> str:
    """Return the last part of a path or of an http URL, without query and percent-encoding."""
    if "://" in address:
        try:
            address = unquote(urlsplit(address).path)
        except ValueError:  # such as "http://["
            return ""
    return address.replace("\\", "/").rpartition("/")[2]


def from_content(head: bytes) -> str | None:
    """
    Return the MIME type that the first `HEAD` bytes of a file tell, if they do.

    Office files are told apart by their ending: inside they all are zip or OLE files.
    """
    for start, mime_type in _STARTS:
        if head.startswith(start):
            return mime_type
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        brands = (mime_type for brand, mime_type in _BRANDS if head[8:12].startswith(brand))
        return next(brands, "video/mp4")
    if head[:2] == b"BM" and head[6:10] == b"\0" * 4:
        return "image/bmp"
    if head[:4] == b"OggS":
        return OPUS if b"OpusHead" in head else "audio/ogg"
    if _PAGE.match(head):
        return "text/html"
    return _frame(head)


def kind_of(mime_type: str) -> str:
    """Return the type of message that takes such a file; a document where no other does."""
    base = base_type(mime_type)
    kinds = (kind for kind, types in MEDIA_TYPES.items() if base in types)
    return next(kinds, "document")


def base_type(mime_type: str) -> str:
    """Return the MIME type without its parameters."""
    return mime_type.partition(";")[0].strip().lower()


def _frame(head: bytes) -> str | None:
    """Return the type of MPEG audio by its frame header: eleven set bits, version and layer."""
    if len(head) < 2 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    layer = head[1] >> 1 & 0b11
    if layer in (0b01, 0b10):  # III and II; I is extinct, and looks like the mark of a UTF-16 text
        return "audio/mpeg"
    return "audio/aac" if layer == 0 and head[1] & 0xF0 == 0xF0 else None
