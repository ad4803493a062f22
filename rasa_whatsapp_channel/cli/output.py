"""Output of commands: JSON, aligned columns, hidden numbers, times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import click

_PERSON_END: Final = 4


def print_json(value: Any) -> None:
    """Print *value* as one document of JSON; what JSON has no type for becomes a string."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the rows in aligned columns."""
    widths = [max(map(len, column)) for column in zip(headers, *rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (headers, *rows)
    )
    return "\n".join(lines)


def mask(conversation: str) -> str:
    """Return the end of a number: enough to tell people apart, too little to call them."""
    kind, colon, person = conversation.rpartition(":")
    if not person:
        return "–"
    return f"{kind}{colon}…{person[-_PERSON_END:]}"
