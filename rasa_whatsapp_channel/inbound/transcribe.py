"""Transcription of voice notes, by a function of the bot's author."""

from __future__ import annotations

import asyncio
import inspect
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from rasa_whatsapp_channel.media.values import StoredFile
from rasa_whatsapp_channel.settings.parsers import Function

logger = logging.getLogger(__name__)

TIMEOUT: Final = 60.0
# Threads of their own: a model that thinks for a minute must not hold up those who write files.
_THREADS: Final = ThreadPoolExecutor(max_workers=4, thread_name_prefix="whatsapp-transcribe")


async def transcribe(
    function: Function, file: StoredFile, *, timeout: float = TIMEOUT
) -> str | None:
    """
    Call *function* with the path of *file* and its MIME type; it may be async.

    Return what is said in *file*, or None: then the voice note is heard without words."""
    try:
        text = await asyncio.wait_for(_call(function, file), timeout)
    except Exception as error:  # whatever it raises: the voice note must still be heard
        # Not what it says: that may hold what was said.
        logger.warning(
            "whatsapp.not_transcribed: a voice note is heard without words: %s",
            f"no text within {timeout:g} seconds"
            if isinstance(error, asyncio.TimeoutError)
            else f"the function of `transcribe` raised {type(error).__name__}",
        )
        logger.debug("whatsapp.not_transcribed: %s", error, exc_info=error)
        return None
    return text if isinstance(text, str) and text.strip() else None


async def _call(function: Function, file: StoredFile) -> Any:
    if inspect.iscoroutinefunction(function):
        return await function(file.path, file.mime_type)
    loop = asyncio.get_running_loop()
    answer = await loop.run_in_executor(_THREADS, function, file.path, file.mime_type)
    return await answer if inspect.isawaitable(answer) else answer
