from __future__ import annotations

import pytest

IMAGE = "https://shop.example/offer.jpg"
TWO = [{"title": "Buy", "payload": "/buy"}, {"title": "Later", "payload": "/later"}]
FOUR = [{"title": title, "payload": f"/{title}"} for title in "abcd"]


def kinds(bodies):
    return [body.get("interactive", body)["type"] for body in bodies]


def test_text_image_and_buttons_are_one_message(bodies):
    response = {"text": "Our offer", "image": IMAGE, "buttons": TWO}

    assert bodies(response) == [
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "header": {"type": "image", "image": {"link": IMAGE}},
                "body": {"text": "Our offer"},
                "action": {
                    "buttons": [
                        {"type": "reply", "reply": {"id": "/buy", "title": "Buy"}},
                        {"type": "reply", "reply": {"id": "/later", "title": "Later"}},
                    ]
                },
            },
        }
    ]


def test_a_document_keeps_its_name_in_the_header(bodies):
    document = {"type": "document", "id": "1", "filename": "a.pdf"}

    (body,) = bodies({"text": "Read", "attachment": document, "buttons": TWO})

    assert body["interactive"]["header"] == {
        "type": "document",
        "document": {"id": "1", "filename": "a.pdf"},
    }


@pytest.mark.parametrize("kind", ["image", "video", "document"])
def test_a_text_becomes_the_caption(bodies, kind):
    response = {"text": "Look", "attachment": {"type": kind, "id": "1"}}

    assert bodies(response) == [{"type": kind, kind: {"id": "1", "caption": "Look"}}]


@pytest.mark.parametrize("kind", ["audio", "sticker"])
def test_what_takes_no_caption_goes_after_the_text(bodies, kind):
    response = {"text": "Listen", "attachment": {"type": kind, "id": "1"}}

    assert bodies(response) == [
        {"type": "text", "text": {"body": "Listen"}},
        {"type": kind, kind: {"id": "1"}},
    ]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({"text": "a" * 1025, "image": IMAGE}, ["text", "image"]),
        ({"text": "a", "image": IMAGE, "attachment": "a.pdf"}, ["text", "image", "document"]),
        ({"text": "a", "image": IMAGE, "attachment": "a.mp3"}, ["image", "audio"]),
        ({"text": "a", "attachment": ["a.mp3", "a.png"]}, ["text", "audio", "image"]),
        ({"text": "a", "attachment": {"path": "a.png", "caption": "b"}}, ["text", "image"]),
        # with buttons
        ({"text": "a", "attachment": "a.mp3", "buttons": TWO}, ["audio", "button"]),
        ({"text": "a", "image": IMAGE, "attachment": "a.pdf", "buttons": TWO}, ["image", "button"]),
        ({"text": "a", "image": IMAGE, "attachment": "a.mp3", "buttons": TWO}, ["audio", "button"]),
        ({"text": "a " * 700, "image": IMAGE, "buttons": TWO}, ["text", "button"]),
        ({"text": "a", "image": IMAGE, "buttons": FOUR}, ["image", "list"]),
        ({"text": "a", "custom": {"sticker": {"id": "1"}}, "buttons": TWO}, ["sticker", "button"]),
        ({"text": "a", "custom": {"sticker": {"id": "1"}}, "image": IMAGE}, ["image", "sticker"]),
    ],
)
def test_the_order_is_text_then_media_with_the_buttons_last(bodies, response, expected):
    assert kinds(bodies(response)) == expected


def test_captions_can_be_kept_separate(bodies):
    response = {"text": "Look", "image": IMAGE}

    assert kinds(bodies(response, captions="separate")) == ["text", "image"]


def test_the_last_part_of_a_long_text_carries_image_and_buttons(bodies):
    first, last = bodies({"text": "a" * 4000 + "\n\nend", "image": IMAGE, "buttons": TWO})

    assert first == {"type": "text", "text": {"body": "a" * 4000}}
    assert last["interactive"]["body"] == {"text": "end"}
    assert last["interactive"]["header"]["type"] == "image"


def test_a_caption_becomes_the_body_of_buttons_without_text(bodies):
    (body,) = bodies({"attachment": {"path": "a.png", "caption": "Look"}, "buttons": TWO})

    assert body["interactive"]["body"] == {"text": "Look"}
    assert body["interactive"]["header"] == {"type": "image", "image": {"path": "a.png"}}


def test_a_caption_beside_text_and_buttons_stays_with_its_image(bodies):
    image, buttons = bodies(
        {"text": "Buy?", "attachment": {"path": "a.png", "caption": "Look"}, "buttons": TWO}
    )

    assert image == {"type": "image", "image": {"path": "a.png", "caption": "Look"}}
    assert buttons["interactive"]["body"] == {"text": "Buy?"}


def test_buttons_without_a_text_get_one_and_that_is_said(bodies, said):
    (body,) = bodies({"text": "", "buttons": TWO})

    assert body["interactive"]["body"] == {"text": "👇"}
    assert "👇" in said({"text": None, "buttons": TWO})["WA308"].text


@pytest.mark.parametrize("api", ["cloud", "360dialog", "turn", "on_premises"])
def test_a_link_stays_a_link_on_every_api(bodies, api):
    assert bodies({"image": IMAGE}, api=api) == [{"type": "image", "image": {"link": IMAGE}}]
