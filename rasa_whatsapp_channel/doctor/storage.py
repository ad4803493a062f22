"""Tries the store, and the folders that the channel writes into."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from rasa_whatsapp_channel.doctor.store import StoreFacts
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.store import SQLITE, open_store
from rasa_whatsapp_channel.store.base import OUTSIDE
from rasa_whatsapp_channel.whatsapp.errors import StoreError


async def try_store(settings: Settings, root: Path, *, offline: bool) -> StoreFacts:
    """Open what is there, and write a value that goes away; make no file that is not there."""
    url = settings.store
    media = (
        None if "://" in settings.media.store else _problem_of_folder(root / settings.media.store)
    )
    if url == "memory:":
        return StoreFacts("memory", media=media)
    if url.startswith(SQLITE):
        path = root / url.removeprefix(SQLITE)
        problem = _problem_of_folder(path.parent, made=False) or await _problem_of(
            f"{SQLITE}{path}", path.is_file()
        )
        return StoreFacts("sqlite", str(path), problem, free=_free(path), media=media)
    try:
        open_store(url)
    except StoreError as error:
        return StoreFacts("unknown", problem=str(error), media=media)
    if offline:
        return StoreFacts("redis", tried=False, media=media)
    return await _try_redis(url, media)


async def _problem_of(url: str, is_there: bool) -> str:
    if not is_there:
        return ""
    try:
        async with open_store(url, retention=OUTSIDE) as store:
            await store.ping()
    except StoreError as error:
        return str(error)
    return ""


def _problem_of_folder(folder: Path, *, made: bool = True) -> str:
    """Return why nothing can be written into *folder*, which the channel makes if *made*."""
    while made and not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist"
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".rasa-whatsapp-"):
            return ""
    except OSError as error:
        return f"the folder {folder} cannot be written: {error.strerror}"


def _free(path: Path) -> int | None:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return None


async def _try_redis(url: str, media: str | None) -> StoreFacts:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    from rasa_whatsapp_channel.store.redis.address import parse_address
    from rasa_whatsapp_channel.store.redis.faults import explain

    address = parse_address(url)
    redis: Any = Redis.from_url(address.url, socket_connect_timeout=3, socket_timeout=5)
    try:
        info = await redis.info()
    except (RedisError, OSError, TypeError) as error:
        return StoreFacts("redis", address.place, str(explain(error, address.place)), media=media)
    finally:
        await redis.connection_pool.disconnect()
    problem = await _problem_of(url, True)
    return StoreFacts("redis", address.place, problem, info=info, media=media)
