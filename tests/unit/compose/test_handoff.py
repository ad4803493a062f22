"""A response that asks for a person, and what may stand there instead."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

# what stands in `handoff` → the reason, None where nobody is asked for; and what is told about it
TABLE: list[tuple[Any, str | None, str]] = [
    (True, "", ""),
    ("true", "", ""),
    ("a refund", "a refund", ""),
    ({"reason": "a refund"}, "a refund", ""),
    ({"reason": None}, "", ""),
    ({}, "", ""),
    ({"department": "sales"}, "", ""),
    (5, "5", ""),
    ({"reason": {"of": "mine"}}, "", "WA104"),
    ([1, 2], "", "WA104"),
    (["a refund"], "", "WA104"),
    ("   ", "", "WA102"),
    ("", None, ""),
    (None, None, ""),
    (False, None, ""),
    ("false", None, ""),
    (0, None, ""),
]


@pytest.mark.parametrize("place", ["metadata", "custom"])
@pytest.mark.parametrize(("value", "reason", "code"), TABLE)
def test_whatever_stands_there_somebody_is_asked_for_or_nobody(place, value, reason, code):
    response = {place: {"whatsapp": {"handoff": value}}, "text": "I fetch somebody."}

    composed = compose(response, api=CLOUD)

    assert composed.handoff == reason
    assert [change.code for change in composed.changes] == ([code] if code else [])
    [sent] = composed.messages
    assert sent.body()["text"] == {"body": "I fetch somebody."}
