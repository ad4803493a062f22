"""Text, location, contacts and reactions: what is taken, what is refused, and with which words."""

import pytest

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import Contacts, Location, Reaction, Text, parse

ADA = {"name": {"formatted_name": "Ada Lovelace", "first_name": "Ada"}}


def text(**content):
    return {"type": "text", "text": content}


def location(**content):
    return {"type": "location", "location": content}


def contacts(*cards):
    return {"type": "contacts", "contacts": list(cards)}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (text(body="Hello"), Text("Hello")),
        (text(body="x" * 4096), Text("x" * 4096)),
        # one code point outside the first plane counts once
        (text(body="👋" * 4096), Text("👋" * 4096)),
        (text(body="https://a.b", preview_url=True), Text("https://a.b", preview_url=True)),
        (
            {**text(body="https://a.b"), "preview_url": True},  # on-premises
            Text("https://a.b", preview_url=True),
        ),
        (text(body="Hello", preview_url=False), Text("Hello")),
        (location(latitude=48.85, longitude=2.35), Location(48.85, 2.35)),
        (location(latitude="48.85", longitude="-2.35"), Location(48.85, -2.35)),
        (location(latitude=-90, longitude=180), Location(-90.0, 180.0)),
        (
            location(latitude=0, longitude=0, name="Null Island", address="Gulf of Guinea"),
            Location(0.0, 0.0, "Null Island", "Gulf of Guinea"),
        ),
        (contacts(ADA), Contacts((ADA,))),
        (contacts(*[ADA] * 257), Contacts((ADA,) * 257)),
        (
            {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": "👍"}},
            Reaction("wamid.1", "👍"),
        ),
        ({"type": "reaction", "reaction": {"message_id": "wamid.1"}}, Reaction("wamid.1", "")),
    ],
)
def test_what_whatsapp_takes(body, message):
    assert parse(body) == message


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        (text(), "text.body", "must be a string, not nothing"),
        (text(body=""), "text.body", "must not be empty"),
        (text(body=" \n\t"), "text.body", "must not be empty"),
        (text(body=5), "text.body", "must be a string, not a number"),
        (text(body=["Hello"]), "text.body", "must be a string, not a list"),
        (text(body="x" * 4097), "text.body", "has 4097 characters; WhatsApp takes at most 4096"),
        (text(body="Hello", preview_url="yes"), "text.preview_url", "must be true or false"),
        (text(bodi="Hello"), "text.body", "there is text.bodi: did you mean 'body'?"),
        (text(text="Hello"), "text.body", "must be a string, not nothing"),
        ({"type": "text", "text": "Hello"}, "text", "must be an object, not a string"),
        ({"type": "text"}, "text", "is missing"),
        (location(longitude=2.35), "location.latitude", "must be a number, not nothing"),
        (location(latitude=90.001, longitude=0), "location.latitude", "between -90 and 90"),
        (location(latitude=0, longitude=-180.5), "location.longitude", "between -180 and 180"),
        (location(latitude="north", longitude=0), "location.latitude", "must be a number"),
        (location(latitude=True, longitude=0), "location.latitude", "not true or false"),
        (location(latitude=float("nan"), longitude=0), "location.latitude", "between"),
        (location(latitude=10**400, longitude=0), "location.latitude", "must be a number"),
        (location(latitude=0, longitude=0, name=5), "location.name", "must be a string"),
        (location(latitud=0, longitude=0), "location.latitude", "did you mean 'latitude'?"),
        (contacts(), "contacts", "needs at least 1, has 0"),
        (contacts(*[ADA] * 258), "contacts", "takes at most 257, has 258"),
        (contacts({}), "contacts[0].name", "must be an object, not nothing"),
        (contacts(ADA, "Ada"), "contacts[1]", "must be an object, not a string"),
        (
            contacts({"name": {"first_name": "Ada"}}),
            "contacts[0].name.formatted_name",
            "must be a string",
        ),
        (
            contacts({"name": {"formatted_name": "Ada"}}),
            "contacts[0].name",
            "at least one of first_name, last_name",
        ),
        (contacts({**ADA, "phones": "+44"}), "contacts[0].phones", "must be a list"),
        (contacts({**ADA, "phones": ["+44"]}), "contacts[0].phones[0]", "must be an object"),
        (contacts({**ADA, "org": "Analytical"}), "contacts[0].org", "must be an object"),
        (contacts({**ADA, "birthday": "10.12.1815"}), "contacts[0].birthday", "YYYY-MM-DD"),
        ({"type": "contacts", "contacts": ADA}, "contacts", "must be a list, not an object"),
        (
            {"type": "reaction", "reaction": {"emoji": "👍"}},
            "reaction.message_id",
            "must be a string, not nothing",
        ),
        (
            {"type": "reaction", "reaction": {"message_id": "wamid.1", "emoji": None}},
            "reaction.emoji",
            "must be a string",
        ),
    ],
)
def test_what_whatsapp_refuses(body, field, words):
    with pytest.raises(InvalidMessage) as caught:
        parse(body)

    assert caught.value.field == field
    assert words in caught.value.problem
    assert str(caught.value) == f"{field}: {caught.value.problem}"


def test_a_limit_is_told_as_a_number():
    with pytest.raises(InvalidMessage) as caught:
        Text("x" * 4097)

    assert caught.value.limit == 4096


def test_empty_words_beside_a_pin_are_left_out():
    assert Location(1.0, 2.0, "", "").body()["location"] == {"latitude": 1.0, "longitude": 2.0}
