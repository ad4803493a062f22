"""
Agent watch: raises the failures that Rasa's agent swallows, and adds events to its trackers.

Rasa continues where it should stop. Without its tracker store it treats everybody as a new person;
without the action server it ends the turn as if everything had been done; in a paused conversation
it sends nothing. Its log, its hooks and its exceptions show that. They are read here and become
errors of this package.

Imports neither Rasa nor the libraries of its stores: their exceptions are known by name.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from rasa_whatsapp_channel.common import ChannelError
from rasa_whatsapp_channel.conversation.errors import BotUnavailable, ConversationLocked
from rasa_whatsapp_channel.inbound.outages import (
    ACTION_SERVER,
    ENGINE,
    EVENT_BROKER,
    LOCK_STORE,
    SERVICE,
    TRACKER_STORE,
    Outages,
)
from rasa_whatsapp_channel.metrics import Metrics

logger = logging.getLogger(__name__)

# Exceptions of libraries for a service that is down, starting, full or read-only, base classes
# included. Errors about the content, such as redis' DataError, are not here.
_AWAY: Final = frozenset(
    {
        "builtins.ConnectionError",
        "socket.gaierror",
        "rasa.shared.exceptions.ConnectionException",
        *(
            f"redis.exceptions.{name}"
            for name in (
                *("ConnectionError", "TimeoutError", "ReadOnlyError", "ClusterDownError"),
                *("MasterDownError", "OutOfMemoryError", "TryAgainError", "NoPermissionError"),
            )
        ),
        *(
            f"sqlalchemy.exc.{name}"
            for name in ("OperationalError", "InterfaceError", "InternalError", "TimeoutError")
        ),
        "sqlite3.OperationalError",
        "psycopg2.OperationalError",
        "psycopg2.InterfaceError",
        "psycopg.OperationalError",
        "pymongo.errors.ConnectionFailure",
        "pymongo.errors.ExecutionTimeout",
        "pymongo.errors.WaitQueueTimeoutError",
        "botocore.exceptions.HTTPClientError",
        "botocore.exceptions.NoCredentialsError",
        "aiormq.exceptions.AMQPError",
        "cimpl.KafkaException",
        "kafka.errors.KafkaError",
        "aiohttp.client_exceptions.ClientConnectionError",
        "requests.exceptions.ConnectionError",
        "httpx.TransportError",
        "grpc.RpcError",
    }
)
# First words of Redis' refusals for which its client has no exception class.
_AWAY_ANSWERS: Final = ("MISCONF", "LOADING", "OOM", "NOREPLICAS", "READONLY", "MASTERDOWN")
_LOCK_ERROR: Final = "rasa.core.lock_store.LockError"
_NO_TICKET: Final = "Could not acquire lock"
# Module of Rasa in the traceback of an error → service; the innermost module counts.
_SERVICES: Final = {
    "rasa.core.lock_store": LOCK_STORE,
    "rasa.core.concurrent_lock_store": LOCK_STORE,
    "rasa.core.tracker_store": TRACKER_STORE,
    "rasa.core.brokers": EVENT_BROKER,
    "rasa.core": SERVICE,
}
_GATEWAY_ERRORS: Final = frozenset({502, 503, 504})

_LONG_NUMBER: Final = re.compile(r"\d{7,}")
_ACTION: Final = re.compile(r"(?:running|custom) action '([^']+)'")


def why_unavailable(error: BaseException) -> BotUnavailable | None:
    """Return `BotUnavailable` if *error* says that something the bot needs is away, else None."""
    if isinstance(error, BotUnavailable):
        return error
    if isinstance(error, ChannelError):
        return None
    if _is_a(error, {_LOCK_ERROR}):
        cause = error.__cause__ or error.__context__
        if cause is None and _NO_TICKET in str(error):
            return ConversationLocked()
        return BotUnavailable(LOCK_STORE, _words(cause or error), everywhere=True)
    root = _infrastructure(error)
    if root is None:
        return None
    service = _service_of(error)
    return BotUnavailable(service, _words(root), everywhere=service != SERVICE)


@dataclass
class TurnReport:
    """What one turn has met: the service that is down, the actions that failed and why."""

    away: BotUnavailable | None = None
    failed: dict[str, str] = field(default_factory=dict)  # action → why


_turn: ContextVar[TurnReport | None] = ContextVar("whatsapp_turn", default=None)


class AgentWatch:
    """
    One per server process; the agent may be replaced while it runs.

    *wait_for_action_server* is the setting: then a turn ends where an action could not be reached.
    """

    def __init__(
        self,
        outages: Outages,
        metrics: Metrics,
        *,
        wait_for_action_server: bool = False,
    ) -> None:
        self._outages = outages
        self._metrics = metrics
        self._wait_for_action_server = wait_for_action_server
        self._watched: Any = None
        self._log_handler = _RasaLogHandler(self)

    def open(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(self._log_handler)

    def close(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(self._log_handler)

    @contextmanager
    def turn(self, agent: Any) -> Iterator[TurnReport]:
        """Watch one turn; raises `BotUnavailable` if it cannot be done now."""
        self._watch_tracker_store(agent)
        turn = TurnReport()
        token = _turn.set(turn)
        try:
            yield turn
        except Exception as error:
            away = turn.away or why_unavailable(error)
            if away is None or away is error:
                raise
            raise away from error
        finally:
            _turn.reset(token)
        if turn.away is not None:
            raise turn.away
        self._count(turn)

    async def retrieve(self, agent: Any, sender_id: str) -> Any:
        """Return the tracker of *sender_id*; raises `BotUnavailable`, where Rasa says None."""
        with self.turn(agent):
            return await _awaited(agent.tracker_store.retrieve(sender_id))

    async def add(
        self,
        agent: Any,
        sender_id: str,
        event: Any,
        *,
        before: Callable[[Any], Iterable[Any]] = lambda tracker: (),
    ) -> bool:
        """
        Add *event*, one of Rasa's, to the tracker of *sender_id*, unless it is there already.

        The events that *before* makes for the tracker are added before it, each once.
        Returns False where it cannot be: without a conversation, which only a message begins (one
        that began with an event would never see its `action_session_start`), and after its end.
        """
        with self.turn(agent):
            async with agent.lock_store.lock(sender_id):
                tracker = await _awaited(agent.tracker_store.retrieve(sender_id))
                if tracker is None or not tracker.events or _is_terminated(tracker):
                    return False
                if not _has(tracker, event.metadata):
                    for each in (*before(tracker), event):
                        if not _id_in(each.metadata) or not _has(tracker, each.metadata):
                            tracker.update(each, agent.domain)
                    await _awaited(agent.tracker_store.save(tracker))
                return True

    def note_outcome(self, outcome: Any) -> None:
        """
        Note how Mantle says that a turn ended.

        After an error the person got an apology of Rasa's, and the turn is saved as any other. A
        turn that asked no model shows nothing.
        """
        error = getattr(outcome, "error", None)
        if error:
            self._metrics.turn_error("model" if "LLM" in str(error) else "other")
            self._outages.note(BotUnavailable(ENGINE, str(error)))
            logger.warning(
                "whatsapp.turn_error: the person got an apology, as Rasa's engine said: %s", error
            )
        elif getattr(outcome, "iteration_count", 0) and not getattr(outcome, "cancelled", False):
            self._outages.over(ENGINE)

    async def look_for_actions(
        self, agent: Any, report: TurnReport, sender_id: str, message_id: str
    ) -> None:
        """While the action server is away: see whether an action ran in this turn."""
        if report.failed or not self._outages.is_away(ACTION_SERVER):
            return
        tracker = await self.retrieve(agent, sender_id)
        if tracker is not None and _actions(tracker, message_id) & set(agent.domain.user_actions):
            self._outages.over(ACTION_SERVER)

    def _watch_tracker_store(self, agent: Any) -> None:
        """
        Set the error callback of Rasa's `FailSafeTrackerStore`, which otherwise returns None.

        Then Rasa would treat the person as new, and keep the turn in memory only. An exception of
        the callback ends the turn.
        """
        store = getattr(agent, "tracker_store", None)
        if store is self._watched:
            return
        self._watched = store
        if store is not None and hasattr(store, "_on_tracker_store_error"):
            store._on_tracker_store_error = self._tracker_store_failed

    def _tracker_store_failed(self, error: Exception) -> None:
        away = why_unavailable(error)
        if away is not None and away.what == SERVICE:
            away = BotUnavailable(TRACKER_STORE, away.reason, everywhere=True)
        turn = _turn.get()
        if turn is None or away is None:
            # Of another channel or a reminder, or lasting: Rasa handles it.
            logger.error(
                "whatsapp.tracker_store_failed: Rasa goes on with an empty conversation: %s",
                _words(error),
            )
            return
        turn.away = away
        raise away from error

    def read_log(self, logger_name: str, text: str, error: BaseException | None) -> None:
        """Read a line that Rasa logs during a turn about *error*, which it has swallowed."""
        turn = _turn.get()
        if turn is None:
            return
        if logger_name.startswith("rasa.core.brokers"):
            # The broker kept or lost the events; repeating the turn would not publish them again.
            # The line is not logged: it may hold an event, and so a person's text.
            broker = logger_name.rpartition(".")[2]
            reason = _words(error) if error else f"{broker} did not take events; see Rasa's log"
            self._outages.note(BotUnavailable(EVENT_BROKER, reason))
        elif isinstance(error, ChannelError):
            raise error  # our own, and Rasa was about to go on
        elif found := _ACTION.search(text):
            self._action_failed(turn, found.group(1), error)

    def _action_failed(self, turn: TurnReport, action: str, error: BaseException | None) -> None:
        root = _unreached(error)
        turn.failed[action] = "away" if root else "failed"
        if root is None:
            logger.warning(
                "whatsapp.action_failed: %s did not run, and the turn went on without it: %s",
                action,
                _words(error) if error else "see Rasa's log",
            )
            return
        away = BotUnavailable(ACTION_SERVER, f"{action} did not run: {_words(root)}")
        if self._wait_for_action_server:
            turn.away = away
            raise away
        self._outages.note(away)

    def _count(self, turn: TurnReport) -> None:
        for reason in turn.failed.values():
            self._metrics.action_failed(reason)


def was_handled(tracker: Any, message_id: str) -> bool:
    """
    Return whether a turn was completed before its process died.

    Rasa saves the tracker at the end of a turn, after all responses were sent.
    """
    return tracker is not None and any(
        getattr(event, "message_id", None) == message_id for event in reversed(tracker.events)
    )


def was_ignored(tracker: Any, message_id: str) -> bool:
    """Return whether Rasa Pro took no notice of a message, as it had ended the conversation."""
    return _is_terminated(tracker) and not was_handled(tracker, message_id)


def cancel_turn(agent: Any, tracker_id: str) -> bool:
    """
    Let Rasa Pro stop the turn of a tracker that runs now; its person hears no more of it.

    What the person said stays in the tracker. Returns False where no turn runs, and with Rasa 3.6.
    """
    cancel = getattr(agent, "cancel_background_tasks", None)
    return bool(cancel and cancel(tracker_id))


async def _awaited(value: Any) -> Any:
    """Return the result of a method of a tracker store: a coroutine since Rasa 3.3."""
    return await value if hasattr(value, "__await__") else value


def _has(tracker: Any, metadata: Mapping[str, Any]) -> bool:
    """Return whether the tracker holds an event with the id in *metadata*."""
    return any(
        _id_in(getattr(event, "metadata", None)) == _id_in(metadata)
        for event in reversed(tracker.events)
    )


def _id_in(metadata: Any) -> Any:
    facts = metadata.get("whatsapp") if isinstance(metadata, Mapping) else None
    return facts.get("id") if isinstance(facts, Mapping) else None


def is_mantle(agent: Any) -> bool:
    """Return whether *agent* runs Rasa Pro's engine Mantle, whose model reads every text."""
    kind: Any = type(getattr(agent, "processor", None))
    return _is_mantles(kind)


