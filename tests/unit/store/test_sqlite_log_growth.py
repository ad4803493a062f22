"""When the write-ahead log is carried over, as a table of sizes."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.store.sqlite.log_growth import (
    FAR_TOO_LONG,
    IDLE,
    LONG,
    OLDEST,
    Checkpoint,
    LogGrowth,
)


@pytest.fixture
def growth() -> LogGrowth:
    return LogGrowth()


@pytest.mark.parametrize(
    ("size", "step"),
    [
        (0, Checkpoint.NONE),
        (LONG - 1, Checkpoint.NONE),
        (LONG, Checkpoint.BESIDE_WRITES),
        (FAR_TOO_LONG - 1, Checkpoint.BESIDE_WRITES),
        (FAR_TOO_LONG, Checkpoint.INSTEAD_OF_WRITES),
    ],
)
def test_a_long_log_is_carried_over_and_one_that_is_far_too_long_is_waited_for(growth, size, step):
    assert growth.next_step(size) is step


def test_a_checkpoint_that_found_no_gap_is_tried_again_after_as_much_again(growth):
    growth.note_checkpoint(Checkpoint.BESIDE_WRITES, LONG + 5)

    assert growth.next_step(2 * LONG + 4) is Checkpoint.NONE
    assert growth.next_step(2 * LONG + 5) is Checkpoint.BESIDE_WRITES


def test_a_checkpoint_that_found_no_gap_on_a_busy_machine_does_not_put_off_the_end(growth):
    growth.note_checkpoint(Checkpoint.BESIDE_WRITES, FAR_TOO_LONG)

    assert growth.next_step(FAR_TOO_LONG) is Checkpoint.INSTEAD_OF_WRITES


def test_another_process_that_keeps_the_log_is_not_waited_for_at_each_commit(growth):
    growth.note_checkpoint(Checkpoint.INSTEAD_OF_WRITES, FAR_TOO_LONG)

    assert growth.next_step(FAR_TOO_LONG + LONG - 1) is Checkpoint.NONE
    assert growth.next_step(FAR_TOO_LONG + LONG) is Checkpoint.INSTEAD_OF_WRITES


def test_a_log_that_was_emptied_may_grow_as_at_first(growth):
    growth.note_checkpoint(Checkpoint.INSTEAD_OF_WRITES, FAR_TOO_LONG)
    growth.note_checkpoint(Checkpoint.INSTEAD_OF_WRITES, 0)

    assert growth.next_step(LONG) is Checkpoint.BESIDE_WRITES
    assert growth.next_step(FAR_TOO_LONG) is Checkpoint.INSTEAD_OF_WRITES


def test_a_short_log_is_carried_over_once_nothing_is_written_any_more(growth):
    growth.note_write(100.0)

    assert growth.next_step_in_time(1, 100.0 + IDLE / 2) is Checkpoint.NONE
    assert growth.next_step_in_time(1, 100.0 + IDLE) is Checkpoint.BESIDE_WRITES


def test_what_is_written_all_the_time_is_carried_over_after_some_seconds(growth):
    due = []
    for tick in range(int(4 * OLDEST)):
        now = 100.0 + tick / 4
        growth.note_write(now)
        due.append(growth.next_step_in_time(1, now))

    assert set(due) == {Checkpoint.NONE}
    growth.note_write(100.0 + OLDEST)
    assert growth.next_step_in_time(1, 100.0 + OLDEST) is Checkpoint.BESIDE_WRITES


def test_what_another_process_writes_is_carried_over_too(growth):
    assert growth.next_step_in_time(1, 100.0) is Checkpoint.NONE
    assert growth.next_step_in_time(2, 100.0 + OLDEST) is Checkpoint.BESIDE_WRITES


def test_an_empty_log_is_left_alone(growth):
    growth.note_write(100.0)

    assert growth.next_step_in_time(0, 100.0 + 10 * OLDEST) is Checkpoint.NONE


def test_a_log_that_a_reader_keeps_is_tried_again_after_some_seconds(growth):
    growth.note_write(100.0)
    growth.note_checkpoint(Checkpoint.BESIDE_WRITES, 1)

    assert growth.next_step_in_time(1, 102.0) is Checkpoint.NONE
    assert growth.next_step_in_time(1, 102.0 + OLDEST) is Checkpoint.BESIDE_WRITES
