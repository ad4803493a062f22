"""``rasa-whatsapp stickerpacks``: sticker packs of an on-premises client."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from rasa_whatsapp_channel.cli.open import credentials_option, open_admin
from rasa_whatsapp_channel.cli.run import run
from rasa_whatsapp_channel.whatsapp.clients.on_premises import OnPremisesAdmin

T = TypeVar("T")


@click.group()
def command() -> None:
    """Packs of stickers, kept by an on-premises client."""


@command.command(name="list")
@click.option("--third-party", is_flag=True, help="Those of your own, instead of WhatsApp's.")
@credentials_option
def list_all(third_party: bool, credentials: Path) -> None:
    """The ids of the packs."""
    for pack in _do(credentials, lambda admin: admin.packs(third_party=third_party)):
        click.echo(str(pack.get("id")))


@command.command()
@click.argument("name")
@click.option("--publisher", required=True)
@click.option("--ios-app-store-link")
@click.option("--android-app-store-link")
@credentials_option
def add(name: str, credentials: Path, **fields: str | None) -> None:
    """Make a pack called NAME and print its id."""
    given = {"name": name, **{key: value for key, value in fields.items() if value}}
    click.echo(_do(credentials, lambda admin: admin.add_pack(given)))


@command.command()
@click.argument("pack")
@credentials_option
def show(pack: str, credentials: Path) -> None:
    """The stickers of the pack with id PACK."""
    for sticker in _do(credentials, lambda admin: admin.stickers(pack)):
        emojis = " ".join(str(emoji) for emoji in sticker.get("emojis") or ())
        click.echo(f"{sticker.get('index')}  {sticker.get('image_data_id')}  {emojis}")


@command.command()
@click.argument("pack")
@click.argument("media_id", metavar="ID")
@click.option("--emoji", "emojis", multiple=True, help="What it says; may be given several times.")
@credentials_option
def fill(pack: str, media_id: str, emojis: tuple[str, ...], credentials: Path) -> None:
    """Add the uploaded picture ID to a pack."""
    _do(credentials, lambda admin: admin.add_sticker(pack, media_id, emojis))
    click.echo(f"{media_id} is in the pack.")


@command.command()
@click.argument("pack")
@click.argument("index", type=int, required=False)
@credentials_option
def delete(pack: str, index: int | None, credentials: Path) -> None:
    """Delete the pack with id PACK, or only its sticker INDEX."""
    if index is None:
        _do(credentials, lambda admin: admin.delete_pack(pack))
    else:
        _do(credentials, lambda admin: admin.delete_sticker(pack, index))
    click.echo(f"{pack if index is None else f'Sticker {index}'} is deleted.")


def _do(credentials: Path, work: Callable[[OnPremisesAdmin], Awaitable[T]]) -> T:
    async def do() -> T:
        async with open_admin(credentials) as admin:
            return await work(admin)

    return run(do())
