"""Fact collector: reads facts of the bot's folder, of the installed packages, and of the store."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, requires
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from rasa_whatsapp_channel.compose.foresee import OutgoingSettings
from rasa_whatsapp_channel.distribution import PRODUCT, installed_version
from rasa_whatsapp_channel.doctor.checks.bot import BotFacts
from rasa_whatsapp_channel.doctor.checks.credentials import Written
from rasa_whatsapp_channel.doctor.checks.store import StoreFacts
from rasa_whatsapp_channel.doctor.checks.versions import KNOWN, VersionFacts, object_stores
from rasa_whatsapp_channel.domain.marked import DomainError, parse
from rasa_whatsapp_channel.domain.project import (
    AGENT,
    UNREAD,
    find_skills,
    is_mantle,
    problem_of_layout,
    read_variables,
)
from rasa_whatsapp_channel.domain.read import bot_files, read_domains, yaml_files
from rasa_whatsapp_channel.factories import load_functions
from rasa_whatsapp_channel.inbound.intents import wordless_intents
from rasa_whatsapp_channel.lint.check import Linter
from rasa_whatsapp_channel.presence import Presence
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.settings.roles import ROLES
from rasa_whatsapp_channel.store import SQLITE, open_store
from rasa_whatsapp_channel.store.base import OUTSIDE, StoreError
from rasa_whatsapp_channel.whatsapp.apis import APIS

_LOADING: Final = 120.0  # seconds; importing Rasa takes up to ten on a slow machine
_HIDDEN: Final = ("rasa_whatsapp_channel", "rasa", "sanic", "aiohttp", "redis", "click")
_SCRIPT: Final = (
    "import sys; sys.path.insert(0, '.');"
    "from rasa.shared.utils.common import class_from_module_path as load;"
    "import rasa_whatsapp_channel.channel; load('rasa_whatsapp_channel.WhatsAppInput')"
)


@dataclass(frozen=True)
class Project:
    """A bot's files. Rasa is started in the folder of *credentials*."""

    credentials: Path
    endpoints: Path
    #: A folder of models, or one model.
    models: Path
    #: The public URL of the webhook.
    url: str | None = None
    #: The WhatsApp business account, where the token does not tell it.
    account: str | None = None
    offline: bool = False

    @property
    def root(self) -> Path:
        return self.credentials.parent


@dataclass(frozen=True)
class Environment:
    """The environment that a bot is checked in."""

    environ: Mapping[str, str] = field(repr=False)
    #: Versions of the installed packages that matter, by name.
    versions: Mapping[str, str]
    python: str
    #: Loads the channel as Rasa does; returns the error, None if there is none.
    load: Callable[[Path], str | None]
    clock: Callable[[], float]


