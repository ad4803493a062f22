"""The names of files that users see, and that are safe to be written. Decides only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.message import Message
from typing import Final

from rasa_whatsapp_channel.whatsapp import mime

LONGEST: Final = 80
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\u202a-\u202e\u2066-\u2069]')


def name_of_answer(url: str, headers: Mapping[str, str]) -> str:
    """
    Return the name of what *url* answered with: the server's, else the end of the address.

    It has the ending that the server's type asks for where it has none that is known.
    """
    name = safe(_of_disposition(headers.get("content-disposition", "")) or mime.file_name(url))
    return with_ending(name or "file", headers.get("content-type", ""))


def with_ending(name: str, mime_type: str) -> str:
    """Return *name* with an ending, taken from *mime_type* where it has none."""
    if mime.from_ending(name):
        return name
    base = mime.base_type(mime_type)
    ending = next((end for end, known in mime.ENDINGS.items() if known == base), None)
    return f"{name}.{ending}" if ending else name


def of_type(name: str, mime_type: str) -> str:
    """Return *name* with the ending of *mime_type* in the place of a wrong one."""
    said = mime.from_ending(name)
    if said == mime_type:
        return name
    return with_ending(name.rpartition(".")[0] if said else name, mime_type)


def safe(name: str) -> str:
    """Return *name* as no folder, no hidden file, and no longer than it may be."""
    plain = _UNSAFE.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(". ")
    stem, dot, ending = plain.rpartition(".")
    if len(plain) <= LONGEST or not stem:
        return plain[:LONGEST]
    return stem[: LONGEST - len(ending) - 1] + dot + ending


def _of_disposition(header: str) -> str:
    """Read ``filename`` and ``filename*`` of a Content-Disposition."""
    message = Message()
    message["content-disposition"] = header.replace("\r", " ").replace("\n", " ")
    try:
        return message.get_filename() or ""
    except (LookupError, ValueError, TypeError):  # an unknown charset, and the like
        return ""
