"""Command setup: opens the channel's block where Rasa finds it, the bot's client, and its store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from rasa_whatsapp_channel.cli.options import Function
from rasa_whatsapp_channel.compose.foresee import OutgoingSettings
from rasa_whatsapp_channel.domain.marked import DomainError
from rasa_whatsapp_channel.domain.project import (
    ENABLED,
    find_channels_file,
    is_integrations,
    is_mantle,
    is_off,
    read_channels,
    read_variables,
)
from rasa_whatsapp_channel.inbound.intents import wordless_intents
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.settings import (
    CHANNEL,
    BillingSettings,
    HandoffSettings,
    MediaSettings,
    Settings,
    inbound,
)
from rasa_whatsapp_channel.settings.keys import G, read_keys
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.store.base import OUTSIDE, Store, StoreError

if TYPE_CHECKING:
    from rasa_whatsapp_channel.domain.slots import Unset
    from rasa_whatsapp_channel.whatsapp.clients.base import Client
    from rasa_whatsapp_channel.whatsapp.clients.on_premises import OnPremisesAdmin

T = TypeVar("T")


def credentials_option(function: Function) -> Function:
    """Add the option `credentials`, the path of the file; that of the bot in this folder."""
    return click.option(
        "--credentials",
        "--integrations",
        "credentials",
        type=click.Path(path_type=Path),
        callback=lambda ctx, param, given: given or find_channels_file(Path()),
        help="The bot's file with the channel's block.  [default: credentials.yml, or "
        "integrations.yml of a bot for Mantle]",
    )(function)


def convert_option(function: Function) -> Function:
    """Add the option `convert`, None where the setting decides."""
    return click.option(
        "--convert/--no-convert",
        default=None,
        help="Convert files that WhatsApp would refuse.  [default: the setting `media.convert`]",
    )(function)


def read_credentials(path: Path) -> Mapping[str, Any]:
    """
    Return the channel's block in the file at *path*, with ``${VARIABLES}`` replaced.

    Raises `SettingsError` when there is no such file or block, or a variable is not set.
    """
    block, unset = _read_block(path)
    if unset:
        texts = ", ".join(f"{each.key}: {each.text}" for each in unset)
        raise SettingsError(f"{path}: {texts}: not set here; give this shell what the bot gets")
    return block


def read_settings(path: Path, number: str | None = None) -> Settings:
    """Return the settings of the bot, or those for one of its business numbers, by its id."""
    settings = Settings.from_credentials(
        read_credentials(path), environ=environment_of(path.parent), file=path.name
    )
    if number is None:
        return settings
    numbers = settings.by_number()
    if number not in numbers:
        known = ", ".join(filter(None, numbers)) or "none by its id"
        raise SettingsError(f"{path}: has no number {number}; it names {known}")
    return numbers[number]


def read_store(path: Path) -> str:
    """Return the URL of the store, also where other settings are missing or wrong."""
    block, unset = _read_block(path)
    for each in unset:
        if each.key == "store":
            raise SettingsError(
                f"{path}: store: {each.text}: not set here; give the store with --store"
            )
    fallback = environment_of(path.parent).get("WHATSAPP_STORE", "").strip()
    return str(block.get("store") or fallback or Settings.store)


def environment_of(folder: Path) -> Mapping[str, str]:
    """Return the environment of the bot in *folder*: for Mantle, Rasa loads the file ``.env``."""
    file = folder / ".env"
    if not is_mantle(folder) or not file.is_file():
        return os.environ
    return {**read_variables(file.read_text(encoding="utf-8", errors="replace")), **os.environ}


def read_outgoing(path: Path) -> OutgoingSettings:
    """Return which files may be sent, and in how many messages; by default what is not readable."""
    try:
        block, _ = _read_block(path)
    except SettingsError:
        return OutgoingSettings()
    names = block.keys() & {field.name for field in fields(OutgoingSettings)}
    values, _ = read_keys(Settings, {name: block[name] for name in names})
    media = block.get("media")
    of_files, _ = read_keys(MediaSettings, media) if isinstance(media, Mapping) else ({}, [])
    return OutgoingSettings(**values, access=FileAccess.of(MediaSettings(**of_files)))


def read_billing(path: Path) -> BillingSettings:
    """Return the group `billing`, by default where there is no such file. Raises `SettingsError`"""
    block, _ = _read_block(path) if path.is_file() else ({}, [])
    return _read_group(path, BillingSettings, block.get("billing") or {})


def read_handoff(path: Path) -> HandoffSettings:
    """
    Return the group `handoff`, by default where there is no such file.

    Raises `SettingsError`, also where the bot was not told to let anybody take over.
    """
    if not path.is_file():
        return HandoffSettings()
    block, _ = _read_block(path)
    if block.get("handoff") is None:
        raise SettingsError(
            f"{path}: the bot lets nobody take over; write `handoff: {{}}` into its block, and "
            "start it again"
        )
    return _read_group(path, HandoffSettings, block["handoff"])


def _read_group(path: Path, group: type[G], value: object) -> G:
    try:
        return group.parse(value)
    except ValueError as error:
        raise SettingsError(f"{path}: '{group.NAME}' must be {error}") from error
    except SettingsError as error:
        raise SettingsError(f"{path}: {error}") from error


def read_wordless(path: Path) -> Sequence[str]:
    """Return the intents of messages without words, by default where the file cannot be read."""
    try:
        block, _ = _read_block(path)
        words = inbound.parse_group(block.get("inbound") or {})
    except (SettingsError, ValueError):
        return wordless_intents({})
    failure_intent = block.get("failure_intent")
    return wordless_intents(words, failure_intent if isinstance(failure_intent, str) else None)


def _read_block(path: Path) -> tuple[Mapping[str, Any], list[Unset]]:
    # ruamel takes its time, and `--help` needs none of it.
    from rasa_whatsapp_channel.domain.marked import parse
    from rasa_whatsapp_channel.domain.slots import fill_variables

    try:
        document = parse(path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError:
        raise SettingsError(
            f"{path}: does not exist; go to the bot's folder, or name it with --credentials"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: cannot be read: {error}") from error
    except DomainError as error:
        raise SettingsError(str(error)) from error
    block = read_channels(document).get(CHANNEL)
    if block is None:
        raise SettingsError(f"{path}: has no block {CHANNEL}; `rasa-whatsapp init` writes one")
    if not isinstance(block.value or {}, Mapping):
        raise SettingsError(f"{path}: {CHANNEL}: must be a group of keys")
    values, unset = fill_variables(block, environment_of(path.parent))
    if not is_integrations(document):
        return values or {}, unset
    if is_off(block):
        raise SettingsError(f"{path}: {CHANNEL}: is switched off: take `{ENABLED}: false` away")
    return {key: value for key, value in (values or {}).items() if key != ENABLED}, unset


@asynccontextmanager
async def open_client(credentials: Path) -> AsyncIterator[Client]:
    from rasa_whatsapp_channel.factories import make_client  # it brings everything a bot needs

    client = make_client(read_settings(credentials))
    try:
        yield client
    finally:
        await client.close()


def with_client(credentials: Path, work: Callable[[Client], Awaitable[T]]) -> T:
    """Run *work* with the bot's client."""

    async def do() -> T:
        async with open_client(credentials) as client:
            return await work(client)

    return asyncio.run(do())


