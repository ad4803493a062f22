"""YAML as it is written, whatever else this process has taught its YAML library."""

from __future__ import annotations

from typing import Any, Final, Literal

from ruamel.yaml import YAML
from ruamel.yaml.resolver import VersionedResolver

_STANDARD: Final = "tag:yaml.org,2002:"


class _Resolver(VersionedResolver):
    """
    Knows the types of YAML alone.

    Rasa teaches every reader and writer of a process to put environment variables in place, and
    raises where one is not set (rasa/shared/utils/io.py; in Rasa Pro yaml.py).
    """

    def add_version_implicit_resolver(
        self, version: Any, tag: Any, regexp: Any, first: Any
    ) -> None:
        if str(tag).startswith(_STANDARD):
            super().add_version_implicit_resolver(version, tag, regexp, first)


def plain_yaml(typ: Literal["rt", "safe"]) -> YAML:
    """Return a reader and writer that leaves ``${VARIABLES}`` as they are."""
    yaml = YAML(typ=typ, pure=True)
    yaml.Resolver = _Resolver
    return yaml
