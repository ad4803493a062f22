"""Voice notes as text by a server, over HTTP: a stand-in with OpenAI's API, good days and bad."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.uploads import form_of
from support.webhooks import envelope, text

from rasa_whatsapp_channel.inbound.transcribe import MOST, ServerTranscriber
from rasa_whatsapp_channel.media.values import StoredFile, Transcript
from rasa_whatsapp_channel.settings import TranscriptionSettings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport

KEY = "sk-very-secret"
OGG = b"OggS" + b"a voice" * 20
MAYA = "4915112345678"


class Speech:
    """A server for transcriptions. *answer* is what it says: a body, a status, or what to do."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: Any = {"text": " Book a table ", "language": "english"}
        self.url = ""
        self.over = asyncio.Event()  # what takes too long ends with it

    async def transcriptions(self, request: web.Request) -> web.StreamResponse:
        form = await form_of(request)
        self.asked.append(
            {
                "key": request.headers.get("Authorization"),
                "model": form["model"],
                "language": form.get("language"),
                "file": form["file"],
            }
        )
        if callable(self.answer):
            response: web.StreamResponse = await self.answer(request, self.over)
            return response
        if isinstance(self.answer, int):
            body = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
            return web.json_response(body, status=self.answer)
        if isinstance(self.answer, bytes):
            return web.Response(body=self.answer, content_type="application/json")
        return web.json_response(self.answer)


@pytest.fixture
async def speech() -> AsyncIterator[Speech]:
    speech = Speech()
    app = web.Application()
    app.router.add_post("/v1/audio/transcriptions", speech.transcriptions)
    async with TestServer(app) as server:
        speech.url = str(server.make_url("/v1"))
        yield speech


@pytest.fixture
async def values(tmp_path: Path) -> AsyncIterator[Any]:
    async with open_store(f"sqlite:///{tmp_path}/notes.db") as store:
        yield store.values


@pytest.fixture
async def ask(speech: Speech, values: Any, tmp_path: Path) -> AsyncIterator[Any]:
    transport = AiohttpTransport()

    async def ask(content: bytes | None = OGG, **more: Any) -> Transcript:
        path = tmp_path / "1.ogg"
        if content is not None:
            path.write_bytes(content)
        content = content or b""
        sha256 = hashlib.sha256(content).hexdigest()
        file = StoredFile(str(path), len(content), "audio/ogg; codecs=opus", sha256)
        given = {"url": speech.url, "model": "whisper-1", "api_key": KEY, **more}
        return await ServerTranscriber(TranscriptionSettings(**given), transport, values)(file)

    yield ask
    await transport.close()


async def test_the_file_goes_there_with_model_and_key_and_its_words_come_back(ask, speech):
    assert await ask() == Transcript("Book a table", "english")
    assert speech.asked == [
        {
            "key": f"Bearer {KEY}",
            "model": "whisper-1",
            "language": None,
            "file": ("voice.oga", "audio/ogg", OGG),
        }
    ]


async def test_the_language_of_the_settings_is_told_and_counts_where_none_comes_back(ask, speech):
    speech.answer = {"text": "Einen Tisch"}

    assert await ask(language="de", api_key="") == Transcript("Einen Tisch", "de")
    assert (speech.asked[0]["language"], speech.asked[0]["key"]) == ("de", None)


async def test_the_same_content_is_asked_for_once_with_each_model_and_language(ask, speech):
    for _ in range(3):
        await ask()
    assert len(speech.asked) == 1

    await ask(model="whisper-2")
    await ask(language="de")
    await ask(OGG + b"more")
    assert len(speech.asked) == 4


async def test_silence_is_no_problem(ask, speech):
    speech.answer = {"text": "  "}

    assert await ask() == Transcript(None, None)


async def slow(request: web.Request, over: asyncio.Event) -> web.StreamResponse:
    await over.wait()
    return web.json_response({"text": "late"})


