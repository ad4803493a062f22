"""What a bot says in one turn, by its stories, rules and flows."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.domain.turns import read_turns

NAMES = ("utter_a", "utter_b", "utter_c", "utter_ask_name")
STORY = "stories:\n- story: s\n  steps:\n"
FLOW = "flows:\n  f:\n    steps:\n"


def steps(head, *lines):
    indent = " " * (4 if head is FLOW else 2)
    return head + "".join(f"{indent}- {line}\n" for line in lines)


@pytest.mark.parametrize(
    ("text", "turns"),
    [
        (
            steps(STORY, "intent: x", "action: utter_a", "action: utter_b", "intent: y"),
            [("utter_a", "utter_b")],
        ),
        (steps(STORY, "action: utter_a", "intent: x", "action: utter_b"), []),
        (
            steps(STORY, "action: utter_a", "slot_was_set: [{s: 1}]", "action: utter_b"),
            [("utter_a", "utter_b")],
        ),
        (
            steps(STORY, *(f"action: {name}" for name in ("utter_a", "action_x", "utter_b"))),
            [],
        ),
        (
            steps(STORY, *(f"action: {name}" for name in ("utter_x", "utter_a", "utter_b"))),
            [("utter_a", "utter_b")],
        ),
        (
            STORY.replace("stories", "rules").replace("story", "rule")
            + "  - action: utter_b\n  - action: utter_a\n",
            [("utter_b", "utter_a")],
        ),
        (steps(FLOW, "action: utter_a", "collect: name"), [("utter_a", "utter_ask_name")]),
        (
            steps(FLOW, "action: utter_a", "{collect: name, utter: utter_c}", "action: utter_b"),
            [("utter_a", "utter_c")],
        ),
        (steps(FLOW, "{action: utter_a, next: END}", "action: utter_b"), []),
        (steps(FLOW, "action: utter_a", "link: g", "action: utter_b"), []),
        (
            steps(FLOW, "{id: q, next: [{if: x, then: [action: utter_a, action: utter_b]}]}"),
            [("utter_a", "utter_b")],
        ),
        ("stories:\n- [", []),
        ("stories:\n- \udcff", []),
        ("nlu:\n- action: utter_a\n- action: utter_b\n", []),
        ("flows: 3\n", []),
    ],
)
def test_what_certainly_follows_is_one_turn(tmp_path, text, turns):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "it.yml").write_bytes(text.encode(errors="surrogateescape"))

    assert read_turns(tmp_path, NAMES) == turns


def test_a_turn_that_stands_in_several_files_is_told_once(tmp_path):
    (tmp_path / "data" / "more").mkdir(parents=True)
    for path in ("a.yml", "more/b.yaml"):
        text = steps(STORY, "action: utter_a", "action: utter_b")
        (tmp_path / "data" / path).write_text(text)

    assert read_turns(tmp_path, NAMES) == [("utter_a", "utter_b")]
    assert read_turns(tmp_path / "elsewhere", NAMES) == []
