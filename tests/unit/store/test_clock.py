"""A clock that somebody sets: small corrections are followed, jumps only when they last."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.store.clock import FRESH, JUMP, LASTS, SteadyClock

DAY = 86_400
NOON = 1_790_000_000.0


class Machine:
    """A wall clock and a monotonic one."""

    def __init__(self) -> None:
        self.wall = NOON
        self.monotonic = 500.0
        self.clock = SteadyClock(wall=lambda: self.wall, monotonic=lambda: self.monotonic)

    def passes(self, seconds: float, *, set_by: float = 0.0) -> float:
        self.wall += seconds + set_by
        self.monotonic += seconds
        return self.clock() - NOON


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_time_passes_as_on_the_wall(machine):
    assert [machine.passes(10), machine.passes(3600)] == [10, 3610]


@pytest.mark.parametrize("seconds", [-1, 0.5, 1])
def test_a_tick_is_followed_at_once(machine, seconds):
    assert machine.passes(10, set_by=seconds) == 10 + seconds


@pytest.mark.parametrize("seconds", [-JUMP, -600, 600, JUMP])
def test_a_correction_is_followed_slowly_so_that_waits_last_as_long_as_they_are_meant_to(
    machine, seconds
):
    sign = 1 if seconds > 0 else -1

    assert machine.passes(0, set_by=seconds) == 0
    assert machine.passes(3) == pytest.approx(3 + sign * 0.3)
    for _ in range(100):
        machine.clock()
    assert machine.passes(3) == pytest.approx(6 + sign * 0.6)
    assert machine.passes(abs(seconds) * 11) == pytest.approx(6 + abs(seconds) * 11 + seconds)


def test_the_time_never_goes_back_by_more_than_a_tick(machine):
    before = machine.passes(1, set_by=-JUMP)
    for _ in range(1000):
        now = machine.passes(0.01)
        assert now > before
        before = now


@pytest.mark.parametrize("jump", [-10 * DAY, -JUMP - 1, JUMP + 1, 10 * DAY])
def test_a_jump_that_is_taken_back_never_was(machine, jump, caplog):
    seen = [machine.passes(10, set_by=jump), machine.passes(LASTS / 2)]
    seen += [machine.passes(10, set_by=-jump), machine.passes(10)]

    assert seen == [10, 10 + LASTS / 2, 20 + LASTS / 2, 30 + LASTS / 2]
    assert "this machine's clock was set by" in caplog.text


@pytest.mark.parametrize("jump", [-DAY, DAY])
def test_a_jump_that_lasts_is_followed(machine, jump):
    machine.passes(10, set_by=jump)

    assert machine.passes(LASTS - 1) == LASTS + 9
    assert machine.passes(1) == LASTS + 10 + jump
    assert machine.passes(5) == LASTS + 15 + jump


def test_a_clock_adopts_what_another_process_noted_a_moment_ago(machine):
    offset, noted_at = machine.clock.note()
    starting = Machine()
    starting.wall += 10 * DAY  # at the moment of its start
    starting.clock = SteadyClock(wall=lambda: starting.wall, monotonic=lambda: starting.monotonic)

    starting.clock.adopt(offset, noted_at)

    assert starting.passes(1) == 1
    assert starting.passes(1, set_by=-10 * DAY) == 2


@pytest.mark.parametrize("ago", [FRESH, -1])
def test_what_was_noted_long_ago_or_before_the_machine_started_is_not_adopted(machine, ago):
    machine.clock.adopt(0.0, machine.monotonic - ago)

    assert machine.passes(1) == 1
