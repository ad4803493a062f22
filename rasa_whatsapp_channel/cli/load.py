"""The load of ``rasa-whatsapp simulate --load``: its options, and the table that shows it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

if TYPE_CHECKING:
    from rasa_whatsapp_channel.simulator.load.results import LoadResults
    from rasa_whatsapp_channel.simulator.load.users import Load
    from rasa_whatsapp_channel.simulator.world import World

REFRESH: Final = 0.5  # seconds, on a terminal
MOST_PEOPLE: Final = 5000
MOST_RATE: Final = 1000
MOST_SECONDS: Final = 3600
LINE: Final = 5.0  # seconds between two lines elsewhere

Function = TypeVar("Function", bound=Callable[..., Any])


class Duration(click.ParamType):  # type: ignore[type-arg, unused-ignore]  # generic since click 8.2
    """Seconds, or a time such as 100ms, 30s, 2m."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        from rasa_whatsapp_channel.transcript.steps import parse_seconds

        text = str(value).strip()
        seconds = parse_seconds(text[:-2]) if text.endswith("ms") else parse_seconds(text)
        if seconds is None:
            self.fail(f"{value!r} is no time such as 100ms, 30s or 2m", param, ctx)
        return seconds / 1000 if text.endswith("ms") else seconds


_OPTIONS = (
    click.option(
        "--load",
        "people",
        type=click.IntRange(1, MOST_PEOPLE),
        help="Let so many people write to the bot at once, and show what comes of it.",
    ),
    click.option(
        "--rate",
        type=click.FloatRange(0.1, MOST_RATE),
        default=50.0,
        show_default=True,
        help="Load: messages a second, of all people together.",
    ),
    click.option(
        "--duration",
        type=Duration(),
        default="30s",
        show_default=True,
        help="Load: how long they write, at most an hour.",
    ),
    click.option("--say", default="hi", show_default=True, help="Load: what they write."),
    click.option(
        "--latency",
        type=Duration(),
        default="0s",
        show_default=True,
        help="How long WhatsApp takes to answer the bot, e.g. 100ms.",
    ),
)


def load_options(function: Function) -> Function:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def read_load(options: dict[str, Any]) -> Load | None:
    """Take the options of a load out of *options*; None if none is wanted."""
    people = options.pop("people")
    rate, duration = options.pop("rate"), options.pop("duration")
    text = options.pop("say")
    if people is None:
        return None
    from rasa_whatsapp_channel.simulator.load.users import Load

    if duration > MOST_SECONDS:
        raise click.UsageError("A load takes at most an hour: --duration 1h.")
    return Load(people=people, rate=rate, duration=duration, text=text)


class Shown:
    """A load that is run beside the simulator, and shown while it goes on."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self.results: LoadResults | None = None
        self.error: Exception | None = None

    async def run(self, world: World) -> None:
        from rasa_whatsapp_channel.simulator.load.users import LoadTest
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
        """Print the table, and end with 1 if there was a fault."""
        if self.error is not None:
            raise click.ClickException(str(self.error))
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
