"""``rasa-whatsapp stickerpacks``: sticker packs of an on-premises client."""

from __future__ import annotations

from pathlib import Path

import click

from rasa_whatsapp_channel.cli.open import credentials_option, with_admin


@click.group()
def command() -> None:
    """Sticker packs, stored by an on-premises client."""


@command.command(name="list")
@click.option("--third-party", is_flag=True, help="Your own packs instead of WhatsApp's.")
@credentials_option
def list_all(third_party: bool, credentials: Path) -> None:
    """List the ids of the packs."""
    for pack in with_admin(credentials, lambda admin: admin.packs(third_party=third_party)):
        click.echo(str(pack.get("id")))


@command.command()
@click.argument("name")
@click.option("--publisher", required=True)
@click.option("--ios-app-store-link")
@click.option("--android-app-store-link")
@credentials_option
def add(name: str, credentials: Path, **fields: str | None) -> None:
    """Create a pack called NAME and print its id."""
    given = {"name": name, **{key: value for key, value in fields.items() if value}}
    click.echo(with_admin(credentials, lambda admin: admin.add_pack(given)))


@command.command()
@click.argument("pack")
@credentials_option
def show(pack: str, credentials: Path) -> None:
    """List the stickers of the pack with id PACK."""
    for sticker in with_admin(credentials, lambda admin: admin.stickers(pack)):
        emojis = " ".join(str(emoji) for emoji in sticker.get("emojis") or ())
        click.echo(f"{sticker.get('index')}  {sticker.get('image_data_id')}  {emojis}")


@command.command()
@click.argument("pack")
@click.argument("media_id", metavar="ID")
@click.option(
    "--emoji", "emojis", multiple=True, help="What it stands for; may be given several times."
)
@credentials_option
def fill(pack: str, media_id: str, emojis: tuple[str, ...], credentials: Path) -> None:
    """Add the uploaded picture ID to a pack."""
    with_admin(credentials, lambda admin: admin.add_sticker(pack, media_id, emojis))
    click.echo(f"{media_id} is in the pack.")


@command.command()
@click.argument("pack")
@click.argument("index", type=int, required=False)
@credentials_option
def delete(pack: str, index: int | None, credentials: Path) -> None:
    """Delete the pack with id PACK, or only its sticker INDEX."""
    if index is None:
        with_admin(credentials, lambda admin: admin.delete_pack(pack))
    else:
        with_admin(credentials, lambda admin: admin.delete_sticker(pack, index))
    click.echo(f"{pack if index is None else f'Sticker {index}'} is deleted.")
