"""
The process that converts one file: ``python -m rasa_whatsapp_channel.media.convert``.

Reads an order as JSON from its input and writes a result as JSON to its output:

    {"source": "…", "folder": "…", "mime_type": "…", "kind": "image", "voice": false, …}
    {"path": "…"}  or  {"path": null}, as it is  or  {"problem": "…"}

Whatever a file makes Pillow or FFmpeg do, it happens here, inside of the limits of the order.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from rasa_whatsapp_channel.media.convert import plan as plans
from rasa_whatsapp_channel.media.convert.plan import Need, Plan, Source
from rasa_whatsapp_channel.whatsapp import mime
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.media_headers import read_opus_channels, read_picture


def main() -> None:
    os.umask(0o077)  # what is made of a person's file is nobody else's
    order = json.load(sys.stdin)
    _limit(memory=order["memory"], seconds=order["seconds"], file_bytes=order["file_bytes"])
    json.dump(_fulfil(order), sys.stdout)


def fit(source: Path, folder: Path, need: Need, mime_type: str) -> Path | None:
    """Return what *source* became, in *folder*; None: it is right, or nothing can be done."""
    plan = plans.decide(need, _look(source, need, mime_type))
    return None if plan is None else _convert(source, folder, plan)


def _fulfil(order: dict[str, Any]) -> dict[str, str | None]:
    need = Need(order["kind"], order["voice"], order["animated_stickers"])
    try:
        path = fit(Path(order["source"]), Path(order["folder"]), need, order["mime_type"])
    except MediaError as error:
        return {"problem": str(error)}
    except MemoryError:
        return {"problem": f"needs more than {order['memory'] >> 20} MB of memory"}
    except Exception as error:  # of Pillow or PyAV: they read what anybody made
        return {"problem": f"cannot be converted: {type(error).__name__}: {error}"}
    return {"path": None if path is None else str(path)}


def _look(source: Path, need: Need, mime_type: str) -> Source:
    with source.open("rb") as file:
        head = file.read(mime.HEAD)
        file.seek(0)
        picture = read_picture(file)
    clip = None
    if plans.needs_a_look(need, mime_type):
        from rasa_whatsapp_channel.media.convert import streams

        clip = streams.look(source)
    size, channels = source.stat().st_size, read_opus_channels(head)
    return Source(mime_type, size, picture, channels, clip)


def _convert(source: Path, folder: Path, plan: Plan) -> Path:
    # Imported here: each brings a library that takes time, and may be missing.
    if plan.way in (plans.IMAGE, plans.STICKER):
        from rasa_whatsapp_channel.media.convert import pictures

        make = pictures.to_image if plan.way == plans.IMAGE else pictures.to_sticker
    else:
        from rasa_whatsapp_channel.media.convert import streams

        make = streams.to_audio if plan.way == plans.AUDIO else streams.to_video
    return make(source, folder, plan)


def _limit(*, memory: int, seconds: int, file_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: the time is limited by the one who waits
        return
    wanted = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: seconds,
        resource.RLIMIT_FSIZE: file_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for what, most in wanted.items():
        with suppress(ValueError, OSError):  # stricter already, or not known here
            resource.setrlimit(what, (most, most))


if __name__ == "__main__":
    main()
