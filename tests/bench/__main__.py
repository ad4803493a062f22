"""
Measure every number this project promises, each beside a reference on the same machine.

    python -m bench                     # make bench
    python -m bench --quick compose     # only the rows about composing, quickly
"""

from __future__ import annotations

import asyncio
import importlib
import sys
import tempfile
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import click
import uvloop
from bench.bench import LARGE, QUICK, Bench, Size
from bench.goals import Failure, Row, misses
from bench.report import (
    PROFILES,
    place,
    print_profiles,
    print_table,
    profiles_to_markdown,
    read_before,
    to_json,
    to_markdown,
)
from bench.servers import pipelines
from bench.whatsapp import WhatsApp
from rich.console import Console
from support.processes import PROJECT

# In the order they are measured and printed: module of `bench.rows`, what it is about.
PARTS = {
    "throughput": "messages/s, webhook → bot (echo) → WhatsApp",
    "rasa": "real Rasa",
    "apart": "door and sender apart from the bot",
    "restart": "Rasa restarted under load",
    "growth": "much in the store",
    "memory": "what stays behind",
    "servers": "several servers on one Redis",
    "compose": "composing",
    "cost": "messages that are billed, of sixty conversations",
    "startup": "starting",
    "hostile": "webhooks made to hurt",
    "media": "large files",
}


@click.command(help=__doc__.split("\n\n")[0], epilog="Parts: " + ", ".join(PARTS))
@click.argument("parts", nargs=-1, type=click.Choice(tuple(PARTS)), metavar="[PART]...")
@click.option("--quick", is_flag=True, help="Everything smaller and shorter: about two minutes.")
@click.option(
    "--large", is_flag=True, help="Growth with ten times as much: 20 minutes, 15 GB of disk."
)
@click.option("--latency", default=100, show_default=True, help="Of WhatsApp's answers, in ms.")
@click.option("--check", is_flag=True, help="End with 1 where a goal is missed by over 15 %.")
@click.option("--json", "json_file", type=Path, help="Write the figures here, too.")
@click.option("--compare", type=Path, help="Show the ratios of this earlier --json beside.")
@click.option("--profile", type=Path, help="Sample where the time goes, into this folder.")
@click.option(
    "--beside",
    type=click.Path(exists=True, file_okay=False, resolve_path=True, path_type=Path),
    help="Another checkout: `throughput` is measured beside it, and nothing else.",
)
@click.option(
    "--markdown",
    "markdown_file",
    type=Path,
    help="Write the table here, too; into a page with marks for it, between them.",
)
def main(
    parts: tuple[str, ...],
    quick: bool,
    large: bool,
    latency: int,
    check: bool,
    json_file: Path | None,
    markdown_file: Path | None,
    compare: Path | None,
    profile: Path | None,
    beside: Path | None,
) -> None:
    size = replace(QUICK if quick else Size(), latency=latency / 1000, **(LARGE if large else {}))
    page = markdown_file.read_text() if markdown_file and markdown_file.exists() else ""
    try:
        place("", page)
        if profile:
            place("", page, PROFILES)
    except ValueError as error:
        raise click.BadParameter(f"{markdown_file}: {error}") from error
    try:
        before = read_before(compare.read_text()) if compare else None
    except (ValueError, OSError) as error:
        raise click.BadParameter(f"{compare}: {error}") from error
    if beside and parts != ("throughput",):
        raise click.UsageError("--beside goes with `throughput` alone")
    if profile:
        profile.mkdir(parents=True, exist_ok=True)
    console = Console(width=None if sys.stdout.isatty() else 160)
    began = time.monotonic()
    uvloop.install()
    found, bench = asyncio.run(measure(parts or tuple(PARTS), size, profile, beside))
    busiest, profiles = bench.busiest, bench.profiles
    took = time.monotonic() - began
    print_table(console, found, busiest, took=took, quick=quick, before=before)
    if profiles:
        print_profiles(console, profiles)
    if json_file:
        json_file.write_text(to_json(found, busiest, quick=quick))
    if markdown_file:
        is_new = not page
        page = place(to_markdown(found, busiest, took=took, quick=quick), page)
        if profiles:
            table = profiles_to_markdown(profiles)
            page = f"{page}\n{table}" if is_new else place(table, page, PROFILES)
        markdown_file.write_text(page)
    if check and (missed := misses(row for rows in found.values() for row in rows)):
        for each in missed:
            console.print(f"missed by more than 15 %: {each}", style="red", soft_wrap=True)
        sys.exit(1)


async def measure(
    parts: Collection[str],
    size: Size,
    stacks: Path | None = None,
    beside: Path | None = None,
) -> tuple[dict[str, list[Row | Failure]], Bench]:
    """
    Return the rows of *parts* by what they are about, and what they were measured with.

    *beside* is another checkout that throughput is measured beside.
    """
    whatsapp = WhatsApp(latency=size.latency)
    await whatsapp.open()
    found: dict[str, list[Row | Failure]] = {}
    progress = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        pipelines(Path(folder)) as forge,
        pipelines(Path(folder) / "beside", beside or PROJECT) as others,
        progress.status("starting") as status,
    ):
        bench = Bench(size, Path(folder), whatsapp, forge, status.update, stacks)
        bench.others = others if beside else None
        for part in PARTS:
            if part in parts:
                found[PARTS[part]] = rows = []
                module = importlib.import_module(f"bench.rows.{part}")
                began = time.monotonic()
                try:
                    async for row in module.rows(bench):
                        rows.append(row)
                except Exception as error:  # the other rows are still worth to be known
                    progress.print_exception()
                    rows.append(Failure(part, f"{type(error).__name__}: {error}"))
                progress.print(f"{part}: {time.monotonic() - began:.0f} s", style="dim")
    await whatsapp.close()
    return found, bench


if __name__ == "__main__":
    main()
