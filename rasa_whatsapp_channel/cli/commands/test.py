"""``rasa-whatsapp test``: play transcripts against a bot, or record one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rasa_whatsapp_channel.transcript.steps import TranscriptError
from rasa_whatsapp_channel.whatsapp.apis import APIS
from rasa_whatsapp_channel.wording import counted

if TYPE_CHECKING:
    from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient
    from rasa_whatsapp_channel.transcript.steps import Transcript

_EXAMPLES = """
\b
Examples:
  rasa-whatsapp test tests/*.yml                    starts the bot in this folder
  rasa-whatsapp test tests/ --simulator http://127.0.0.1:8400
  rasa-whatsapp test tests/ --budget 5              no conversation may be more billed messages
  rasa-whatsapp test --record 4915112345678 --simulator http://127.0.0.1:8400 > tests/menu.yml
"""


@dataclass(frozen=True)
class RunOptions:
    simulator: str | None
    bot: Path
    model: str | None
    endpoints: Path | None
    start_timeout: float
    api: str
    within: float
    settle: float
    budget: int | None
    turn_budget: int | None
    verbose: bool


@click.command(epilog=_EXAMPLES)
@click.argument("transcripts", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--simulator",
    metavar="URL",
    help="A simulator that runs, with its bot; else both are started for the time of the test.",
)
@click.option(
    "--bot",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=Path(),
    show_default="this one",
    help="Folder of the bot to start; its newest model is taken.",
)
@click.option("--model", help="Another model, as for `rasa run --model`.")
@click.option(
    "--endpoints",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The bot's endpoints.  [default: its endpoints.yml, without tracker store, lock store, "
    "timer store and event broker, so that a test leaves nothing behind]",
)
@click.option(
    "--start-timeout",
    type=click.FloatRange(1.0),
    default=180.0,
    help="Seconds the bot may take to start.",
)
@click.option("--api", type=click.Choice(list(APIS)), default="cloud")
@click.option(
    "--timeout",
    "within",
    type=click.FloatRange(0.1),
    default=10.0,
    help="Seconds a message of the bot may take.",
)
@click.option(
    "--settle",
    type=click.FloatRange(0.0),
    default=1.0,
    help="Seconds to wait for messages too many, where the bot does not tell that it rests.",
)
@click.option(
    "--budget",
    type=click.IntRange(0),
    metavar="N",
    help="Billed messages that a conversation may be, unless its transcript says `budget`.",
)
@click.option(
    "--turn-budget",
    type=click.IntRange(0),
    metavar="N",
    help="Billed messages that may follow one of the person, unless it says `turn_budget`.",
)
@click.option("-v", "--verbose", is_flag=True, help="Show conversations without faults too.")
@click.option(
    "--record", metavar="PERSON", help="Print the chat of this person as a transcript instead."
)
def command(transcripts: Sequence[Path], record: str | None, **options: object) -> None:
    """
    Play transcripts against a bot, and say what differs.

    A transcript is a YAML file with what a person does and what the bot shall answer; a folder
    stands for the transcripts in it. Says how many billed messages each conversation was.
    Exits with status 1 when a bot says something else, or more than its budget.
    """
    chosen = RunOptions(**options)  # type: ignore[arg-type]  # click has checked them
    if record is None and not transcripts:
        raise click.UsageError("Name a transcript or a folder of them, or use --record.")
    if record is not None and chosen.simulator is None:
        raise click.UsageError("--record reads a chat of a running simulator: name --simulator.")
    if record is not None and chosen.simulator is not None:
        click.echo(asyncio.run(_record(chosen.simulator, record)), nl=False)
        return
    parsed = [(path, _read(path)) for path in _find(transcripts)]
    if asyncio.run(_test(parsed, chosen)):
        sys.exit(1)


def _find(paths: Sequence[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        inside = sorted([*path.rglob("*.yml"), *path.rglob("*.yaml")]) if path.is_dir() else [path]
        if not inside:
            raise TranscriptError(f"there is no transcript in {path}")
        found += inside
    return found


def _read(path: Path) -> Transcript:
    from rasa_whatsapp_channel.transcript.steps import parse_transcript

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TranscriptError(f"{path} cannot be read: {error}") from error
    return parse_transcript(text, name=str(path))


async def _record(url: str, person: str) -> str:
    from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient

    async with SimulatorClient(url) as client:
        return await client.transcript(person)


async def _test(transcripts: Sequence[tuple[Path, Transcript]], options: RunOptions) -> int:
    """Play all of them, one behind the other; return how many are not as they should be."""
    from rasa_whatsapp_channel.replay.budget import Budget
    from rasa_whatsapp_channel.replay.chat import Chat
    from rasa_whatsapp_channel.replay.play import play
    from rasa_whatsapp_channel.replay.report import report

    failed = billed = 0
    budget = Budget(options.budget, options.turn_budget)
    async with _simulator(options) as (client, webhook):
        for path, transcript in transcripts:
            person = _person(transcript)
            chat = Chat(client, person, root=path.parent, webhook=webhook)
            await chat.open()
            result = await play(
                transcript,
                chat,
                client,
                within=options.within,
                settle=options.settle,
                budget=budget,
            )
            failed += result.failed
            billed += result.billed.total()
            for line in report(result, whole=options.verbose):
                click.echo(line)
    total = counted(billed, "billed message")
    click.echo(f"{len(transcripts)} played, {failed} failed, {total}")
    return failed


def _person(transcript: Transcript) -> str:
    """Somebody new, unless the transcript says who: conversations shall not know of each other."""
    from rasa_whatsapp_channel.simulator.ids import new_phone
    from rasa_whatsapp_channel.simulator.state import clean_phone

    return clean_phone(transcript.person) if transcript.person else new_phone()


@asynccontextmanager
async def _simulator(options: RunOptions) -> AsyncIterator[tuple[SimulatorClient, str | None]]:
    """Yield a simulator with a bot, and where the bot takes webhooks."""
    from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient

    if options.simulator is not None:
        async with SimulatorClient(options.simulator) as client:
            yield client, str((await client.state())["webhook"])
        return
    from rasa_whatsapp_channel.replay.host import Rasa, free_port, simulator
    from rasa_whatsapp_channel.simulator.config import Config

    args = ("--model", options.model) if options.model else ()
    rasa = Rasa(
        options.bot,
        port=free_port(),
        args=args,
        endpoints=options.endpoints,
        patience=options.start_timeout,
    )
    config = replace(Config(api=APIS[options.api]), port=0, webhook=rasa.webhook)
    async with simulator(config) as url, SimulatorClient(url) as client:
        click.echo("Starting Rasa …", err=True)
        try:
            await rasa.start(config, url)
            yield client, rasa.webhook
        finally:
            await asyncio.to_thread(rasa.stop)
