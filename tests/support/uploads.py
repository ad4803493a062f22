"""What uploading files is tested with: a client that takes them, a web with one picture, files."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NamedTuple

from aiohttp import BodyPartReader, web
from multidict import MultiDict

from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.messages import Media

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 64
GIF = b"GIF89a" + b"\0" * 64
PAGE = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>"
PDF = b"%PDF-1.7\n" + b"\0" * 64
MP4 = b"\0\0\0\x18ftypisom" + b"\0" * 64
OPUS = b"OggS" + b"\0" * 24 + b"OpusHead" + b"\0" * 64
VORBIS = b"OggS" + b"\0" * 24 + b"\x01vorbis" + b"\0" * 64
STICKER = b"RIFF\x64\0\0\0WEBPVP8 " + b"\0" * 64
ANIMATED = b"RIFF\x64\0\0\0WEBPVP8X\x0a\0\0\0\x02\0\0\0" + b"\0" * 64


class Part(NamedTuple):
    filename: str
    content_type: str
    content: bytes


async def form_of(request: web.Request) -> MultiDict[str | Part]:
    """
    Return the fields of a form, files among them.

    `Request.post` would put the files into temporary ones, and leave those open where the client
    goes away.
    """
    form: MultiDict[str | Part] = MultiDict()
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        content = bytes(await part.read())
        kind = part.headers.get("Content-Type", "")
        value = Part(part.filename, kind, content) if part.filename else content.decode()
        form.add(part.name or "", value)
    return form


class Uploader:
    """A client that can upload and nothing else."""

    def __init__(self, api=CLOUD):
        self.api = api
        self.files = []
        self.error = None
        self.started = asyncio.Event()
        self.gate = asyncio.Event()
        self.gate.set()

    async def upload(self, file):
        self.files.append(file)
        self.started.set()
        number = len(self.files)
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return f"id{number}"


class Web:
    """A transport that knows one picture."""

    @asynccontextmanager
    async def stream(self, request):
        found = request.url == "https://a.example/i.png"
        yield Answer(200 if found else 404, {})


@dataclass
class Answer:
    status: int
    headers: dict

    async def chunks(self):
        yield PNG


def put(bot, name, content):
    (bot / "media" / name).write_bytes(content)
    return Media(path=f"media/{name}")