@cache
def _is_mantles(processor: type) -> bool:
    return any(cls.__name__ == "MantleMessageProcessor" for cls in processor.__mro__)


def entities_of(agent: Any) -> Collection[str] | None:
    """Return the entities that the bot's domain lists, None where there is no domain."""
    domain = getattr(agent, "domain", None)
    return None if domain is None else frozenset(domain.entities)


def silence_of(tracker: Any) -> str | None:
    """Return why the bot does not answer in the conversation of *tracker*, if it is silenced."""
    if tracker is None:
        return None
    if _is_terminated(tracker):
        return "terminated"
    # A method in Rasa 3.6, a property in Rasa Pro.
    paused = tracker.is_paused() if hasattr(tracker, "is_paused") else tracker.paused
    return "paused" if paused else None


def _is_terminated(tracker: Any) -> bool:
    """Return whether Rasa Pro has ended the conversation, with `SessionEnded`."""
    return bool(getattr(tracker, "terminated", False))


class _RasaLogHandler(logging.Handler):
    """
    Reads what Rasa logs about exceptions it has swallowed.

    Rasa 3.6 logs text, Rasa Pro one JSON or a coloured line; the exception is the one being handled
    while the line is written. An exception of `read_log` ends the turn.
    """

    def __init__(self, watch: AgentWatch) -> None:
        super().__init__(logging.WARNING)
        self._watch = watch

    def emit(self, record: logging.LogRecord) -> None:
        if _turn.get() is not None:
            self._watch.read_log(record.name, record.getMessage(), sys.exc_info()[1])


