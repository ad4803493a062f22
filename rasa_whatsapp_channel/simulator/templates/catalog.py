"""
Which templates there are: a few built in, and those in a folder of YAML files.

A file holds one template or a list of them, in the form of the platform's own template API:
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rasa_whatsapp_channel.simulator import problems
from rasa_whatsapp_channel.simulator.problems import Problem, Refused
from rasa_whatsapp_channel.whatsapp.errors import SettingsError

BUILT_IN: Final = Path(__file__).parent / "built_in.yaml"
CATEGORIES: Final = ("UTILITY", "MARKETING", "AUTHENTICATION")
STATUSES: Final = ("APPROVED", "PENDING", "REJECTED", "PAUSED", "DISABLED")
FORMATS: Final = ("POSITIONAL", "NAMED")
COMPONENTS: Final = ("HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL")
_NOT_SENT: Final[Mapping[str, Problem]] = {
    "PENDING": problems.NO_TEMPLATE,
    "REJECTED": problems.NO_TEMPLATE,
    "PAUSED": problems.TEMPLATE_PAUSED,
    "DISABLED": problems.TEMPLATE_DISABLED,
}


@dataclass(frozen=True)
class Template:
    """*components* are as the platform's template API has them."""

    name: str
    language: str
    category: str
    components: tuple[Mapping[str, Any], ...]
    status: str = "APPROVED"
    parameter_format: str = "POSITIONAL"

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "language": self.language,
            "category": self.category,
            "status": self.status,
            "parameter_format": self.parameter_format,
            "components": list(self.components),
        }


class Catalog:
    """*folder* has a bot's own templates: with one, there are no others than these."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._templates: dict[tuple[str, str], Template] = {}
        self.reload()

    def reload(self) -> None:
        """Read all again; raise `SettingsError` for a file that is none."""
        found = list(load_file(BUILT_IN))
        if self._folder is not None:
            found += load_folder(self._folder)
        self._templates = {(each.name, each.language): each for each in found}

    def set_status(self, name: str, language: str, status: str) -> Template | None:
        template = self._templates.get((name, language))
        if template is not None:
            template = self._templates[name, language] = replace(template, status=status)
        return template

    def find(self, name: str, language: str) -> Template | None:
        """
        Return what may be sent; raise `Refused` for what may not.

        None is a template nobody told the simulator of: without a folder it cannot know.
        """
        template = self._templates.get((name, language))
        if template is None:
            languages = sorted(known for each, known in self._templates if each == name)
            if not languages and self._folder is None:
                return None
            raise Refused(
                problems.NO_TEMPLATE,
                f"There is no template {name} in {language}, "
                + (f"only in {', '.join(languages)}." if languages else "in no language at all."),
                details=f"template name ({name}) does not exist in {language}",
            )
        if template.status in _NOT_SENT:
            raise Refused(
                _NOT_SENT[template.status],
                f"The template {name} in {language} is {template.status.lower()}.",
            )
        return template

    def statuses_to_json(self) -> list[list[str]]:
        return [[each.name, each.language, each.status] for each in self._templates.values()]

    def to_json(self) -> list[dict[str, Any]]:
        return [template.to_json() for template in self._templates.values()]


def load_folder(folder: Path) -> list[Template]:
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder} with templates")
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".yml", ".yaml"))
    return [template for path in paths for template in load_file(path)]


def load_file(path: Path) -> Iterator[Template]:
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise SettingsError(f"{path}: this is no YAML: {error}") from error
    for value in content if isinstance(content, list) else [content]:
        yield parse_template(value, str(path))


def parse_template(value: object, where: str) -> Template:
    """Return the template in a value from YAML; raise `SettingsError` that begins with *where*."""
    if not isinstance(value, Mapping):
        raise SettingsError(f"{where}: a template has name, language, category and components")
    name, language = value.get("name"), value.get("language")
    if not isinstance(name, str) or not isinstance(language, str):
        raise SettingsError(f"{where}: a template needs a name and a language, such as en_US")
    where = f"{where}: template {name}"
    known = ("name", "language", "category", "components", "status", "parameter_format")
    for key in value:
        if key not in known:
            raise SettingsError(f"{where}: unknown key {key!r}; known: {', '.join(known)}")
    components = value.get("components")
    if not isinstance(components, list) or not components:
        raise SettingsError(f"{where}: components is a list with at least a BODY")
    return Template(
        name=name,
        language=language,
        category=_one_of(where, "category", value.get("category", "UTILITY"), CATEGORIES),
        components=tuple(_component(where, each) for each in components),
        status=_one_of(where, "status", value.get("status", "APPROVED"), STATUSES),
        parameter_format=_one_of(
            where, "parameter_format", value.get("parameter_format", "POSITIONAL"), FORMATS
        ),
    )


def _component(where: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise SettingsError(f"{where}: a component is an object with a type")
    kind = _one_of(where, "type of a component", value.get("type"), COMPONENTS)
    if kind in ("BODY", "FOOTER") and not isinstance(value.get("text"), str):
        raise SettingsError(f"{where}: {kind} needs a text")
    inner = {"BUTTONS": "buttons", "CAROUSEL": "cards"}.get(kind)
    items = value.get(inner) if inner else None
    if inner and not (isinstance(items, list) and all(isinstance(i, Mapping) for i in items)):
        raise SettingsError(f"{where}: {kind} needs a list of {inner}")
    if kind == "CAROUSEL":
        cards = [
            {**card, "components": [_component(where, each) for each in card.get("components", ())]}
            for card in value["cards"]
        ]
        return {**value, "type": kind, "cards": cards}
    return {**value, "type": kind}


def _one_of(where: str, name: str, value: object, known: tuple[str, ...]) -> str:
    text = str(value).upper()
    if text not in known:
        raise SettingsError(f"{where}: {name} is one of {', '.join(known)}, not {value!r}")
    return text
