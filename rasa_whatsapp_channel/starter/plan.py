"""Which of a bot's files change, and how. Decides; who reads and writes them is the command."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.domain.marked import parse
from rasa_whatsapp_channel.inbound.intents import INTENTS
from rasa_whatsapp_channel.settings import CHANNEL
from rasa_whatsapp_channel.settings.elsewhere import mistaken_channel
from rasa_whatsapp_channel.settings.inbound import FIELDS
from rasa_whatsapp_channel.starter import texts
from rasa_whatsapp_channel.starter.insert import add_names, append
from rasa_whatsapp_channel.whatsapp.errors import DomainError

CREDENTIALS: Final = "credentials.yml"
ENVIRONMENT: Final = ".env.example"
DOMAIN: Final = "domain.yml"
DOMAIN_FOLDER_FILE: Final = "domain/whatsapp.yml"
EXAMPLES: Final = "whatsapp-examples.yml"
# Told in the metadata only.
_NO_ENTITIES: Final = ("caption", "transcript")
ENTITIES: Final = tuple(
    dict.fromkeys(
        name
        for intent in INTENTS
        for name in FIELDS[intent.removeprefix("whatsapp_")]
        if name not in _NO_ENTITIES
    )
)


@dataclass(frozen=True)
class Change:
    """
    What becomes of the file *name*: *text* is its new text, None where it stays as it is.

    *by_hand* is what a person has to add, where nothing could be put in safely.
    """

    name: str
    what: str
    text: str | None = None
    by_hand: str = ""


def plan(api: str, files: Mapping[str, str], *, has_domain_folder: bool) -> Iterator[Change]:
    """
    Yield the changes that a bot with *files* needs to be on WhatsApp: name → text.

    *files* hold all files of its domain, too. With the changes made, the next plan changes nothing.
    """
    yield _plan_credentials(api, files.get(CREDENTIALS, ""))
    yield _plan_environment(api, files.get(ENVIRONMENT, ""))
    yield _plan_domain(files, has_domain_folder)
    if EXAMPLES in files:
        yield Change(EXAMPLES, "is there already")
    else:
        yield Change(EXAMPLES, "written: responses to copy", texts.EXAMPLES)


def _plan_credentials(api: str, text: str) -> Change:
    value = _value(text, CREDENTIALS)
    if value is not None and not isinstance(value, Mapping):
        raise DomainError(f"{CREDENTIALS}: must be a map, with one block for each channel")
    names = [str(name) for name in value or {}]
    if CHANNEL in names:
        return Change(CREDENTIALS, "has the block already")
    mistaken = [name for name in names if mistaken_channel(name)]
    block = texts.block(api)
    if mistaken:
        what = f"has a block {mistaken[0]}; write in its place"
        return Change(CREDENTIALS, what, by_hand=block)
    new = append(text, block)
    if _only_adds(value, _value_or_none(new)):
        what = "block added" if text else "written, with the block"
        return Change(CREDENTIALS, what, new)
    return Change(CREDENTIALS, "is written in a way of its own; add", by_hand=block)


def _plan_environment(api: str, text: str) -> Change:
    there = set(re.findall(r"^\s*#?\s*(?:export\s+)?(\w+)\s*=", text, re.MULTILINE))
    missing = {name: why for name, why in texts.variables(api).items() if name not in there}
    if not missing:
        return Change(ENVIRONMENT, "has the variables already")
    lines = "".join(f"# {why}\n{name}=\n" for name, why in missing.items())
    head = "" if text else "# Copy this file to .env, fill it in, and keep .env out of git.\n"
    what = f"{len(missing)} variables added" if text else "written, with the block's variables"
    return Change(ENVIRONMENT, what, append(text, head + lines) if text else head + lines)


def _plan_domain(files: Mapping[str, str], has_folder: bool) -> Change:
    domains = {name: text for name, text in files.items() if name.endswith((".yml", ".yaml"))}
    domains = {name: t for name, t in domains.items() if name not in (CREDENTIALS, EXAMPLES)}
    missing = {
        "intents": [name for name in INTENTS if name not in _listed(domains, "intents")],
        "entities": [name for name in ENTITIES if name not in _listed(domains, "entities")],
    }
    name = next((each for each in (DOMAIN, "domain.yaml") if each in domains), DOMAIN)
    if has_folder and name not in domains:
        name = DOMAIN_FOLDER_FILE
    if not any(missing.values()):
        return Change(name, "has the intents and entities already")
    count = " and ".join(f"{len(names)} {key}" for key, names in missing.items() if names)
    text = domains.get(name, "")
    new = _with_names(text, name, missing)
    if new is None:
        snippet = "".join(_section(key, names) for key, names in missing.items() if names)
        return Change(name, "is written in a way of its own; add", by_hand=snippet)
    return Change(name, f"{count} added" if text else f"written, with {count}", new)


def _with_names(text: str, name: str, missing: Mapping[str, list[str]]) -> str | None:
    before = _value(text, name)
    for key, names in missing.items():
        if names:
            added = add_names(text, parse(text, name), key, names)
            if added is None:
                return None
            text = added
    return text if _only_adds(before, _value_or_none(text)) else None


def _section(key: str, names: list[str]) -> str:
    return "\n".join([f"{key}:", *(f"- {name}" for name in names)]) + "\n"


def _listed(domains: Mapping[str, str], key: str) -> set[str]:
    found: set[str] = set()
    for name, text in domains.items():
        value = _value(text, name)
        items = value.get(key) if isinstance(value, Mapping) else None
        for item in items if isinstance(items, list) else ():
            found.update(map(str, item) if isinstance(item, Mapping) else [str(item)])
    return found


def _value(text: str, name: str) -> Any:
    """Raises `DomainError` for what is no YAML."""
    return parse(text, name).value


def _value_or_none(text: str) -> Any:
    try:
        return parse(text, "").value
    except DomainError:
        return None


def _only_adds(before: Any, after: Any) -> bool:
    """Return whether everything of *before* is in *after*, lists with more behind."""
    if before is None:
        return after is not None
    if isinstance(before, Mapping):
        return isinstance(after, Mapping) and all(
            key in after and (value == after[key] or _only_adds(value, after[key]))
            for key, value in before.items()
        )
    if isinstance(before, list):
        return isinstance(after, list) and after[: len(before)] == before
    return bool(before == after)
