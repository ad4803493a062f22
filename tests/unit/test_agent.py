"""Which exceptions of Rasa and its libraries say that something is away, and what they are of."""

from __future__ import annotations

import asyncio
import logging
import socket
import types
from typing import Any

import pytest

from rasa_whatsapp_channel.agent import AgentWatch
from rasa_whatsapp_channel.conversation.errors import BotUnavailable, ConversationLocked
from rasa_whatsapp_channel.inbound.outages import Outages
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outage_errors import why_unavailable
from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.tracker_reader import silence_of, was_handled


def named(name: str, *bases: type) -> type[Exception]:
    """Return an exception class as a library has it, without the library."""
    module, _, cls = name.rpartition(".")
    return type(cls, bases or (Exception,), {"__module__": module})


LockError = named("rasa.core.lock_store.LockError")
RedisError = named("redis.exceptions.RedisError")
RedisConnectionError = named("redis.exceptions.ConnectionError", RedisError)
RedisResponseError = named("redis.exceptions.ResponseError", RedisError)
OperationalError = named("sqlalchemy.exc.OperationalError")


def locked_out(cause: Exception | None, text: str) -> Exception:
    """Return what Rasa's lock store raises while it handles *cause*."""
    try:
        if cause is None:
            raise LockError(text)
        try:
            raise cause
        except Exception:
            raise LockError(text)  # noqa: B904  # as Rasa does it
    except Exception as error:
        return error


def test_a_lock_store_that_is_not_reached_is_away_for_everybody():
    error = locked_out(RedisConnectionError("Error 111"), "Error while acquiring lock. Error:\n…")

    away = why_unavailable(error)

    assert away is not None
    assert (away.what, away.everywhere) == ("lock store", True)
    assert away.reason == "ConnectionError: Error 111"


def test_a_lock_that_somebody_else_holds_is_no_outage():
    error = locked_out(None, "Could not acquire lock for conversation_id '491511'.")

    away = why_unavailable(error)

    assert isinstance(away, ConversationLocked)
    assert "491511" not in str(away)


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(111, "refused"),
        socket.gaierror("no such host"),
        RedisConnectionError("reset"),
        named("redis.exceptions.BusyLoadingError", RedisConnectionError)("loading"),
        RedisResponseError("MISCONF Redis is configured to save RDB snapshots"),
        RedisResponseError("OOM command not allowed"),
        OperationalError("unable to open database file"),
        named("pymongo.errors.AutoReconnect", named("pymongo.errors.ConnectionFailure"))("x"),
        named("aiohttp.client_exceptions.ClientConnectionError")("x"),
        named("cimpl.KafkaException")("x"),
    ],
)
def test_what_says_that_something_is_away(error):
    assert why_unavailable(error) is not None


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError(),
        FileNotFoundError("model.bin"),
        asyncio.TimeoutError(),
        RedisResponseError("WRONGTYPE Operation against a key"),
        named("redis.exceptions.DataError", RedisError)("x"),
        named("sqlalchemy.exc.DataError")("value too long"),
        named("rasa.core.tracker_stores.TrackerDeserialisationException")("x"),
        StoreError("ours: whoever handed out the message waits for it"),
    ],
)
def test_what_is_the_fault_of_a_turn_or_of_its_bot(error):
    assert why_unavailable(error) is None


def test_an_outage_behind_an_error_that_a_component_has_wrapped_is_found():
    try:
        raise RuntimeError("component failed") from ConnectionResetError("reset")
    except RuntimeError as error:
        away = why_unavailable(error)

    assert away is not None
    assert (away.what, away.everywhere) == ("service", False)


