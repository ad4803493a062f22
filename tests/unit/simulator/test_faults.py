"""Rules for what goes wrong: when they apply, and which are refused."""

import pytest

from rasa_whatsapp_channel.simulator.faults import ON_REQUESTS, Faults, InvalidRule


def fates(faults, count, **facts):
    return [faults.find("messages", ON_REQUESTS, **facts) is not None for _ in range(count)]


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        ({"next": 2}, [True, True, False, False, False, False]),
        ({"every": 3}, [False, False, True, False, False, True]),
        ({"always": True}, [True] * 6),
        ({"share": 0}, [False] * 6),
        ({"share": 1}, [True] * 6),
    ],
)
def test_a_rule_applies_as_often_as_it_says(when, expected):
    faults = Faults()
    key = faults.add({"on": "messages", "when": when, "do": {"code": 131056}})

    assert fates(faults, 6) == expected
    assert faults.to_json(key)["hits"] == sum(expected)


def test_a_seed_repeats_what_chance_did():
    faults = Faults()
    faults.add({"on": "messages", "when": {"share": 0.5}, "do": {"status": 500}})
    faults.seed(7)
    first = fates(faults, 30)
    faults.seed(7)

    assert fates(faults, 30) == first
    assert True in first
    assert False in first


def test_a_rule_counts_only_what_it_matches():
    faults = Faults()
    rule = {"on": "messages", "match": {"type": "image", "person": "49"}, "do": {"status": 503}}
    faults.add({**rule, "when": {"next": 1}})

    assert fates(faults, 1, type="text", person="49") == [False]
    assert fates(faults, 1, type="image", person="50") == [False]
    assert fates(faults, 2, type="image", person="49") == [True, False]


GOOD = {"on": "messages", "when": {"next": 1}, "do": {"code": 1}}


@pytest.mark.parametrize(
    "rule",
    [
        [],
        {},
        {**GOOD, "on": "dreams"},
        {**GOOD, "on": ["messages"]},
        {**GOOD, "more": 1},
        {**GOOD, "when": {"next": 0}},
        {**GOOD, "when": {"next": True}},
        {**GOOD, "when": {"next": 1, "every": 2}},
        {**GOOD, "when": {"share": 1.5}},
        {**GOOD, "when": {"always": False}},
        {**GOOD, "do": {}},
        {**GOOD, "do": {"lose": True}},
        {**GOOD, "do": {"status": 99}},
        {**GOOD, "do": {"delay": 1e9}},
        {**GOOD, "do": {"hang_up": "sometimes"}},
        {**GOOD, "match": {"name": "Maya"}},
        {**GOOD, "match": {"type": 1}},
        {"on": "statuses", "do": {"duplicate": 1000}},
    ],
)
def test_a_rule_that_cannot_be_is_refused_with_a_sentence(rule):
    with pytest.raises(InvalidRule, match=r"\.$"):
        Faults().add(rule)