# Rasa 3.6 and Rasa Pro log here that an action or the validation of a slot did not run, or that
# events were not published.
_LOGGERS: Final = (
    "rasa.core.processor",
    "rasa.core.actions.action",
    "rasa.shared.core.slot_mappings",
    "rasa.core.brokers",
)


def _actions(tracker: Any, message_id: str) -> set[str]:
    """Return the actions that ran since *message_id*, without responses (``utter_…``)."""
    names: set[str] = set()
    for event in reversed(tracker.events):
        if getattr(event, "message_id", None) == message_id:
            break
        name = getattr(event, "action_name", None)
        if name and not name.startswith("utter_"):
            names.add(name)
    return names


def names_of_turn(tracker: Any, message_id: str) -> set[str]:
    """Return the names of the intent, the actions and the flows since *message_id*."""
    names: set[str] = set()
    for event in reversed(tracker.events if tracker is not None else ()):
        found = (getattr(event, each, None) for each in ("intent_name", "action_name", "flow_id"))
        names.update(filter(None, found))
        if getattr(event, "message_id", None) == message_id:
            break
    return names


def history_of(tracker: Any, before: float) -> list[dict[str, Any]]:
    """Return what was said before the time *before*, for a person who takes over."""
    said = []
    for event in tracker.events if tracker is not None else ():
        name, at = getattr(event, "type_name", None), float(getattr(event, "timestamp", 0.0))
        if name not in ("user", "bot") or at >= before:
            continue
        metadata = event.metadata or {}
        facts = dict(metadata.get("whatsapp") or {})
        kind = str(facts.get("type") or "text")
        part = facts.get(kind) or facts.get("media")
        media = part if isinstance(part, dict) and part.get("path") else None
        # Of a tap a person reads the title, and of an intent nothing.
        shown = "" if kind != "text" and (event.text or "").startswith("/") else event.text
        text = metadata.get("button_title") or shown
        speaker = "user" if name == "user" else facts.get("speaker", "bot")
        line = {"from": speaker, "type": kind, "text": text, "at": at, "media": media}
        line["id"] = getattr(event, "message_id", None) if name == "user" else None
        said.append({key: value for key, value in line.items() if value})
    return said


