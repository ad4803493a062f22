"""Domain reader: finds a bot's domain files and reads responses, slots and intents."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.domain import marked
from rasa_whatsapp_channel.domain.marked import DomainError, Marked, YamlDocument
from rasa_whatsapp_channel.domain.project import AGENT, RESPONSES, find_skills, is_mantle

_EXTENSIONS: Final = (".yml", ".yaml")
# Files of `rasa init`; the folder with one of them is the bot's.
_BOT_FILES: Final = ("config.yml", "credentials.yml", "endpoints.yml", "domain.yml", AGENT)
# Rasa reads a file with one of these keys as a part of the domain.
_DOMAIN_KEYS: Final = re.compile(
    r"^(slots|forms|actions|entities|intents|responses|e2e_actions|session_config)[ \t]*:",
    re.MULTILINE,
)
_RESPONSES: Final = re.compile(r"^responses[ \t]*:", re.MULTILINE)


@dataclass(frozen=True)
class Slot:
    """A slot with all its possible values, where they are known, and its initial one."""

    name: str
    values: tuple[str, ...] = ()
    initial: str | None = None


@dataclass(frozen=True)
class TextFile:
    """A file, with the name it was given by."""

    name: str
    text: str

    @cached_property
    def lines(self) -> Sequence[str]:
        return self.text.split("\n")


@dataclass(frozen=True)
class DomainFile(TextFile):
    document: YamlDocument

    @property
    def keys(self) -> Collection[str]:
        return self.document.value or ()

    def section(self, key: str) -> dict[Any, Marked]:
        """Return the parts of a section by their names."""
        for name, part in self.document.items():
            if name == key:
                return dict(part.items())
        return {}


@dataclass(frozen=True)
class Variation:
    """A variation of a response; *part* is what is written, which may be invalid."""

    source: DomainFile
    response: DomainResponse
    number: int  # from 1
    part: Marked

    @property
    def channel(self) -> Any:
        return self.part.value.get("channel") if isinstance(self.part.value, Mapping) else None


@dataclass(frozen=True)
class DomainResponse:
    """A response; for Mantle (*texts_alone*) a variation may be a text without keys."""

    name: str
    source: DomainFile
    part: Marked
    texts_alone: bool = False

    @cached_property
    def variations(self) -> tuple[Variation, ...]:
        if not isinstance(self.part.value, list):
            return ()
        parts = enumerate(self.part.items(), start=1)
        return tuple(
            Variation(self.source, self, number, self._with_keys(part))
            for number, (_, part) in parts
        )

    def _with_keys(self, part: Marked) -> Marked:
        if self.texts_alone and isinstance(part.value, (str, int, float)):
            return Marked({"text": str(part.value)}, part.line, None)
        return part


@dataclass(frozen=True)
class Domain:
    """
    A bot's domain. *sources* are the files to check, *others* the rest of the domain.

    For Mantle these are files of responses, and *skills* are those of the bot. *slots* and
    *intents* are None where no file has such a section.
    """

    root: Path
    sources: tuple[DomainFile, ...]
    others: tuple[DomainFile, ...]
    slots: Mapping[str, Slot] | None
    intents: frozenset[str] | None
    forms: Mapping[str, Any]
    skills: tuple[TextFile, ...] = ()

    @cached_property
    def is_mantle(self) -> bool:
        return is_mantle(self.root)

    @cached_property
    def responses(self) -> tuple[DomainResponse, ...]:
        return tuple(
            DomainResponse(str(name), source, part, self.is_mantle)
            for source in self.sources
            for name, part in source.section("responses").items()
        )


def read_domains(paths: Iterable[Path], *, root: Path | None = None) -> list[Domain]:
    """
    Read the domains at *paths*, one for each bot.

    Slots and intents come from the whole bot, also when *paths* name only some of its files.
    *root* is the bot's folder where its files do not tell it. Raises `DomainError`.
    """
    files: dict[Path, dict[Path, None]] = {}
    for path in paths:
        own = find_files(path)
        folder = root or find_root(path)
        files.setdefault(folder, {}).update(dict.fromkeys(own))
    return [_read_domain(folder, list(own)) for folder, own in files.items()]


def _read_domain(root: Path, files: Sequence[Path]) -> Domain:
    sources = tuple(read_source(file) for file in files)
    others = tuple(read_source(file) for file in _other_files(root, files))
    everything = (*sources, *others)
    slots = [source.section("slots") for source in everything if "slots" in source.keys]
    return Domain(
        root=root,
        sources=sources,
        others=others,
        slots={slot.name: slot for part in slots for slot in _read_slots(part)} if slots else None,
        intents=_listed(everything, "intents"),
        forms={
            str(name): part.value
            for source in everything
            for name, part in source.section("forms").items()
        },
        skills=tuple(TextFile(str(file), read_text(file)) for file in find_skills(root)),
    )


def _other_files(root: Path, files: Sequence[Path]) -> Iterator[Path]:
    known = {file.resolve() for file in files}
    for file in bot_files(root):
        if file.resolve() not in known and is_domain(read_text(file)):
            yield file


def read_source(file: Path) -> DomainFile:
    text = read_text(file)
    document = marked.parse(text, str(file))
    if document.value is not None and not isinstance(document.value, Mapping):
        raise DomainError(f"{file}: is no domain: it must be a map with responses, slots, …")
    for key in ("responses", "slots"):
        part = (document.value or {}).get(key)
        if part is not None and not isinstance(part, Mapping):
            line = document.line_of((key,))
            raise DomainError(
                f"{file}:{line}: {key} must be a map of names, not a list or a string"
            )
    return DomainFile(str(file), text, document)


def _listed(sources: Iterable[DomainFile], key: str) -> frozenset[str] | None:
    lists = [source.document.value[key] for source in sources if key in source.keys]
    return frozenset(name for each in lists for name in listed_names(each)) if lists else None


def listed_names(value: object) -> Iterator[str]:
    """Yield the names in a list of names, or of maps with one name each."""
    for item in value if isinstance(value, list) else ():
        yield from map(str, item) if isinstance(item, Mapping) else [str(item)]


def _read_slots(section: Mapping[Any, Marked]) -> Iterator[Slot]:
    for name, part in section.items():
        value = part.value if isinstance(part.value, Mapping) else {}
        initial = value.get("initial_value")
        yield Slot(
            str(name), _values(value), initial=None if initial is None else _written(initial)
        )


def _values(slot: Mapping[str, Any]) -> tuple[str, ...]:
    kind, values = slot.get("type"), slot.get("values")
    if kind == "bool":
        return ("True", "False")
    if kind == "categorical" and isinstance(values, list):
        return tuple(map(_written, values))
    if kind == "float":
        return ("0.0", _written(slot.get("max_value") or 1_000_000.0))
    return ()


def _written(value: object) -> str:
    """Return *value* as Rasa writes it into a text."""
    return str(value)


def find_files(path: Path) -> list[Path]:
    """
    Return the domain files at *path*: a file, the folder of a bot, or a folder of domain files.

    Raises `DomainError` when there is none.
    """
    if not path.exists():
        raise DomainError(f"{path}: does not exist")
    if path.is_dir():
        if is_mantle(path):  # without responses the model says everything
            return bot_files(path)
        candidates = bot_files(path) or yaml_files(path)
        found = [file for file in candidates if is_domain(read_text(file))]
        if not found:
            raise DomainError(f"{path}: has no domain.yml, and no other file of a domain")
        return found
    if not is_domain(read_text(path)):
        raise DomainError(f"{path}: is no domain: it has no responses, slots, intents, …")
    return [path]


def bot_files(folder: Path) -> list[Path]:
    """
    Return the domain files of the bot in *folder*; none where there is no bot.

    They are ``domain.yml``, the folder ``domain``, and files with responses in ``data``; for Mantle
    ``responses.yml``, beside the bot and beside its skills.
    """
    if is_mantle(folder):
        beside = (folder / AGENT, *find_skills(folder))
        return [file for path in beside if (file := path.with_name(RESPONSES)).is_file()]
    own = (folder / f"domain{extension}" for extension in _EXTENSIONS)
    files = [file for file in own if file.is_file()]
    files += yaml_files(folder / "domain")
    if files:
        files += (
            file for file in yaml_files(folder / "data") if _RESPONSES.search(read_text(file))
        )
    return files


def find_root(path: Path) -> Path:
    """
    Return the folder of the bot that *path* belongs to, where paths of media begin.

    It is relative to the current folder where it is below that, as people write it.
    """
    found, here = _find_root(path), Path.cwd()
    return found.relative_to(here) if found.is_relative_to(here) else found


def _find_root(path: Path) -> Path:
    start = path.resolve() if path.is_dir() else path.resolve().parent
    for folder in (start, *start.parents):
        if any((folder / name).is_file() for name in _BOT_FILES) or (folder / "domain").is_dir():
            return folder
        if (folder / ".git").exists():
            break
    return start


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DomainError(f"{path}: is not UTF-8, so no YAML: byte {error.start}") from error
    except OSError as error:
        raise DomainError(f"{path}: cannot be read: {error.strerror}") from error


def is_domain(text: str) -> bool:
    return _DOMAIN_KEYS.search(text) is not None


def yaml_files(folder: Path) -> Iterator[Path]:
    """Yield the YAML files in *folder* and below it, but not those in hidden folders."""
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            if name.endswith(_EXTENSIONS):
                yield Path(here, name)