def raised_in(*modules: str) -> BaseException:
    """Return a refused connection that came through code of *modules*, the outermost first."""
    call: Any = None
    for module in reversed(modules):
        space = types.ModuleType(module).__dict__
        space["call"] = call
        source = "def f():\n    if call: call()\n    raise ConnectionRefusedError(111, 'refused')"
        exec(source, space)  # a function whose module is named like Rasa's
        call = space["f"]
    try:
        call()
    except ConnectionRefusedError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    ("modules", "what"),
    [
        (("rasa.core.agent", "rasa.core.lock_store", "redis.client"), "lock store"),
        (("rasa.core.processor", "rasa.core.tracker_store", "redis.client"), "tracker store"),
        (("rasa.core.processor", "rasa.core.tracker_stores.sql", "sqlite3"), "tracker store"),
        (("rasa.core.tracker_store", "rasa.core.brokers.sql", "sqlite3"), "event broker"),
        (("rasa.core.lock_store", "rasa.core.processor", "my_bot.component"), "service"),
        (("my_bot.component",), "service"),
    ],
)
def test_the_innermost_of_rasas_modules_tells_what_is_away(modules, what):
    away = why_unavailable(raised_in(*modules))

    assert away is not None
    assert away.what == what
    assert away.everywhere is (what != "service")


class Store:
    """Rasa's `FailSafeTrackerStore`, as far as it matters: it swallows what its store raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self._on_tracker_store_error: Any = None
        self.error = error

    async def retrieve(self, sender_id: str) -> Any:
        if self.error is None:
            return Tracker()
        try:
            raise self.error
        except Exception as error:
            if self._on_tracker_store_error:
                self._on_tracker_store_error(error)
            return None


class Tracker:
    def __init__(self, *events: Any, paused: bool = False, **more: Any) -> None:
        self.events = list(events)
        self._paused = paused
        self.__dict__.update(more)

    def is_paused(self) -> bool:
        return self._paused


class Agent:
    def __init__(self, store: Any) -> None:
        self.tracker_store = store
        self.domain = types.SimpleNamespace(user_actions=["action_order", "utter_hi"])


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def outages(metrics):
    return Outages(metrics)


@pytest.fixture
def watch(outages, metrics):
    watch = AgentWatch(outages, metrics)
    watch.open()
    yield watch
    watch.close()


async def test_a_tracker_that_cannot_be_read_is_no_newcomer(watch):
    with pytest.raises(BotUnavailable, match="tracker store is away: ConnectionError: gone"):
        await watch.retrieve(Agent(Store(RedisConnectionError("gone"))), "491511")


async def test_a_tracker_that_cannot_be_understood_is_left_to_rasa(watch):
    assert await watch.retrieve(Agent(Store(KeyError("name"))), "491511") is None


async def test_a_phone_number_in_an_error_stays_out_of_the_log(watch, caplog):
    error = ValueError("Tracker of '4915112345678' could not be read")
    await watch.retrieve(Agent(Store(error)), "4915112345678")

    assert "could not be read" in caplog.text
    assert "4915112345678" not in caplog.text


def test_what_our_store_raises_inside_of_an_action_ends_the_turn(watch):
    def turn() -> None:
        with watch.turn(Agent(Store())):
            runs_an_action(StoreError("the outbox cannot be written"))

    with pytest.raises(StoreError, match="the outbox"):
        turn()


async def test_what_other_channels_do_stays_as_rasa_does_it(watch):
    store = Store()
    await watch.retrieve(Agent(store), "491511")
    store.error = RedisConnectionError("gone")

    assert await store.retrieve("somebody on the website") is None


async def test_an_agent_that_was_replaced_is_watched_as_well(watch):
    await watch.retrieve(Agent(Store()), "491511")

    with pytest.raises(BotUnavailable):
        await watch.retrieve(Agent(Store(RedisConnectionError("gone"))), "491511")


def runs_an_action(error: Exception) -> None:
    """Run an action as Rasa's processor does: what it raises is logged."""
    try:
        raise error
    except Exception:
        logging.getLogger("rasa.core.processor").exception(
            "Encountered an exception while running action 'action_order'.Bot will continue, …"
        )


