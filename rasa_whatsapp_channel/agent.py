"""
Agent watch: raises the failures that Rasa's agent swallows, and adds events to its trackers.

Rasa continues where it should stop. Without its tracker store it treats everybody as a new person;
without the action server it ends the turn as if everything had been done; in a paused conversation
it sends nothing. Its log, its hooks and its exceptions show that. They are read here and become
errors of this package.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from rasa_whatsapp_channel.conversation.errors import BotUnavailable
from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.garbage_collection import LoadedModel
from rasa_whatsapp_channel.inbound.outages import (
    ACTION_SERVER,
    ENGINE,
    EVENT_BROKER,
    SERVICE,
    TRACKER_STORE,
    Outages,
)
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outage_errors import find_unreached, why_unavailable, words_of
from rasa_whatsapp_channel.tracker_reader import actions_of, has_event, id_in, is_terminated

logger = logging.getLogger(__name__)

_ACTION: Final = re.compile(r"(?:running|custom) action '([^']+)'")


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
        self._model = LoadedModel()
        self._log_handler = _RasaLogHandler(self)

    def open(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(self._log_handler)

    def close(self) -> None:
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(self._log_handler)

    def look_at(self, agent: Any) -> None:
        """Prepare for turns of *agent*; does nothing unless it or its model was replaced."""
        self._watch_tracker_store(agent)
        self._model.look(agent)

    @contextmanager
    def turn(self, agent: Any) -> Iterator[TurnReport]:
        """Watch one turn; raises `BotUnavailable` if it cannot be done now."""
        self.look_at(agent)
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
                if tracker is None or not tracker.events or is_terminated(tracker):
                    return False
                if not has_event(tracker, event.metadata):
                    for each in (*before(tracker), event):
                        if not id_in(each.metadata) or not has_event(tracker, each.metadata):
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
        if tracker is not None and actions_of(tracker, message_id) & set(agent.domain.user_actions):
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
                words_of(error),
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
            reason = words_of(error) if error else f"{broker} did not take events; see Rasa's log"
            self._outages.note(BotUnavailable(EVENT_BROKER, reason))
        elif isinstance(error, ChannelError):
            raise error  # our own, and Rasa was about to go on
        elif found := _ACTION.search(text):
            self._action_failed(turn, found.group(1), error)

    def _action_failed(self, turn: TurnReport, action: str, error: BaseException | None) -> None:
        root = find_unreached(error)
        turn.failed[action] = "away" if root else "failed"
        if root is None:
            logger.warning(
                "whatsapp.action_failed: %s did not run, and the turn went on without it: %s",
                action,
                words_of(error) if error else "see Rasa's log",
            )
            return
        away = BotUnavailable(ACTION_SERVER, f"{action} did not run: {words_of(root)}")
        if self._wait_for_action_server:
            turn.away = away
            raise away
        self._outages.note(away)

    def _count(self, turn: TurnReport) -> None:
        for reason in turn.failed.values():
            self._metrics.action_failed(reason)


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
