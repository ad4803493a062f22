"""A clock that somebody sets: small corrections are followed, jumps only when they last."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.store.clock import JUMP, LASTS, SteadyClock

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


@pytest.mark.parametrize("seconds", [-JUMP, -1, 1, JUMP])
def test_a_correction_is_followed_at_once(machine, seconds):
    assert machine.passes(10, set_by=seconds) == 10 + seconds


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


def test_small_corrections_may_add_up_to_a_jump(machine):
    assert [machine.passes(1, set_by=JUMP) for _ in range(3)] == [n * (1 + JUMP) for n in (1, 2, 3)]
