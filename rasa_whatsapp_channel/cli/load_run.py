"""Load run: a load test beside the simulator, its figures shown while it runs and as a table."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from rasa_whatsapp_channel.simulator.load_test import Load, LoadResults
    from rasa_whatsapp_channel.simulator.world import World

REFRESH: Final = 0.5  # seconds, on a terminal
LINE: Final = 5.0  # seconds between two lines elsewhere


class LoadRun:
    """A load test beside the simulator, with its figures shown while it runs."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.results: LoadResults | None = None
        self.error: Exception | None = None

    async def run(self, world: World) -> None:
        from rasa_whatsapp_channel.simulator.load_test import LoadTest
        from rasa_whatsapp_channel.simulator.problems import SimulatorError

        load_test = LoadTest(world, self._load)
        self.results = load_test.results
        click.echo(
            f"{self._load.people} people write {self._load.text!r}, together "
            f"{self._load.rate:g} times a second, for {self._load.duration:g} seconds."
        )
        showing = asyncio.create_task(_show(load_test.results))
        try:
            await load_test.run()
        except SimulatorError as error:
            self.error = error
        finally:
            showing.cancel()
            with suppress(asyncio.CancelledError):
                await showing

    def end(self) -> None:
        """Print the table, and exit with status 1 if there was a fault."""
        if self.error is not None:
            raise self.error
        if self.results is None:
            return
        _print_table(self.results)
        if self.results.faults:
            sys.exit(1)


async def _show(results: LoadResults) -> None:
    if sys.stdout.isatty():
        with suppress(ImportError):
            await _show_live(results)
            return
    while True:
        await asyncio.sleep(LINE)
        if results.seconds:
            click.echo(_line(results))


async def _show_live(results: LoadResults) -> None:
    from rich.live import Live

    with Live(_table(results), refresh_per_second=4, transient=True) as live:
        while True:
            await asyncio.sleep(REFRESH)
            live.update(_table(results))


def _line(results: LoadResults) -> str:
    return "  ".join(f"{name} {value}" for name, value in results.figures())


def _print_table(results: LoadResults) -> None:
    if sys.stdout.isatty():
        with suppress(ImportError):
            from rich.console import Console

            Console().print(_table(results))
            return
    for name, value in results.figures():
        click.echo(f"{name:<20}{value:>12}")


def _table(results: LoadResults) -> Any:
    from rich.table import Table

    table = Table(show_header=False, title=f"{results.waiting} wait for an answer", min_width=36)
    table.add_column()
    table.add_column(justify="right")
    for name, value in results.figures():
        bad = name in ("lost", "doubled", "out of order") and value != "0"
        table.add_row(name, value, style="bold red" if bad else None)
    return table
