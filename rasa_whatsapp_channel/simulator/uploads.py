"""Reading an uploaded file from a form or from a whole body."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from rasa_whatsapp_channel.simulator import answers, files
from rasa_whatsapp_channel.simulator.answers import Refused


@dataclass(frozen=True)
class Upload:
    content: bytes
    mime_type: str
    filename: str | None = None


async def read_form(request: web.Request) -> tuple[Mapping[str, Any], Upload | None]:
    """Return the plain fields of a form, and the file in the part named ``file``."""
    try:
        form = await request.post()
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_large() from error
    except (ValueError, AssertionError) as error:
        raise Refused(answers.FILE, "The body is not a form that can be read.") from error
    fields = {key: value for key, value in form.items() if isinstance(value, str)}
    upload = None
    for key, value in form.items():
        if not isinstance(value, web.FileField):
            continue
        with value.file:  # a temporary file, which goes away with this
            if key == "file":
                content = await asyncio.to_thread(value.file.read)
                upload = Upload(content, value.content_type, value.filename)
    return fields, upload


async def read_body(request: web.Request) -> Upload:
    """Return the body itself as the file."""
    try:
        content = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise _too_large() from error
    return Upload(content, request.headers.get("Content-Type", "application/octet-stream"))


def _too_large() -> Refused:
    return Refused(answers.TOO_MUCH, f"A file has at most {files.MOST_BYTES} bytes.")
