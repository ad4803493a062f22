"""Command-line reference: the commands and their options as a page of the documentation site."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from typing import Final

import click

from rasa_whatsapp_channel.cli import COMMANDS, main

_INTRODUCTION: Final = """\
# Command line

Every command of `rasa-whatsapp`, and every option.
`--help` behind a command says the same.

Commands that speak to WhatsApp, or look into the store, read `credentials.yml` in the folder
they run in, as Rasa does; `--credentials` names another file.
"""


def page() -> str:
    """Return the page: a section for each command, one below it for each part of a group."""
    context = click.Context(main, info_name="rasa-whatsapp")
    commands = ((name, main.get_command(context, name)) for name in sorted(COMMANDS))
    sections = [
        line for name, command in commands if command for line in _command(name, command, context)
    ]
    return "\n".join([_INTRODUCTION, *sections])


def _command(name: str, command: click.Command, above: click.Context) -> Iterator[str]:
    context = click.Context(command, info_name=name, parent=above)
    depth = "##" if above.parent is None else "###"
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"{depth} {context.command_path}\n"
    yield f"```text\n{usage}\n```\n"
    yield f"{_paragraphs(command.help or '')}\n"
    options = [row for param in command.params if (row := _option(param))]
    if options:
        yield "\n".join(["| option | meaning |", "|---|---|", *options, ""])
    if isinstance(command, click.Group):
        for part, inner in sorted(command.commands.items()):
            yield from _command(part, inner, context)


def _paragraphs(text: str) -> str:
    """Join the lines of each paragraph; one that begins with a backspace keeps them."""
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(
        f"```text\n{inspect.cleandoc(paragraph.lstrip(chr(8)))}\n```"
        if paragraph.startswith("\b")
        else " ".join(paragraph.split())
        for paragraph in paragraphs
    )


def _option(param: click.Parameter) -> str | None:
    if not isinstance(param, click.Option) or param.hidden:
        return None
    names = ", ".join((*param.opts, *param.secondary_opts))
    shown = names if param.is_flag else f"{names} {_value(param)}"
    said = [param.help or "", "*Required.*" if param.required else "", _default(param)]
    meaning = " ".join(filter(None, said)).replace("|", "\\|")
    return f"| `{shown}` | {meaning} |"


def _value(param: click.Option) -> str:
    if isinstance(param.type, click.Choice):
        return " / ".join(map(str, param.type.choices))
    return (param.metavar or param.type.name.split()[0].upper()).replace("|", " / ")


def _default(param: click.Option) -> str:
    shown = param.show_default and isinstance(param.default, (str, int, float)) and param.default
    return f"Default: `{param.default}`." if shown and not param.is_flag else ""
