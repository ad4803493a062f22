from __future__ import annotations

import pytest

LINK = "https://shop.example/files/a%20b.pdf?x=1"


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (
            {"image": "https://shop.example/a.jpg"},
            {"type": "image", "image": {"link": "https://shop.example/a.jpg"}},
        ),
        ({"image": "media/a.jpg"}, {"type": "image", "image": {"path": "media/a.jpg"}}),
        (
            {"attachment": {"type": "image", "id": "1037543291543634"}},
            {"type": "image", "image": {"id": "1037543291543634"}},
        ),
        (
            {"attachment": {"type": "audio", "id": 1037543291543634}},
            {"type": "audio", "audio": {"id": "1037543291543634"}},
        ),
        (
            {"attachment": {"type": "video", "path": "media/a.mp4", "caption": "Look"}},
            {"type": "video", "video": {"path": "media/a.mp4", "caption": "Look"}},
        ),
        (
            {"attachment": {"type": "sticker", "link": "https://shop.example/s.webp"}},
            {"type": "sticker", "sticker": {"link": "https://shop.example/s.webp"}},
        ),
        (
            {"attachment": {"type": "file", "link": LINK, "filename": "Invoice.pdf"}},
            {"type": "document", "document": {"link": LINK, "filename": "Invoice.pdf"}},
        ),
        # a document has the name of its file, where nobody says another
        (
            {"attachment": {"type": "document", "link": LINK}},
            {"type": "document", "document": {"link": LINK, "filename": "a b.pdf"}},
        ),
        (
            {"attachment": {"type": "document", "path": "files/price list.xlsx"}},
            {
                "type": "document",
                "document": {"path": "files/price list.xlsx", "filename": "price list.xlsx"},
            },
        ),
        (
            {"attachment": {"type": "document", "link": "https://shop.example/download"}},
            {"type": "document", "document": {"link": "https://shop.example/download"}},
        ),
        # a file in the text itself, or in a store
        (
            {"attachment": {"path": "data:application/pdf;base64,JVBERi0x"}},
            {"type": "document", "document": {"path": "data:application/pdf;base64,JVBERi0x"}},
        ),
        (
            {"attachment": {"type": "document", "link": "s3://bucket/files/menu.pdf"}},
            {
                "type": "document",
                "document": {"path": "s3://bucket/files/menu.pdf", "filename": "menu.pdf"},
            },
        ),
        ({"image": "gs://bucket/i.png"}, {"type": "image", "image": {"path": "gs://bucket/i.png"}}),
        # the shapes of other channels
        (
            {"attachment": {"type": "video", "payload": {"src": "https://a.example/v.mp4"}}},
            {"type": "video", "video": {"link": "https://a.example/v.mp4"}},
        ),
        (
            {"attachment": {"type": "image", "payload": {"url": "media/i.png", "title": "Hi"}}},
            {"type": "image", "image": {"path": "media/i.png", "caption": "Hi"}},
        ),
        (
            {"attachment": {"type": "image", "payload": "https://a.example/i.png"}},
            {"type": "image", "image": {"link": "https://a.example/i.png"}},
        ),
        (
            {"attachment": {"type": "audio", "url": "https://a.example/v.mp3"}},
            {"type": "audio", "audio": {"link": "https://a.example/v.mp3"}},
        ),
        (
            {"attachment": {"type": "image", "src": "https://a.example/i.png"}},
            {"type": "image", "image": {"link": "https://a.example/i.png"}},
        ),
        (
            {"attachment": {"type": "image", "image": {"id": "1"}}},
            {"type": "image", "image": {"id": "1"}},
        ),
        (
            {"attachment": "https://a.example/song.ogg"},
            {"type": "audio", "audio": {"link": "https://a.example/song.ogg"}},
        ),
        # a voice note
        (
            {"attachment": {"type": "audio", "path": "song.ogg", "voice": True}},
            {"type": "audio", "audio": {"path": "song.ogg", "voice": True}},
        ),
        (
            {"attachment": {"type": "voice", "path": "song.ogg"}},
            {"type": "audio", "audio": {"path": "song.ogg", "voice": True}},
        ),
    ],
)
def test_every_form_of_a_medium_becomes_whatsapps(bodies, said, response, body):
    assert bodies(response) == [body]
    assert said(response) == {}


@pytest.mark.parametrize(
    ("attachment", "kind"),
    [
        ({"path": "a.JPG"}, "image"),
        ({"path": "a.webp"}, "sticker"),
        ({"path": "a.mp3"}, "audio"),
        ({"link": "https://a.example/v.3gp?x=.png"}, "video"),
        ({"path": "a.docx"}, "document"),
        ({"path": "a.csv"}, "document"),
        ({"path": "a.gif"}, "document"),
        ({"link": "https://a.example/1", "mime_type": "image/png"}, "image"),
        ({"link": "https://a.example/1", "type": "audio/ogg; codecs=opus"}, "audio"),
        ({"link": "https://a.example/1", "filename": "clip.mp4"}, "video"),
    ],
)
def test_without_a_type_the_mime_type_or_the_ending_tells_it(bodies, attachment, kind):
    assert [body["type"] for body in bodies({"attachment": attachment})] == [kind]


