"""
Message templates: the built-in ones, and those of a folder of YAML files.

A file holds one template or a list of them, in the form of the platform's own template API:
https://developers.facebook.com/documentation/business-messaging/whatsapp/templates/components
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from ruamel.yaml.error import YAMLError

from rasa_whatsapp_channel.plain_yaml import plain_yaml
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.simulator import problems
from rasa_whatsapp_channel.simulator.problems import Problem, Refused
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.template_definitions import (
    APPROVED,
    AUTHENTICATION,
    CATEGORIES,
    COMPONENTS,
    FORMATS,
    KEYS,
    MARKETING,
    OPTIONS,
    TemplateDefinition,
)

BUILT_IN: Final = Path(__file__).with_name("templates.yaml")
STATUSES: Final = (
    *(APPROVED, "PENDING", "REJECTED", "PAUSED", "DISABLED", "IN_APPEAL"),
    *("LIMIT_EXCEEDED", "ARCHIVED", "PENDING_DELETION", "DELETED"),
)
QUALITIES: Final = ("GREEN", "YELLOW", "RED", "UNKNOWN")
# Any other status but APPROVED is answered like a template that does not exist.
_NOT_SENT: Final[Mapping[str, Problem]] = {
    "PAUSED": problems.TEMPLATE_PAUSED,
    "DISABLED": problems.TEMPLATE_DISABLED,
}
_LISTS: Final = {"BUTTONS": "buttons", "CAROUSEL": "cards"}


def check_endpoint(template: TemplateDefinition, *, marketing: bool) -> None:
    """Raise `Refused` where *template* belongs to the other endpoint of the two."""
    if marketing and template.category != MARKETING:
        raise Refused(
            problems.MARKETING_ONLY,
            f"/marketing_messages takes templates of category MARKETING; {template.name} is "
            f"{template.category}.",
        )
    if "optimization_spec" in template.options and not marketing:
        raise Refused(
            problems.MAX_PRICE,
            f"The template {template.name} has an optimization_spec: it must be sent to "
            "/marketing_messages.",
        )


def to_json(template: TemplateDefinition) -> dict[str, Any]:
    """Return *template* as the API lists it."""
    return {
        **template.body(),
        "id": template.id,
        "status": template.status,
        "parameter_format": template.parameter_format,
        "quality_score": {"score": template.quality},
        "rejected_reason": template.rejected or "NONE",
    }


class TemplateCatalog:
    """The known templates; with a *folder* of the bot's own templates, others are refused."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        self._templates: dict[tuple[str, str], TemplateDefinition] = {}
        self.reload()

    def reload(self) -> None:
        """Read all templates again; raise `SettingsError` for an invalid file."""
        found = list(load_file(BUILT_IN))
        if self._folder is not None:
            found += load_folder(self._folder)
        self._templates = {each.key: each for each in found}
        self._from_files = {*self._templates}

    def created(self) -> list[TemplateDefinition]:
        """Return the templates that the management API has created."""
        return [each for key, each in self._templates.items() if key not in self._from_files]

    def __iter__(self) -> Iterator[TemplateDefinition]:
        return iter([*self._templates.values()])

    def get(self, name: str, language: str) -> TemplateDefinition | None:
        return self._templates.get((name, language))

    def put(self, template: TemplateDefinition) -> None:
        """Keep *template*, which was created by the management API, or changed."""
        self._templates[template.key] = template

    def remove(self, name: str, number: str | None = None) -> list[TemplateDefinition]:
        """Delete and return the templates called *name*, or only the one with this id."""
        found = [each for each in self if each.name == name and number in (None, each.id)]
        for each in found:
            del self._templates[each.key]
        return found

    def set_status(
        self, name: str, language: str, status: str, quality: str | None = None
    ) -> TemplateDefinition | None:
        template = self._templates.get((name, language))
        if template is not None:
            quality = quality or template.quality
            template = replace(template, status=status, quality=quality)
            self.put(template)
        return template

    def find(self, name: str, language: str) -> TemplateDefinition | None:
        """
        Return the template; raise `Refused` if it may not be sent.

        None is a template that is unknown here: without a folder, any name is accepted.
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
        if template.status != APPROVED:
            raise Refused(
                _NOT_SENT.get(template.status, problems.NO_TEMPLATE),
                f"The template {name} in {language} is {template.status.lower()}.",
            )
        return template

    def statuses_to_json(self) -> list[list[str]]:
        return [[each.name, each.language, each.status] for each in self._templates.values()]

    def to_json(self) -> list[dict[str, Any]]:
        return [to_json(template) for template in self]


def load_folder(folder: Path) -> list[TemplateDefinition]:
    if not folder.is_dir():
        raise SettingsError(f"there is no folder {folder} with templates")
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".yml", ".yaml"))
    return [template for path in paths for template in load_file(path)]


def load_file(path: Path) -> Iterator[TemplateDefinition]:
    try:
        content = plain_yaml("safe").load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise SettingsError(f"{path}: invalid YAML: {error}") from error
    for value in content if isinstance(content, list) else [content]:
        template = parse_template(value, str(path))
        for key in template.options.keys() - {*OPTIONS}:
            known = ", ".join((*KEYS, "status", *OPTIONS))
            raise SettingsError(f"{path}: template {template.name}: unknown key {key!r}; {known}")
        yield template


def parse_template(value: object, where: str) -> TemplateDefinition:
    """Read a template of a file or request; raise `SettingsError` with *where*."""
    if not isinstance(value, Mapping):
        raise SettingsError(f"{where}: a template has name, language, category and components")
    name, language = value.get("name"), value.get("language")
    if not isinstance(name, str) or not isinstance(language, str):
        raise SettingsError(f"{where}: a template needs a name and a language, such as en_US")
    where = f"{where}: template {name}"
    try:
        found = TemplateDefinition.parse({"category": "UTILITY", "status": APPROVED, **value})
    except InvalidMessage as error:
        raise SettingsError(f"{where}: {error}") from error
    if not found.components:
        raise SettingsError(f"{where}: components is a list with at least a BODY")
    _one_of(where, "category", found.category, CATEGORIES)
    _one_of(where, "status", found.status, STATUSES)
    _one_of(where, "parameter_format", found.parameter_format, FORMATS)
    for part in found.parts():
        if part.inside == "BUTTONS":
            continue
        _one_of(where, "type of a component", part.kind, COMPONENTS)
        is_silent = part.kind in ("BODY", "FOOTER") and "text" not in part.value
        if is_silent and found.category != AUTHENTICATION:
            raise SettingsError(f"{where}: {part.kind} needs text")
        if (inner := _LISTS.get(part.kind)) and inner not in part.value:
            raise SettingsError(f"{where}: {part.kind} needs a list of {inner}")
    # A number that is the same at each start.
    number = zlib.crc32(f"{found.name}/{found.language}".encode()) + 10**14
    return replace(found, id=str(number), quality=found.quality or "UNKNOWN")


def _one_of(where: str, name: str, value: str, known: Sequence[str]) -> None:
    if value not in known:
        raise SettingsError(f"{where}: {name} is one of {', '.join(known)}, not {value!r}")
