from __future__ import annotations

import pytest

IMAGE = "https://shop.example/tea.jpg"
LINK = {"type": "web_url", "title": "Open", "url": "https://shop.example/tea"}


def buy(number=1, **others):
    return {"title": "Buy", "payload": f"/buy{number}", **others}


def card(**parts):
    return {"title": "Tea", "image_url": IMAGE, "buttons": [buy()], **parts}


def kinds(bodies):
    return [body.get("interactive", body)["type"] for body in bodies]


def test_cards_with_one_link_each_open_it(bodies, said):
    response = {"text": "Teas", "elements": [card(buttons=[LINK]), card(buttons=[LINK])]}

    (body,) = bodies(response)

    first, second = body["interactive"]["action"]["cards"]
    assert first["action"] == {
        "name": "cta_url",
        "parameters": {"display_text": "Open", "url": "https://shop.example/tea"},
    }
    assert (first["card_index"], second["card_index"]) == (0, 1)
    assert said(response) == {}


def test_a_video_may_stand_above_a_card(bodies):
    video = card(image_url=None, image={"type": "video", "id": "7"}, buttons=[buy(2)])

    (body,) = bodies({"text": "Teas", "elements": [card(), video]})

    assert body["interactive"]["action"]["cards"][1]["header"] == {
        "type": "video",
        "video": {"id": "7"},
    }


@pytest.mark.parametrize(
    ("elements", "reason"),
    [
        ([card(), card(image_url=None)], "elements[1] has no image"),
        ([card(), card(buttons=None)], "elements[1] needs 1 to 3 buttons"),
        ([card(), card(buttons=[buy(n) for n in range(4)])], "elements[1] needs 1 to 3 buttons"),
        ([card(), card(buttons=[buy(), LINK])], "elements[1] needs either one link or buttons"),
        ([card(buttons=[LINK, {**LINK, "title": "b"}])] * 2, "elements[0] needs either one link"),
        ([card(subtitle="s" * 155), card()], "elements[0] has more than 160 characters"),
        ([card(subtitle="a\nb\nc"), card()], "elements[0] has more than 3 lines"),
        ([card(buttons=[buy(title="b" * 21)]), card()], "elements[0] has a button with more than"),
        ([card(buttons=[buy(description="d")]), card()], "elements[0] has a button with a desc"),
        ([card(image_url={"id": "1", "caption": "c"}), card()], "elements[0] has an image with a"),
        ([card(), card(buttons=[LINK])], "the cards of a carousel have equally many buttons"),
        ([card(), card(buttons=[buy(), buy(2, title="Two")])], "the cards of a carousel have equa"),
        ([card(buttons=[buy(n)]) for n in range(11)], "a carousel has at most 10 cards"),
    ],
)
def test_cards_that_are_not_alike_go_one_after_another_with_the_reason(
    bodies, said, elements, reason
):
    response = {"text": "Teas", "elements": elements}

    assert "carousel" not in kinds(bodies(response))
    assert f"because {reason}" in said(response)["WA402"].text


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({}, ["carousel"]),
        ({"text": "Teas"}, ["carousel"]),
        ({"text": "a " * 700}, ["text", "carousel"]),
        ({"text": "Teas", "image": IMAGE}, ["image", "carousel"]),
        ({"text": "Teas", "buttons": ["More"]}, ["carousel", "button"]),
        ({"text": "Teas", "custom": {"sticker": {"id": "1"}}}, ["sticker", "carousel"]),
    ],
)
def test_the_carousel_goes_with_the_text_and_what_is_tapped_is_last(bodies, others, expected):
    elements = [card(), card(buttons=[buy(2)])]

    assert kinds(bodies({**others, "elements": elements})) == expected


def test_without_a_text_one_is_written_and_that_is_said(bodies, said):
    response = {"elements": [card(), card(buttons=[buy(2)])]}

    (body,) = bodies(response)

    assert body["interactive"]["body"] == {"text": "👇"}
    assert set(said(response)) == {"WA308"}


def test_header_and_footer_go_into_the_text_of_a_carousel(bodies, said):
    response = {
        "text": "Teas",
        "elements": [card(), card(buttons=[buy(2)])],
        "metadata": {"whatsapp": {"header": "Hi", "footer": "Bye"}},
    }

    (body,) = bodies(response)

    assert body["interactive"]["body"] == {"text": "Hi\n\nTeas\n\nBye"}
    assert set(said(response)) == {"WA106"}


def test_ids_of_cards_are_short_and_differ(bodies, said):
    long = {"title": "Buy", "payload": '/buy{"tea": "green"}' + " " * 5 + "x"}
    response = {"text": "Teas", "elements": [card(buttons=[long]), card(), card()]}

    (body,) = bodies(response)

    ids = [
        button["quick_reply"]["id"]
        for shown in body["interactive"]["action"]["cards"]
        for button in shown["action"]["buttons"]
    ]
    assert all(len(short) <= 20 for short in ids)
    assert len(set(ids)) == 3
    assert ids[1] == "/buy1"
    assert set(said(response)) == {"WA309"}
