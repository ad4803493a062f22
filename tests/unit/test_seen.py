"""The judge of rough weather sees what went wrong."""

from __future__ import annotations

from typing import Any

import pytest
from soak.seen import TABLE, judge, response_of, seen_by

MAYA = "4915112345678"
TAKEN = 100.0


def message(number: int, name: str, kind: str, content: Any, **more: Any) -> dict[str, Any]:
    said = {"id": f"wamid.{number}", "direction": "outbound", "type": kind, "content": content}
    shown = {"status": "delivered", "timestamp": int(TAKEN) + number, "filled": None, "changes": []}
    return {**said, **shown, "response": name, "body": {"number": number}, **more}


def text(number: int, name: str, words: str, **more: Any) -> dict[str, Any]:
    return message(number, name, "text", {"body": words}, **more)


def picture(number: int, name: str, words: str, **more: Any) -> dict[str, Any]:
    content = {"id": f"77{number}", "caption": words}
    return message(number, name, "image", content, **more)


MORNING = text(1, "utter_text", "Good morning from the lake")
LAKE = picture(2, "utter_image_path", "The lake by path")


def told_of(each: dict[str, Any]) -> dict[str, Any]:
    statuses = [{"id": each["id"], "status": each["status"]}]
    return {"entry": [{"changes": [{"value": {"statuses": statuses}}]}]}


def judged(
    *chat: Any,
    refusals: Any = (),
    fault: str | None = None,
    told: str | None = None,
    after: float = 0.0,
):
    asked = [response_of("utter_text"), response_of("utter_image_path")]
    requests = [
        {"body": each["body"], "time": TAKEN, "fault": fault, "status": 200} for each in chat
    ]
    webhooks = [
        {"time": TAKEN + after, "status": None, "error": told, "body": told_of(each)}
        for each in chat
    ]
    return judge({MAYA: seen_by(asked, chat, refusals)}, requests, webhooks)


def test_there_are_sixty_kinds_of_answers():
    assert len(TABLE) == 60


def test_what_is_there_once_and_in_order_is_no_fault():
    verdict = judged(MORNING, LAKE)

    assert (verdict.faults, verdict.answers, verdict.items, verdict.named) == ([], 2, 3, 0)


BOTH = picture(1, "utter_text, utter_image_path", "Good morning from the lake\n\nThe lake by path")


def test_what_came_together_is_no_fault():
    assert judged(BOTH).faults == []


@pytest.mark.parametrize(
    ("chat", "fault"),
    [
        ([text(1, BOTH["response"], BOTH["content"]["caption"])], "not shown, not said: "),
        ([LAKE], "lost: "),
        ([MORNING, {**LAKE, "status": "failed"}], "lost: "),
        ([MORNING, text(2, "utter_image_path", "The lake by path")], "not shown, not said: "),
        ([MORNING, picture(2, "utter_image_path", "The")], "not shown, not said: "),
        ([MORNING, LAKE, {**LAKE, "id": "wamid.3"}], "doubled: "),
        ([LAKE, MORNING], "out of order: "),
    ],
)
def test_what_a_person_misses_is_a_fault(chat, fault):
    (found,) = judged(*chat).faults

    assert found.startswith(fault)


def test_a_living_file_that_is_only_named_is_a_fault():
    change = {"code": "WA801", "message": "the image is left out: media/lake.jpg"}
    words = text(2, "utter_image_path", "The lake by path", changes=[change])

    (found,) = judged(MORNING, words).faults

    assert found.startswith("not shown, not said: ")


@pytest.mark.parametrize(
    ("kind", "after", "told", "faults"),
    [
        (picture, 0.5, None, 1),
        (picture, 2.5, None, 0),
        (picture, 0.5, "lost by a fault", 0),
        (text, 0.5, None, 0),
    ],
)
def test_what_is_sent_again_comes_behind_only_where_nothing_waited_for_its_file(
    kind, after, told, faults
):
    failed = kind(1, "utter_text", "Good morning from the lake", status="failed")

    found = judged(failed, LAKE, MORNING, after=after, told=told).disordered

    assert len(found) == faults


def test_a_file_that_a_phone_shows_late_may_be_overtaken():
    late = picture(1, "utter_text", "Good morning from the lake", timestamp=int(TAKEN) + 3)

    assert judged(LAKE, late).faults == []


@pytest.mark.parametrize(
    ("fault", "told", "known"),
    [
        (None, "lost by a fault", True),
        ("WhatsApp takes the message, the answer is lost", None, True),
        ("WhatsApp takes the message, the answer is lost", "lost by a fault", False),
    ],
)
def test_a_double_is_nobodys_fault_where_answer_and_statuses_were_lost(fault, told, known):
    again = {**MORNING, "id": "wamid.3"}

    verdict = judged(MORNING, again, LAKE, fault=fault, told=told)

    assert (len(verdict.doubled), len(verdict.unknowable)) == ((1, 0) if known else (0, 1))
