"""Reading whole bodies: the envelope, the type, and whatever else may come."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import Outgoing, Text, parse, parse_outgoing

HELLO = {"type": "text", "text": {"body": "Hello"}}


@pytest.mark.parametrize(
    "body",
    [
        HELLO,
        {"text": {"body": "Hello"}},  # the type may be left out, it says nothing new
        {"messaging_product": "whatsapp", "recipient_type": "individual", "to": "1", **HELLO},
        {"messaging_product": "whatsapp", "recipient": "US.1", **HELLO},
        {**HELLO, "context": {"message_id": "wamid.1"}},
        {**HELLO, "preview_url": False},
    ],
)
def test_the_envelope_is_not_part_of_the_message(body):
    assert parse(body) == Text("Hello")


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({}, "type", "is missing; WhatsApp knows text, image, document"),
        ({"type": "txt", "text": {}}, "type", "WhatsApp knows no 'txt'; did you mean 'text'?"),
        ({"type": "contact", "contacts": []}, "type", "did you mean 'contacts'?"),
        ({"type": "pin", "pin": None}, "pin", "is missing; the type says pin"),
        ({"type": "to", "to": "49"}, "type", "WhatsApp knows no 'to'"),
        ({"type": ["text"]}, "type", "WhatsApp knows no"),
        ({"type": "image"}, "image", "is missing; the type says image"),
        ({"text": {"body": "a"}, "image": {"id": "1"}}, "type", "is missing"),
        ({**HELLO, "image": {"id": "1"}}, "image", "a body of its own; the type here says text"),
        ({"type": "text", "tekst": {}}, "text", "is missing; the type says text"),
        ([], "message", "must be an object, not a list"),
        (None, "message", "must be an object, not nothing"),
    ],
)
def test_a_body_without_one_clear_type_is_refused(body, field, words):
    with pytest.raises(InvalidMessage) as caught:
        parse(body)

    assert caught.value.field == field
    assert words in caught.value.problem


def test_a_body_with_a_context_quotes_a_message():
    quoting = {**HELLO, "context": {"message_id": "wamid.1"}}

    assert parse_outgoing(quoting) == Outgoing(Text("Hello"), reply_to="wamid.1")
    assert parse_outgoing(HELLO) == Outgoing(Text("Hello"))
    assert parse_outgoing(Outgoing(Text("Hello"), reply_to="wamid.1").body()).reply_to == "wamid.1"


@pytest.mark.parametrize(
    ("context", "field"),
    [
        ("wamid.1", "context"),
        ({"id": "wamid.1"}, "context.message_id"),
        ({"message_id": 5}, "context.message_id"),
    ],
)
def test_a_context_of_another_shape_is_refused(context, field):
    with pytest.raises(InvalidMessage) as caught:
        parse_outgoing({**HELLO, "context": context})

    assert caught.value.field == field


# Words that mean something somewhere, so that chance leads deep into the reading.
_KEYS = """
type text image document audio video sticker location contacts reaction interactive template to
recipient context preview_url body caption filename voice id link path provider name latitude
longitude formatted_name first_name phones org birthday message_id emoji header footer action
buttons reply title button sections rows description parameters display_text url flow_cta flow_id
flow_message_version catalog_id product_retailer_id product_items cards quick_reply card_index
language code policy components namespace sub_type index payload parameter_name currency
"""
_KINDS = """
button list cta_url carousel product product_list catalog_message flow location_request_message
reply quick_reply send_location whatsapp individual 3 https://a.example
"""
KEYS, KINDS = _KEYS.split(), _KINDS.split()
keys = st.sampled_from(KEYS)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from([*KEYS, *KINDS])
    | st.text(max_size=9)
)
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=25,
)
interactives = st.fixed_dictionaries(
    {"type": st.sampled_from(KINDS)},
    optional={
        "header": anything,
        "body": st.just({"text": "?"}) | anything,
        "footer": anything,
        "action": st.dictionaries(keys, anything, max_size=5),
    },
)
templates = st.fixed_dictionaries(
    {"name": st.just("offer"), "language": st.just("en")},
    optional={"components": st.lists(st.dictionaries(keys, anything, max_size=5), max_size=3)},
)


@given(
    anything
    | st.fixed_dictionaries({"type": keys}, optional=dict.fromkeys(KEYS[1:12], anything))
    | interactives.map(lambda value: {"type": "interactive", "interactive": value})
    | templates.map(lambda value: {"type": "template", "template": value})
)
@example({"type": "location", "location": {"latitude": 10**400, "longitude": 0}})
@example({"type": {"type": "text"}})
@example({"type": "template", "template": {"name": "a", "language": "b", "components": [[]]}})
def test_whatever_is_written_is_a_message_or_is_refused(body):
    message = read(body)

    assert message is None or parse(message.body()) == message


def read(body):
    try:
        return parse(body)
    except InvalidMessage:
        return None
