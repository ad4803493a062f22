"""Transcription of voice notes, by a function of the bot's author or by a server."""

from __future__ import annotations

import asyncio
import hashlib
import inspect
import json
import logging
from collections.abc import Awaitable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Protocol

from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.media.names import with_ending
from rasa_whatsapp_channel.media.object_store import is_url, read_object
from rasa_whatsapp_channel.media.values import StoredFile, Transcript
from rasa_whatsapp_channel.settings import TranscriptionSettings
from rasa_whatsapp_channel.settings.parsers import Function
from rasa_whatsapp_channel.settings.transcription import ENDPOINT
from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.json_values import object_of, plain, text_of
from rasa_whatsapp_channel.whatsapp.mime import base_type
from rasa_whatsapp_channel.whatsapp.transport import File, Form, Request, Transport

logger = logging.getLogger(__name__)

TIMEOUT: Final = 60.0  # seconds
LIFE: Final = 7 * DAY
MOST: Final = 1 << 20  # bytes of an answer
# Threads of their own: a model that thinks for a minute must not hold up those who write files.
_THREADS: Final = ThreadPoolExecutor(max_workers=4, thread_name_prefix="whatsapp-transcribe")


class Transcriber(Protocol):
    def __call__(self, file: StoredFile) -> Awaitable[Transcript]: ...


class NotTranscribed(ChannelError):
    """The server gave no transcript; the text says why, and nothing of what was said."""


class FunctionTranscriber:
    """Calls *function* with the path of a file and its MIME type; it may be async."""

    def __init__(self, function: Function, *, timeout: float = TIMEOUT) -> None:
        self._function = function
        self._timeout = timeout

    async def __call__(self, file: StoredFile) -> Transcript:
        try:
            text = await asyncio.wait_for(_call(self._function, file), self._timeout)
        except asyncio.TimeoutError as error:
            return _problem(f"no text within {self._timeout:g} seconds", error)
        except Exception as error:  # whatever it raises: the voice note must still be heard
            # Not what it says: that may hold what was said.
            return _problem(f"the function of `transcribe` raised {type(error).__name__}", error)
        return Transcript(text) if isinstance(text, str) and text.strip() else Transcript()


class ServerTranscriber:
    """
    Asks a server with OpenAI's API; a file with the same content is asked for once in `LIFE`.

    https://platform.openai.com/docs/api-reference/audio/createTranscription
    """

    def __init__(
        self, settings: TranscriptionSettings, transport: Transport, values: Values
    ) -> None:
        self._settings = settings
        self._transport = transport
        self._values = values

    async def __call__(self, file: StoredFile) -> Transcript:
        """Raises `StoreError`."""
        key = self._key(file)
        if (kept := await self._values.get(key)) is not None:
            return Transcript(**kept)
        timeout = self._settings.timeout
        try:
            transcript = await asyncio.wait_for(self._ask(file), timeout)
        except asyncio.TimeoutError as error:
            return _problem(f"no text within {timeout:g} seconds", error)
        except Exception as error:  # of the network, the answer, or the store of the file
            known = isinstance(error, ChannelError)
            return _problem(str(error) if known else type(error).__name__, error)
        await self._values.set(key, asdict(transcript), LIFE)
        return transcript

    def _key(self, file: StoredFile) -> str:
        settings = self._settings
        asked = [settings.url, settings.model, settings.language, file.sha256]
        return f"transcript:{hashlib.sha256(json.dumps(asked).encode()).hexdigest()}"

    async def _ask(self, file: StoredFile) -> Transcript:
        settings = self._settings
        if file.size > settings.max_bytes:
            raise NotTranscribed(f"it has {file.size} bytes; max_bytes is {settings.max_bytes}")
        content = Path(file.path)
        part = File(
            await asyncio.to_thread(read_object, file.path) if is_url(file.path) else content,
            base_type(file.mime_type),
            with_ending("voice", file.mime_type),
        )
        fields = {"model": settings.model, "language": settings.language}
        request = Request(
            "POST",
            f"{settings.url}{ENDPOINT}",
            {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {},
            Form({name: value for name, value in fields.items() if value}, part),
            timeout=settings.timeout,
        )
        async with self._transport.stream(request) as answer:
            if answer.status != 200:
                raise NotTranscribed(f"the server answered with HTTP {answer.status}")
            body = b""
            async for chunk in answer.chunks():
                body += chunk
                if len(body) > MOST:
                    raise NotTranscribed(f"the server's answer has more than {MOST} bytes")
        return self._read(body)

    def _read(self, body: bytes) -> Transcript:
        try:
            answer = object_of(plain(json.loads(body)))
        except (ValueError, RecursionError) as error:
            raise NotTranscribed("the server's answer is no JSON") from error
        if not isinstance(answer.get("text"), str):
            raise NotTranscribed("the server's answer has no text")
        language = text_of(answer.get("language")) or self._settings.language or None
        return Transcript(answer["text"].strip() or None, language)


def _problem(reason: str, error: Exception) -> Transcript:
    logger.warning("whatsapp.not_transcribed: a voice note is heard without words: %s", reason)
    logger.debug("whatsapp.not_transcribed: %s", error, exc_info=error)
    return Transcript(problem=reason)


async def _call(function: Function, file: StoredFile) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(file.path, file.mime_type)
    loop = asyncio.get_running_loop()
    answer = await loop.run_in_executor(_THREADS, function, file.path, file.mime_type)
    return await answer if inspect.isawaitable(answer) else answer
