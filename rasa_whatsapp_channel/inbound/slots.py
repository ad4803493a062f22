"""How many may do the same at once, so that one kind of work cannot starve another."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

TURNS: Final = 200
DOWNLOADS: Final = 50


@dataclass(frozen=True)
class Slots:
    """Of one server process, whatever number is written to."""

    turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(TURNS))
    downloads: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DOWNLOADS))
