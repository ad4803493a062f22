"""Pauses of a number: who may send when, and which failures begin and end them."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.outbound.recovery import PauseSending, RetryLater
from rasa_whatsapp_channel.outbound.throttle import LONGEST, PROBING, UNANSWERED, Throttle
from rasa_whatsapp_channel.store.base import INFRASTRUCTURE, THROUGHPUT, TOKEN, DeadLetter
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    MediaError,
    PlatformError,
    TransportError,
)


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def throttle(seconds) -> Throttle:
    return Throttle(clock=seconds)


def test_without_a_pause_everybody_may_send(throttle):
    assert [throttle.admit() for _ in range(3)] == [0.0] * 3
    assert throttle.is_open


def test_in_a_pause_nobody_may_and_each_is_told_how_long(throttle, seconds):
    assert throttle.pause(30, THROUGHPUT)
    seconds.now += 10

    assert throttle.admit() == 20
    assert not throttle.is_open
    assert throttle.cause == THROUGHPUT


def test_after_a_pause_one_may_try_and_the_others_wait_for_what_it_meets(throttle, seconds):
    throttle.pause(30, TOKEN)
    seconds.now += 30

    assert throttle.is_open
    assert [throttle.admit() for _ in range(3)] == [0.0, PROBING, PROBING]
    assert not throttle.is_open
    assert throttle.answered()
    assert [throttle.admit() for _ in range(3)] == [0.0] * 3
    assert throttle.cause is None


def test_who_tried_and_had_nothing_to_send_lets_another_try(throttle, seconds):
    throttle.pause(30, THROUGHPUT)
    seconds.now += 30
    throttle.admit()
    throttle.not_sent()

    assert [throttle.admit(), throttle.admit()] == [0.0, PROBING]


def test_each_pause_in_a_row_is_longer_up_to_a_minute(throttle, seconds):
    lasted = []
    for _ in range(10):
        assert throttle.admit() == 0.0
        throttle.pause(1, THROUGHPUT)
        lasted.append(throttle.left)
        seconds.now += throttle.left

    assert lasted == [1, 2, 4, 8, 16, 32, LONGEST, LONGEST, LONGEST, LONGEST]


def test_refusals_of_what_was_on_its_way_already_make_a_pause_no_longer(throttle):
    for _ in range(50):
        throttle.pause(1, THROUGHPUT)

    assert throttle.left == 1


def test_what_was_on_its_way_before_the_pause_does_not_end_it(throttle):
    throttle.pause(30, THROUGHPUT)

    assert not throttle.answered()
    assert throttle.left == 30


def test_requests_without_an_answer_begin_a_pause_when_there_are_several_in_a_row(throttle):
    for _ in range(UNANSWERED - 1):
        assert not throttle.unanswered()
    throttle.answered()
    for _ in range(UNANSWERED - 1):
        assert not throttle.unanswered()

    assert throttle.unanswered()
    assert throttle.cause == INFRASTRUCTURE


def test_a_pause_is_news_once(throttle):
    assert throttle.pause(1, TOKEN)
    assert not throttle.pause(60, TOKEN)
    assert throttle.left == 60


ENTRY = OutboxMessage("491", {})
LATER = RetryLater(1, ENTRY)
REFUSED = APIError(PlatformError(131026), status=400, verdict=Verdict.DO_NOT_RETRY)
NO_ANSWER = TransportError("connection lost")
NO_FILE = MediaError("HTTP 503", passing=True)


@pytest.mark.parametrize(
    ("before", "decision", "error", "after"),
    [
        # a limit or a token stops the number
        (None, PauseSending(30, ENTRY, TOKEN), REFUSED, (TOKEN, 30, "sending_paused")),
        (TOKEN, PauseSending(30, ENTRY, TOKEN), REFUSED, (TOKEN, 30, "")),
        # so does silence, after several requests
        (None, LATER, NO_ANSWER, (INFRASTRUCTURE, 1, "sending_paused")),
        (THROUGHPUT, LATER, NO_ANSWER, (INFRASTRUCTURE, 2, "")),
        # an answer ends a pause, whatever it says
        (THROUGHPUT, DeadLetter("never"), REFUSED, (None, 0, "sending_resumed")),
        (None, LATER, REFUSED, (None, 0, "")),
        # what a file server says is about the file
        (THROUGHPUT, LATER, NO_FILE, (THROUGHPUT, 0, "")),
        (None, LATER, NO_FILE, (None, 0, "")),
    ],
)
def test_a_failure_begins_or_ends_a_pause_or_leaves_it(
    throttle, seconds, caplog, before, decision, error, after
):
    for _ in range(UNANSWERED - 1):
        throttle.unanswered()
    if before is not None:
        throttle.pause(1, before)
        seconds.now += 1
    assert throttle.admit() == 0.0
    caplog.set_level("INFO")

    throttle.follow(decision, error)

    cause, left, logged = after
    assert (throttle.cause, throttle.left) == (cause, left)
    assert [record.msg.partition(":")[0] for record in caplog.records] == (
        [f"whatsapp.{logged}"] if logged else []
    )
    if not left:
        assert throttle.admit() == 0.0  # another message may try