def read_file(path: Path) -> Written:
    try:
        return Written(path, path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return Written(path, None)
    except OSError as error:
        return Written(path, None, error.strerror or str(error))
    except UnicodeDecodeError as error:
        return Written(path, None, f"byte {error.start} is not UTF-8")


def read_dotenv(root: Path) -> Collection[str]:
    """Return the names in the file .env beside the bot."""
    return frozenset(read_variables(read_file(root / ".env").text or ""))


def collect_bot(project: Project, settings: Settings | None) -> BotFacts:
    endpoints, problem = _read_endpoints(project.endpoints)
    model = _newest(project.models)
    mantle = is_mantle(project.root)
    facts: dict[str, Any] = {
        "is_mantle": mantle,
        "layout_problem": problem_of_layout(project.root),
        "unread": [name for name in UNREAD if mantle and (project.root / name).exists()],
        "endpoints_file": project.endpoints.name,
        "endpoints": endpoints,
        "endpoints_problem": problem,
        "model": str(model) if model else None,
        "models": str(project.models),
    }
    try:
        [domain] = read_domains([project.root], root=project.root)
    except DomainError as error:
        return BotFacts(**facts, domain_problem=f"{error}.")
    api = APIS[settings.api] if settings else APIS["cloud"]
    return BotFacts(
        **facts,
        stale=tuple(_stale(project.root, model)) if model else (),
        intents=domain.intents,
        findings=Linter(
            domain, [api], wordless=_wordless(settings), outgoing=_outgoing(settings)
        ).findings(),
    )


def _outgoing(settings: Settings | None) -> OutgoingSettings:
    return OutgoingSettings.of(settings) if settings else OutgoingSettings()


def _wordless(settings: Settings | None) -> Sequence[str]:
    if settings is None:
        return wordless_intents({})
    return wordless_intents(settings.inbound or {}, settings.failure_intent)


def _read_endpoints(path: Path) -> tuple[Mapping[str, Any], str]:
    text = read_file(path).text
    if text is None:
        return {}, ""
    try:
        value = parse(text, str(path)).value
    except DomainError as error:
        return {}, f"{error}."
    return (value, "") if isinstance(value, Mapping) else ({}, "")


def _newest(models: Path) -> Path | None:
    if models.is_file():
        return models
    found = models.glob("*.tar.gz") if models.is_dir() else ()
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def _stale(root: Path, model: Path) -> Iterator[str]:
    trained = model.stat().st_mtime
    for path in dict.fromkeys(_trained_files(root)):
        if path.is_file() and path.stat().st_mtime > trained:
            yield str(path.relative_to(root))


def _trained_files(root: Path) -> Iterator[Path]:
    """Yield what the model of the bot in *root* is made of, whether it is there or not."""
    yield from bot_files(root)
    if not is_mantle(root):
        yield from (root / "config.yml", *yaml_files(root / "data"))
        return
    yield from (root / name for name in (AGENT, "memory.yml", "hooks.py"))
    skills = (skill.parent for skill in find_skills(root))
    for folder in (*skills, *(root / name for name in ("hooks", "lib", "tools"))):
        yield from (path for path in folder.rglob("*") if path.parent.name != "__pycache__")


def collect_versions(
    project: Project, environment: Environment, settings: Settings | None
) -> VersionFacts:
    rasa = {"rasa", "rasa-pro"} & environment.versions.keys()
    return VersionFacts(
        environment.python,
        environment.versions,
        oldest_versions(),
        shadows=tuple(_shadows(project.root)),
        is_mantle=is_mantle(project.root),
        load=environment.load(project.root) if rasa else None,
        protocol=_problem_of_protocol(settings),
        transcribe=_problem_of_function(project.root, settings),
    )


def _shadows(root: Path) -> Iterator[str]:
    # In a checkout the package itself is beside the bot.
    if (root / "pyproject.toml").exists():
        return
    for name in _HIDDEN:
        for path in (root / f"{name}.py", root / name / "__init__.py"):
            if path.exists():
                yield str(path.relative_to(root))


def _problem_of_protocol(settings: Settings | None) -> str | None:
    stores = object_stores(settings.media) if settings else []
    if not stores or find_spec("fsspec") is None:
        return None
    from fsspec import get_filesystem_class

    for key, scheme in stores:
        try:
            get_filesystem_class(scheme)
        except (ImportError, ValueError) as error:
            return f"{key} cannot be opened: {str(error).rstrip('.')}"
    return None


def _problem_of_function(root: Path, settings: Settings | None) -> str | None:
    if settings is None:
        return None
    sys.path.insert(0, str(root.resolve()))  # as Rasa does
    try:
        load_functions(settings)
    except SettingsError as error:
        return str(error)
    finally:
        sys.path.remove(str(root.resolve()))
    return None


def installed() -> dict[str, str]:
    names = (*KNOWN, "sanic", PRODUCT, *oldest_versions())
    return {name: found for name in names if (found := installed_version(name)) is not None}


def oldest_versions() -> dict[str, str]:
    """Return the oldest version of each package that the channel takes, as its metadata say."""
    try:
        written = requires(PRODUCT) or ()
    except PackageNotFoundError:  # a checkout that was never installed
        return {}
    pairs = (
        (re.match(r"[\w.-]+", text), re.search(r">=([\d.]+)", text.partition(";")[0]))
        for text in written
        if "testing" not in text.partition(";")[2]  # pytest has no part in a bot
    )
    return {name[0]: oldest[1] for name, oldest in pairs if name and oldest}


def python_version() -> str:
    return platform.python_version()


def load_in_rasa(root: Path) -> str | None:
    """Load the channel as Rasa does, in a child process; return the error in one line."""
    try:
        done = subprocess.run(  # noqa: S603  # this Python, with a fixed script
            [sys.executable, "-c", _SCRIPT], cwd=root, capture_output=True, timeout=_LOADING
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else f"it ended with {done.returncode}"


async def collect_store(settings: Settings, root: Path, *, offline: bool) -> StoreFacts:
    """Open the existing store and write to it; a store that does not exist is not created."""
    url = settings.store
    media = (
        None if "://" in settings.media.store else _problem_of_folder(root / settings.media.store)
    )
    if url == "memory:":
        return StoreFacts("memory", media=media)
    if url.startswith(SQLITE):
        path = root / url.removeprefix(SQLITE)
        missing: Sequence[str] = ()
        problem = _problem_of_folder(path.parent, made=False)
        if not problem and path.is_file():
            problem, missing = await _try_store(f"{SQLITE}{path}", settings)
        return StoreFacts(
            "sqlite", str(path), problem, free=_free(path), media=media, missing=missing
        )
    try:
        open_store(url)
    except StoreError as error:
        return StoreFacts("unknown", problem=str(error), media=media)
    if offline:
        return StoreFacts("redis", tried=False, media=media)
    return await _try_redis(settings, media)


async def _try_store(url: str, settings: Settings) -> tuple[str, Sequence[str]]:
    """Return why the store cannot be used, and the roles that no process has though one should."""
    try:
        async with open_store(url, retention=OUTSIDE) as store:
            await store.ping()
            apart = settings.roles != ROLES
            return "", await Presence(store.values, ()).missing() if apart else ()
    except StoreError as error:
        return str(error), ()


def _problem_of_folder(folder: Path, *, made: bool = True) -> str:
    """Return why nothing can be written into *folder*, which the channel makes if *made*."""
    while made and not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        return f"the folder {folder} does not exist"
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".rasa-whatsapp-"):
            return ""
    except OSError as error:
        return f"the folder {folder} cannot be written: {error.strerror}"


def _free(path: Path) -> int | None:
    try:
        return shutil.disk_usage(path.parent).free
    except OSError:
        return None


async def _try_redis(settings: Settings, media: str | None) -> StoreFacts:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    from rasa_whatsapp_channel.store.redis.errors import explain
    from rasa_whatsapp_channel.store.redis.server import parse_url

    address = parse_url(settings.store)
    redis: Any = Redis.from_url(address.url, socket_connect_timeout=3, socket_timeout=5)
    try:
        info = await redis.info()
    except (RedisError, OSError, TypeError) as error:
        return StoreFacts("redis", address.place, str(explain(error, address.place)), media=media)
    finally:
        await redis.connection_pool.disconnect()
    problem, missing = await _try_store(settings.store, settings)
    return StoreFacts("redis", address.place, problem, info=info, media=media, missing=missing)
