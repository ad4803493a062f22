"""Pauses of a number, and what the account cannot send: who may send when."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.account import Trouble
from rasa_whatsapp_channel.outbound.policy import (
    LONGEST,
    PROBING,
    UNANSWERED,
    NotNeeded,
    SendOther,
    Throttle,
    WaitForAccount,
    hold,
)
from rasa_whatsapp_channel.store.base import INFRASTRUCTURE, THROUGHPUT, TOKEN, DeadLetter


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


def template(event: str, until: float | None = None) -> Trouble:
    return Trouble("template", event, "order (en_US)", until=until)


PAUSED = template("PAUSED")
RESTRICTED = Trouble("restriction of templates", "ACCOUNT_RESTRICTION", until=1_060.0)
DISABLED = Trouble("account", "DISABLED_UPDATE")
WAIT, OTHER, NO_NEED = WaitForAccount(3_600), SendOther(), NotNeeded()
TOO_LATE = DeadLetter("it waited too long: template order (en_US) PAUSED")


@pytest.mark.parametrize(
    ("obstacle", "stands_in", "is_needed", "has_other", "left", "decision"),
    [
        # what is sent on its own waits
        (PAUSED, False, False, False, 3_600, WAIT),
        (PAUSED, False, True, True, 3_600, WAIT),
        (template("PENDING"), False, False, False, 3_600, WAIT),
        (template("LOCKED"), False, False, False, 3_600, WAIT),
        (template("PAUSED", until=1_030), False, False, False, 3_600, WaitForAccount(30)),
        (PAUSED, False, False, False, 0, TOO_LATE),
        # or never goes
        *(
            (template(word), False, False, False, 3_600, DeadLetter(f"it cannot be sent: {named}"))
            for word in ("DISABLED", "REJECTED", "DELETED", "PENDING_DELETION", "MISSING")
            for named in (f"template order (en_US) {word}",)
        ),
        # what stands in goes another way
        (PAUSED, True, True, True, 3_600, OTHER),
        (template("DELETED"), True, True, True, 3_600, OTHER),
        (PAUSED, True, True, True, 0, OTHER),
        (PAUSED, True, True, False, 3_600, WAIT),
        (PAUSED, True, True, False, 0, TOO_LATE),
        # and is not needed once the person wrote
        (PAUSED, True, False, True, 3_600, NO_NEED),
        (DISABLED, True, False, False, 3_600, NO_NEED),
        # where the account is at fault, no other template goes
        (RESTRICTED, False, True, False, 3_600, WaitForAccount(60)),
        (RESTRICTED, True, True, True, 3_600, WaitForAccount(60)),
        (DISABLED, False, False, False, 3_600, WAIT),
        (
            DISABLED,
            False,
            False,
            False,
            0,
            DeadLetter(f"it waited too long: {DISABLED}"),
        ),
    ],
)
def test_what_the_account_cannot_send_waits_goes_another_way_or_never(
    obstacle, stands_in, is_needed, has_other, left, decision
):
    decided = hold(
        obstacle,
        stands_in=stands_in,
        is_needed=is_needed,
        has_other=has_other,
        left=left,
        now=1_000,
    )

    assert decided == decision
