"""People of a CSV file: whom a notification goes to, with their slots, and what is wrong in it."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.notify.notification import NotificationError
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.identity import to_recipient

#: How to open the file: Excel's mark is left out, and what is no UTF-8 can be told of.
ENCODING: Final = {"encoding": "utf-8-sig", "errors": "surrogateescape", "newline": ""}
COLUMNS: Final = ("to", "phone", "number", "mobile")
_DELIMITERS: Final = ";\t,"
_FORMULA: Final = re.compile(r"[=@]|[+-](?![\d\s(])")
_TEXT: Final = re.compile(r'="([^"]*)"')  # how Excel keeps the digits of a number
_EXPONENT: Final = re.compile(r"\d[.,]\d+E\+?\d+", re.IGNORECASE)
_NO_UTF8: Final = re.compile("[\udc80-\udcff]")


@dataclass(frozen=True)
class Recipient:
    """One row: who, and the slots from its other columns."""

    to: str
    slots: dict[str, str]

    def key(self, run: str) -> str:
        """Return the key of their notification in *run*; it names nobody."""
        return f"{run}.{hashlib.sha256(self.to.encode()).hexdigest()[:24]}"


@dataclass(frozen=True)
class Problem:
    """Why nothing goes by the row that ends in *line*."""

    line: int
    reason: str


def read_people(lines: Iterable[str]) -> Iterator[Recipient | Problem]:
    """
    Read the rows of a file that was opened as `ENCODING` says; a second row for somebody is none.

    Raises `NotificationError` where the file as a whole cannot be read.
    """
    lines = iter(lines)
    header = next(lines, "").replace("\0", "")  # of a file in UTF-16
    found = max(_DELIMITERS, key=header.count)
    names = [name.strip() for name in next(csv.reader([header], delimiter=found), [])]
    lower = [name.lower() for name in names]
    column = next((lower.index(name) for name in COLUMNS if name in lower), None)
    if column is None:
        raise NotificationError(
            f"the first line must name the columns, one of them {COLUMNS[0]}; it says "
            f"{', '.join(names)[:100] or 'nothing'}"
        )
    if len(set(names)) < len(names) or not all(name.isidentifier() for name in names):
        raise NotificationError("each column needs a name of its own, as a slot has it")
    rows = csv.reader(lines, delimiter=found, strict=True)
    seen: set[bytes] = set()
    while True:
        first = rows.line_num + 2
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:  # a quotation mark too many takes the lines after it along
            yield Problem(rows.line_num + 1, f"cannot be read from line {first} on: {error}")
            continue
        if not any(cell.strip() for cell in row):
            continue
        read = _read_row(row, names, column)
        if isinstance(read, str):
            yield Problem(rows.line_num + 1, read)
            continue
        mark = hashlib.sha256(read.to.encode()).digest()[:8]
        if mark in seen:
            yield Problem(rows.line_num + 1, "this number stands in an earlier line, too")
            continue
        seen.add(mark)
        yield read


def _read_row(row: Sequence[str], names: Sequence[str], column: int) -> Recipient | str:
    """Return the recipient, or what is wrong."""
    if len(row) != len(names):
        return f"{len(row)} cells, and the first line has {len(names)}"
    cells = [_TEXT.sub(r"\1", cell.strip()) for cell in row]
    for name, cell in zip(names, cells, strict=True):
        if _NO_UTF8.search(cell):
            return f"{name}: is no UTF-8; save the file as CSV UTF-8"
        if _FORMULA.match(cell):
            return f"{name}: is a formula, or the beginning of one"
    if _EXPONENT.fullmatch(cells[column]):
        return "a program for tables has made a number of the phone number; give it as text"
    try:
        to = to_recipient(cells[column])
    except InvalidMessage as error:
        return error.problem
    others = zip(names, cells, strict=True)
    return Recipient(to, {name: cell for name, cell in others if name != names[column]})
