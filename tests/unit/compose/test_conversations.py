"""Sixty conversations: `combine: turn` loses nothing of them, and a loss would be noticed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import pytest
from support.conversations import FILES, Conversation, Turn, corpus, losses, sent

CORPUS = corpus()
TURNS = [turn for conversation in CORPUS for turn in conversation.turns]


def test_the_corpus_is_as_large_and_as_varied_as_it_says():
    kinds = Counter(conversation.kind for conversation in CORPUS)
    languages = {conversation.language for conversation in CORPUS}

    assert (len(CORPUS), set(kinds.values())) == (60, {4})
    assert len(languages) > 10
    assert sum(len(turn.responses) == 1 for turn in TURNS) > 50  # where nothing can be joined


@pytest.mark.parametrize("together", [False, True])
@pytest.mark.parametrize("conversation", CORPUS, ids=lambda each: f"{each.kind}: {each.name}")
def test_every_word_option_and_file_is_on_the_phone_once_and_in_order(
    conversation: Conversation, together
):
    for turn in conversation.turns:
        assert losses(turn, sent(turn, together=together)) == []


def test_nothing_is_joined_over_a_pause():
    said = [{"text": "Let me see"}, {"text": "Found it"}, {"text": "Here"}]
    turn = Turn(tuple({**TURNS[0].responses[0], **each} for each in said), (0.0, 3.0, 5.9))

    assert [body["text"]["body"] for body in sent(turn, together=True).bodies] == [
        "Let me see",
        "Found it\n\nHere",
    ]


def without_a_message(bodies) -> Iterator[list]:
    for n in range(len(bodies)):
        yield [*bodies[:n], *bodies[n + 1 :]]


def with_a_message_twice(bodies) -> Iterator[list]:
    for n in range(len(bodies)):
        yield [*bodies[: n + 1], *bodies[n:]]


def in_another_order(bodies) -> Iterator[list]:
    for n in range(1, len(bodies)):
        yield [*bodies[: n - 1], bodies[n], bodies[n - 1], *bodies[n + 1 :]]


def without_a_word(bodies) -> Iterator[list]:
    for n, body in enumerate(bodies):
        holder, key = _text_of(body)
        _, _, rest = (holder.get(key) or "").partition(" ")
        if rest:
            yield from _changed(bodies, n, lambda body, new=rest: _set_text(body, new))


def without_a_reply(bodies) -> Iterator[list]:
    for n, body in enumerate(bodies):
        for name in ("buttons", "sections"):
            if name in body.get("interactive", {}).get("action", {}):
                yield from _changed(bodies, n, lambda body, name=name: _drop(body, name))


def with_another_payload(bodies) -> Iterator[list]:
    for n, body in enumerate(bodies):
        for button in body.get("interactive", {}).get("action", {}).get("buttons", ()):
            if "reply" in button:
                yield from _changed(bodies, n, _other_payload)


def with_another_link(bodies) -> Iterator[list]:
    for n, body in enumerate(bodies):
        if body["type"] in FILES:
            yield from _changed(bodies, n, _other_file)
        elif body.get("interactive", {}).get("type") == "cta_url":
            yield from _changed(bodies, n, _other_url)


LOSSES = [
    *(without_a_message, with_a_message_twice, in_another_order, without_a_word),
    *(without_a_reply, with_another_payload, with_another_link),
]


@pytest.mark.parametrize("plant", LOSSES, ids=lambda each: each.__name__)
def test_a_loss_is_found_wherever_it_is_planted(plant):
    planted = 0
    for turn in TURNS:
        whole = sent(turn, together=True)
        for bodies in plant(list(whole.bodies)):
            planted += 1
            assert losses(turn, replace(whole, bodies=tuple(bodies))) != [], bodies
    assert planted > 20


def _changed(bodies, n, change) -> Iterator[list]:
    copy = deepcopy(bodies)
    change(copy[n])
    yield copy


def _text_of(body):
    content = body[body["type"]]
    if body["type"] == "interactive":
        return content.get("body", {}), "text"
    if body["type"] == "text":
        return content, "body"
    return content if body["type"] in FILES else {}, "caption"


def _set_text(body, new):
    holder, key = _text_of(body)
    holder[key] = new


def _drop(body, name):
    part = body["interactive"]["action"][name]
    (part[-1]["rows"] if name == "sections" else part).pop()


def _other_payload(body):
    body["interactive"]["action"]["buttons"][0]["reply"]["id"] += "x"


def _other_file(body):
    body[body["type"]]["link"] += "x"


def _other_url(body):
    body["interactive"]["action"]["parameters"]["url"] += "x"
