"""A converter as the channel has it: each file goes through the other process."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from rasa_whatsapp_channel.media.convert.converter import Converter
from rasa_whatsapp_channel.media.convert.plan import Need
from rasa_whatsapp_channel.media.files import mime_type_of
from rasa_whatsapp_channel.whatsapp.mime import HEAD

Fit = Callable[..., Awaitable[bytes]]

pytest.importorskip("av")
pytest.importorskip("PIL")


@pytest.fixture
def fit(tmp_path: Path) -> Fit:
    """``await fit(content, "image")`` returns what becomes of it."""

    async def fit(
        content: bytes,
        kind: str,
        *,
        name: str = "file",
        converter: Converter | None = None,
        **need: bool,
    ) -> bytes:
        source = tmp_path / name
        source.write_bytes(content)
        converter = converter or Converter(tmp_path / "converted")
        wanted = Need(kind, **{"animated_stickers": True, **need})
        mime_type = mime_type_of(content[:HEAD], name, kind)
        made = await converter.fit(source, hashlib.sha256(content).hexdigest(), wanted, mime_type)
        return made.read_bytes()

    return fit
