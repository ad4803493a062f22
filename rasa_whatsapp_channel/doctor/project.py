"""Project: where a bot's files are, and the environment it is checked in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """
    A bot's files. Its folder is that of *credentials*: there Rasa is started.

    *url* is where the webhook is reached from outside; *models* a folder or one model; *account*
    the WhatsApp business account, where the token does not tell it.
    """

    credentials: Path
    endpoints: Path
    models: Path
    url: str | None = None
    account: str | None = None
    offline: bool = False

    @property
    def root(self) -> Path:
        return self.credentials.parent


@dataclass(frozen=True)
class Environment:
    """
    *versions* of the packages that count, by name; only of those that are installed.

    *load* tries whether Rasa can load the channel, and returns the error if it cannot.
    """

    environ: Mapping[str, str] = field(repr=False)
    versions: Mapping[str, str]
    python: str
    load: Callable[[Path], str | None]
    clock: Callable[[], float]
