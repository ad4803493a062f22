"""Store checks: whether it can be opened and keeps what it is given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.distribution import install_extra
from rasa_whatsapp_channel.doctor.results import CheckResult, error, ok, skipped, warning
from rasa_whatsapp_channel.settings.roles import CONSEQUENCES, remedy
from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.whatsapp.limits import MB

_LITTLE: Final = 1000 * MB
_NOTHING: Final = 50 * MB
_FORMS: Final = (
    "`store: sqlite:///whatsapp.db`, or `store: redis://HOST:6379/0` for several servers"
)


@dataclass(frozen=True)
class StoreFacts:
    """
    *problem* is why it cannot be used, *free* the bytes left beside a file, *info* what Redis says
    of itself, *media* why the folder for what people send cannot be written. *missing* are the
    roles that no process has.
    """

    kind: str  # sqlite, redis, memory, unknown
    place: str = ""
    problem: str = ""
    tried: bool = True
    free: int | None = None
    info: Mapping[str, Any] | None = None
    media: str | None = None
    missing: Sequence[str] = ()


def check_store(facts: StoreFacts) -> Iterator[CheckResult]:
    yield _check_opening(facts)
    if not facts.problem and facts.info is not None:
        yield from _check_redis(facts.info, facts.place)
    if facts.free is not None and not facts.problem:
        yield _check_room(facts.free)
    for role in facts.missing:
        yield warning("store.roles", f"No process {CONSEQUENCES[role]}.", f"{remedy(role)}.")
    if facts.media:
        yield error(
            "store.media",
            f"Files that people send cannot be kept: {facts.media}.",
            "Give it to the user that runs Rasa, or name another with `media: {store: …}`.",
        )


def _check_opening(facts: StoreFacts) -> CheckResult:
    if facts.problem:
        return error("store.write", f"{facts.problem}.", _remedy(facts))
    if facts.kind == "memory":
        return warning(
            "store.write",
            "memory: forgets what waits whenever the bot stops.",
            "Write `store: sqlite:///whatsapp.db` for anything but trying.",
        )
    if not facts.tried:
        return skipped("store.write", "Redis was not asked: --offline.")
    return ok("store.write", f"{facts.place} can be written")


def _remedy(facts: StoreFacts) -> str:
    if "pip install" in facts.problem:
        return install_extra("redis")
    if "does not exist" in facts.problem:
        return "Make the folder, or correct `store:`; its path begins in the bot's folder."
    if "cannot be written" in facts.problem:
        return "Give it to the user that runs Rasa, or name another place with `store:`."
    if facts.kind == "redis":
        return "Fix that at the Redis, or correct its address in `store:`."
    return f"Write {_FORMS}."


def _check_redis(info: Mapping[str, Any], place: str) -> Iterator[CheckResult]:
    # Imported here: the package needs redis, and without it there is no *info*.
    from rasa_whatsapp_channel.store.redis.server import check

    try:
        warnings = check(info, place)
    except StoreError as refused:
        text, _, remedy = str(refused).partition("; ")
        yield error(
            "store.redis", f"{text}.", remedy[:1].upper() + remedy[1:] or "Use a newer one."
        )
        return
    for each in warnings:
        text, _, remedy = each.partition("; ")
        yield warning("store.redis", f"{text}.", remedy[:1].upper() + remedy[1:])
    if not warnings:
        yield ok("store.redis", f"Redis {info.get('redis_version')}, keeps what it is given")


def _check_room(free: int) -> CheckResult:
    shown = f"{free / (1000 * MB):.1f} GB" if free >= 1000 * MB else f"{free // MB} MB"
    text = f"{shown} left beside the store"
    if free < _NOTHING:
        return error("store.room", f"{text}: webhooks will be refused soon.", "Make room there.")
    if free < _LITTLE:
        return warning(
            "store.room", f"{text}.", "Make room, or let `media: {keep_days: 30}` do it."
        )
    return ok("store.room", text)
