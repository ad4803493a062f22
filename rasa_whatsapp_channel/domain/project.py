"""Project: which of Rasa's engines a bot's folder is for, and which file has its channels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rasa_whatsapp_channel.domain.marked import Marked

AGENT: Final = "agent.yml"
CREDENTIALS: Final = "credentials.yml"
DOMAIN: Final = "domain.yml"
INTEGRATIONS: Final = "integrations.yml"
RESPONSES: Final = "responses.yml"
SKILL: Final = "skill.md"
CHANNELS: Final = "channels"
ENABLED: Final = "enabled"
# Files of the other engines; Mantle reads none of them.
UNREAD: Final = (CREDENTIALS, "endpoints.yml", "config.yml")
# Words that Rasa takes for false, beside false itself.
_OFF: Final = ("false", "no", "off", "n", "f", "0")
_LINE: Final = re.compile(
    r"""^\ufeff?[ \t]*(?:export[ \t]+)?"""
    r"""([A-Za-z_]\w*)[ \t]*=[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|(.*?))"""
    r"""[ \t]*(?:[ \t]\#.*)?$""",
    re.MULTILINE,
)


def find_skills(folder: Path) -> list[Path]:
    """Return the files of the skills that Mantle loads; folders with ``_`` in front are drafts."""
    found = (folder / "skills").glob(f"*/{SKILL}")
    return sorted(path for path in found if path.is_file() and path.parent.name[0] != "_")


def is_mantle(folder: Path) -> bool:
    """
    Return whether the bot in *folder* is for Rasa Pro's engine Mantle.

    Rasa says so where two of agent.yml, integrations.yml and a skill are there. A folder that only
    serves a model has integrations.yml, and no file of another engine.
    """
    others = (folder / DOMAIN, folder / CREDENTIALS)
    serves = (folder / INTEGRATIONS).is_file() and not any(path.exists() for path in others)
    return serves or _is_laid_out(folder)


def _is_laid_out(folder: Path) -> bool:
    files = ((folder / AGENT).is_file(), (folder / INTEGRATIONS).is_file())
    return sum((*files, bool(find_skills(folder)))) >= 2


def problem_of_layout(folder: Path) -> tuple[str, str] | None:
    """Return why Rasa refuses a bot for Mantle in *folder*, and the remedy; None if it does not."""
    if not _is_laid_out(folder):
        return None
    if (folder / DOMAIN).is_file():
        return (
            f"{folder / DOMAIN} is of another engine than the project, which is Mantle's "
            "(agent.yml, integrations.yml, skills/): Rasa refuses such a mixed layout.",
            "Take domain.yml away; responses belong in responses.yml.",
        )
    if not (folder / AGENT).is_file():
        text = f"{folder / AGENT} is missing: Rasa refuses a project for Mantle without it."
        return text, "Write it, with `agent:` and `orchestrator:`."
    if not find_skills(folder):
        text = f"{folder / 'skills'} has no skill: Rasa refuses a project for Mantle without one."
        return text, "Write skills/NAME/skill.md; a folder with `_` in front does not count."
    return None


def find_channels_file(folder: Path) -> Path:
    """Return the file in which Rasa looks for the channels of the bot in *folder*."""
    return folder / (INTEGRATIONS if is_mantle(folder) else CREDENTIALS)


def is_integrations(document: Marked) -> bool:
    """Return whether a file has its channels in a map of their own, as integrations.yml does."""
    keys = document.value if isinstance(document.value, Mapping) else ()
    return CHANNELS in keys or "model_groups" in keys


def read_channels(document: Marked) -> dict[str, Marked]:
    """Return the blocks of credentials.yml or integrations.yml, by the names of the channels."""
    parts = dict(document.items())
    if is_integrations(document):
        parts = dict(parts[CHANNELS].items()) if CHANNELS in parts else {}
    return {str(name): part for name, part in parts.items()}


def is_off(block: Marked) -> bool:
    """Return whether a block of integrations.yml is switched off: Rasa passes over it."""
    given = block.value.get(ENABLED) if isinstance(block.value, Mapping) else None
    return given is not None and str(given).lower() in _OFF


def read_variables(text: str) -> dict[str, str]:
    """Return the variables in the *text* of a file ``.env``."""
    return {
        name: next((value for value in (double, single, plain) if value), "")
        for name, double, single, plain in _LINE.findall(text)
    }
