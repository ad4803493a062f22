"""Options written as ``NAME=VALUE``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])


def read_pairs(
    ctx: click.Context, param: click.Parameter, given: Sequence[str]
) -> tuple[tuple[str, str], ...]:
    """Return names and values; a callback of click's."""
    pairs = [text.partition("=") for text in given]
    if not all(name and equals for name, equals, _ in pairs):
        raise click.BadParameter(f"write it as {param.metavar}")
    return tuple((name, value) for name, _, value in pairs)


def slot_option(function: Function) -> Function:
    """What stands in slots, as `slot`: pairs of name and value."""
    return click.option(
        "--slot",
        multiple=True,
        metavar="NAME=VALUE",
        callback=read_pairs,
        help="What stands in a slot; may be given several times.",
    )(function)
