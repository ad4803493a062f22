"""As what a message goes to somebody who has not written for a day."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.compose.closed_window import TEXT, Way, choose, to_direct
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

HELLO = {"type": "template", "template": {"name": "hello_again", "language": {"code": "en"}}}
ORDER = {"type": "template", "template": {"name": "order", "language": {"code": "en_US"}}}
NEWS = {
    "type": "template",
    "template": {
        "name": "news",
        "language": {"code": "en"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "{text}"}]},
        ],
    },
}
TEXT_MESSAGE = {"type": "text", "text": {"body": "Your table\nis ready"}}
DIRECT = {**TEXT_MESSAGE, "category": "utility"}
IMAGE = {"type": "image", "image": {"link": "https://shop.example/a.jpg"}}
ASKED = {
    "type": "interactive",
    "interactive": {"type": "button", "body": {"text": "Are you coming?"}, "action": {}},
}


@pytest.mark.parametrize(
    ("message", "given", "way", "replaces"),
    [
        (TEXT_MESSAGE, {}, Way.WAIT, False),
        (TEXT_MESSAGE, {"reengagement": HELLO}, Way.REENGAGEMENT, False),
        (TEXT_MESSAGE, {"reengagement": NEWS}, Way.TEXT, True),
        (ASKED, {"reengagement": NEWS}, Way.TEXT, False),
        (IMAGE, {"reengagement": NEWS}, Way.WAIT, False),
        (TEXT_MESSAGE, {"reengagement": NEWS, "template": ORDER}, Way.TEMPLATE, False),
        (TEXT_MESSAGE, {"template": ORDER, "direct": DIRECT}, Way.DIRECT_SEND, True),
        (
            TEXT_MESSAGE,
            {"template": ORDER, "direct": DIRECT, "refused": (Way.DIRECT_SEND,)},
            Way.TEMPLATE,
            False,
        ),
        (
            TEXT_MESSAGE,
            {"template": ORDER, "reengagement": NEWS, "refused": (Way.TEMPLATE,)},
            Way.TEXT,
            True,
        ),
        (TEXT_MESSAGE, {"reengagement": NEWS, "refused": (Way.TEXT,)}, Way.WAIT, False),
    ],
)
def test_the_cheapest_way_that_is_open_is_taken(message, given, way, replaces):
    outside = choose(message, **given)

    assert (outside.way, outside.replaces) == (way, replaces)


def filled(text: str) -> str:
    outside = choose({"type": "text", "text": {"body": text}}, reengagement=NEWS)
    return outside.body["template"]["components"][0]["parameters"][0]["text"]


def test_the_text_in_a_template_has_no_line_breaks_and_keeps_its_length():
    assert filled("Your table\n\nis\tready     now") == "Your table is ready now"
    assert filled("ab " * 300) == ("ab " * 300).strip()


def test_a_text_that_is_too_long_for_a_template_is_cut_and_follows_in_full():
    outside = choose({"type": "text", "text": {"body": "x" * 2000}}, reengagement=NEWS)

    assert len(filled("x" * 2000)) == TEXT
    assert not outside.replaces


def direct(response, name="utter_shipped"):
    return to_direct(compose(response, api=CLOUD), name)


def test_direct_send_names_the_template_after_the_response():
    (body,) = direct({"text": "Order 1 has left", "buttons": [{"title": "OK", "payload": "/ok"}]})

    assert body["category"] == "utility"
    assert body["direct_send_config"] == {"template_name": "utter_shipped"}
    assert body["interactive"]["body"] == {"text": "Order 1 has left"}


@pytest.mark.parametrize(
    "response",
    [
        {"image": "https://shop.example/a.jpg", "text": "Look"},
        {"text": "x" * 1100},
        {"text": "Which?", "buttons": [{"title": f"No {n}", "payload": "/n"} for n in range(5)]},
        {"text": "Cheap!", "metadata": {"whatsapp": {"direct_send": False}}},
        {
            "text": "Cheap!",
            "metadata": {
                "whatsapp": {"template": {"name": "a", "language": "en", "category": "marketing"}}
            },
        },
    ],
)
def test_what_direct_send_does_not_take_or_must_not_get(response):
    assert direct(response) == [None]


def test_a_response_with_a_template_goes_by_direct_send_as_a_whole_or_not_at_all():
    response = {
        "text": "Look",
        "custom": [{"type": "location", "location": {"latitude": 1, "longitude": 2}}],
    }
    template = {"metadata": {"whatsapp": {"template": {"name": "a", "language": "en"}}}}

    assert [each is not None for each in direct(response)] == [True, False]
    assert direct({**response, **template}) == [None, None]


def test_no_two_messages_have_the_same_name_at_meta():
    two = {"text": "x", "custom": [{"type": "text", "text": {"body": "y"}}]}
    taken = {"name": "utter_shipped", "language": "en"}
    own = {"text": "x", "metadata": {"whatsapp": {"template": taken}}}

    names = [each["direct_send_config"]["template_name"] for each in direct(two)]
    (other,) = direct(own)

    assert names == ["utter_shipped", "utter_shipped_2"]
    assert other["direct_send_config"] == {"template_name": "utter_shipped_direct"}