async def slow_body(request: web.Request, over: asyncio.Event) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b'{"text": "')
    await over.wait()
    return response


async def cut(request: web.Request, over: asyncio.Event) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "1000"})
    await response.prepare(request)
    await response.write(b'{"text": "half of')
    assert request.transport is not None
    request.transport.close()
    return response


async def endless(request: web.Request, over: asyncio.Event) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(4 * MOST // 65_536):
        await response.write(b" " * 65_536)
    return response


async def elsewhere(request: web.Request, over: asyncio.Event) -> web.StreamResponse:
    raise web.HTTPFound("http://127.0.0.1:1/")


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (500, "the server answered with HTTP 500"),
        (401, "the server answered with HTTP 401"),
        (elsewhere, "the server answered with HTTP 302"),
        (b"<html>", "the server's answer is no JSON"),
        (b"\xff\xfe", "the server's answer is no JSON"),
        (b"[" * 100_000, "the server's answer is no JSON"),
        (b"[]", "the server's answer has no text"),
        ({"text": None}, "the server's answer has no text"),
        ({"text": ["a"]}, "the server's answer has no text"),
        (endless, f"the server's answer has more than {MOST} bytes"),
        (slow, "within 0.5 seconds"),
        (slow_body, "within 0.5 seconds"),
        (cut, "/v1/audio/transcriptions: "),
    ],
)
async def test_whatever_goes_wrong_is_said_without_the_key_and_asked_again(
    ask, speech, caplog, answer, problem
):
    caplog.set_level("DEBUG")
    speech.answer = answer

    heard = await ask(timeout=0.5 if answer in (slow, slow_body) else 30)

    speech.over.set()
    assert heard.text is None
    assert problem in str(heard.problem)
    assert f"heard without words: {heard.problem}" in caplog.text
    assert KEY not in caplog.text + str(heard)
    speech.answer = {"text": "now"}
    assert await ask(timeout=30) == Transcript("now")


async def test_nobody_at_the_address_is_said(ask, caplog):
    heard = await ask(url="http://127.0.0.1:1/v1")

    assert "127.0.0.1:1/v1/audio/transcriptions" in str(heard.problem)
    assert KEY not in caplog.text


async def test_what_is_too_large_is_not_sent(ask, speech):
    heard = await ask(max_bytes=100)

    assert heard.problem == f"it has {len(OGG)} bytes; max_bytes is 100"
    assert speech.asked == []


async def test_a_file_that_is_gone_is_said(ask):
    heard = await ask(None)

    assert "1.ogg: cannot be read" in str(heard.problem)


async def test_a_voice_note_is_a_turn_with_its_words_from_webhook_to_bot(serve, platform, speech):
    async def bot(message: Any) -> None:
        await message.output_channel.send_text_message(message.sender_id, "Noted")

    def note(number: int) -> dict[str, Any]:
        webhook = text(MAYA, f"wamid.{number}", "")
        audio = {"id": f"2{number}", "mime_type": "audio/ogg; codecs=opus", "voice": True}
        webhook["messages"][0].update(type="audio", audio=audio)
        del webhook["messages"][0]["text"]
        return envelope([webhook])

    platform[0].files["21"] = (OGG, "audio/ogg")
    platform[0].files["22"] = (OGG + b"other", "audio/ogg")
    group = {"url": speech.url, "model": "whisper-1", "api_key": KEY}
    async with serve(bot, transcribe=group) as running:
        await running.deliver(note(1))
        await platform[0].sends(1)
        speech.answer = 503
        await running.deliver(note(2))
        await platform[0].sends(2)

    first, second = running.agent.heard
    assert first.text == "Book a table"
    voice = first.metadata["whatsapp"]["voice"]
    assert (voice["transcript"], voice["transcript_language"]) == ("Book a table", "english")
    assert second.text.startswith("/whatsapp_voice{")
    problem = second.metadata["whatsapp"]["voice"]["transcript_problem"]
    assert problem == "the server answered with HTTP 503"
