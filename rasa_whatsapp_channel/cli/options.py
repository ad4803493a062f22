"""Options that several commands have: JSON, questions, people, slots, pairs of name and value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.identity import to_recipient

Function = TypeVar("Function", bound=Callable[..., Any])


json_option = click.option("--json", "as_json", is_flag=True, help="Output JSON.")
show_numbers_option = click.option(
    "--show-numbers", is_flag=True, help="Show phone numbers and user ids."
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def read_pairs(
    ctx: click.Context, param: click.Parameter, given: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Return pairs of name and value; a callback of click."""
    pairs = [text.partition("=") for text in given]
    if not all(name and equals for name, equals, _ in pairs):
        raise click.BadParameter(f"write it as {param.metavar}")
    return tuple((name, value) for name, _, value in pairs)


def slot_option(function: Function) -> Function:
    """Add the option `slot`: pairs of name and value."""
    return click.option(
        "--slot",
        multiple=True,
        metavar="NAME=VALUE",
        callback=read_pairs,
        help="The value of a slot; may be given several times.",
    )(function)


def to_person(number: str) -> str:
    """Return *number* as WhatsApp and the store write it; a user id stays as it is."""
    try:
        return to_recipient(number)
    except InvalidMessage as error:
        raise click.BadParameter(error.problem) from error
