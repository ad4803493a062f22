"""
Let many people chat with a bot in bad weather, and count what was lost, doubled or out of order.

\b
    make soak                                        # about 30 minutes
    make soak ARGS="--store redis --servers 2 --runs 5"
    make soak ARGS="--people 200 --seconds 300 --seed 7 --minutes 30"
    make soak ARGS="--only commits"                  # kill -9 at every commit
    make soak ARGS="--only weather --seeds 20"       # sixty kinds of answers in rough weather
    make soak ARGS="--only weather --combine turn"   # only with as few messages as fit
    make soak ARGS="--serve"                         # door and sender apart from the bot
    make soak ARGS="--only notify --people 100000"   # many people of a file, on two servers
    make soak ARGS="--only handoff"                  # a person takes over at every point of a turn

Everything happens on 127.0.0.1 and by a seed. The exit status is 1 if a promise was broken: see
docs/delivery-guarantees.md.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from soak import handoff, notify, weather
from soak.run import Plan, Result, run
from support.every_commit import die_at_all, every_point
from support.stubs import Forge

COLUMNS = (
    "messages",
    "answers",
    "kills",
    "lost",
    "doubled",
    "out of order",
    "dead letters",
    "wait: median",
    "longest",
    "requests / answer",
    "turns / message",
)
MOST = 20  # faults of a run that are shown
KINDS = {"chats", "commits", "weather", "handoff"}
WAYS = "off", "turn"
OTHERS = "360dialog", "on_premises", "turn"  # APIs that have one weather
COMBINED = 4  # seeds of rough weather, on each store, that also combine
PER_EVENT = 12.0  # seconds in which one server is killed, one clock jumps, and one turn blocks


@click.command(help=__doc__)
@click.option("--people", type=click.IntRange(1), help="Default: 60; of notify 100,000.")
@click.option("--seconds", default=60.0, show_default=True, help="In which they write, per run.")
@click.option("--seed", default=1, show_default=True, help="Of the first run.")
@click.option("--runs", default=1, show_default=True, help="Of each kind, each with its own seed.")
@click.option("--store", type=click.Choice(["sqlite", "redis"]), help="Default: both.")
@click.option("--servers", type=click.IntRange(1, 2), help="On one store. Default: 1, then 2.")
@click.option(
    "--late", default=0.01, show_default=True, help="Share of messages answered after 30 seconds."
)
@click.option("--seeds", default=20, show_default=True, help="Of rough weather, on each store.")
@click.option(
    "--handoffs",
    default=200,
    show_default=True,
    help="Conversations that are handed over, per run.",
)
@click.option(
    "--only", type=click.Choice([*sorted(KINDS), "notify"]), help="Default: all but notify."
)
@click.option(
    "--serve",
    is_flag=True,
    help="With `rasa-whatsapp serve` as door and sender: of chats and weather.",
)
@click.option(
    "--combine",
    type=click.Choice(["off", "turn"]),
    help="As in the settings; not of chats. Default: off, and with turn some of the others.",
)
@click.option(
    "--minutes", default=45.0, show_default=True, help="After these no further run begins."
)
@click.option("--keep", type=Path, help="Keep logs and stores in this folder.")
def main(
    people: int | None,
    seconds: float,
    seed: int,
    runs: int,
    store: str | None,
    servers: int | None,
    late: float,
    seeds: int,
    handoffs: int,
    only: str | None,
    serve: bool,
    combine: str | None,
    minutes: float,
    keep: Path | None,
) -> None:
    kinds = {only} if only else {"chats", "weather"} if serve else KINDS
    stores = [store] if store else ["sqlite", "redis"]
    plans = [
        Plan(
            seed=seed + number,
            store=kind,
            servers=count,
            people=min(people or 60, 200),
            seconds=seconds,
            kills=round(seconds / PER_EVENT),
            blocks=round(seconds / PER_EVENT / 2),
            jumps=round(seconds / PER_EVENT / 2),
            late=late,
            apart=serve,
        )
        for number in range(runs)
        for kind in stores
        for count in ([servers] if servers else [1, 2])
    ]
    console = Console(width=None if sys.stdout.isatty() else 140)
    with _folder(keep) as folder:
        end = time.monotonic() + 60 * minutes
        soak = Soak(console, folder, end=end, combine=combine or "off")
        try:
            if kinds & {"chats", "commits"}:
                chats = plans if "chats" in kinds else []
                asyncio.run(soak.runs(chats, commits="commits" in kinds))
            if "weather" in kinds:
                weathers = [
                    weather.Plan(seed + number, kind, way, apart=serve)
                    for number in range(seeds)
                    for kind in stores
                    for way in ([combine] if combine else WAYS[: 1 + (number < COMBINED)])
                ]
                weathers += [weather.Plan(seed, kind, api=api) for kind in stores for api in OTHERS]
                asyncio.run(soak.weather(weathers))
            if only == "notify":
                many = [notify.Plan(people or 100_000, kind, seed) for kind in stores]
                asyncio.run(soak.notify(many))
            if "handoff" in kinds:
                for plan in handoff_plans(
                    seed,
                    runs,
                    stores,
                    servers,
                    handoffs=handoffs,
                    seconds=seconds,
                    ways=[combine] if combine else WAYS,
                    apart=serve,
                ):
                    asyncio.run(soak.handoff(plan))
                asyncio.run(soak.deaths(handoff.deaths(seed)))
        except KeyboardInterrupt:
            soak.show()
            console.print("interrupted; all servers are stopped")
            sys.exit(130)
        soak.show()
    sys.exit(1 if soak.faults else 0)


def handoff_plans(
    seed: int,
    runs: int,
    stores: Sequence[str],
    servers: int | None,
    *,
    handoffs: int,
    seconds: float,
    ways: Sequence[str],
    apart: bool,
) -> list[handoff.Plan]:
    """Return runs with one server, and such with two of which one is killed now and then."""
    return [
        handoff.Plan(
            seed=seed + number,
            store=kind,
            servers=count,
            conversations=handoffs,
            seconds=seconds,
            kills=round(seconds / PER_EVENT) if count > 1 else 0,
            combine=way,
            apart=apart,
        )
        for number in range(runs)
        for kind in stores
        for way in ways
        for count in ([servers] if servers else [1, 2])
    ]


class Soak:
    """Runs one after the other, until the time is up."""

    def __init__(self, console: Console, folder: Path, *, end: float, combine: str) -> None:
        self.faults: list[str] = []
        self._console = console
        self._folder = folder
        self._end = end
        self._combine = combine
        self._results: list[Result] = []

    async def runs(self, plans: Sequence[Plan], *, commits: bool) -> None:
        forge = Forge(self._folder)
        try:
            for number, plan in enumerate(plans, 1):
                if self._is_over():
                    return
                self._console.print(f"[bold]run {number} of {len(plans)}: {plan}[/bold]")
                folder = self._folder / f"run-{number}"
                folder.mkdir()
                result = await run(plan, folder, forge, self._say)
                self._results.append(result)
                self._take(str(plan), result.faults, result.stories)
            for how in ("calm", "rough") if commits else ():
                if self._is_over():
                    return
                await self._commits(how, forge)
        finally:
            forge.close()

    async def notify(self, plans: Sequence[notify.Plan]) -> None:
        forge = Forge(self._folder)
        try:
            for number, plan in enumerate(plans, 1):
                self._console.print(f"[bold]{plan}[/bold]")
                folder = self._folder / f"notify-{number}"
                folder.mkdir()
                result = await notify.run(plan, folder, forge, self._say)
                self._console.print(str(result), markup=False, soft_wrap=True)
                self._take(str(plan), result.faults)
        finally:
            forge.close()

    async def _commits(self, how: str, forge: Forge) -> None:
        self._console.print(f"[bold]kill -9 before and after every commit, {how}[/bold]")
        folder = self._folder / f"commits-{how}"
        folder.mkdir()
        began = time.monotonic()
        reached = await die_at_all(
            every_point(), folder, forge, is_rough=how == "rough", combine=self._combine
        )
        last = max((point.number for point in reached), default=0)
        self._say(
            f"killed at {len(reached)} points, up to commit {last}; "
            f"{time.monotonic() - began:.0f} s"
        )
        self._take(how, [fault for faults in reached.values() for fault in faults])

    async def weather(self, plans: Sequence[weather.Plan]) -> None:
        if self._is_over():
            return
        async with aclosing(weather.runs(plans, self._folder)) as results:
            async for result in results:
                self._console.print(str(result), markup=False, soft_wrap=True)
                self._take(str(result.plan), result.faults)

    async def handoff(self, plan: handoff.Plan) -> None:
        if self._is_over():
            return
        folder = self._folder / str(plan).replace(", ", "-").replace(" ", "-")
        folder.mkdir()
        forge = Forge(folder)
        try:
            result = await handoff.run(plan, folder, forge)
        finally:
            forge.close()
        self._console.print(str(result), markup=False, soft_wrap=True)
        self._take(str(plan), result.faults)

    async def deaths(self, plans: Sequence[handoff.Plan]) -> None:
        if self._is_over():
            return
        self._console.print("[bold]kill -9 before and after every commit of a take-over[/bold]")
        folder = self._folder / "handoff-commits"
        folder.mkdir()
        forge = Forge(folder)
        try:
            results = await handoff.die_at_all(plans, folder, forge)
        finally:
            forge.close()
        self._say(f"killed at {len(results)} points")
        for result in results:
            self._take(str(result.plan), result.faults)

    def _take(self, what: str, faults: Sequence[str], stories: str = "") -> None:
        for fault in faults[:MOST]:
            self._console.print(f"  {fault}", style="red", markup=False)
        if len(faults) > MOST:
            self._console.print(f"  … and {len(faults) - MOST} more", style="red")
        if faults and stories:
            self._console.print(stories, markup=False)
        self.faults += [f"{what}: {fault}" for fault in faults]

    def _is_over(self) -> bool:
        is_over = time.monotonic() > self._end
        if is_over:
            self._console.print("the time is up (--minutes); the rest is left out")
        return is_over

    def _say(self, line: str) -> None:
        self._console.print(f"  {line}", markup=False)

    def show(self) -> None:
        """Print what all runs found."""
        if self._results:
            self._console.print(_table(self._results))
        if self.faults:
            self._console.print(f"{len(self.faults)} broken promises", style="bold red")
        else:
            self._console.print("nothing lost, nothing twice, all in order", style="green")


def _table(results: Sequence[Result]) -> Table:
    table = Table()
    table.add_column("run", no_wrap=True)
    for title in COLUMNS:
        table.add_column(title, justify="right")
    for result in results:
        table.add_row(*_row(result))
    return table


def _row(result: Result) -> Iterator[str]:
    verdict = result.verdict
    yield str(result.plan)
    yield str(result.messages)
    yield str(verdict.answers)
    yield f"{result.kills} + {result.crashes}"
    yield str(len(verdict.lost))
    yield str(verdict.doubles + len(verdict.unexplained))
    yield str(len(verdict.disordered) + len(verdict.heard_disordered))
    yield str(len(result.dead))
    yield f"{result.median:.1f} s"
    yield f"{result.longest:.1f} s"
    yield f"{result.requests:.2f}"
    yield f"{result.turns:.2f}"


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        keep.mkdir(parents=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    main()
