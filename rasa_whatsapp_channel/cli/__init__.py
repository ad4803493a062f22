"""
Command line ``rasa-whatsapp``: one module per command, imported when it is called.

A command is the object `command` in the module `commands.NAME`. Its line of help is here, so that
``rasa-whatsapp --help`` imports none of them.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

import click

from rasa_whatsapp_channel.distribution import installed_version
from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.wording import suggest

COMMANDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "account": "Show the state of the account: quality, limits, paused templates.",
        "backup": "Copy the store to a file while the bot runs.",
        "consent": "List and set who wants no marketing messages.",
        "cost": "Show what WhatsApp charges, by response, day, country or conversation.",
        "doctor": "Find what is wrong with a bot's set-up, and how to fix it.",
        "handoff": "Show and change who answers in a conversation, the bot or a person.",
        "init": "Connect a bot to WhatsApp; existing files are only added to.",
        "media": "Upload, show, download and delete files that WhatsApp stores for the bot.",
        "notify": "Let the bot write first: to one person, or to all of a CSV file.",
        "providers": "Manage logins for links, stored by an on-premises client.",
        "queue": "Show what waits, and dead letters with their reason; retry, erase.",
        "send": "Let the running bot send one message of any kind.",
        "serve": "Take webhooks and send messages, in a process without Rasa.",
        "lint": "Check a bot's responses against WhatsApp and Rasa.",
        "preview": "Show what one response becomes: the bubbles and the bodies.",
        "stickerpacks": "Manage sticker packs, stored by an on-premises client.",
        "simulate": "Run the WhatsApp simulator: a page to chat with your bot.",
        "templates": "Manage templates as code: lint, push, diff, pull, list, delete.",
        "test": "Play conversations against a bot, and report differences.",
    }
)


class Commands(click.Group):
    """A group whose commands are the modules in `commands`; any `ChannelError` ends one with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ChannelError as error:
            from rasa_whatsapp_channel.cli.errors import sentence  # it brings WhatsApp's codes

            raise click.ClickException(sentence(error)) from error

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"{__name__}.commands.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}; {suggest(args[0], sorted(COMMANDS))}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


def _print_version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if not value or ctx.resilient_parsing:
        return
    rasas = {"Rasa": installed_version("rasa"), "Rasa Pro": installed_version("rasa-pro")}
    found = [f"{name} {version}" for name, version in rasas.items() if version] or ["no Rasa"]
    parts = (f"rasa-whatsapp {installed_version() or 0}", *found)
    click.echo(", ".join((*parts, f"Python {platform.python_version()}")))
    ctx.exit()


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help="Show the versions of the channel, Rasa and Python, and exit.",
)
@click.pass_context
def main(ctx: click.Context) -> None:
    """WhatsApp for Rasa bots: try them, check them, run them."""
    if os.environ.get("NO_COLOR"):  # https://no-color.org
        ctx.color = False
