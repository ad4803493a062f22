"""``rasa-whatsapp preview``: show what a response becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click

from rasa_whatsapp_channel.cli.open import read_outgoing
from rasa_whatsapp_channel.cli.options import slot_option
from rasa_whatsapp_channel.cli.responses import list_responses, read_response
from rasa_whatsapp_channel.compose import Change, Composed
from rasa_whatsapp_channel.compose.closed_window import Outside
from rasa_whatsapp_channel.compose.foresee import Foreseen, foresee
from rasa_whatsapp_channel.domain.project import find_channels_file, is_mantle
from rasa_whatsapp_channel.domain.read import Variation, find_root
from rasa_whatsapp_channel.lint.mantle import check_written
from rasa_whatsapp_channel.lint.rules import Remark
from rasa_whatsapp_channel.lint.schema import check_schema
from rasa_whatsapp_channel.preview import draw, write_bodies
from rasa_whatsapp_channel.whatsapp.apis import APIS, Api
from rasa_whatsapp_channel.whatsapp.messages import Outgoing, parse_outgoing

_EXAMPLES = """
\b
Examples:
  rasa-whatsapp preview                             the responses of the bot in this folder
  rasa-whatsapp preview utter_greet --slot name=Ada
  rasa-whatsapp preview domain.yml utter_menu --variation 2 --format drawing
"""


@click.command(epilog=_EXAMPLES)
@click.argument("words", nargs=-1, metavar="[PATH] [NAME]")
@slot_option
@click.option("--api", type=click.Choice(list(APIS)), default="cloud")
@click.option("--variation", "number", type=click.IntRange(1), help="Which one, from 1.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "drawing", "both"]),
    default="both",
)
def command(
    words: Sequence[str],
    slot: Sequence[tuple[str, str]],
    api: str,
    number: int | None,
    form: str,
) -> None:
    """
    Show what the response NAME becomes: the bubbles, how many messages WhatsApp bills, what would
    make them fewer, and the bodies that would be sent.

    PATH is a domain file, a folder of them, or the folder of a bot; this folder, if not given.
    Without NAME the names of the responses are listed. It is composed with `captions`,
    `markdown`, `markdown_images`, `combine`, `media.folders`, `direct_send` and
    `reengagement_template` of credentials.yml or integrations.yml in the folder of the bot.
    """
    path, name = _read_words(words)
    if name is None:
        for each in list_responses(path):
            click.echo(each)
        return
    variation, filled = read_response(path, name, dict(slot), number)
    response = {**filled, "utter_action": name}
    settings = read_outgoing(find_channels_file(find_root(path)))
    composed = settings.compose(response, APIS[api])
    foreseen = foresee(response, api=APIS[api], settings=settings)
    check = check_written if is_mantle(find_root(path)) else check_schema
    refused = list(check(variation.part.value))
    outside = settings.ways(composed, name)
    if form != "json":
        for line in _picture(variation, APIS[api], composed, foreseen, refused, outside):
            click.echo(line)
    if form != "drawing":
        click.echo(_document(name, APIS[api], composed, foreseen, refused, outside))


def _read_words(words: Sequence[str]) -> tuple[Path, str | None]:
    """Return path and name of *words*, of which a single one is either."""
    match words:
        case ():
            return Path(), None
        case (word,):
            return (Path(word), None) if Path(word).exists() else (Path(), word)
        case (path, name):
            return Path(path), name
    raise click.UsageError(f"Name one response: {' '.join(words[1:])} are several.")


def _picture(
    variation: Variation,
    api: Api,
    composed: Composed,
    foreseen: Foreseen,
    refused: Sequence[Remark],
    outside: Sequence[Outside],
) -> Iterator[str]:
    count = len(variation.response.variations)
    which = f", variation {variation.number} of {count}" if count > 1 else ""
    yield click.style(f"{variation.response.name}{which}, api {api.name}", bold=True)
    for outgoing in composed.messages:
        yield from draw(outgoing)
    yield str(foreseen)
    for each in {(each.way, str(each.body)): each for each in outside}.values():
        yield f"While the 24-hour window is closed: {each.way} [{each.way.value}]"
        if each.body is not None and each.body["type"] == "template":
            yield from draw(parse_outgoing(each.body))
    for said in refused:
        yield f"{click.style(said.code, fg='red')} {said.text}"
    for change in composed.changes:
        yield f"{click.style(change.code, fg='red' if change.lost else 'yellow')} {change.text}"


def _document(
    name: str,
    api: Api,
    composed: Composed,
    foreseen: Foreseen,
    refused: Sequence[Remark],
    outside: Sequence[Outside],
) -> str:
    said: Sequence[Remark | Change] = (*refused, *composed.changes)
    template = [Outgoing(composed.template)] if composed.template else []
    document = {
        "response": name,
        "api": api.name,
        "bodies": write_bodies(composed.messages, api),
        "billed": asdict(foreseen),
        "template": next(iter(write_bodies(template, api)), None),
        "outside_window": [{"code": each.way, "body": each.body} for each in outside],
        "payloads": dict(composed.payloads),
        "choices": dict(composed.choices),
        "changes": [{"code": each.code, "text": each.text} for each in said],
    }
    return json.dumps(document, ensure_ascii=False, indent=2)
