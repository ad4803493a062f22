"""Project: where a bot's files are, and the environment it is checked in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """A bot's files. Rasa is started in the folder of *credentials*."""

    credentials: Path
    endpoints: Path
    #: A folder of models, or one model.
    models: Path
    #: The public URL of the webhook.
    url: str | None = None
    #: The WhatsApp business account, where the token does not tell it.
    account: str | None = None
    offline: bool = False

    @property
    def root(self) -> Path:
        return self.credentials.parent


@dataclass(frozen=True)
class Environment:
    """The environment that a bot is checked in."""

    environ: Mapping[str, str] = field(repr=False)
    #: Versions of the installed packages that matter, by name.
    versions: Mapping[str, str]
    python: str
    #: Loads the channel as Rasa does; returns the error, None if there is none.
    load: Callable[[Path], str | None]
    clock: Callable[[], float]