def with_admin(credentials: Path, work: Callable[[OnPremisesAdmin], Awaitable[T]]) -> T:
    """Run *work* with the administration of an on-premises client; other APIs have none."""
    from rasa_whatsapp_channel.whatsapp.clients.on_premises import OnPremisesClient

    def administer(client: Client) -> Awaitable[T]:
        if not isinstance(client, OnPremisesClient):
            raise SettingsError(f"api {client.api.name} has none of this, only on_premises")
        return work(client.admin)

    return with_client(credentials, administer)


@dataclass(frozen=True)
class StoreLocation:
    """Where the store is: its *url*, or what the file *credentials* says."""

    credentials: Path
    url: str | None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Store]:
        """Open the store. Raises `StoreError` when there is none, and makes none."""
        from rasa_whatsapp_channel.store import open_store

        async with open_store(self._find(), retention=OUTSIDE) as store:
            yield store

    def file(self) -> Path | None:
        """Return the file of the store, None where it is in Redis. Raises `StoreError`."""
        from rasa_whatsapp_channel.store import SQLITE

        url = self._find()
        return Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None

    def _find(self) -> str:
        from rasa_whatsapp_channel.store import SQLITE

        url = self.url or read_store(self.credentials)
        if url == "memory:":
            raise StoreError(
                "store memory: is in the bot's process, where no other process can see it"
            )
        path = Path(url.removeprefix(SQLITE))
        if url.startswith(SQLITE) and not path.is_file():
            raise StoreError(
                f"there is no store at {path.absolute()}; go to the folder where the bot was "
                "started, or name the store with --store"
            )
        return url


def store_options(function: Callable[..., T]) -> Callable[..., T]:
    """Add the options `credentials` and `store`, which *function* gets as its *location*."""

    @wraps(function)
    def at_location(*, credentials: Path, store: str | None, **options: Any) -> T:
        return function(location=StoreLocation(credentials, store), **options)

    url = click.option("--store", help="The store itself, as in the setting of that name.")
    return credentials_option(url(at_location))
