"""Unix time: how many seconds a day has, and how a time is written."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Final

DAY: Final = 86_400  # seconds


def time_of(at: float) -> str:
    """Write a time in unix seconds: ``2026-11-30T09:15:00+00:00``."""
    return datetime.fromtimestamp(at, timezone.utc).isoformat(timespec="seconds")
