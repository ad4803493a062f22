"""Responses of a bot's domain, selected and filled in as Rasa does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from rasa_whatsapp_channel.domain.marked import DomainError
from rasa_whatsapp_channel.domain.read import Domain, DomainResponse, Slot, Variation, read_domains
from rasa_whatsapp_channel.domain.slots import BracesError, fill, find_names, translate
from rasa_whatsapp_channel.lint.schema import OURS, is_for_us
from rasa_whatsapp_channel.wording import closest, counted


def read_response(
    path: Path, name: str, slots: Mapping[str, str], number: int | None = None
) -> tuple[Variation, dict[str, Any]]:
    """
    Return a variation of the response *name* in the domain at *path*, and its filled-in form.

    *number* selects the variation, from 1; by default one that Rasa may choose on WhatsApp.
    """
    domain, response = _find(read_domains([path]), path, name)
    variation = _choose(response, number)
    return variation, _fill(variation, domain.slots or {}, slots)


def list_responses(path: Path) -> list[str]:
    """Return the names of the responses in the domain at *path*."""
    names = (each.name for domain in read_domains([path]) for each in domain.responses)
    return sorted(dict.fromkeys(names))


def read_unfilled(path: Path, name: str) -> dict[str, Any]:
    """Return the response *name* as its domain has it, for slots to be filled in later."""
    _, response = _find(read_domains([path]), path, name)
    variation = _choose(response, None)
    return {"utter_action": name, **translate(variation.part.value, None)}


def _find(domains: Sequence[Domain], path: Path, name: str) -> tuple[Domain, DomainResponse]:
    found = [(domain, each) for domain in domains for each in domain.responses if each.name == name]
    if found:
        return found[-1]  # of equal names Rasa takes the last one
    names = [each.name for domain in domains for each in domain.responses]
    near = closest(name, names)
    hint = f"did you mean {near}?" if near else f"it has {counted(len(names), 'other')}"
    raise DomainError(f"{path}: has no response {name}; {hint}")


def _choose(response: DomainResponse, number: int | None) -> Variation:
    """Return the variation with *number*, else one that Rasa may choose on WhatsApp."""
    variations = response.variations
    if number is not None and number > len(variations):
        raise click.ClickException(f"{response.name} has {counted(len(variations), 'variation')}")
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
            near = closest(name, names)
            hint = f"; did you mean {{{near}}}?" if near else ""
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
