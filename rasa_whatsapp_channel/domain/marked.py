"""YAML reader: plain values with the line of every part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from rasa_whatsapp_channel.errors import ChannelError

Key = str | int
Path = tuple[Key, ...]

# The version that Rasa asks ruamel for: `yes` is a string in it, not true.
_VERSION: Final = (1, 2)


class DomainError(ChannelError):
    """A domain file cannot be read; the text is one line that begins with the path."""


class Marked:
    """A part of a YAML text: its plain *value*, and the *line* of it or of its key."""

    def __init__(self, value: Any, line: int, node: Node | None) -> None:
        self.value = value
        self.line = line
        self._node = node

    def items(self) -> Iterator[tuple[Any, Marked]]:
        """Yield keys, or numbers for a list, and parts."""
        for key, (line, node) in _parts(self._node).items():
            yield key, Marked(self.value[key], line, node)

    def line_of(self, path: Path) -> int:
        """Return the line of the part at *path*, or of its nearest existing parent."""
        line, node = self.line, self._node
        for key in path:
            if key not in (parts := _parts(node)):
                break
            line, node = parts[key]
        return line

    def is_plain(self, path: Path) -> bool:
        """Return whether the part at *path* is a string without quotes on one line."""
        node = self._node
        for key in path:
            node = _parts(node).get(key, (0, None))[1]
        return isinstance(node, ScalarNode) and not node.style

    def written(self) -> str | None:
        """Return a scalar as it is written in the file."""
        return str(self._node.value) if isinstance(self._node, ScalarNode) else None


class YamlDocument(Marked):
    """A whole YAML text; *repeated* are duplicated keys with the line of the later one."""

    def __init__(
        self, value: Any, node: Node | None, repeated: tuple[tuple[str, int], ...]
    ) -> None:
        super().__init__(value, 1, node)
        self.repeated = repeated


def parse(text: str, name: str) -> YamlDocument:
    """Read YAML as Rasa does. Raises `DomainError`, beginning with *name* and the line."""
    yaml = YAML(typ="safe")
    yaml.version = _VERSION
    reader = _YamlReader()
    try:
        root = yaml.compose(_decode(text))
        value = reader.read(root) if root is not None else None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise DomainError(f"{name}:{_line(mark)}: is not YAML: {error.problem}") from error
    except YAMLError as error:  # such as a NUL
        raise DomainError(f"{name}: is not YAML: {str(error).splitlines()[0]}") from error
    except UnicodeDecodeError as error:
        raise DomainError(f"{name}: has half a character: {error.reason}") from error
    except _Broken as error:
        raise DomainError(f"{name}:{error}") from error
    except RecursionError as error:
        raise DomainError(f"{name}: is nested too deep") from error
    return YamlDocument(value, root, tuple(reader.repeated))


def _decode(text: str) -> str:
    """Return *text* as Rasa hands it to the YAML parser: with surrogate pairs of JSON joined."""
    if not text.isascii() or "\\u" not in text:
        return text
    halves = text.encode().decode("raw_unicode_escape")
    return halves.encode("utf-16", "surrogatepass").decode("utf-16")


class _Broken(Exception):
    def __init__(self, node: Node, problem: str) -> None:
        super().__init__(f"{_line(node.start_mark)}: {problem}")


class _YamlReader:
    def __init__(self) -> None:
        self.repeated: list[tuple[str, int]] = []
        self._done: dict[int, Any] = {}  # so that aliases are read once
        self._open: set[int] = set()

    def read(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if id(node) in self._done:
            return self._done[id(node)]
        if id(node) in self._open:
            raise _Broken(node, "holds itself")
        self._open.add(id(node))
        if isinstance(node, SequenceNode):
            value: Any = [self.read(item) for item in node.value]
        else:
            self._note_repeated(node.value)
            value = {key: self.read(part) for key, (_, part) in _parts(node).items()}
        self._open.remove(id(node))
        self._done[id(node)] = value
        return value

    def _note_repeated(self, pairs: list[tuple[Node, Node]]) -> None:
        seen = set()
        for key_node, _ in pairs:
            key = _key(key_node)
            if key in seen:
                self.repeated.append((str(key), _line(key_node.start_mark)))
            seen.add(key)


def _parts(node: Node | None) -> dict[Any, tuple[int, Node]]:
    """Return line and node of each part, by key or number; the last of equal keys counts."""
    if isinstance(node, SequenceNode):
        return {n: (_line(item.start_mark), item) for n, item in enumerate(node.value)}
    if not isinstance(node, MappingNode):
        return {}
    parts: dict[Any, tuple[int, Node]] = {}
    for key_node, part in node.value:
        if _tag(key_node) == "merge":
            parts = {**_merged(part, node), **parts}
        else:
            parts[_key(key_node)] = (_line(key_node.start_mark), part)
    return parts


def _merged(part: Node, into: Node) -> dict[Any, tuple[int, Node]]:
    """Return the parts that ``<<`` merges; the first of several maps counts."""
    if part is into:
        raise _Broken(part, "holds itself")
    if isinstance(part, SequenceNode):
        maps = [_parts(item) for item in part.value]
        return {key: found for parts in reversed(maps) for key, found in parts.items()}
    return _parts(part)


def _key(node: Node) -> Any:
    if not isinstance(node, ScalarNode):
        raise _Broken(node, "a key must be a text")
    return _scalar(node)


def _scalar(node: ScalarNode) -> Any:
    read = _SCALARS.get(_tag(node), str)
    try:
        return read(node.value)
    except ValueError:
        return node.value


def _tag(node: Node) -> str:
    return str(node.tag).rpartition(":")[2]


def _line(mark: Any) -> int:
    return int(mark.line) + 1 if mark is not None else 1


def _integer(text: str) -> int:
    digits = text.replace("_", "")
    return int(digits, 0 if digits.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else 10)


def _number(text: str) -> float:
    return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan"))


_SCALARS: Final[Mapping[str, Callable[[str], Any]]] = {
    "null": lambda text: None,
    "bool": lambda text: text.lower() == "true",
    "int": _integer,
    "float": lambda text: _number(text.lower()),
    "timestamp": lambda text: date.fromisoformat(text[:10]),
}