def _infrastructure(error: BaseException) -> BaseException | None:
    """Return the error of a library for a service that is down: *error* or one of its causes."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if _is_a(current, _AWAY) or _is_refusal(current):
            return current
        current = current.__cause__
    return None


def _unreached(error: BaseException | None) -> BaseException | None:
    """Return why the action server could not be reached, None if the action itself failed."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        status = getattr(error, "status", None)
        if _is_a(error, _AWAY | {"asyncio.exceptions.TimeoutError", "builtins.TimeoutError"}):
            return error
        if status in _GATEWAY_ERRORS:
            return error
        error = error.__cause__ or error.__context__
    return None


def _service_of(error: BaseException) -> str:
    """Return the service whose code raised *error*."""
    service = SERVICE
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        found = (what for name, what in _SERVICES.items() if module.startswith(name))
        service = next(found, service)
        trace = trace.tb_next
    return service


def _is_a(error: BaseException, names: frozenset[str] | set[str]) -> bool:
    return any(f"{cls.__module__}.{cls.__qualname__}" in names for cls in type(error).__mro__)


def _is_refusal(error: BaseException) -> bool:
    if _is_a(error, {"redis.exceptions.ResponseError"}):
        return str(error).startswith(_AWAY_ANSWERS)
    if _is_a(error, {"botocore.exceptions.ClientError"}):
        answer = getattr(error, "response", {})
        code = str(answer.get("Error", {}).get("Code", ""))
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or "Throttl" in code or "Throughput" in code
    return False


def _words(error: BaseException) -> str:
    """Return *error* in one line, without what may be a phone number."""
    # A library may repeat a whole statement behind its first line.
    text = _LONG_NUMBER.sub("…", str(error).strip().split("\n")[0][:300])
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
