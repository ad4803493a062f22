"""Image, document, audio, video and sticker: one source, and only the extras their type has."""

import pytest

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import (
    Audio,
    Component,
    Document,
    Image,
    Media,
    Parameter,
    Sticker,
    Template,
    Text,
    Video,
    find_media,
    parse,
    replace_media,
)

LINK = "https://shop.example/file"
KINDS = {"image": Image, "document": Document, "audio": Audio, "video": Video, "sticker": Sticker}
every_kind = pytest.mark.parametrize(("kind", "cls"), KINDS.items())


def body(kind, **content):
    return {"type": kind, kind: content}


@every_kind
@pytest.mark.parametrize(
    ("source", "media"),
    [
        ({"id": "1037543291543634"}, Media(id="1037543291543634")),
        ({"id": 1037543291543634}, Media(id="1037543291543634")),  # YAML without quotes
        ({"link": LINK}, Media(link=LINK)),
        ({"link": "HTTP://shop.example"}, Media(link="HTTP://shop.example")),
        ({"path": "media/file"}, Media(path="media/file")),
        ({"link": LINK, "provider": {"name": "shop"}}, Media(link=LINK, provider="shop")),
        ({"link": LINK, "provider": "shop"}, Media(link=LINK, provider="shop")),
        (
            {"link": f"shop/{LINK}", "provider": {"name": "shop"}},
            Media(link=f"shop/{LINK}", provider="shop"),
        ),
        ({"link": LINK, "provider": None}, Media(link=LINK)),
    ],
)
def test_a_file_has_one_source(kind, cls, source, media):
    assert parse(body(kind, **source)) == cls(media)


@every_kind
@pytest.mark.parametrize(
    ("source", "field", "words"),
    [
        ({}, "", "needs exactly one of id, link and path, and has none of them"),
        ({"id": "1", "link": LINK}, "", "has id and link together"),
        ({"id": "1", "path": "x"}, "", "has id and path together"),
        ({"link": LINK, "path": "x"}, "", "has link and path together"),
        ({"id": "1", "link": LINK, "path": "x"}, "", "has id and link and path together"),
        ({"id": ""}, ".id", "must not be empty"),
        ({"id": True}, ".id", "must be a string, not true or false"),
        ({"id": ["1"]}, ".id", "must be a string, not a list"),
        ({"link": ""}, ".link", "must not be empty"),
        ({"link": "ftp://shop.example/x"}, ".link", "must begin with http:// or https://"),
        ({"link": "shop.example/x"}, ".link", "must begin with http:// or https://"),
        ({"link": "file:///etc/passwd"}, ".link", "must begin with http:// or https://"),
        ({"link": "https://"}, ".link", "names a host that cannot be"),
        ({"link": "https://a b.example/x"}, ".link", "names a host that cannot be"),
        ({"link": "https://shop.example/São Paulo.png"}, ".link", "S%C3%A3o%20Paulo.png"),
        ({"link": "https://shop.example/a\nb"}, ".link", "which no address may"),
        ({"link": " https://shop.example/a"}, ".link", "is no URI; write 'https://shop"),
        ({"link": f"shop/{LINK}"}, ".link", "must begin with http:// or https://"),
        ({"link": 5}, ".link", "must be a string"),
        ({"path": ""}, ".path", "must not be empty"),
        ({"id": "1", "provider": {"name": "shop"}}, ".provider", "goes only with a link"),
        ({"path": "x", "provider": {"name": "shop"}}, ".provider", "goes only with a link"),
        ({"link": LINK, "provider": {}}, ".provider.name", "is missing"),
        ({"link": LINK, "provider": {"name": ""}}, ".provider.name", "must not be empty"),
        ({"link": LINK, "provider": ["shop"]}, ".provider.name", "must be a string"),
        ({"lnk": LINK}, "", "lnk: did you mean 'link'?"),
    ],
)
def test_a_source_that_is_none_is_refused(kind, cls, source, field, words):
    with pytest.raises(InvalidMessage) as caught:
        parse(body(kind, **source))

    assert caught.value.field == f"{kind}{field}"
    assert words in caught.value.problem


@pytest.mark.parametrize("kind", ["image", "video", "document"])
def test_a_caption_of_1024_characters_fits(kind):
    assert parse(body(kind, id="1", caption="c" * 1024)).caption == "c" * 1024


@pytest.mark.parametrize("kind", ["image", "video", "document"])
def test_a_caption_of_1025_characters_does_not(kind):
    with pytest.raises(InvalidMessage, match="1025 characters; WhatsApp takes at most 1024"):
        parse(body(kind, id="1", caption="c" * 1025))


@pytest.mark.parametrize(
    ("kind", "extra"),
    [
        ("audio", {"caption": "c"}),
        ("sticker", {"caption": "c"}),
        ("image", {"filename": "f.png"}),
        ("audio", {"filename": "f.ogg"}),
        ("video", {"filename": "f.mp4"}),
        ("sticker", {"filename": "f.webp"}),
        ("image", {"voice": True}),
        ("document", {"voice": True}),
    ],
)
def test_an_extra_that_the_type_does_not_have_is_refused(kind, extra):
    (name,) = extra

    with pytest.raises(InvalidMessage, match=f"{kind}.{name}: WhatsApp knows no {name} for type"):
        parse(body(kind, id="1", **extra))


@pytest.mark.parametrize(
    ("kind", "extra", "field"),
    [
        ("image", {"caption": 5}, "image.caption"),
        ("document", {"filename": ["f"]}, "document.filename"),
        ("document", {"filename": "f" * 241}, "document.filename"),
        ("audio", {"voice": "yes"}, "audio.voice"),
    ],
)
def test_an_extra_of_the_wrong_kind_is_refused(kind, extra, field):
    with pytest.raises(InvalidMessage) as caught:
        parse(body(kind, id="1", **extra))

    assert caught.value.field == field


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_extra_is_none(empty):
    assert parse(body("document", id="1", caption=empty, filename=empty)) == Document(Media(id="1"))
    assert parse(body("audio", id="1", voice=False)) == Audio(Media(id="1"))


def test_the_media_of_a_message_are_found_and_replaced():
    message = Image(Media(path="media/offer.jpg"), caption="Our offer")

    (media,) = find_media(message)
    sent = replace_media(message, {media: Media(id="42")})

    assert sent == Image(Media(id="42"), caption="Our offer")
    assert replace_media(sent, {media: Media(id="43")}) is sent


def test_the_media_of_a_template_are_found_and_replaced_wherever_they_are():
    path = Media(path="media/offer.jpg")
    card = (Component("header", (Parameter("image", path),)),)
    template = Template("offer", "en", (*card, Component("carousel", cards=(card, card))))

    sent = replace_media(template, {path: Media(id="42")})

    assert list(find_media(template)) == [path] * 3
    assert list(find_media(sent)) == [Media(id="42")] * 3


def test_a_message_without_media_is_left_alone():
    message = Text("Hello")

    assert list(find_media(message)) == []
    assert replace_media(message, {Media(id="1"): Media(id="2")}) is message
