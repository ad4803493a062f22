"""Who counts as dead: looks are counted, so that clocks and outages do not matter."""

from __future__ import annotations

import threading

from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.store.heartbeat import Heartbeat, Liveness


def looks(liveness: Liveness, *beats: dict[str, int]) -> list[list[str]]:
    return [sorted(liveness.look(each)) for each in beats]


def test_a_process_whose_number_stays_the_same_counts_as_dead_after_so_many_looks():
    liveness = Liveness("me", looks=3)

    dead = looks(liveness, *[{"me": 1, "other": 7}] * 5)

    assert dead == [[], [], [], ["other"], ["other"]]


def test_a_process_that_counts_on_lives_however_slowly_it_does():
    liveness = Liveness("me", looks=3)

    dead = looks(liveness, *({"other": number // 3} for number in range(30)))

    assert dead == [[]] * 30


def test_one_beat_makes_a_process_live_again():
    liveness = Liveness("me", looks=3)

    dead = looks(liveness, *[{"other": 1}] * 3, {"other": 2}, *[{"other": 2}] * 3)

    assert dead == [[]] * 6 + [["other"]]


def test_one_that_left_and_comes_again_is_looked_at_from_the_beginning():
    liveness = Liveness("me", looks=2)

    dead = looks(liveness, {"other": 1}, {"other": 1}, {}, {"other": 1}, {"other": 1})

    assert dead == [[]] * 5


def test_nobody_holds_himself_for_dead():
    liveness = Liveness("me", looks=1)

    assert looks(liveness, *[{"me": 1}] * 10) == [[]] * 10


def test_the_heart_beats_on_after_the_store_failed_and_until_it_is_stopped():
    beats: list[int] = []
    enough = threading.Event()

    def beat() -> None:
        beats.append(1)
        if len(beats) == 3:
            enough.set()
        raise StoreError("the store is away")

    heartbeat = Heartbeat(beat, interval=0.001)
    heartbeat.start()
    assert enough.wait(10)
    heartbeat.stop()

    count = len(beats)
    assert not threading.Event().wait(0.05)
    assert len(beats) == count
