"""The judge of the chaos tests sees what went wrong."""

from __future__ import annotations

import pytest
from support.cloud_api import Accepted
from support.crowd import Written, phone_of
from support.verdict import Kill, judge

# Person 1 writes two messages; the first is answered with three messages, the second with two.
WRITTEN = [Written(1, 1), Written(1, 2)]
ANSWERS = ["u1 m1 a", "u1 m1 b", "u1 m1 c", "u1 m2 a", "u1 m2 b"]
HEARD = ["u1 m1", "u1 m2"]
KILL = Kill(at=12.05, server="only")


def judged(answers, *, heard=HEARD, saved=HEARD, kills=(), second_apart=1.0):
    accepted = [
        Accepted(f"wamid.{place}", 10 + place * second_apart, phone_of(1), text, "only", {})
        for place, text in enumerate(answers)
    ]
    journal = [{"what": "began", "sender_id": phone_of(1), "text": text} for text in heard]
    journal += [{"what": "saved", "sender_id": phone_of(1), "text": text} for text in saved]
    return judge(WRITTEN, accepted, journal, kills)


def test_all_answers_once_and_in_order_are_no_fault():
    verdict = judged(ANSWERS)

    assert (verdict.faults, verdict.doubles, verdict.answers) == ([], 0, 5)


@pytest.mark.parametrize(
    ("what", "fault"),
    [
        ({"answers": ANSWERS[:-1]}, "lost: u1 m2 b"),
        ({"answers": [*ANSWERS, "u1 m3 a"]}, "strange: u1 m3 a"),
        ({"answers": [*ANSWERS, ANSWERS[-1]]}, "twice without a kill: u1 m2 b"),
        ({"answers": [*ANSWERS[:3], *ANSWERS[:2:-1]]}, "out of order: u1 m2 a"),
        ({"answers": ANSWERS, "heard": HEARD[::-1]}, "heard out of order: u1 m1"),
        ({"answers": ANSWERS, "saved": [*HEARD, "u1 m2"]}, "two turns: u1 m2"),
    ],
)
def test_a_fault_is_named(what, fault):
    assert judged(**what).faults == [fault]


def test_a_message_that_was_on_its_way_at_a_kill_may_come_twice():
    twice = [*ANSWERS[:3], *ANSWERS[2:]]  # the third one, first just before the kill

    verdict = judged(twice, kills=[KILL])

    assert (verdict.faults, verdict.doubled) == ([], {KILL: ["u1 m1 c"]})


@pytest.mark.parametrize(
    "kill", [Kill(KILL.at, "another"), Kill(KILL.at - 4, "only"), Kill(KILL.at + 4, "only")]
)
def test_a_kill_elsewhere_or_at_another_time_is_no_excuse(kill):
    twice = [*ANSWERS[:3], *ANSWERS[2:]]

    assert judged(twice, kills=[kill]).faults == ["twice without a kill: u1 m1 c"]


def test_on_a_busy_machine_it_takes_seconds_to_note_that_a_message_was_accepted():
    twice = [*ANSWERS[:3], *ANSWERS[2:]]

    verdict = judged(twice, kills=[Kill(at=27.0, server="only")], second_apart=6.0)

    assert (verdict.faults, verdict.doubles) == ([], 1)


def test_what_was_followed_by_another_message_had_been_noted():
    again = [*ANSWERS[:2], ANSWERS[0], *ANSWERS[2:]]

    verdict = judged(again, kills=[Kill(at=11.5, server="only")])

    assert "twice without a kill: u1 m1 a" in verdict.faults


def test_a_repeat_after_later_messages_is_out_of_order_too():
    late = [*ANSWERS[:3], ANSWERS[3], ANSWERS[2], ANSWERS[4]]

    assert judged(late, kills=[KILL]).faults == ["out of order: u1 m1 c"]