def unreached() -> Exception:
    try:
        try:
            raise named("aiohttp.client_exceptions.ClientConnectionError")("refused")
        except Exception:
            raise RuntimeError("Failed to execute custom action")  # noqa: B904
    except Exception as error:
        return error


def count(metrics, reason):
    return metrics.registry.get_sample_value("whatsapp_actions_failed_total", {"reason": reason})


def test_an_action_that_was_not_reached_is_an_outage_that_the_turn_does_not_wait_for(
    watch, outages, metrics
):
    with watch.turn(Agent(Store())) as heard:
        runs_an_action(unreached())

    assert heard.failed == {"action_order": "away"}
    assert [outage.what for outage in outages.current()] == ["action server"]
    assert count(metrics, "away") == 1
    assert outages.wait() == 0


def test_an_action_that_was_reached_and_failed_is_counted_and_no_outage(
    watch, outages, metrics, caplog
):
    with watch.turn(Agent(Store())):
        runs_an_action(RuntimeError("HTTP 500"))

    assert outages.current() == []
    assert count(metrics, "failed") == 1
    assert "action_order did not run" in caplog.text


def test_where_it_is_wanted_the_turn_ends_at_an_action_that_was_not_reached(outages, metrics):
    watch = AgentWatch(outages, metrics, wait_for_action_server=True)
    went_on = []

    def turn() -> None:
        with watch.turn(Agent(Store())):
            runs_an_action(unreached())
            went_on.append(1)

    watch.open()
    try:
        with pytest.raises(BotUnavailable, match="action server is away"):
            turn()
    finally:
        watch.close()

    assert went_on == []


async def test_the_action_server_is_back_when_an_action_runs(watch, outages):
    class Event:
        def __init__(self, **facts: Any) -> None:
            self.__dict__.update(facts)

    store = Store()
    agent = Agent(store)
    with watch.turn(agent) as heard:
        runs_an_action(unreached())

    async def tracker_after(*names: str) -> None:
        events = [Event(message_id="m1"), *(Event(action_name=name) for name in names)]

        async def retrieve(sender_id: str) -> Tracker:
            return Tracker(*events)

        store.retrieve = retrieve  # type: ignore[method-assign]
        with watch.turn(agent) as quiet:
            pass
        await watch.look_for_actions(agent, quiet, "491511", "m1")

    await watch.look_for_actions(agent, heard, "491511", "m1")
    await tracker_after("action_listen", "utter_hi")
    assert outages.is_away("action server")
    await tracker_after("action_order")
    assert not outages.is_away("action server")


def test_outside_of_a_turn_of_ours_nothing_is_taken_note_of(watch, outages):
    runs_an_action(unreached())

    assert outages.current() == []


def test_events_that_a_broker_did_not_take_are_an_outage_and_no_failed_turn(watch, outages):
    with watch.turn(Agent(Store())):
        logging.getLogger("rasa.core.brokers.kafka").error("Failed to publish Kafka event.")

    [outage] = outages.current()
    assert outage.what == "event broker"
    assert outage.reason == "kafka did not take events; see Rasa's log"
    assert outages.wait() == 0


@pytest.mark.parametrize(
    ("tracker", "why"),
    [
        (None, None),
        (Tracker(), None),
        (Tracker(paused=True), "paused"),
        (Tracker(terminated=True), "terminated"),
        (Tracker(terminated=False), None),
        (types.SimpleNamespace(paused=True, terminated=False), "paused"),
        (types.SimpleNamespace(paused=False, terminated=False), None),
    ],
)
def test_why_nobody_answers(tracker, why):
    assert silence_of(tracker) == why


def test_what_was_handled_stands_in_the_tracker():
    tracker = Tracker(types.SimpleNamespace(message_id="m1"), object())

    assert was_handled(tracker, "m1")
    assert not was_handled(tracker, "m2")
    assert not was_handled(None, "m1")
