"""Bot checks: the engine's files, locks for several workers, the model, and the domain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from rasa_whatsapp_channel.doctor.results import CheckResult, error, ok, warning
from rasa_whatsapp_channel.inbound.intents import wordless_intents
from rasa_whatsapp_channel.lint.rules import Finding, Level
from rasa_whatsapp_channel.settings import Settings

_UNKNOWN_CHANNEL: Final = "WA605"
# What other checks tell.
_TOLD: Final = (_UNKNOWN_CHANNEL, "WA619", "WA628", "WA629")
_REDIS_LOCKS: Final = "lock_store: {type: redis, url: HOST, port: 6379, db: 2}"


@dataclass(frozen=True)
class BotFacts:
    """Facts of the bot beside the channel."""

    #: Whether it is for Rasa Pro's engine Mantle.
    is_mantle: bool = False
    #: Why Rasa refuses the files of the bot, and the remedy.
    layout_problem: tuple[str, str] | None = None
    #: Files that the engine does not read.
    unread: Sequence[str] = ()
    #: The content of endpoints.yml, or integrations.yml for Mantle, and the name of the file.
    endpoints: Mapping[str, Any] = field(default_factory=dict)
    endpoints_file: str = "endpoints.yml"
    endpoints_problem: str = ""
    #: The newest model.
    model: str | None = None
    models: str = "models"
    #: Files of the bot that are newer than the model.
    stale: Sequence[str] = ()
    domain_problem: str = ""
    #: None where the domain has no such section.
    intents: Collection[str] | None = None
    findings: Sequence[Finding] = ()


def check_engine(facts: BotFacts, settings: Settings | None) -> Iterator[CheckResult]:
    """Check what only a bot for Mantle can have wrong."""
    if facts.layout_problem is not None:
        yield error("bot.layout", *facts.layout_problem)
    if facts.is_mantle and facts.layout_problem is None:
        yield ok("bot.layout", "a bot for Mantle")
    if facts.unread:
        names = " and ".join(facts.unread)
        yield warning(
            "bot.unread",
            f"{names}: Rasa does not read that beside a bot for Mantle.",
            "Move what counts to integrations.yml, channels below `channels:`, and delete it.",
        )
    if facts.is_mantle and settings is not None and settings.failure_intent:
        yield error(
            "bot.failure_intent",
            f"failure_intent: {settings.failure_intent}: Mantle has no intents to trigger.",
            "Take it away: an event in the tracker tells of what did not arrive.",
        )


def check_workers(
    facts: BotFacts, settings: Settings | None, environ: Mapping[str, str]
) -> Iterator[CheckResult]:
    if facts.endpoints_problem and not facts.is_mantle:  # there it is the file of the channel
        yield error(
            "bot.endpoints", facts.endpoints_problem, "Fix the line; see docs/several-servers.md."
        )
        return
    raw = environ.get("SANIC_WORKERS", "1")
    workers = int(raw) if raw.isdigit() else 0
    if workers < 1:
        yield error(
            "bot.workers",
            f"SANIC_WORKERS is {raw!r}; Rasa takes one worker then.",
            "`export SANIC_WORKERS=2`, or take it away.",
        )
        return
    yield _check_locks(facts, settings, workers)
    lifetime = environ.get("TICKET_LOCK_LIFETIME")
    if lifetime is not None and not lifetime.isdigit():
        yield error(
            "bot.lock_lifetime",
            f"TICKET_LOCK_LIFETIME is {lifetime!r}; it must be whole seconds.",
            "`export TICKET_LOCK_LIFETIME=60`, or take it away.",
        )


def _check_locks(facts: BotFacts, settings: Settings | None, workers: int) -> CheckResult:
    shared = settings is not None and settings.store.startswith(("redis://", "rediss://"))
    missing = [
        name
        for name in ("lock_store", "tracker_store")
        if _type(facts.endpoints.get(name)) in ("", "in_memory")
    ]
    if workers > 1 and "lock_store" in missing:
        return error(
            "bot.lock_store",
            f"SANIC_WORKERS is {workers}, but without a lock store that they share Rasa starts one "
            "worker only.",
            f"Write into {facts.endpoints_file} `{_REDIS_LOCKS}`.",
        )
    if workers > 1 and missing:
        return error(
            "bot.tracker_store",
            f"{workers} workers keep conversations each for itself, so the bot forgets in between.",
            f"Write a tracker_store into {facts.endpoints_file}: redis or SQL.",
        )
    if shared and missing:
        return warning(
            "bot.lock_store",
            f"The store is shared by several servers, but Rasa's {' and '.join(missing)} is not.",
            f"Write into {facts.endpoints_file} `{_REDIS_LOCKS}`, and a tracker_store; see "
            "docs/several-servers.md.",
        )
    kind = _type(facts.endpoints.get("lock_store")) or "in memory"
    return ok("bot.lock_store", f"{kind}, {workers} worker{'s' if workers > 1 else ''}")


def _type(endpoint: object) -> str:
    return str(endpoint.get("type") or "").lower() if isinstance(endpoint, Mapping) else ""


def check_model(facts: BotFacts) -> CheckResult:
    if facts.model is None:
        text = f"There is no model in {facts.models}: every message waits in the inbox."
        return error("bot.model", text, "`rasa train`")
    if facts.stale:
        text = f"{', '.join(facts.stale[:3])} is newer than the model {facts.model}."
        return warning("bot.model", text, "`rasa train`")
    return ok("bot.model", facts.model)


def check_domain(facts: BotFacts, settings: Settings | None) -> Iterator[CheckResult]:
    if facts.domain_problem:
        yield error(
            "bot.domain", facts.domain_problem, "Fix that; `rasa data validate` tells more."
        )
        return
    if not facts.is_mantle:
        yield from _check_intents(facts, settings)
        yield _check_channels(facts.findings)
    yield _check_lint(facts.findings)


def _check_intents(facts: BotFacts, settings: Settings | None) -> Iterator[CheckResult]:
    words, failure = (settings.inbound, settings.failure_intent) if settings else (None, None)
    heard = wordless_intents(words or {}, failure)
    missing = [name for name in heard if name not in (facts.intents or ())]
    if failure in missing:
        yield error(
            "bot.intents",
            f"The domain lists no {failure}, the failure_intent: Rasa takes it for plain text.",
            "List it, or take failure_intent away; then train.",
        )
    elif len(missing) == len(heard) and heard:
        yield warning(
            "bot.intents",
            "The domain lists no intent of the channel: Rasa takes pictures, voice messages, "
            "places and the like for plain text.",
            "`rasa-whatsapp init` adds them, or let `inbound:` make something else of such "
            "messages; then train.",
        )
    else:
        rest = f"; {', '.join(missing)} are plain text for Rasa" if missing else ""
        yield ok("bot.intents", f"the domain lists {len(heard) - len(missing)}{rest}")


def _check_channels(findings: Iterable[Finding]) -> CheckResult:
    found = [each for each in findings if each.code == _UNKNOWN_CHANNEL]
    if not found:
        return ok("bot.channels", "variations name channels that exist")
    first = found[0]
    return warning(
        "bot.channels",
        f"{first.response}, {first.file}:{first.line}, {first.text}.",
        "Write `channel: whatsapp`.",
    )


def _check_lint(findings: Iterable[Finding]) -> CheckResult:
    kept = [each for each in findings if each.code not in _TOLD]
    counts = Counter(each.level for each in kept)
    worst = next((level for level in (Level.ERROR, Level.WARNING) if counts[level]), None)
    if worst is None:
        return ok("bot.responses", "all fit WhatsApp")
    first = next(each for each in kept if each.level is worst)
    more = f", and {len(kept) - 1} more" if len(kept) > 1 else ""
    text = f"{first.file}:{first.line}: {first.code} {first.text}{more}."
    make = error if worst is Level.ERROR else warning
    return make("bot.responses", text, "`rasa-whatsapp lint .` shows every one, docs/lint.md why.")
