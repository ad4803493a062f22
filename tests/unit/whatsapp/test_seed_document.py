"""
The JSON of Meta's page "Sending Media Messages", taken and refused as its words say.

https://developers.facebook.com/docs/whatsapp/api/messages/media

The page shows one sample with all objects in it "for illustration purposes only. A valid request
body contains only one of them". Its placeholders are kept; where one cannot be a value
("http(s)://*the-url*"), the nearest value stands in its place.
"""

import json

import pytest
from support.fake_transport import FakeTransport, answer

from rasa_whatsapp_channel.whatsapp.apis import ON_PREMISES
from rasa_whatsapp_channel.whatsapp.clients import OnPremisesClient
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import (
    Audio,
    Document,
    Image,
    Media,
    Sticker,
    Video,
    find_unknown,
    parse,
)

LOGIN = answer({"users": [{"token": "eyJ", "expires_after": "2999-01-01 00:00:00+00:00"}]})

# kind, the object as printed, the message it is
OBJECTS = [
    ("audio", '{"id":"your-media-id"}', Audio(Media(id="your-media-id"))),
    (
        "document",
        '{"id":"your-media-id","filename":"your-document-filename"}',
        Document(Media(id="your-media-id"), filename="your-document-filename"),
    ),
    (
        "document",
        '{"link":"the-provider-name/https://the-url","provider":{"name":"provider-name"}}',
        Document(Media(link="the-provider-name/https://the-url", provider="provider-name")),
    ),
    (
        "document",
        '{"link":"https://the-url.pdf"}',
        Document(Media(link="https://the-url.pdf")),
    ),
    (
        "document",
        '{"link":"http://the-url.pdf"}',
        Document(Media(link="http://the-url.pdf")),
    ),
    ("video", '{"id":"your-media-id"}', Video(Media(id="your-media-id"))),
    (
        "image",
        '{"link":"https://the-url","provider":{"name":"provider-name"}}',
        Image(Media(link="https://the-url", provider="provider-name")),
    ),
    ("image", '{"id":"your-media-id"}', Image(Media(id="your-media-id"))),
    ("sticker", '{"id":"your-media-id"}', Sticker(Media(id="your-media-id"))),
    (
        "sticker",
        '{"link":"https://the-url","provider":{"name":"provider-name"}}',
        Sticker(Media(link="https://the-url", provider="provider-name")),
    ),
]


def client_of(transport):
    return OnPremisesClient(
        transport, base_url="https://your-host", username="admin", password="password"
    )


def in_envelope(**objects):
    (kind, *_) = objects
    return {"recipient_type": "individual", "to": "whatsapp-id", "type": kind, **objects}


@pytest.mark.parametrize(("kind", "printed", "message"), OBJECTS)
async def test_each_object_of_the_sample_is_sent_just_as_it_is_printed(kind, printed, message):
    transport = FakeTransport(LOGIN, answer({"messages": [{"id": "gBEG"}]}))

    await client_of(transport).send("whatsapp-id", message)

    request = transport.requests[-1]
    assert (request.method, request.url) == ("POST", "https://your-host/v1/messages")
    assert request.body.decode() == (
        f'{{"recipient_type":"individual","to":"whatsapp-id","type":"{kind}","{kind}":{printed}}}'
    )


@pytest.mark.parametrize(("kind", "printed", "message"), OBJECTS)
def test_each_object_of_the_sample_is_read_as_the_message_it_is(kind, printed, message):
    assert parse(in_envelope(**{kind: json.loads(printed)})) == message


def test_the_sample_with_all_its_objects_is_no_valid_body():
    sample = in_envelope(
        audio={"id": "your-media-id"},
        document={"link": "https://the-url.pdf"},
        video={"id": "your-media-id"},
        image={"id": "your-media-id"},
        sticker={"id": "your-media-id"},
    )

    with pytest.raises(InvalidMessage, match="goes into a body of its own; the type here says"):
        parse(sample)


@pytest.mark.parametrize("kind", ["audio", "document", "image", "sticker", "video"])
def test_either_id_or_link_but_not_at_the_same_time(kind):
    both = {"id": "your-media-id", "link": "https://the-url"}

    with pytest.raises(InvalidMessage, match=f"^{kind}: .* has id and link together$"):
        parse(in_envelope(**{kind: both}))


@pytest.mark.parametrize("kind", ["audio", "document", "image", "sticker", "video"])
def test_one_of_id_and_link_is_required(kind):
    with pytest.raises(InvalidMessage, match="needs exactly one of id, link"):
        parse(in_envelope(**{kind: {}}))


@pytest.mark.parametrize("link", ["ftp://the-url", "the-url.pdf", "protocol://the-url"])
def test_only_http_links_are_supported(link):
    with pytest.raises(InvalidMessage, match="must begin with http:// or https://"):
        parse(in_envelope(document={"link": link}))


def test_a_provider_goes_only_with_a_link():
    with pytest.raises(InvalidMessage, match="goes only with a link"):
        parse(in_envelope(image={"id": "your-media-id", "provider": {"name": "provider-name"}}))


def test_the_type_contact_is_a_slip_of_the_page():
    """Object and type are `contacts` everywhere else."""
    message = parse(in_envelope(contact={"name": {}}))

    assert [doubt.problem for doubt in find_unknown(message, ON_PREMISES)] == [
        "no type 'contact' is known for api on_premises; did you mean 'contacts'?"
    ]


async def test_the_successful_response_has_a_message_id():
    response = b'{  "messages":  [{  "id":  "gBEGkYiEB1VXAglK1ZEqA1YKPrU"  }]  }'
    client = client_of(FakeTransport(LOGIN, answer(response)))

    message_id = (await client.send("whatsapp-id", Image(Media(id="your-media-id")))).message_id

    assert message_id == "gBEGkYiEB1VXAglK1ZEqA1YKPrU"
