"""What the bot needs and does not have: said once, tried by one, shown on page and metrics."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.conversation.errors import BotUnavailable
from rasa_whatsapp_channel.inbound.outages import FORGOTTEN, PROBING, Outages, to_json
from rasa_whatsapp_channel.metrics import Metrics

LOCKS = BotUnavailable("lock store", "ConnectionError: refused", everywhere=True)
SERVICE = BotUnavailable("service", "gaierror: no such host")


class Time:
    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def metrics():
    return Metrics()


@pytest.fixture
def outages(metrics, time):
    return Outages(metrics, clock=time, ticks=time)


def away(metrics, what):
    return metrics.registry.get_sample_value("whatsapp_bot_away", {"what": what})


def lines(caplog):
    return [record.getMessage() for record in caplog.records]


def test_an_outage_is_said_once_when_it_begins_and_once_when_it_ends(outages, time, caplog):
    for _ in range(20):
        outages.note(LOCKS)
    time.now += 182
    outages.over()
    outages.over()

    assert lines(caplog) == [
        "whatsapp.outage_began: the bot's lock store is away: ConnectionError: refused",
        "whatsapp.outage_over: the bot's lock store is back, 182 seconds after it was first met "
        "away: ConnectionError: refused",
    ]


def test_health_and_metrics_say_what_is_away_since_when_and_why(outages, metrics, time):
    assert outages.current() == []
    assert away(metrics, "lock_store") == 0

    outages.note(LOCKS)
    time.now += 60

    assert to_json(outages.current()) == [
        {
            "what": "lock store",
            "since": "2026-09-21T14:13:20+00:00",
            "reason": "ConnectionError: refused",
        }
    ]
    assert away(metrics, "lock_store") == 1
    outages.over()
    assert to_json(outages.current()) == []
    assert away(metrics, "lock_store") == 0


def test_while_something_is_away_one_tries_and_the_others_wait(outages, time):
    assert outages.wait() == 0
    outages.note(LOCKS)

    assert outages.wait() == 1
    time.now += 1
    assert outages.wait() == 0  # this one tries
    assert [outages.wait() for _ in range(3)] == [2, 2, 2]
    outages.over()
    assert [outages.wait() for _ in range(3)] == [0, 0, 0]


def test_the_pauses_between_two_tries_grow_to_a_minute(outages, time):
    outages.note(LOCKS)
    pauses = []
    for _ in range(8):
        pauses.append(outages.wait())
        time.now += pauses[-1]
        assert outages.wait() == 0
        outages.note(LOCKS)

    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]


def test_many_turns_under_way_when_it_goes_away_do_not_make_the_pauses_longer(outages):
    for _ in range(200):
        outages.note(LOCKS)

    assert outages.wait() == 1


def test_who_waits_while_another_tries_comes_back_soon(outages, time):
    outages.note(LOCKS)
    for _ in range(6):
        time.now += outages.wait()
        outages.wait()
        outages.note(LOCKS)
    time.now += outages.wait()

    assert outages.wait() == 0
    assert outages.wait() == PROBING


def test_a_try_that_never_ends_does_not_keep_the_next_one_from_trying(outages, time):
    outages.note(LOCKS)
    time.now += 1
    assert outages.wait() == 0
    time.now += 2

    assert outages.wait() == 0


def test_what_only_some_turns_need_holds_up_nobody_else(outages, time):
    outages.note(SERVICE)

    assert outages.wait() == 0
    outages.over()
    assert [outage.what for outage in outages.current()] == ["service"]
    outages.over("service")
    assert outages.current() == []


def test_an_outage_that_nobody_meets_any_more_is_forgotten(outages, time, caplog):
    outages.note(SERVICE)
    time.now += FORGOTTEN + 1

    assert outages.current() == []
    assert "was not met away for 300 seconds" in lines(caplog)[-1]
