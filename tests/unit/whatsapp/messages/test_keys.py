"""What this package does not know of a body goes out as it was written, and is named."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_transport import FakeTransport

from rasa_whatsapp_channel.whatsapp.apis import CLOUD, ON_PREMISES
from rasa_whatsapp_channel.whatsapp.clients import CloudClient
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import (
    find_doubts,
    find_unknown,
    parse,
    parse_outgoing,
    replace_media,
)
from rasa_whatsapp_channel.whatsapp.messages.base import Media

SAMPLES = json.loads(
    (Path(__file__).parents[3] / "samples" / "bodies" / "cloud.json").read_text(encoding="utf-8")
)
ENVELOPE = ("messaging_product", "recipient_type", "to")
BODIES = [
    {key: value for key, value in body.items() if key not in ENVELOPE} for body in SAMPLES.values()
]


def template(*components):
    content = {"name": "offer", "language": {"code": "en"}, "components": list(components)}
    return {"type": "template", "template": content}


def objects(value, path=()):
    """Yield the path of every object in *value*."""
    if isinstance(value, dict):
        yield path
        for key, item in value.items():
            yield from objects(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from objects(item, (*path, number))


PLACES = [(number, path) for number, body in enumerate(BODIES) for path in objects(body)]


@given(st.sampled_from(PLACES), st.none() | st.text(max_size=9) | st.lists(st.integers()))
def test_a_key_nobody_knows_stays_wherever_it_stands(place, value):
    number, path = place
    body = copy.deepcopy(BODIES[number])
    inner = body
    for step in path:
        inner = inner[step]
    inner["of_2027"] = value

    read = parse(body).body()

    for step in path:
        read = read[step]
    assert read["of_2027"] == value


@pytest.mark.parametrize("body", BODIES, ids=list(SAMPLES))
def test_a_documented_body_raises_no_doubt(body):
    message = parse(body)

    assert [*find_unknown(message, CLOUD), *find_doubts(message)] == []


@pytest.mark.parametrize(
    "body",
    [
        {"type": "text", "text": {"body": "a"}, "biz_opaque_callback_data": "order-17"},
        {"type": "text", "text": {"body": "a"}, "recipient_identity_key_hash": "DF2lS5v2W6x="},
        {"type": "text", "text": {"body": "a"}, "category": "utility"},
        {**template(), "message_activity_sharing": True, "product_policy": "STRICT"},
        {
            "type": "text",
            "text": {"body": "Your order 12345 left our store."},
            "category": "utility",
            "ttl_seconds": 600,
            "direct_send_config": {"template_name": "order_shipment_update"},
        },
        {"type": "pin", "pin": {"type": "pin", "message_id": "wamid.1", "expiration_days": 4}},
        template(
            {
                "type": "button",
                "sub_type": "voice_call",
                "parameters": [
                    {"type": "ttl_minutes", "ttl_minutes": 100},
                    {"type": "payload", "payload": "data"},
                ],
            }
        ),
        template(
            {
                "type": "tap_target_configuration",
                "parameters": [
                    {
                        "type": "tap_target_configuration",
                        "tap_target_configuration": [
                            {"url": "https://a.example", "title": "Offer"}
                        ],
                    }
                ],
            }
        ),
        template(
            {
                "type": "body",
                "parameters": [{"type": "text", "text": "a", "payment_link_preview": True}],
            }
        ),
    ],
)
def test_what_the_cloud_api_documents_goes_unchanged_without_a_word(body):
    message = parse(body)
    expected = copy.deepcopy(body)
    if not expected.get("template", {}).get("components", True):
        del expected["template"]["components"]

    assert message.body() == expected
    assert [*find_unknown(message, CLOUD), *find_doubts(message)] == []


def test_a_key_of_the_cloud_api_is_named_where_the_api_is_another():
    message = parse({"type": "text", "text": {"body": "a"}, "category": "utility"})

    assert [doubt.place for doubt in find_unknown(message, ON_PREMISES)] == ["category"]


@pytest.mark.parametrize(
    ("body", "place", "problem"),
    [
        (
            {
                "type": "interactive",
                "interactive": {
                    "type": "list",
                    "body": {"text": "?"},
                    "action": {
                        "button": "Choose",
                        "sections": [{"rows": [{"id": "a", "title": "A", "descripton": "typo"}]}],
                    },
                },
            },
            "interactive.action.sections[0].rows[0].descripton",
            "did you mean 'description'?",
        ),
        ({"type": "poll", "poll": {"q": 1}}, "type", "no type 'poll' is known"),
        ({"type": "imagee", "imagee": {"id": "1"}}, "type", "did you mean 'image'?"),
        (
            {"type": "interactive", "interactive": {"type": "buton", "action": {}}},
            "interactive.type",
            "did you mean 'button'?",
        ),
        (
            {"type": "interactive", "interactive": {"type": "BUTTON", "action": {}}},
            "interactive.type",
            "did you mean 'button'?",
        ),
        (template({"type": "bodi"}), "template.components[0].type", "did you mean 'body'?"),
        (
            {"type": "image", "image": {"id": "1", "x" * 100_000: 1}},
            "image." + "x" * 63 + "…",
            "is not known there",
        ),
    ],
)
def test_what_is_not_known_is_named_with_what_it_may_be(body, place, problem):
    message = parse(body)

    (doubt,) = find_unknown(message, CLOUD)
    assert doubt.place == place
    assert problem in doubt.problem


def test_a_type_that_only_the_cloud_api_has_is_named():
    call = {"type": "voice_call", "body": {"text": "?"}, "action": {"name": "voice_call"}}
    message = parse({"type": "interactive", "interactive": call})

    (doubt,) = find_unknown(message, ON_PREMISES)
    assert doubt.problem.endswith("for api on_premises; the Cloud API has it")
    assert list(find_unknown(message, CLOUD)) == []


@pytest.mark.parametrize("length", [21, 30])
def test_where_two_limits_are_documented_the_message_goes(length):
    flow = {
        "type": "flow",
        "body": {"text": "Book"},
        "action": {
            "name": "flow",
            "parameters": {
                "flow_message_version": "3",
                "flow_id": "1",
                "flow_cta": "c" * length,
            },
        },
    }

    (doubt,) = find_doubts(parse({"type": "interactive", "interactive": flow}))
    assert "another only 20" in doubt.problem


def test_what_stood_below_something_that_is_gone_goes_with_it():
    provider = {"name": "p", "region": "eu"}
    body = {"type": "image", "image": {"link": "https://a.example/a.png", "provider": provider}}
    message = parse(body)

    uploaded = replace_media(message, {message.media: Media(id="1")})

    assert uploaded.body() == {"type": "image", "image": {"id": "1"}}


def test_a_quote_keeps_its_keys_on_its_way():
    body = {
        "type": "text",
        "text": {"body": "a"},
        "context": {"message_id": "wamid.1", "of_2027": True},
    }
    outgoing = parse_outgoing(body)

    assert parse_outgoing(outgoing.body()).body() == body


def test_the_authors_own_callback_data_is_not_overwritten():
    """Something else of the bot's owner may wait for it."""
    client = CloudClient(FakeTransport(), phone_number_id="106540352242922", access_token="t")
    body = {"type": "text", "text": {"body": "a"}, "biz_opaque_callback_data": "order-17"}

    sent = client.body("16505551234", parse(body), callback_data="wamid.1:0")

    assert sent["biz_opaque_callback_data"] == "order-17"


def test_a_part_that_stands_beside_its_message_is_told():
    body = {
        "type": "interactive",
        "interactive": {"type": "cta_url"},
        "action": {"name": "cta_url"},
    }

    with pytest.raises(InvalidMessage, match="there is action beside interactive"):
        parse(body)
