"""``rasa-whatsapp backup``: copy the store to a file, while the bot runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from rasa_whatsapp_channel.cli.open import StoreLocation, store_options

PERCENT: Final = 100
_ELSEWHERE: Final = (
    "the store is in Redis, which has backups of its own: `redis-cli --rdb FILE` copies it "
    "while the bot runs; docs/how-to/deploy.md#back-it-up"
)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite an existing file.")
@store_options
def command(file: Path, force: bool, location: StoreLocation) -> None:
    """
    Copy the store to FILE: what waits, dead letters, the record of what was sent.

    The bot may run meanwhile. FILE holds what people wrote; only your user may read it. The files
    they sent are in `media.store`, the conversations in Rasa's tracker store.

    \b
    rasa-whatsapp backup whatsapp-backup.db
    rasa-whatsapp backup --force --store sqlite:////var/lib/bot/whatsapp.db /backup/whatsapp.db

    Exits with status 0 when FILE is written and checked, 1 when it is not, 2 for wrong options.
    """
    source = location.file()
    if source is None:
        raise click.ClickException(_ELSEWHERE)
    _check(file, source, force=force)
    size = _copy(source, file)
    click.echo(f"Wrote {file}: {size:,} bytes, checked.")
    click.echo(
        "To restore it: stop the bot, delete "
        f"{source.name}-wal and {source.name}-shm, and copy it to {source.absolute()}"
    )


def _check(file: Path, source: Path, *, force: bool) -> None:
    if file.is_dir():
        raise click.ClickException(f"{file}: is a folder; name a file in it")
    if file.resolve() == source.resolve():
        raise click.ClickException(f"{file}: is the store itself; name another file")
    if file.exists() and not force:
        raise click.ClickException(f"{file}: exists already; --force overwrites it")


def _copy(source: Path, file: Path) -> int:
    # SQLite takes its time to load, and `--help` needs none of it.
    from rasa_whatsapp_channel.store.sqlite.backup import back_up

    bar: Any
    with click.progressbar(length=PERCENT, label=f"Copying {source}", file=sys.stderr) as bar:

        def progress(done: int, pages: int) -> None:
            bar.update(PERCENT * done // max(pages, 1) - bar.pos)

        return back_up(source, file, progress=progress)
