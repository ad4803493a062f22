from __future__ import annotations

import pytest

BUY = {"title": "Buy", "payload": "/buy"}
CARD = {
    "title": "Tea",
    "subtitle": "Green, 100 g",
    "image_url": "https://shop.example/tea.jpg",
    "buttons": [BUY],
}


def test_a_card_with_buttons_is_one_message_with_its_image_above(bodies, said):
    assert bodies({"elements": [CARD]}) == [
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "header": {"type": "image", "image": {"link": "https://shop.example/tea.jpg"}},
                "body": {"text": "*Tea*\nGreen, 100 g"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "/buy", "title": "Buy"}}]},
            },
        }
    ]
    assert said({"elements": [CARD]}) == {}


def test_a_card_without_buttons_is_an_image_with_a_caption(bodies):
    assert bodies({"elements": [{**CARD, "buttons": None}]}) == [
        {
            "type": "image",
            "image": {
                "link": "https://shop.example/tea.jpg",
                "caption": "*Tea*\nGreen, 100 g",
            },
        }
    ]


def test_cards_go_one_after_another_behind_the_text_and_that_is_said(bodies, said):
    response = {"text": "Our teas", "elements": [CARD, {"title": "Oolong"}]}

    text, _, last = bodies(response)

    assert text == {"type": "text", "text": {"body": "Our teas"}}
    assert last == {"type": "text", "text": {"body": "*Oolong*"}}
    assert said(response)["WA402"].text.startswith("2 elements go one after another")


def test_the_address_behind_a_card_is_a_line_unless_a_button_opens_it(bodies):
    action = {"type": "web_url", "url": "https://shop.example/tea"}
    button = {"type": "web_url", "url": "https://shop.example/tea", "title": "Open"}

    (plain,) = bodies({"elements": [{"title": "Tea", "default_action": action}]})
    (tapped,) = bodies(
        {"elements": [{"title": "Tea", "default_action": action, "buttons": [button]}]}
    )

    assert plain["text"]["body"] == "*Tea*\nhttps://shop.example/tea"
    assert tapped["interactive"]["body"]["text"] == "*Tea*"


@pytest.mark.parametrize(
    ("element", "code"),
    [
        (5, "WA401"),
        ("Tea", "WA401"),
        ({"title": "Tea", "sutitle": "Green"}, "WA403"),
        ({"title": "Tea", "default_action": {"type": "postback"}}, "WA403"),
        ({"title": ["Tea"]}, "WA104"),
    ],
)
def test_what_cannot_be_shown_is_said(said, element, code):
    assert said({"elements": [element]})[code].lost
