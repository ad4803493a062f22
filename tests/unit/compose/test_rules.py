"""One table for each rule: a response, and the bodies it becomes, typed in by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import APIS

FOLDER = Path(__file__).parents[2] / "samples" / "responses"
CASES = [
    pytest.param(case, id=f"{file.stem}: {case['what']}")
    for file in sorted(FOLDER.glob("*.yml"))
    for case in YAML(typ="safe").load(file)
]


@pytest.mark.parametrize("case", CASES)
def test_a_response_becomes_these_bodies(case):
    composed = compose(
        written_out(case["response"]),
        api=APIS[case.get("api", "cloud")],
        reply_to=case.get("reply_to"),
    )

    assert [outgoing.body() for outgoing in composed.messages] == written_out(case["bodies"])
    assert {change.code for change in composed.changes} == set(case.get("says", ()))
    payloads = {number: choice.payload for number, choice in composed.choices.items()}
    assert payloads == case.get("choices", {})
    assert composed.payloads == case.get("payloads", {})


def written_out(value):
    """Return *value* with a text of n words in the place of {words: n}."""
    match value:
        case {"words": int(count), **others} if not others:
            return " ".join(["word"] * count)
        case dict():
            return {key: written_out(item) for key, item in value.items()}
        case list():
            return [written_out(item) for item in value]
        case _:
            return value