@pytest.mark.parametrize(
    "attachment",
    [
        {"link": "https://a.example/1"},
        {"id": "1"},
        {"type": "hologram", "link": "https://a.example"},
    ],
)
def test_what_nothing_tells_goes_as_a_document_and_that_is_said(bodies, said, attachment):
    assert [body["type"] for body in bodies({"attachment": attachment})] == ["document"]
    assert "goes as document" in said({"attachment": attachment})["WA205"].text


@pytest.mark.parametrize(
    ("attachment", "given"),
    [
        ({"type": "image", "id": "1", "link": "https://a.example/i.png"}, "id and link"),
        ({"type": "image", "id": "1", "path": "i.png"}, "id and path"),
        ({"type": "image", "link": "https://a.example/i.png", "url": "i.png"}, "link and url"),
    ],
)
def test_several_sources_are_refused_naming_the_response_and_what_to_write(
    bodies, said, attachment, given
):
    response = {"text": "Look", "attachment": attachment, "utter_action": "utter_look"}

    assert bodies(response) == [{"type": "text", "text": {"body": "Look"}}]
    change = said(response)["WA201"]
    assert change.lost
    assert str(change) == (
        f"utter_look: attachment needs exactly one of id, link and path, and has {given} "
        "together; not sent. Write only one of them, e.g. "
        "attachment: {type: image, link: …} [WA201]"
    )


@pytest.mark.parametrize(
    ("attachment", "code"),
    [
        ({"type": "image"}, "WA202"),
        ({"type": "image", "link": "media/i.png"}, "WA203"),
        ({"type": "image", "link": 5}, "WA203"),
        ({"type": "image", "path": "file:///etc/passwd"}, "WA204"),
        ("ftp://bucket/i.png", "WA204"),
        (5, "WA209"),
        ([{"type": "image"}], "WA202"),
    ],
)
def test_what_cannot_go_is_said_and_the_text_goes(bodies, said, attachment, code):
    response = {"text": "Look", "attachment": attachment}

    assert bodies(response) == [{"type": "text", "text": {"body": "Look"}}]
    assert said(response)[code].lost


def test_a_list_of_attachments_goes_in_its_order(bodies):
    attachments = ["a.jpg", "b.pdf", {"type": "audio", "path": "c.mp3"}]

    kinds = [body["type"] for body in bodies({"attachment": attachments})]

    assert kinds == ["image", "document", "audio"]


def test_an_image_that_is_the_attachment_too_goes_once(bodies):
    assert len(bodies({"image": "a.jpg", "attachment": "a.jpg"})) == 1


@pytest.mark.parametrize("provider", ["shop", {"name": "shop"}])
@pytest.mark.parametrize("prefix", ["", "shop/"])
def test_a_provider_goes_with_the_link_on_premises_only(bodies, said, provider, prefix):
    link = f"{prefix}https://shop.example/a.png"
    response = {"attachment": {"type": "image", "link": link, "provider": provider}}

    assert bodies(response, api="on_premises") == [
        {"type": "image", "image": {"link": link, "provider": {"name": "shop"}}}
    ]
    assert bodies(response) == [{"type": "image", "image": {"link": "https://shop.example/a.png"}}]
    assert "only at on_premises" in said(response)["WA208"].text


def test_on_premises_a_voice_note_is_plain_audio(bodies, said):
    response = {"attachment": {"type": "audio", "path": "a.ogg", "voice": True}}

    assert bodies(response, api="on_premises") == [{"type": "audio", "audio": {"path": "a.ogg"}}]
    assert said(response, api="on_premises") == {}


def test_a_caption_that_the_type_does_not_take_goes_as_text_before_it(bodies, said):
    response = {"attachment": {"type": "audio", "path": "a.mp3", "caption": "Listen"}}

    assert bodies(response) == [
        {"type": "text", "text": {"body": "Listen"}},
        {"type": "audio", "audio": {"path": "a.mp3"}},
    ]
    assert "type audio has none" in said(response)["WA206"].text


def test_a_caption_that_is_too_long_goes_as_text_before_it(bodies):
    response = {"attachment": {"type": "image", "path": "a.png", "caption": "a" * 1025}}

    assert [body["type"] for body in bodies(response)] == ["text", "image"]


def test_a_misspelt_key_is_said_with_the_nearest(said):
    change = said({"attachment": {"type": "image", "id": "1", "captoin": "Hi"}})["WA207"]

    assert change.text == "attachment.captoin is not used; did you mean caption?"


def test_a_long_file_name_keeps_its_ending(bodies, said):
    response = {"attachment": {"type": "document", "id": "1", "filename": "a" * 300 + ".pdf"}}

    (body,) = bodies(response)

    assert len(body["document"]["filename"]) == 240
    assert body["document"]["filename"].endswith("a….pdf")
    assert "WA210" in said(response)


def test_a_file_name_of_an_image_is_left_out(bodies, said):
    response = {"attachment": {"type": "image", "id": "1", "filename": "a.png"}}

    assert bodies(response) == [{"type": "image", "image": {"id": "1"}}]
    assert "WA211" in said(response)


def test_the_response_is_not_changed(bodies):
    response = {"attachment": {"type": "video", "payload": {"src": "a.mp4"}}, "custom": {"a": [1]}}
    before = repr(response)

    bodies(response)

    assert repr(response) == before
