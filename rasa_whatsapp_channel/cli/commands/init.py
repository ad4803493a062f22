"""``rasa-whatsapp init``: connect a bot to WhatsApp."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click

from rasa_whatsapp_channel.domain.marked import DomainError
from rasa_whatsapp_channel.domain.project import (
    CREDENTIALS,
    DOMAIN,
    INTEGRATIONS,
    RESPONSES,
    is_mantle,
    problem_of_layout,
)
from rasa_whatsapp_channel.scaffold import ENVIRONMENT, EXAMPLES, GITIGNORE, FileChange, plan
from rasa_whatsapp_channel.scaffold.mantle import DRAFT, plan_mantle
from rasa_whatsapp_channel.whatsapp.apis import APIS


@click.command()
@click.argument(
    "folder",
    default=".",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
)
@click.option("--api", type=click.Choice(list(APIS)), default="cloud")
@click.option("--simulator", is_flag=True, help="Write the block for the simulator here.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
def command(folder: Path, api: str, simulator: bool, dry_run: bool) -> None:
    """
    Bring the bot in FOLDER onto WhatsApp.

    Adds the channel's block to credentials.yml, its variables to .env.example, the intents to the
    domain, secrets and data to .gitignore, and a file with responses to copy. A bot for Rasa Pro's
    engine Mantle gets the block in integrations.yml, and no domain, but responses.yml and a draft
    of a skill. What is there stays as it is, and a second run changes nothing.

    With --simulator the block is that of `rasa-whatsapp simulate`, so the bot runs as it is.

    \b
    Examples:
      rasa-whatsapp init
      rasa-whatsapp init my-bot --api 360dialog
      rasa-whatsapp init --simulator
      rasa-whatsapp init --dry-run
    """
    try:
        mantle = _is_mantle(folder)
        files = _read(folder)
        changes = list(
            plan_mantle(api, files, simulator=simulator)
            if mantle
            else plan(
                api,
                files,
                has_domain_folder=(folder / "domain").is_dir(),
                simulator=simulator,
            )
        )
    except DomainError as error:
        raise click.ClickException(f"{error}; nothing was written") from error
    for change in changes:
        if change.text is not None and not dry_run:
            _write(folder / change.name, change.text)
        _show(change, files.get(change.name, "") if dry_run else None)
    if dry_run:
        click.echo("\nNothing was written.")
    else:
        _show_next(changes, _steps(folder, mantle=mantle, simulator=simulator), folder)


def _is_mantle(folder: Path) -> bool:
    """Return which engine the bot is for. Raises `DomainError` where it has files of both."""
    problem = problem_of_layout(folder)
    if problem is not None and (folder / DOMAIN).is_file():
        raise DomainError(" ".join(problem).rstrip("."))
    return is_mantle(folder)


def _read(folder: Path) -> dict[str, str]:
    from rasa_whatsapp_channel.domain.read import bot_files, read_text

    own = (CREDENTIALS, INTEGRATIONS, ENVIRONMENT, GITIGNORE, EXAMPLES, RESPONSES, DRAFT)
    names = (folder / name for name in own)
    files = [*(path for path in names if path.exists()), *bot_files(folder)]
    return {path.relative_to(folder).as_posix(): read_text(path) for path in files}


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        is_crlf = path.is_file() and b"\r\n" in path.read_bytes()
        path.write_text(text, encoding="utf-8", newline="\r\n" if is_crlf else None)
    except OSError as error:
        raise click.ClickException(f"{path}: cannot be written: {error.strerror}") from error


def _show(change: FileChange, before: str | None) -> None:
    """Print what becomes of a file; of one that was *before*, in a dry run, the new lines too."""
    mark, colour = ("✔", "green") if change.text is not None else ("–", "bright_black")
    if change.by_hand:
        mark, colour = "!", "yellow"
    click.echo(f"  {click.style(mark, fg=colour, bold=True)} {change.name:<26} {change.what}")
    shown = change.by_hand.splitlines()
    if before is not None and change.text is not None:
        difference = difflib.ndiff(before.splitlines(), change.text.splitlines())
        shown = [line for line in difference if line.startswith("+ ")]
    for line in shown:
        click.echo(f"      {line}".rstrip())


def _show_next(changes: Sequence[FileChange], steps: Iterable[str], folder: Path) -> None:
    by_hand = [change.name for change in changes if change.by_hand]
    first = [f"add what is shown above to {' and '.join(by_hand)}"] if by_hand else []
    there = "" if folder == Path() else f"cd {folder}, then "
    click.echo("\n" + click.style("Next", bold=True))
    for number, step in enumerate([*first, *steps], start=1):
        click.echo(f"  {number}. {there if number == 1 else ''}{step}")


def _steps(folder: Path, *, mantle: bool, simulator: bool) -> Iterator[str]:
    """Yield what is left to do."""
    if not mantle and not (folder / "config.yml").exists():
        yield "there is no bot yet: make one with `rasa init`, then run this again"
    env = "cp .env.example .env"
    if mantle and not simulator:
        there = (folder / ".env").exists()
        yield f"{'cat .env.example >> .env' if there else env}, and fill it in: Rasa loads it"
    elif not simulator:
        yield f"{env}, fill it in, and load it: set -a; . ./.env; set +a"
    if mantle:
        draft = Path(DRAFT).parent
        yield f"to say such responses: cp -r {draft} skills/whatsapp; Rasa passes over {draft}"
    # Rasa 3.6 looks for a file, unless it is told of a folder.
    in_folder = (folder / "domain").is_dir() and not (folder / DOMAIN).exists()
    yield f"rasa train{' --domain domain' if in_folder else ''}"
    if simulator:
        yield "rasa-whatsapp simulate, in a second terminal; it says which page to open"
    yield "rasa run"
    if simulator:
        yield "with a real number: replace the block, docs/real-number.md says by what"
    else:
        yield "rasa-whatsapp doctor --url https://your-host, which finds what is still missing"
        yield "without a Meta account: rasa-whatsapp simulate"
