"""Which files are a bot's domain, and which folder is the bot's."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.whatsapp.errors import DomainError

_ENDINGS: Final = (".yml", ".yaml")
# What `rasa init` puts beside a bot; one of them tells the bot's folder.
_BOT_FILES: Final = ("config.yml", "credentials.yml", "endpoints.yml", "domain.yml")
# Rasa takes a file with one of these for a part of the domain.
_DOMAIN_KEYS: Final = re.compile(
    r"^(slots|forms|actions|entities|intents|responses|e2e_actions|session_config)[ \t]*:",
    re.MULTILINE,
)
_RESPONSES: Final = re.compile(r"^responses[ \t]*:", re.MULTILINE)


def find_files(path: Path) -> list[Path]:
    """
    Return the domain files at *path*: a file, the folder of a bot, or a folder of domain files.

    Raises `DomainError` when there is none.
    """
    if not path.exists():
        raise DomainError(f"{path}: does not exist")
    if path.is_dir():
        candidates = bot_files(path) or _below(path)
        found = [file for file in candidates if is_domain(read_text(file))]
        if not found:
            raise DomainError(f"{path}: has no domain.yml, and no other file of a domain")
        return found
    if not is_domain(read_text(path)):
        raise DomainError(f"{path}: is no domain: it has no responses, slots, intents, …")
    return [path]


def bot_files(folder: Path) -> list[Path]:
    """
    Return the domain files of the bot in *folder*; none where there is no bot.

    They are ``domain.yml``, the folder ``domain``, and what has responses in the folder ``data``.
    """
    own = (folder / f"domain{ending}" for ending in _ENDINGS)
    files = [file for file in own if file.is_file()]
    files += _below(folder / "domain")
    if files:
        files += (file for file in _below(folder / "data") if _RESPONSES.search(read_text(file)))
    return files


def find_root(path: Path) -> Path:
    """Return the folder of the bot that *path* belongs to, where paths of media begin."""
    start = path.resolve() if path.is_dir() else path.resolve().parent
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in _BOT_FILES) or (folder / "domain").is_dir():
            return folder
        if (folder / ".git").exists():
            break
    return start


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DomainError(f"{path}: is not UTF-8, so no YAML: byte {error.start}") from error
    except OSError as error:
        raise DomainError(f"{path}: cannot be read: {error.strerror}") from error


def is_domain(text: str) -> bool:
    return _DOMAIN_KEYS.search(text) is not None


def _below(folder: Path) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.endswith(_ENDINGS):
                yield Path(here, name)
