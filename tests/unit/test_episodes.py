"""The judge of take-overs sees what went wrong."""

from __future__ import annotations

from typing import Any

import pytest
from soak.episodes import FAREWELL, Handed, Kept, judge
from support.cloud_api import Accepted
from support.numbered import answers_of

PHONE = "4915100000001"
# Taken at 100 while the second message is answered, and returned at 200; nobody answers the fourth.
CHAT = Handed(
    PHONE,
    before=["u1 m1", "u1 m3"],
    meanwhile=["u1 m4", "u1 m5"],
    after=["u1 m7"],
    unanswered=["u1 m5"],
    colleague=["u1 h1"],
    files=["u1 m4"],
    took=100.0,
    returned=200.0,
)
PHONES = {"u1 m1 a": 50, "u1 m1 c": 51, "u1 m3 a": 90}
PHONES |= {"u1 m5 a": 201, "u1 m5 c": 202, "u1 m7 a": 203, "u1 m7 c": 204}
EPISODE = [
    Kept("user", "u1 m3"),
    Kept("bot", "u1 m3 c"),
    Kept("human", "u1 h1"),
    Kept("user", "u1 m4", has_file=True),
    Kept("user", "u1 m5"),
]
TURNS = {"u1 m1": 49, "u1 m3": 101, "u1 m5": 201, "u1 m7": 203}
TOLD = [("human", "u1 h1"), ("user", "u1 m4"), (None, "")]


def judged(
    *,
    shown: Any = PHONES,
    twice: str = "",
    ends: int = 1,
    episode: Any = tuple(EPISODE),
    turns: Any = TURNS,
    told: Any = tuple(TOLD),
) -> list[str]:
    accepted = [
        Accepted(f"wamid.{text}", float(at), PHONE, text, "anna", {}) for text, at in shown.items()
    ]
    accepted += [Accepted("wamid.end", 206.0, PHONE, FAREWELL, "anna", {})] * ends
    if twice:
        accepted.append(Accepted("wamid.x", 205.0, PHONE, twice, "anna", {}))
    journal = [
        {"what": "saved", "sender_id": PHONE, "text": text, "at": at} for text, at in turns.items()
    ]
    journal += [
        {
            "what": "kept",
            "sender_id": PHONE,
            "speaker": who,
            "text": text,
            "type": "text" if who else "handoff",
        }
        for who, text in told
    ]
    verdict = judge(
        [CHAT], {PHONE: list(episode)}, accepted, journal, answers_to=answers_of("handed")
    )
    return verdict.faults


def without(things: Any, *gone: Any) -> Any:
    if isinstance(things, dict):
        return {key: value for key, value in things.items() if key not in gone}
    return [thing for thing in things if thing not in gone]


def test_a_conversation_that_was_handed_over_and_back_well_has_no_fault():
    assert judged() == []


@pytest.mark.parametrize(
    ("what", "faults"),
    [
        ({"shown": without(PHONES, "u1 m7 c")}, ["lost: u1 m7 c"]),
        ({"episode": without(EPISODE, EPISODE[1])}, ["lost: u1 m3 c"]),
        ({"twice": "u1 m7 c"}, ["doubled: u1 m7 c", "both said and not said: u1 m7 c"]),
        (
            {"shown": {**PHONES, "u1 m3 c": 99}},
            ["both said and not said: u1 m3 c"],
        ),
        (
            {"shown": {**PHONES, "u1 m3 c": 150}, "episode": without(EPISODE, EPISODE[1])},
            ["talked over: u1 m3 c"],
        ),
        (
            {"shown": {**PHONES, "u1 m3 c": 300}, "episode": without(EPISODE, EPISODE[1])},
            ["talked over: u1 m3 c"],
        ),
        ({"shown": {**PHONES, "hello": 99}}, ["strange: hello"]),
        (
            {"episode": without(EPISODE, EPISODE[0])},
            ["seen 0 times by the colleague: u1 m3"],
        ),
        (
            {"episode": [*EPISODE, EPISODE[4]]},
            ["seen 2 times by the colleague: u1 m5"],
        ),
        (
            {"episode": [*EPISODE[:3], Kept("user", "u1 m4"), EPISODE[4]]},
            ["without its file: u1 m4"],
        ),
        ({"told": without(TOLD, ("user", "u1 m4"))}, ["heard 0 times: u1 m4"]),
        ({"told": [*TOLD[:2], ("user", "u1 m7"), TOLD[2]]}, ["heard 2 times: u1 m7"]),
        ({"told": without(TOLD, ("human", "u1 h1"))}, ["told 0 times: u1 h1"]),
        ({"ends": 0}, [f"told 0 times that it talks to a robot: {PHONE}"]),
        ({"ends": 2}, [f"told 2 times that it talks to a robot: {PHONE}"]),
        ({"told": TOLD[:2]}, [f"told 0 times: that the episode ended in {PHONE}"]),
        (
            {
                "turns": without(TURNS, "u1 m5"),
                "told": [*TOLD[:2], ("user", "u1 m5"), TOLD[2]],
                "shown": without(PHONES, "u1 m5 a", "u1 m5 c"),
            },
            ["not answered: u1 m5"],
        ),
        (
            {"turns": {"u1 m7": 201, **without(TURNS, "u1 m7")}},
            ["heard out of order: u1 m7, u1 m1, u1 m3, u1 m5"],
        ),
    ],
)
def test_a_fault_is_named(what, faults):
    assert judged(**what) == faults


def test_the_one_message_that_was_on_its_way_may_still_come():
    late = {**PHONES, "u1 m3 c": 100.5}
    episode = without(EPISODE, EPISODE[1])

    assert judged(shown=late, episode=episode) == []
    assert judged(shown={**late, "u1 m3 a": 100.4}, episode=episode) == ["talked over: u1 m3 c"]
