"""Documents have names wherever they come from, and files go as what they are inside."""

from __future__ import annotations

import logging

import pytest
from support.uploads import GIF, JPEG, MP4, OPUS, PDF, PNG, STICKER, Uploader, Web, put

from rasa_whatsapp_channel.media.files import kind_inside
from rasa_whatsapp_channel.media.links import Links
from rasa_whatsapp_channel.media.uploads import MediaUploads
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, ON_PREMISES
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.messages import (
    Audio,
    Button,
    Component,
    Document,
    Header,
    Image,
    Media,
    Parameter,
    ReplyButtons,
    Template,
    Video,
    parse,
)

LINK = "https://shop.example/docs/Rechnung%20M%C3%A4rz.pdf?sig=a%2Fb.exe"
NAME = "Rechnung März.pdf"


@pytest.fixture
def bot(tmp_path):
    (tmp_path / "bot" / "media").mkdir(parents=True)
    return tmp_path / "bot"


@pytest.fixture
async def make(bot):
    store = open_store("memory:")
    await store.open()

    def make(client):
        links = Links(Web(), private=True)
        return MediaUploads(client, store.values, root=bot, account="1065", links=links)

    yield make
    await store.close()


def above_buttons(media, kind="document"):
    return ReplyButtons("Sign?", Header(kind, media=media), buttons=(Button("/y", "Yes"),))


def template(media):
    header = Component("header", (Parameter("document", media),))
    card = (Component("header", (Parameter("document", media),)),)
    return Template("offer", "en", (header, Component("carousel", cards=(card, card))))


def documents(value):
    """Yield every document object in a body."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "document" and isinstance(item, dict):
                yield item
            yield from documents(item)
    elif isinstance(value, list):
        for item in value:
            yield from documents(item)


@pytest.mark.parametrize("wrap", [Document, above_buttons, template])
async def test_a_document_behind_a_link_has_the_name_at_its_end(make, wrap):
    sent = await make(Uploader()).prepare(wrap(Media(link=LINK)))

    found = list(documents(sent.body()))
    assert found
    assert all(item == {"link": LINK, "filename": NAME} for item in found)


@pytest.mark.parametrize("wrap", [Document, above_buttons, template])
async def test_a_document_beside_the_bot_has_the_name_of_its_file(bot, make, wrap):
    sent = await make(Uploader()).prepare(wrap(put(bot, "guide.pdf", PDF)))

    found = list(documents(sent.body()))
    assert found
    assert all(item == {"id": "id1", "filename": "guide.pdf"} for item in found)


async def test_a_name_that_was_given_stays(make):
    document = Document(Media(link=LINK), filename="Invoice.pdf")

    assert await make(Uploader()).prepare(document) is document


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("https://a.example/download", None),
        ("https://a.example/", None),
        ("https://a.example/.pdf", None),
        ("https://a.example/a%2Fb%2F..%2Fc.pdf", "c.pdf"),
        ("https://a.example/a%00b%0Ac%E2%80%AE.pdf", "a_b_c_.pdf"),
        ("https://a.example/" + "x" * 500 + ".pdf", "x" * 76 + ".pdf"),
        ("https://a.example/%FF%FE.pdf", "\ufffd\ufffd.pdf"),
    ],
)
async def test_the_name_from_a_link_is_safe_to_be_shown(make, link, name):
    sent = await make(Uploader()).prepare(Document(Media(link=link)))

    assert sent.filename == name


async def test_what_is_not_known_of_a_body_stays_beside_the_name(make):
    body = {"type": "document", "document": {"link": LINK, "of_2027": 1}, "of_2028": "x"}

    sent = await make(Uploader()).prepare(parse(body))

    assert sent.body() == {**body, "document": {**body["document"], "filename": NAME}}


@pytest.mark.parametrize(
    ("message", "content", "kind"),
    [
        (Document, JPEG, Image),
        (Document, PNG, Image),
        (Document, MP4, Video),
        (Document, OPUS, Audio),
        (Image, MP4, Video),
        (Image, OPUS, Audio),
        (Video, JPEG, Image),
        (Video, OPUS, Audio),
        (Audio, PNG, Image),
    ],
)
async def test_a_file_goes_as_what_it_is_inside(bot, make, caplog, message, content, kind):
    client = Uploader()

    with caplog.at_level(logging.WARNING):
        sent = await make(client).prepare(message(put(bot, "strange.xyz", content)))

    assert sent == kind(Media(id="id1"))
    assert "whatsapp.other_kind: media/strange.xyz: is " in caplog.text


@pytest.mark.parametrize("message", [Image, Video, Audio])
async def test_a_pdf_with_a_wrong_ending_is_a_document_with_the_right_one(bot, make, message):
    client = Uploader()
    uploads = make(client)

    for _ in range(2):  # also when it was uploaded before
        sent = await uploads.prepare(message(put(bot, "scan.jpg", PDF)))

        assert sent == Document(Media(id="id1"), filename="scan.pdf")
    (file,) = client.files
    assert (file.mime_type, file.filename) == ("application/pdf", "scan.pdf")


async def test_the_caption_goes_along(bot, make):
    sent = await make(Uploader()).prepare(Document(put(bot, "a.xyz", JPEG), caption="The lake"))

    assert sent == Image(Media(id="id1"), caption="The lake")


async def test_a_caption_is_worth_more_than_the_right_kind(bot, make):
    """A sound has none."""
    sent = await make(Uploader()).prepare(Document(put(bot, "a.xyz", OPUS), caption="Listen"))

    assert sent == Document(Media(id="id1"), caption="Listen", filename="a.xyz")


async def test_where_documents_may_be_anything_they_stay_documents(bot, make):
    sent = await make(Uploader(ON_PREMISES)).prepare(Document(put(bot, "a.xyz", JPEG)))

    assert sent == Document(Media(id="id1"), filename="a.xyz")


async def test_a_header_keeps_its_kind(bot, make):
    with pytest.raises(MediaError, match="is application/pdf; WhatsApp takes"):
        await make(Uploader()).prepare(above_buttons(put(bot, "scan.jpg", PDF), "image"))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("video", GIF),
        ("image", STICKER),
        ("sticker", JPEG),
        ("audio", MP4),
        ("document", STICKER),
        ("document", GIF),
        ("document", b"a;b"),
        ("image", b"a;b"),
        ("image", b""),
    ],
)
def test_what_can_be_made_to_fit_or_is_not_known_keeps_its_kind(kind, content):
    assert kind_inside(content, kind, CLOUD) == kind
