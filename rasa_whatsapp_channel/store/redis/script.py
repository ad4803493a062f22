"""
Redis script: the operations of queues, ledger and values in Lua, and how several are one call.

No I/O but reading the Lua files of this folder.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

Arg = str | float

PARTS: Final = ("queue", "ledger", "values")
# Operations that are refused when the memory is full, and those that only read.
NEEDS_ROOM: Final = frozenset(
    {"put", "put_dead_letter", "requeue", "set", "set_many", "add", "replace"}
)
READS: Final = frozenset({"get", "get_many", "by_key"})


@dataclass(frozen=True)
class Script:
    """The Lua *text*, and the *sha* by which Redis knows it once it was loaded."""

    text: str
    sha: str


@dataclass(slots=True)  # not frozen: a dozen are made for each message
class Command:
    """
    An operation on its way to Redis, and the *future* of its answer.

    *args* are as the script reads them. One that *wants_safety* fails while Redis may evict keys.
    """

    operation: str
    args: Sequence[Arg]
    future: asyncio.Future[Any]
    wants_safety: bool = False

    def give(self, answer: Any) -> None:
        if not self.future.done():
            self.future.set_result(answer)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


def read_script() -> Script:
    """Return all parts as one script, so that the operations of one moment are one call."""
    folder = resources.files(__package__)
    texts = [
        f"do local operations = {{}}\n{(folder / f'{part}.lua').read_text()}\n"
        f"parts.{part} = operations end"
        for part in PARTS
    ]
    first, last = ((folder / f"{name}.lua").read_text() for name in ("prelude", "run"))
    text = "\n".join((first, *texts, last))
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


def in_script(prefix: str, part: str, operation: str, args: Sequence[Arg]) -> tuple[Arg, ...]:
    """Return what the script is told of an operation."""
    return (prefix, part, operation, len(args), *args)


def pack(words: Iterable[Arg]) -> tuple[str, str | bytes]:
    """
    Return the lengths of *words* in bytes, and all of them in one: the arguments of a call.

    redis-py writes each argument by itself, in Python, and a message has about 130.
    """
    texts = [word if isinstance(word, str) else repr(word) for word in words]
    whole = "".join(texts)
    if whole.isascii():
        return " ".join(map(str, map(len, texts))), whole
    # Half a surrogate pair in a webhook is stored as an escape, as in SQLite.
    parts = [text.encode(errors="backslashreplace") for text in texts]
    return " ".join(map(str, map(len, parts))), b"".join(parts)


def in_calls(jobs: Iterable[Command]) -> Iterator[Sequence[Command]]:
    """
    Yield *jobs*, in their order, as calls of the script.

    One that needs room never comes behind one that goes on when the memory is full: in one call it
    would not be refused.
    """
    call: list[Command] = []
    goes_on = False
    for job in jobs:
        if goes_on and job.operation in NEEDS_ROOM:
            yield call
            call, goes_on = [], False
        call.append(job)
        goes_on = goes_on or job.operation not in NEEDS_ROOM | READS
    yield call
