"""
Pages of the documentation that are made from the code, or have parts that are.

    python docs/pages.py            writes those that have changed
    python docs/pages.py settings   prints one
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

import rasa_whatsapp_channel
from rasa_whatsapp_channel.cli import COMMANDS, main
from rasa_whatsapp_channel.compose.changes import RULES
from rasa_whatsapp_channel.lint.rules import RULES as LINT_RULES
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
from rasa_whatsapp_channel.whatsapp.error_codes import ERROR_CODES, ErrorCode, Remedy, Verdict

PACKAGE: Final = Path(rasa_whatsapp_channel.__file__).parent
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

*Lost* means that a part of the response does not reach the person;
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


_DOES: Final = {
    Verdict.RETRY: "tries again, after pauses that grow",
    Verdict.RETRY_AFTER: "tries again after minutes to hours",
    Verdict.REFRESH_TOKEN: "logs in again where it has a login; else sends nothing until the token "
    "is a valid one",
    Verdict.FIX_AND_RETRY: "makes it a dead letter, to be sent again once the cause is gone",
    Verdict.DO_NOT_RETRY: "makes it a dead letter",
}
_INSTEAD: Final = {
    Remedy.UPLOAD_FILE: "of a file: uploads it again, then sends the rest without it; else ",
    Remedy.SEND_TEMPLATE: "sends the response's template, or waits until the person writes",
    Remedy.SEND_AS_DIALLED: "of Argentina, Brazil and Mexico: sends it to the number as it is "
    "dialled; else ",
    Remedy.SEND_AS_MARKETING: "sends it over the endpoint for marketing messages; else ",
}
# What a person can do about the codes that people meet; the others tell it by their title.
_ADVICE: Final = {
    100: "The line names the parameter; mostly a `custom` body that WhatsApp does not take. "
    "*Object with ID … does not exist*: see 33.",
    190: "Make [a token that lasts](real-number.md#2-a-token-that-lasts).",
    10: "Give the system user the app and the account, both with full control.",
    200: "Give the token both WhatsApp permissions.",
    33: "`phone_number_id` is of another account, or the number was deleted.",
    368: "See the account's *Business Support* at Meta.",
    470: "Give the response [a template](how-to/templates.md).",
    480: "The person may be somebody else now; confirm the identity at the client.",
    130429: "Nothing; the number sends more slowly for a while.",
    130472: "Nothing: Meta withholds marketing messages from some people as an experiment.",
    130497: "The account may not write to people of this country.",
    131005: "Give the token both WhatsApp permissions.",
    131008: "The line names the parameter that a `custom` body or a template lacks.",
    131009: "The line names the parameter; `rasa-whatsapp lint .` finds most of them before.",
    131026: "The person has no WhatsApp, an old one, or has not accepted its terms.",
    131030: "Test number: enter the person's number on the page *API Setup*.",
    131031: "See the account's *Business Support* at Meta.",
    131037: "Have the display name approved in the WhatsApp Manager.",
    131042: "Add a payment method in the WhatsApp Manager.",
    131047: "Give the response [a template](how-to/templates.md).",
    131048: "People report or block the number: write less, and only to those who want it.",
    131049: "Nothing: Meta limits marketing messages for each person.",
    131050: "Nothing: the person wants no marketing.",
    131052: "See that the link leads to the file itself, without a login.",
    131053: "See [which files WhatsApp takes](media.md).",
    131056: "Say less at once; [`combine: turn`](responses.md#fewer-messages) helps.",
    132000: "Give the template as many values as it has variables.",
    132001: "Compare name and language with the WhatsApp Manager.",
    132007: "Change the template's text in the WhatsApp Manager.",
    132012: "Compare the values with the template in the WhatsApp Manager.",
    132015: "Improve the template; WhatsApp lifts the pause by itself.",
    132016: "Make a new template.",
    133010: "Register the number, in the WhatsApp Manager or with the API's `register`.",
}


def troubleshooting() -> str:
    """Return the page with its tables of codes."""
    return _fill("troubleshooting", errors=_error_table(), changes=_change_table())


def _fill(page: str, **parts: str) -> str:
    """Return *page*, which is written by hand, with the *parts* that are made from the code."""
    text = Path(__file__).with_name(f"{page}.md").read_text(encoding="utf-8")
    for name, part in parts.items():
        head, tail = f"<!-- made from the code: {name} -->\n", "<!-- until here -->"
        before, _, rest = text.partition(head)
        text = f"{before}{head}\n{part}\n{tail}{rest.partition(tail)[2]}"
    return text


def _error_table() -> str:
    rows = [
        f"| {code} | {row.title} | {_what_follows(row)} | {_ADVICE.get(code, '')} |"
        for code, row in sorted(ERROR_CODES.items())
    ]
    head = ["| code | WhatsApp's title | the channel | you |", "|---|---|---|---|"]
    return "\n".join([*head, *rows, ""])


def _what_follows(row: ErrorCode) -> str:
    does = _DOES[row.verdict]
    if row.attempts:
        does += f", {row.attempts} times at most"
    instead = _INSTEAD[row.remedy] if row.remedy else ""
    parts = [
        instead if row.remedy is Remedy.SEND_TEMPLATE else f"{instead}{does}",
        "sends nothing of this number meanwhile" if row.stops_sending else "",
        f"takes the template for {row.template.lower()}" if row.template else "",
    ]
    return "; ".join(filter(None, parts))


def _change_table() -> str:
    kinds = {
        **{code: (rule.meaning, "changes", rule.lost) for code, rule in RULES.items()},
        **{code: (rule.meaning, "lint", False) for code, rule in LINT_RULES.items()},
    }
    rows = [
        f"| {code} | {meaning} | {'a part is lost' if lost else ''} | [{page}]({page}.md) |"
        for code, (meaning, page, lost) in sorted(kinds.items())
    ]
    return "\n".join(["| code | what | | more |", "|---|---|---|---|", *rows, ""])


def command_line() -> str:
    """Return the page with a section for each command, one below it for each part of a group."""
    context = click.Context(main, info_name="rasa-whatsapp")
    commands = ((name, main.get_command(context, name)) for name in sorted(COMMANDS))
    sections = [
        line for name, command in commands if command for line in _command(name, command, context)
    ]
    return _fill("command-line", commands="\n".join(sections))


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
    shown = isinstance(param.default, (str, int, float)) and param.default
    if isinstance(param.show_default, str):
        return f"Default: {param.show_default}."
    return f"Default: `{param.default}`." if shown and not param.is_flag else ""


# What is public in Python: module, names in it.
_PUBLIC: Final = {
    "channel": ("WhatsAppInput", "WhatsAppOutput"),
    "mantle": ("send", "NoTurn"),
    "reminders": ("remind", "NotReminded"),
    "testing.whatsapp": ("WhatsApp", "Clock"),
    "testing.user": ("User",),
    "testing.plugin": (
        *("whatsapp", "whatsapp_channel", "whatsapp_api", "whatsapp_bot"),
        *("whatsapp_settings", "whatsapp_weather", "whatsapp_seed"),
    ),
}
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def api() -> str:
    """Return the page with every public class, function and fixture; nothing is imported for it."""
    sections = [line for module, names in _PUBLIC.items() for line in _objects(module, names)]
    return _fill("api", objects="\n".join(sections))


def _objects(module: str, names: tuple[str, ...]) -> Iterator[str]:
    path = (PACKAGE / module.replace(".", "/")).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | _Function)}
    for name in names:
        node = found[name]
        yield f"## {name}\n"
        yield f"{_paragraphs(ast.get_docstring(node) or '')}\n"
        if isinstance(node, ast.ClassDef):
            rows = [_method(each) for each in node.body if isinstance(each, _Function)]
            public = [row for row in rows if row]
            if public:
                yield "\n".join(["| | what it does |", "|---|---|", *public, ""])
        elif not node.decorator_list:
            yield f"`{_signature(node)}`\n"


def _method(node: _Function) -> str:
    if node.name.startswith("_"):
        return ""
    names = [ast.unparse(each) for each in node.decorator_list]
    # A table would end its cell at the sign.
    shown = node.name if "property" in names else _signature(node).replace(" | ", " or ")
    return f"| `{shown}` | {' '.join((ast.get_docstring(node) or '').split())} |"


def _signature(node: _Function) -> str:
    kind = "async def" if isinstance(node, ast.AsyncFunctionDef) else "def"
    arguments = re.sub(r"^(self|cls)(, )?", "", ast.unparse(node.args))
    return f"{kind} {node.name}({arguments})"


PAGES: Final = {
    "settings": settings,
    "changes": changes,
    "command-line": command_line,
    "troubleshooting": troubleshooting,
    "api": api,
}

if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(PAGES[sys.argv[1]]())
    for name in PAGES if len(sys.argv) == 1 else ():
        path, text = Path(__file__).with_name(f"{name}.md"), PAGES[name]()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
