"""Rough weather: what it does, decided by seed, kind and number alone."""

from collections import Counter
from itertools import pairwise

import pytest

from rasa_whatsapp_channel.simulator.faults import ACTIONS, Faults
from rasa_whatsapp_channel.simulator.weather import (
    FILES,
    ROUGH_KINDS,
    Fault,
    Kind,
    Span,
    Weather,
    decide,
    local_number,
)

# What rules of `faults` call the places that only the weather tells apart.
PLACES = {"fates": "statuses", "failures": "statuses", "names": "webhooks"}


def faults(seed, kind, count, **more):
    found = (decide(seed, kind, n, **more) for n in range(1, count + 1))
    return [(fault.n, fault.do) for fault in found if fault is not None]


@pytest.mark.parametrize(
    ("seed", "kind", "expected"),
    [
        (
            1,
            "messages",
            [
                (2, ("code", 131056)),
                (6, ("code", 2)),
                (20, ("early", True)),
                (29, ("cut", True)),
                (37, ("code", 131056)),
                (41, ("cut", True)),
                (53, ("code", 131000)),
                (60, ("code", 131000)),
            ],
        ),
        (
            7,
            "messages",
            [
                (5, ("early", True)),
                (19, ("delay", 0.41)),
                (30, ("early", True)),
                (34, ("code", 131000)),
                (38, ("hang_up", "after")),
                (53, ("code", 131056)),
                (57, ("cut", True)),
            ],
        ),
        (
            7,
            "webhooks",
            [
                (14, ("again", 1.7)),
                (24, ("delay", 0.75)),
                (38, ("delay", 0.94)),
                (40, ("delay", 0.37)),
                (44, ("batch", 2)),
                (48, ("reorder", True)),
                (55, ("delay", 1.44)),
            ],
        ),
    ],
)
def test_a_seed_brings_the_same_on_every_machine(seed, kind, expected):
    assert faults(seed, kind, 60) == expected


def test_each_person_has_weather_of_their_own():
    assert faults(7, "messages", 60, who=1) != faults(7, "messages", 60, who=2)


@pytest.mark.parametrize("kind", ROUGH_KINDS)
def test_every_mishap_of_a_kind_happens_and_about_as_often_as_it_says(kind):
    wanted = ROUGH_KINDS[kind]
    loose = {kind: Kind(wanted.faults, rest=0)}
    count = 20_000

    seen = Counter()
    for n in range(1, count + 1):
        if (fault := decide(3, kind, n, of_type="image", kinds=loose)) is not None:
            seen[fault.do[0]] += 1

    shares = Counter()
    for fault in wanted.faults:
        shares[fault.do[0]] += fault.share
    assert set(seen) == set(shares)
    for action, share in shares.items():
        assert seen[action] / count == pytest.approx(share, rel=0.25, abs=0.001)


@pytest.mark.parametrize("kind", [kind for kind, each in ROUGH_KINDS.items() if each.rest])
def test_what_went_wrong_once_gets_through_the_next_times(kind):
    rest = ROUGH_KINDS[kind].rest
    numbers = [n for n, _ in faults(5, kind, 5000, of_type="image")]

    assert numbers
    assert all(after - before > rest for before, after in pairwise(numbers))


def test_what_happens_to_files_happens_to_nothing_else():
    texts = {do for _, do in faults(1, "fates", 5000, of_type="text")}
    files = {do for _, do in faults(1, "fates", 5000, of_type="image")}

    assert ("code", 131053) not in texts
    assert ("code", 131053) in files
    assert not faults(1, "phones", 50, of_type="text")
    assert len(faults(1, "phones", 50, of_type="document")) == 50


def test_no_failure_is_left_untold():
    assert ("lose", True) in {do for _, do in faults(1, "statuses", 5000)}
    assert ("lose", True) not in {do for _, do in faults(1, "failures", 5000)}


def test_what_no_sender_gets_over_can_be_left_out():
    lasting = {fault.do for fault in ROUGH_KINDS["fates"].faults if fault.lasting}

    assert lasting & {do for _, do in faults(1, "fates", 20_000)} == lasting
    assert not lasting & {do for _, do in faults(1, "fates", 20_000, lasting=False)}


def test_a_value_is_drawn_within_its_span_and_stands_in_the_words():
    kinds = {"late": Kind((Fault(("delay", Span(0.5, 2.0)), 1.0, "{:.1f} s late"),), rest=0)}
    drawn = [decide(1, "late", n, kinds=kinds) for n in range(1, 200)]

    seconds = [fault.do[1] for fault in drawn]
    assert 0.5 <= min(seconds) < 0.7
    assert 1.8 < max(seconds) <= 2.0
    assert drawn[0].words == f"{seconds[0]:.1f} s late"


@pytest.mark.parametrize("kind", ROUGH_KINDS)
def test_the_weather_does_nothing_that_a_rule_cannot_do(kind):
    for fault in ROUGH_KINDS[kind].faults:
        assert fault.do[0] in ACTIONS[PLACES.get(kind, kind)]
        value = fault.do[1]
        example = value.least if isinstance(value, Span) else value
        rule = {"on": PLACES.get(kind, kind), "do": {fault.do[0]: example}}
        Faults().add(rule)
        assert "{" not in fault.words.format(example)


def test_people_are_told_apart_by_when_they_first_appear_and_not_by_their_numbers():
    def course(*phones):
        weather = Weather(7)
        return [
            fault.words if fault else None
            for n in range(50)
            for phone in phones
            for fault in [weather.next("messages", ACTIONS["messages"], {"person": phone})]
        ]

    assert course("491511", "491512") == course("15550001", "15550002")


def test_a_rule_goes_before_the_weather():
    told = []
    weather = Weather(7, kinds={"messages": Kind((Fault(("status", 500), 1.0, "500"),), rest=0)})
    faults = Faults(weather=weather, on_hit=lambda hit, facts: told.append(hit.fault))
    faults.add({"on": "messages", "when": {"next": 1}, "do": {"code": 131056}})

    first, second = (faults.find("messages", ACTIONS["messages"]) for _ in range(2))

    assert (first.do, second.do) == (("code", 131056), ("status", 500))
    assert first.why == "Fault rule 1 of the simulator: code 131056."
    assert second.why == "Rough weather: 500."
    assert [fault is not None for fault in told] == [False, True]


@pytest.mark.parametrize(
    ("dialled", "known"),
    [
        ("5511987654321", "551187654321"),  # Brazil: an older account has no 9
        ("551187654321", "551187654321"),
        ("525512345678", "5215512345678"),  # Mexico: a 1 behind the country
        ("5215512345678", "5215512345678"),
        ("541123456789", "5491123456789"),  # Argentina: a 9 behind the country
        ("5491123456789", "5491123456789"),
        ("4915112345678", "4915112345678"),
    ],
)
def test_whatsapp_knows_some_numbers_otherwise_than_they_are_dialled(dialled, known):
    assert local_number(dialled) == known


def test_files_are_the_types_that_a_phone_loads():
    assert sorted(FILES) == ["audio", "document", "image", "sticker", "video"]
