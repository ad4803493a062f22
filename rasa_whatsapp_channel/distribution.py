"""The installed distribution: its name, its version, and how an extra is added to it."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Final

PRODUCT: Final = "rasa-whatsapp-channel"


def install_extra(extra: str) -> str:
    """Return the command that adds *extra* to a channel which is installed, from wherever."""
    return f'pip install "{PRODUCT}[{extra}]"'


def installed_version(package: str = PRODUCT) -> str | None:
    """Return the version of an installed distribution, None where it is not installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
