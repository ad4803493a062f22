from __future__ import annotations

import pytest

TWO = [{"title": "Buy", "payload": "/buy"}, {"title": "Later", "payload": "/later"}]
FOUR = [{"title": title, "payload": f"/{title}"} for title in "abcd"]


def with_style(style, **response):
    return {"metadata": {"whatsapp": style}, **response}


def test_header_and_footer_frame_the_buttons(bodies):
    (body,) = bodies(with_style({"header": "Hi", "footer": "Bye"}, text="So", buttons=TWO))

    assert body["interactive"]["header"] == {"type": "text", "text": "Hi"}
    assert body["interactive"]["footer"] == {"text": "Bye"}


def test_a_list_has_the_label_it_was_given(bodies):
    (body,) = bodies(with_style({"list_button": "Auswählen"}, text="So", buttons=FOUR))

    assert body["interactive"]["action"]["button"] == "Auswählen"


def test_a_link_is_previewed_on_request(bodies):
    response = with_style({"preview_url": True}, text="See https://a.example")

    assert bodies(response) == [
        {"type": "text", "text": {"body": "See https://a.example", "preview_url": True}}
    ]


def test_the_keys_below_custom_do_the_same_and_win(bodies):
    response = with_style({"footer": "one"}, text="So", buttons=TWO)

    (body,) = bodies({**response, "custom": {"whatsapp": {"footer": "two"}}})

    assert body["interactive"]["footer"] == {"text": "two"}


@pytest.mark.parametrize(
    ("response", "text"),
    [
        (with_style({"header": "Hi", "footer": "Bye"}, text="So"), "Hi\n\nSo\n\nBye"),
        (with_style({"header": "H" * 61}, text="So", buttons=TWO), "H" * 61 + "\n\nSo"),
        (with_style({"footer": "F" * 61}, text="So", buttons=TWO), "So\n\n" + "F" * 61),
        (with_style({"header": "Hi"}, text="So", image="a.png", buttons=TWO), "Hi\n\nSo"),
    ],
)
def test_what_does_not_fit_as_header_or_footer_is_read_in_the_text(bodies, said, response, text):
    (body,) = bodies(response)

    assert body.get("text", body.get("interactive", {}).get("body")) in (
        {"body": text},
        {"text": text},
    )
    assert "WA106" in said(response)


@pytest.mark.parametrize(
    ("response", "code"),
    [
        (with_style({"header": "Hi"}, image="a.png"), "WA107"),
        (with_style({"fotter": "Bye"}, text="So"), "WA108"),
        (with_style("footer", text="So"), "WA104"),
        (with_style({"footer": ["Bye"]}, text="So"), "WA104"),
        (with_style({"list_button": "L" * 21}, text="So", buttons=FOUR), "WA304"),
    ],
)
def test_what_cannot_be_shown_is_said(said, response, code):
    assert said(response)[code].lost


def test_a_misspelt_key_is_said_with_the_nearest(said):
    change = said(with_style({"fotter": "Bye"}, text="So"))["WA108"]

    assert change.text == "whatsapp.fotter is not used; did you mean footer?"


# Parts of a response that an engine has no place for, such as Rasa Pro's Mantle


def test_every_part_of_a_response_may_stand_in_its_metadata(bodies):
    style = {
        "image": "media/l.jpg",
        "document": {"path": "media/g.pdf"},
        "custom": {"type": "location", "location": {"latitude": 1.5, "longitude": 2.5}},
        "footer": "Bye",
    }

    files = bodies(with_style(style, text="So", buttons=TWO))

    assert [body["type"] for body in files] == ["location", "image", "interactive"]
    assert files[-1]["interactive"]["header"]["document"]["path"] == "media/g.pdf"
    assert files[-1]["interactive"]["footer"] == {"text": "Bye"}


def test_what_both_have_is_sent_together(bodies):
    more = {"image": "media/2.jpg", "buttons": [{"title": "Never", "payload": "/never"}]}

    *files, body = bodies(with_style(more, text="So", image="media/1.jpg", buttons=TWO))

    assert files == [{"type": "image", "image": {"path": "media/1.jpg"}}]
    interactive = body["interactive"]
    assert interactive["header"]["image"] == {"path": "media/2.jpg"}
    titles = [button["reply"]["title"] for button in interactive["action"]["buttons"]]
    assert titles == ["Buy", "Later", "Never"]


def test_a_text_there_goes_in_the_place_of_the_own_one(bodies):
    assert bodies(with_style({"text": "On WhatsApp"}, text="On the phone")) == [
        {"type": "text", "text": {"body": "On WhatsApp"}}
    ]
    assert bodies(with_style({"text": "", "sticker": "media/s.webp"}, text="A sticker")) == [
        {"type": "sticker", "sticker": {"path": "media/s.webp"}}
    ]
