"""``rasa-whatsapp preview``: show what a response becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from rasa_whatsapp_channel.cli.options import slot_option
from rasa_whatsapp_channel.cli.responses import read_response
from rasa_whatsapp_channel.compose import Change, Composed, compose
from rasa_whatsapp_channel.domain.read import Variation
from rasa_whatsapp_channel.lint.rules import Remark
from rasa_whatsapp_channel.lint.schema import check_schema
from rasa_whatsapp_channel.preview import draw, write_bodies
from rasa_whatsapp_channel.whatsapp.apis import APIS, Api
from rasa_whatsapp_channel.whatsapp.messages import Outgoing


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("name")
@slot_option
@click.option("--api", type=click.Choice(list(APIS)), default="cloud", show_default=True)
@click.option("--variation", "number", type=click.IntRange(1), help="Which one, from 1.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "drawing", "both"]),
    default="both",
    show_default=True,
)
def command(
    path: Path,
    name: str,
    slot: Sequence[tuple[str, str]],
    api: str,
    number: int | None,
    form: str,
) -> None:
    """
    Show what the response NAME becomes: the bubbles, and the bodies that would be sent.

    PATH is a domain file, a folder of them, or the folder of a bot.
    """
    variation, filled = read_response(path, name, dict(slot), number)
    composed = compose({**filled, "utter_action": name}, api=APIS[api])
    refused = list(check_schema(variation.part.value))
    if form != "json":
        for line in _picture(variation, APIS[api], composed, refused):
            click.echo(line)
    if form != "drawing":
        click.echo(_document(name, APIS[api], composed, refused))


def _picture(
    variation: Variation, api: Api, composed: Composed, refused: Sequence[Remark]
) -> Iterator[str]:
    count = len(variation.response.variations)
    which = f", variation {variation.number} of {count}" if count > 1 else ""
    yield click.style(f"{variation.response.name}{which}, api {api.name}", bold=True)
    for outgoing in composed.messages:
        yield from draw(outgoing)
    if composed.template is not None:
        yield "While the 24-hour window is closed:"
        yield from draw(Outgoing(composed.template))
    for said in refused:
        yield f"{click.style(said.code, fg='red')} {said.text}"
    for change in composed.changes:
        yield f"{click.style(change.code, fg='red' if change.lost else 'yellow')} {change.text}"


def _document(name: str, api: Api, composed: Composed, refused: Sequence[Remark]) -> str:
    said: Sequence[Remark | Change] = (*refused, *composed.changes)
    template = [Outgoing(composed.template)] if composed.template else []
    document = {
        "response": name,
        "api": api.name,
        "bodies": write_bodies(composed.messages, api),
        "template": next(iter(write_bodies(template, api)), None),
        "payloads": dict(composed.payloads),
        "choices": dict(composed.choices),
        "changes": [{"code": each.code, "text": each.text} for each in said],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)
