"""Uploads: read a file from a form or a body, and check it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from rasa_whatsapp_channel.simulator import media_checks, problems
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.whatsapp import limits, mime
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, Api

_MIME_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+-]+")


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
        raise Refused(problems.FILE, "The body is not a form that can be read.") from error
    fields = {key: value for key, value in form.items() if isinstance(value, str)}
    upload = None
    for key, value in form.items():
        if not isinstance(value, web.FileField):
            continue
        with value.file:  # closes the temporary file
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


def check_upload(api: Api, mime_type: str, size: int, *, animated: bool) -> None:
    """Raise `Refused` for a file that *api* does not store."""
    if size == 0:
        raise Refused(problems.FILE, "The file is empty.")
    if api not in (CLOUD, DIALOG360):
        _check_v1_upload(mime_type, size)
        return
    kind = media_checks.kind_of(mime_type)
    if kind is None:
        raise Refused(
            problems.FILE,
            f"The file's own Content-Type decides, and WhatsApp takes no {mime_type}.",
            details="Param file must be a file with one of the following types: "
            f"{_all_types()}. Received file of type '{mime_type}'.",
        )
    problem = media_checks.find_misfit(kind, api, mime_type, size, animated=animated)
    if problem is not None:
        raise Refused(problems.TOO_MUCH, problem)


def _too_large() -> Refused:
    return Refused(problems.TOO_MUCH, f"A file has at most {media_checks.MOST_BYTES} bytes.")


def _check_v1_upload(mime_type: str, size: int) -> None:
    plain = mime.base_type(mime_type)
    if not _MIME_TYPE.fullmatch(plain) or plain.startswith("multipart/"):
        raise Refused(
            problems.FILE,
            "The body must be the file and Content-Type its media type; forms are not supported.",
        )
    if size > media_checks.MOST_BYTES:
        raise Refused(
            problems.TOO_MUCH, f"A file has at most {media_checks.MOST_BYTES} bytes, not {size}."
        )


def _all_types() -> str:
    return ", ".join(sorted(name for types in limits.MEDIA_TYPES.values() for name in types))
