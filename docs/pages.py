"""
Pages of the documentation that are made from the code: settings, changes, command line.

    python docs/pages.py settings > docs/settings.md
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator
from typing import Any, Final

import click

from rasa_whatsapp_channel.cli import COMMANDS, main
from rasa_whatsapp_channel.compose.changes import RULES
from rasa_whatsapp_channel.settings import (
    BillingSettings,
    CallSettings,
    ConsentSettings,
    HandoffSettings,
    MediaSettings,
    NumberSettings,
    Settings,
    TranscriptionSettings,
)
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.whatsapp.apis import APIS

_SETTINGS: Final = """\
# Settings

Every key of the block `rasa_whatsapp_channel.WhatsAppInput` in `credentials.yml`, or in the
`integrations.yml` of [a bot for Mantle](how-to/mantle.md).

Everything is checked when Rasa starts.
A mistake names the key, the line to write, and the nearest key there is.

Write `${VARIABLES}` without quotes; Rasa does not look into quoted texts.
A secret may also come from the environment without being named in the file.
"""


def settings() -> str:
    """Return the page: a table for each section, in the order of the declarations."""
    sections: list[tuple[str, list[str]]] = []
    for declared in (
        Settings,
        ConsentSettings,
        HandoffSettings,
        TranscriptionSettings,
        CallSettings,
        MediaSettings,
        BillingSettings,
        NumberSettings,
    ):
        for field in dataclasses.fields(declared):
            if title := field.metadata["section"]:
                sections.append((title, []))
            sections[-1][1].append(_setting_row(field, of_block=declared is Settings))
    return "\n".join([_SETTINGS, *(_table(*section) for section in sections)])


def _table(title: str, rows: list[str]) -> str:
    head = [f"## {title}\n", "| key | value | meaning |", "|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _setting_row(field: dataclasses.Field[Any], *, of_block: bool) -> str:
    return f"| `{field.name}` | {_setting_value(field)} | {_setting_meaning(field, of_block)} |"


def _setting_value(field: dataclasses.Field[Any]) -> str:
    """Return what the value must be, in the words that refuse another."""
    try:
        field.metadata["read"](object())
    except (ValueError, SettingsError) as refused:
        kind = str(refused)
    default = _setting_default(field)
    return f"{kind}<br>default: `{default}`" if default else kind


def _setting_default(field: dataclasses.Field[Any]) -> str:
    default = field.default
    if default in ("", None, ()) or dataclasses.is_dataclass(default):
        return ""
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return f"[{', '.join(default)}]"
    if isinstance(default, float):
        return f"{default:g}" if default < 10_000 else f"{default:.0f}"
    return str(default)


def _setting_meaning(field: dataclasses.Field[Any], of_block: bool) -> str:
    said = [field.metadata["means"]]
    apis = field.metadata["apis"]
    if len(apis) < len(APIS):
        said.append(f"*For {_listed(apis)} only.*")
    if required := field.metadata["required"]:
        said.append("*Required.*" if required == apis else f"*Required by {_listed(required)}.*")
    # A key inside of a group comes from the file alone.
    if field.metadata["secret"] and of_block:
        said.append(f"*Or `WHATSAPP_{field.name.upper()}` in the environment.*")
    return " ".join(said)


def _listed(apis: list[str]) -> str:
    *most, last = (f"`{api}`" for api in apis)
    return f"{', '.join(most)} and {last}" if most else last


_CHANGES: Final = """\
# Changes

What does not fit WhatsApp is changed to fit.
Every such change has a code, and is said with the name of the response:
as a line of the log (`whatsapp.changed`), in the counter `whatsapp_changes_total`,
and by `rasa-whatsapp lint`.

*Lost* means that a part of the response does not reach the user;
the log says it as an error, what a setting asks for (WA6) as information, all others as a warning.
What happens on the way (WA8) is no fault of the response: the linter cannot know it, and the log
says all of it as a warning.
"""
_PARTS: Final = {
    **{"1": "Text", "2": "Media", "3": "Buttons", "4": "Elements", "5": "Custom"},
    "8": "On the way",
    "9": "The whole turn",
}


def changes() -> str:
    """Return the page: a table for each part of a response."""
    return "\n".join([_CHANGES, *(_section(digit, _PARTS[digit]) for digit in _PARTS)])


def _section(digit: str, title: str) -> str:
    rows = [
        f"| {code} | {rule.meaning} | {'lost' if rule.lost else ''} | {_words(rule.says)} |"
        for code, rule in RULES.items()
        if code[2] == digit
    ]
    return "\n".join([f"## {title}\n", "| code | what | | says |", "|---|---|---|---|", *rows, ""])


def _words(template: str) -> str:
    """Show what is filled in as words of another kind."""
    return re.sub(r"\{(\w+)(!r)?\}", r"*\1*", template)


_COMMAND_LINE: Final = """\
# Command line

Every command of `rasa-whatsapp`, and every option.
`--help` behind a command says the same.

Commands that speak to WhatsApp, or look into the store, read `credentials.yml` in the folder
they run in, as Rasa does; `--credentials` names another file.
"""


def command_line() -> str:
    """Return the page: a section for each command, one below it for each part of a group."""
    context = click.Context(main, info_name="rasa-whatsapp")
    commands = ((name, main.get_command(context, name)) for name in sorted(COMMANDS))
    sections = [
        line for name, command in commands if command for line in _command(name, command, context)
    ]
    return "\n".join([_COMMAND_LINE, *sections])


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
    shown = names if param.is_flag else f"{names} {_option_value(param)}"
    said = [param.help or "", "*Required.*" if param.required else "", _option_default(param)]
    meaning = " ".join(filter(None, said)).replace("|", "\\|")
    return f"| `{shown}` | {meaning} |"


def _option_value(param: click.Option) -> str:
    if isinstance(param.type, click.Choice):
        return " / ".join(map(str, param.type.choices))
    return (param.metavar or param.type.name.split()[0].upper()).replace("|", " / ")


def _option_default(param: click.Option) -> str:
    shown = param.show_default and isinstance(param.default, (str, int, float)) and param.default
    return f"Default: `{param.default}`." if shown and not param.is_flag else ""


PAGES: Final = {"settings": settings, "changes": changes, "command-line": command_line}

if __name__ == "__main__":
    sys.stdout.write(PAGES[sys.argv[1]]())
