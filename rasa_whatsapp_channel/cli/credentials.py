"""credentials.yml, read as Rasa reads it, without Rasa."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from rasa_whatsapp_channel.settings import CHANNEL, Settings
from rasa_whatsapp_channel.whatsapp.errors import SettingsError

FILE: Final = "credentials.yml"

Function = TypeVar("Function", bound=Callable[..., Any])


def credentials_option(function: Function) -> Function:
    """The option that names the file, as `credentials`."""
    return click.option(
        "--credentials",
        type=click.Path(path_type=Path),
        default=FILE,
        show_default=True,
        help="The bot's file with the channel's block.",
    )(function)


def convert_option(function: Function) -> Function:
    """Whether files are made to fit, as `convert`; None where the setting decides."""
    return click.option(
        "--convert/--no-convert",
        default=None,
        help="Make a file fit that WhatsApp would refuse; as `media.convert` says, if not given.",
    )(function)


def read_credentials(path: Path) -> Mapping[str, Any]:
    """
    Return the channel's block in the file at *path*, with ``${VARIABLES}`` replaced.

    Raises `SettingsError` when there is no such file or block, or a variable is not set.
    """
    block = _read_block(path)
    unset = [f"{key}: {value}" for key, value in block.items() if isinstance(value, _Unset)]
    if unset:
        raise SettingsError(
            f"{path}: {', '.join(unset)}: not set here; give this shell what the bot gets"
        )
    return block


def read_settings(path: Path) -> Settings:
    return Settings.from_credentials(read_credentials(path))


def read_store(path: Path) -> str:
    """Return where the store is; whatever else the file says or lacks is no matter."""
    store = _read_block(path).get("store") or os.environ.get("WHATSAPP_STORE", "").strip()
    if isinstance(store, _Unset):
        raise SettingsError(f"{path}: store: {store}: not set here; give the store with --store")
    return str(store or Settings.store)


class _Unset(str):
    """A text with a variable that is not set."""

    __slots__ = ()


def _read_block(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SettingsError(
            f"{path}: does not exist; go to the bot's folder, or name it with --credentials"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    channels = _parse(text, path)
    if not isinstance(channels, Mapping) or CHANNEL not in channels:
        raise SettingsError(f"{path}: has no block {CHANNEL}")
    block = channels[CHANNEL]
    if not isinstance(block or {}, Mapping):
        raise SettingsError(f"{path}: {CHANNEL}: must be a group of keys")
    return block or {}


def _parse(text: str, path: Path) -> Any:
    # ruamel takes its time, and `--help` needs none of it.
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.error import YAMLError

    class Constructor(SafeConstructor):  # type: ignore[misc, unused-ignore]
        def construct_scalar(self, node: Any) -> Any:
            value = super().construct_scalar(node)
            # Rasa does not look into quoted texts.
            return value if node.style or "${" not in str(value) else _expand(value)

    # Where Rasa is imported too, it has given such texts a tag of its own.
    Constructor.add_constructor("!env_var", Constructor.construct_scalar)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = Constructor
    yaml.version = (1, 2)  # type: ignore[assignment, unused-ignore]  # `yes` is a text, as for Rasa
    try:
        return yaml.load(text)
    except YAMLError as error:
        where = getattr(error, "problem_mark", None)
        line = f" (line {where.line + 1})" if where else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise SettingsError(f"{path}: is not YAML: {problem}{line}") from error
    except RecursionError as error:
        raise SettingsError(f"{path}: is nested too deep") from error


def _expand(text: str) -> str:
    value = os.path.expandvars(text)
    return _Unset(value) if "${" in value else value
