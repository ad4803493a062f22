"""``rasa-whatsapp preview``: what one response becomes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp_channel.domain.languages import translate
from rasa_whatsapp_channel.domain.read import Domain, Response, Slot, Variation, read_domains
from rasa_whatsapp_channel.domain.slots import BracesError, fill, find_names
from rasa_whatsapp_channel.lint.channels import OURS, is_for_us
from rasa_whatsapp_channel.lint.finding import Remark
from rasa_whatsapp_channel.lint.schema import check_schema
from rasa_whatsapp_channel.outbound.compose import Change, Composed, compose
from rasa_whatsapp_channel.preview.bodies import write_bodies
from rasa_whatsapp_channel.preview.draw import draw
from rasa_whatsapp_channel.whatsapp.apis import APIS, Api
from rasa_whatsapp_channel.whatsapp.errors import DomainError
from rasa_whatsapp_channel.whatsapp.messages import Outgoing


def _read_slots(ctx: click.Context, param: click.Parameter, given: Sequence[str]) -> dict[str, str]:
    pairs = [text.partition("=") for text in given]
    wrong = next((name for name, equals, _ in pairs if not (name and equals)), None)
    if wrong is not None:
        raise click.BadParameter("write it as NAME=VALUE")
    return {name: value for name, _, value in pairs}


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.argument("name")
@click.option(
    "--slot",
    "slots",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_read_slots,
    help="What stands in a slot; may be given several times.",
)
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
    path: Path, name: str, slots: Mapping[str, str], api: str, number: int | None, form: str
) -> None:
    """
    Show what the response NAME becomes: the bubbles, and the bodies that would be sent.

    PATH is a domain file, a folder of them, or the folder of a bot.
    """
    try:
        domain, response = _find(read_domains([path]), path, name)
    except DomainError as error:
        raise click.ClickException(str(error)) from error
    variation = _choose(response, number)
    filled = _fill(variation, domain.slots or {}, slots)
    composed = compose({**filled, "utter_action": name}, api=APIS[api])
    refused = list(check_schema(variation.part.value))
    if form != "json":
        for line in _picture(variation, APIS[api], composed, refused):
            click.echo(line)
    if form != "drawing":
        click.echo(_document(name, APIS[api], composed, refused))


def _find(domains: Sequence[Domain], path: Path, name: str) -> tuple[Domain, Response]:
    found = [(domain, each) for domain in domains for each in domain.responses if each.name == name]
    if found:
        return found[-1]  # of equal names Rasa takes the last one
    names = [each.name for domain in domains for each in domain.responses]
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it has {len(names)} others"
    raise DomainError(f"{path}: has no response {name}; {hint}")


def _choose(response: Response, number: int | None) -> Variation:
    """Return the variation with *number*, else one that Rasa may choose on WhatsApp."""
    variations = response.variations
    if number is not None and number > len(variations):
        raise click.ClickException(f"{response.name} has {len(variations)} variations")
    if number is not None:
        return _checked(variations[number - 1])
    ours = [variation for variation in variations if variation.channel == OURS]
    anybodys = [variation for variation in variations if is_for_us(variation.channel)]
    if not anybodys:
        raise click.ClickException(f"{response.name} has no variation for WhatsApp")
    return _checked((ours or anybodys)[0])


def _checked(variation: Variation) -> Variation:
    if not isinstance(variation.part.value, Mapping):
        where = f"{variation.source.name}:{variation.part.line}"
        raise click.ClickException(f"{where}: Rasa refuses it: a variation must be a map")
    return variation


def _fill(
    variation: Variation, known: Mapping[str, Slot], given: Mapping[str, str]
) -> dict[str, Any]:
    sent = translate(variation.part.value, None)
    names = find_names(sent)
    for name in given:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            hint = f"; did you mean {{{near[0]}}}?" if near else ""
            raise click.ClickException(f"{variation.response.name} has no slot {{{name}}}{hint}")
    initial = {name: slot.initial for name, slot in known.items() if slot.initial is not None}
    missing = [name for name in names if name not in {**initial, **given}]
    if missing:
        options = " ".join(f"--slot {name}=…" for name in missing)
        click.echo(f"Not filled in: {options}", err=True)
    unfilled = {name: f"{{{name}}}" for name in names}
    try:
        return fill(sent, {**unfilled, **initial, **given})
    except BracesError as error:
        raise click.ClickException(f"Rasa fails on the braces: {error}") from error


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
