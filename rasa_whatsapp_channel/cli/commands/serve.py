"""``rasa-whatsapp serve``: take webhooks and send messages, in a process without Rasa."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Final

import click

from rasa_whatsapp_channel.cli.open import credentials_option, read_settings
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.settings.roles import DOOR, ROLES, SENDER

PORT: Final = 5006  # beside Rasa's 5005


@click.command()
@click.option("--host", default="0.0.0.0", help="The address to listen on.")  # noqa: S104  # as Rasa
@click.option("--port", type=click.IntRange(0, 65535), default=PORT)
@click.option(
    "--role",
    "roles",
    type=click.Choice((DOOR, SENDER)),
    multiple=True,
    default=(DOOR, SENDER),
    show_default="both",
    help="Only this: take webhooks, or send.",
)
@click.option("--debug", is_flag=True, help="Log more, also what people write.")
@credentials_option
def command(host: str, port: int, roles: tuple[str, ...], debug: bool, credentials: Path) -> None:
    """
    Take webhooks and send messages, in a process without Rasa.

    Rasa then only runs the bot: write `roles: [bot]` into the channel's block. Both read the same
    file and use the same store, so WhatsApp gets its answers and people their messages while Rasa
    is busy, or is started anew. Several of them may run side by side.

    \b
    rasa-whatsapp serve
    rasa-whatsapp serve --port 8080 --credentials production.yml

    SIGTERM and Ctrl-C end it: what is in flight is ended, the rest waits in the store.
    """
    from rasa_whatsapp_channel import server  # it brings everything a bot needs

    logging.basicConfig(
        format="%(asctime)s %(levelname)-8s %(name)s - %(message)s", stream=sys.stderr
    )
    logging.getLogger("rasa_whatsapp_channel").setLevel("DEBUG" if debug else "INFO")
    sys.path.insert(0, str(Path.cwd()))  # as Rasa does, for functions of the bot's author
    try:
        settings = _read(credentials)
        work = server.serve(
            settings, roles=roles, host=host, port=port, started=server.ease_garbage_collection
        )
        server.run(work)
    except KeyboardInterrupt:  # before it served, or on Windows
        pass


def _read(credentials: Path) -> Settings:
    """Return the settings, checked as Rasa's process checks them."""
    from rasa_whatsapp_channel.factories import check_settings

    settings = read_settings(credentials)
    check_settings(settings, Path())
    if settings.store == "memory:":
        raise SettingsError(
            f"{credentials}: the store memory: is in one process, where Rasa's cannot see it; "
            "write `store: sqlite:///whatsapp.db`"
        )
    if settings.roles == ROLES:
        click.echo(
            f"{credentials}: Rasa takes webhooks and sends, too, until `roles: [bot]` is written "
            "into this block.",
            err=True,
        )
    return settings
