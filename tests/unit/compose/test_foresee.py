"""How many messages of a response are billed, and what is said to make them fewer does so."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.compose.foresee import (
    Fewer,
    ForeseenTurn,
    OutgoingSettings,
    foresee,
    foresee_turn,
)
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, TURN

PICTURE = "https://shop.example/lake.jpg"
SONG = {"type": "audio", "link": "https://shop.example/song.ogg"}
CAPTIONED = {"type": "image", "link": PICTURE, "caption": "The lake"}
REACTION = {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}}
TEMPLATE = {"whatsapp": {"template": {"name": "hello_again", "language": "en"}}}
TOGETHER = OutgoingSettings(combine="turn")
APART = OutgoingSettings(captions="separate")

ALIKE = (
    "at most 10 elements of at most 160 characters in 3 lines, "
    "with equally many buttons of one kind"
)


def buttons(number, **more):
    return [{"title": f"Room {n}", "payload": f"/room_{n}", **more} for n in range(number)]


def words(length):
    return ("word " * (length // 5 + 1))[:length]


def elements(number, **more):
    return [
        {"title": f"Room {n}", "image": PICTURE, "buttons": buttons(1), **more}
        for n in range(number)
    ]


@pytest.mark.parametrize(
    ("response", "billed", "others"),
    [
        ({"text": "Hello"}, 1, {}),
        ({"text": "Hello", "image": PICTURE, "buttons": buttons(3)}, 1, {}),
        ({"text": "Hello", "attachment": SONG}, 2, {}),
        ({"text": words(9000)}, 3, {1: ["a text of at most 4,096 characters"]}),
        (
            {"text": words(1500), "image": PICTURE},
            2,
            {1: ["a text of at most 1,024 characters"]},
        ),
        (
            {"text": words(1500), "buttons": buttons(2)},
            2,
            {1: ["`button_type: list`", "`button_type: numbers`"]},
        ),
        (
            {"text": "Hello", "image": PICTURE, "buttons": buttons(4)},
            2,
            {1: ["at most 3 buttons", "`button_type: numbers`"]},
        ),
        (
            {"text": "Hello", "image": PICTURE, "buttons": buttons(2, description="large")},
            2,
            {1: ["no descriptions", "`button_type: numbers`"]},
        ),
        (
            {"text": "Hello", "image": PICTURE, "buttons": buttons(2), "button_type": "list"},
            2,
            {1: ["no `button_type: list`", "`button_type: numbers`"]},
        ),
        (
            {"text": "Hello", "image": PICTURE, "buttons": [{"title": "x" * 21}]},
            2,
            {1: ["titles of at most 20 characters", "`button_type: numbers`"]},
        ),
        (
            {"text": "Hello", "buttons": buttons(25)},
            3,
            {1: ["at most 10 buttons", "`button_type: numbers`"]},
        ),
        (
            {"text": "Hello", "attachment": CAPTIONED},
            2,
            {1: ["the caption as a part of the text", "`combine: turn`"]},
        ),
        (
            {"text": "An album", "attachment": [{"type": "image", "link": PICTURE}] * 3},
            4,
            {3: ["the text as a caption", "`combine: turn`"]},
        ),
        (
            {"text": "Hello", "custom": {"type": "text", "text": {"body": "again"}}},
            2,
            {1: ["`combine: turn`"]},
        ),
        ({"elements": elements(12)}, 12, {1: [ALIKE]}),
        (
            {"elements": elements(2, subtitle=words(200))},
            2,
            {1: [ALIKE]},
        ),
        (
            {"elements": [*elements(1), *elements(1, buttons=buttons(2))]},
            2,
            {1: [ALIKE]},
        ),
        # one thing alone does not help
        (
            {"text": words(1500), "image": PICTURE, "buttons": buttons(4)},
            2,
            {1: ["at most 3 buttons and a text of at most 1,024 characters"]},
        ),
        (
            {"text": words(1500), "elements": elements(12)},
            13,
            {
                2: [ALIKE],
                1: [f"a text of at most 1,024 characters and {ALIKE}"],
            },
        ),
    ],
)
def test_what_makes_it_fewer_is_told(response, billed, others):
    foreseen = foresee(response, api=CLOUD)

    assert foreseen.messages == billed
    assert foreseen.fewer == tuple(Fewer(number, tuple(told)) for number, told in others.items())


@pytest.mark.parametrize(
    ("response", "rewritten"),
    [
        ({"text": words(1500), "image": PICTURE}, {"text": words(1024), "image": PICTURE}),
        (
            {"text": "Hello", "attachment": CAPTIONED},
            {"text": "The lake\n\nHello", "attachment": {"type": "image", "link": PICTURE}},
        ),
        (
            {"text": "An album", "attachment": [{"type": "image", "link": PICTURE}] * 2},
            {"attachment": [{**CAPTIONED, "caption": "An album"}, CAPTIONED]},
        ),
        (
            {"text": "Hello", "image": PICTURE, "buttons": buttons(5)},
            {"text": "Hello", "image": PICTURE, "buttons": buttons(5), "button_type": "numbers"},
        ),
        (
            {"elements": [*elements(1), *elements(1, buttons=buttons(2))]},
            {"elements": elements(2)},
        ),
    ],
)
def test_who_writes_it_as_told_gets_as_few(response, rewritten):
    told = foresee(response, api=CLOUD).fewer[-1].messages

    assert foresee(rewritten, api=CLOUD).messages == told


@pytest.mark.parametrize(
    ("response", "settings", "said"),
    [
        (
            {"text": "Hello", "image": PICTURE},
            APART,
            "2 billed messages, 1 with `captions: merge` or the text as a caption",
        ),
        ({"text": "Hello", "attachment": CAPTIONED}, TOGETHER, "1 billed message"),
        ({"custom": REACTION}, None, "0 billed messages (1 reaction free)"),
        ({"text": "Hello", "custom": REACTION}, None, "1 billed message (1 reaction free)"),
        ({"metadata": TEMPLATE}, None, "1 billed message (a template is billed by its category)"),
    ],
)
def test_it_is_said_in_one_line(response, settings, said):
    assert str(foresee(response, api=CLOUD, settings=settings)) == said


def test_what_an_api_cannot_do_is_not_advised():
    cards = {"elements": elements(12)}

    assert foresee(cards, api=CLOUD).fewer
    assert not foresee(cards, api=TURN).fewer


@pytest.mark.parametrize("settings", [OutgoingSettings(), TOGETHER])
def test_a_turn_is_counted_alone_and_combined(settings):
    hello, rooms = {"text": "Hello"}, {"text": "Which room?", "buttons": buttons(2)}
    said = [("utter_hello", hello), ("utter_hello", hello), ("utter_rooms", rooms)]

    assert foresee_turn(said, api=CLOUD, settings=settings) == ForeseenTurn(
        ("utter_hello", "utter_hello", "utter_rooms"), messages=3, combined=1
    )


def test_a_turn_is_counted_without_what_combine_skip_names():
    said = [("utter_wait", {"text": "One moment"}), ("utter_lake", {"image": PICTURE})]
    plain = OutgoingSettings(combine="turn", captions="separate")

    assert foresee_turn(said, api=CLOUD, settings=plain).combined == 2
    assert foresee_turn(said, api=CLOUD, settings=replace(plain, combine_skip=("utter_wait",))) == (
        ForeseenTurn(("utter_wait", "utter_lake"), messages=2, combined=1)
    )


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.just("x" * 5000),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["title", "payload", "type", "link", "caption", "image", "buttons", "url"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KEYS = ("text", "image", "attachment", "buttons", "button_type", "elements", "custom", "metadata")


@given(st.dictionaries(st.sampled_from(KEYS), ANY))
def test_whatever_a_response_holds_less_is_less(response):
    foreseen = foresee(response, api=CLOUD, settings=APART)

    numbers = [foreseen.messages, *(fewer.messages for fewer in foreseen.fewer)]
    assert numbers == sorted(set(numbers), reverse=True)
