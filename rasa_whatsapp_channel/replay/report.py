"""What was played, for people: the conversation, with what differs marked as in a diff. No I/O."""

from __future__ import annotations

from collections.abc import Iterator

import click

from rasa_whatsapp_channel.replay.played import Did, Played
from rasa_whatsapp_channel.transcript.expect import Difference, Pair, shown
from rasa_whatsapp_channel.transcript.words import Words, line_of

_WHO = 8


def report(played: Played, *, whole: bool = False) -> Iterator[str]:
    """Yield the lines on *played*; those of a conversation without faults only if *whole*."""
    if played.faults == 0:
        yield f"{click.style('ok', fg='green')}    {played.name}"
    else:
        count = "1 difference" if played.faults == 1 else f"{played.faults} differences"
        yield f"{click.style('FAIL', fg='red')}  {played.name}: {count}"
    if played.faults or whole:
        for line in played.lines:
            yield from _did(line) if isinstance(line, Did) else _pair(line)


def _did(did: Did) -> Iterator[str]:
    yield f"      {did.who:<{_WHO}}{line_of(did.words)}"
    if did.problem is not None:
        yield click.style(f"    ! {did.problem}", fg="red")


def _pair(pair: Pair) -> Iterator[str]:
    if pair.fits and pair.got is not None:
        yield f"      {'bot':<{_WHO}}{line_of(pair.got)}"
        return
    if pair.expected is not None:
        yield click.style(f"    - {'bot':<{_WHO}}{line_of(_written(pair.expected))}", fg="red")
    if pair.got is not None:
        yield click.style(f"    + {'bot':<{_WHO}}{line_of(pair.got)}", fg="green")
    for difference in pair.differences:
        yield from _difference(difference)


def _difference(difference: Difference) -> Iterator[str]:
    for line in difference.lines():
        yield f"        {'':<{_WHO - 2}}{line}"


def _written(expected: object) -> Words:
    """Return expected words with their patterns as they are written."""
    words = dict(expected) if isinstance(expected, dict) else {}
    return {
        key: value if isinstance(value, (str, list, dict)) else shown(value)
        for key, value in words.items()
    }
