"""Direct Send and marketing messages: what goes beside which message."""

import pytest

from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import find_doubts, find_unknown, parse

TEXT = {"type": "text", "text": {"body": "Your order 12345 left our store."}}
TEMPLATE = {"type": "template", "template": {"name": "offer", "language": {"code": "en"}}}
URL = {"type": "cta_url", "cta_url": {"display_text": "Track", "url": "https://example.com/t/1"}}


def reply(number=0):
    return {"type": "reply", "reply": {"id": f"r{number}", "title": f"Received {number}"}}


def buttons(*items, **beside):
    content = {"type": "button", "body": {"text": "On its way."}, "action": {"buttons": [*items]}}
    return {"type": "interactive", "interactive": content, **beside}


def voice_call(**beside):
    content = {
        "type": "voice_call",
        "header": {"type": "text", "text": "Your order"},
        "body": {"text": "Questions?"},
        "action": {"name": "voice_call"},
    }
    return {"type": "interactive", "interactive": content, **beside}


@pytest.mark.parametrize(
    "body",
    [
        {
            **TEXT,
            "category": "utility",
            "ttl_seconds": 600,
            "direct_send_config": {"template_name": "order_shipment_update"},
        },
        {**TEXT, "category": "UTILITY", "ttl_seconds": 43_200},
        {**TEXT, "category": "authentication", "ttl_seconds": 900},
        {**TEXT, "category": "service"},
        buttons(URL, reply(), category="utility"),
        buttons(URL, category="utility"),
        buttons(URL, URL, *map(reply, range(8)), category="utility"),
        voice_call(category="utility"),
        {**TEMPLATE, "product_policy": "CLOUD_API_FALLBACK", "message_activity_sharing": True},
        {**TEMPLATE, "product_policy": "STRICT"},
    ],
)
def test_what_is_documented_goes_as_it_is_without_a_word(body):
    message = parse(body)

    assert message.body() == body
    assert [*find_unknown(message, CLOUD), *find_doubts(message)] == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({**TEXT, "category": "marketing"}, "category: must be one of utility, authentication"),
        ({**TEMPLATE, "category": "utility"}, "category: utility takes text, cta_url, button"),
        (
            {"type": "image", "image": {"id": "1"}, "category": "utility"},
            "category: utility takes text, cta_url, button, voice_call, not image",
        ),
        ({**TEXT, "ttl_seconds": 600}, "ttl_seconds: goes only with category"),
        ({**TEXT, "category": "service", "ttl_seconds": 600}, "ttl_seconds: goes only with"),
        (
            {**TEXT, "category": "utility", "ttl_seconds": 29},
            "ttl_seconds: must be a whole number from 30 to 43200",
        ),
        (
            {**TEXT, "category": "authentication", "ttl_seconds": 901},
            "ttl_seconds: must be a whole number from 30 to 900",
        ),
        (
            {**TEXT, "category": "utility", "direct_send_config": {"template_name": "Order 1"}},
            "direct_send_config.template_name: takes a-z, 0-9 and _ only",
        ),
        (
            {**TEXT, "category": "authentication", "direct_send_config": {"template_name": "o"}},
            "direct_send_config.template_name: goes only with category: utility",
        ),
        (buttons(URL), "interactive.action.buttons[0].type: must be reply; others go only with"),
        (buttons(*map(reply, range(4))), "interactive.action.buttons: takes at most 3, has 4"),
        (
            buttons(*map(reply, range(11)), category="utility"),
            "interactive.action.buttons: takes at most 10, has 11",
        ),
        (
            buttons(URL, URL, URL, category="utility"),
            "interactive.action.buttons: takes at most 2 of type cta_url",
        ),
        (
            buttons(reply(), URL, category="utility"),
            "interactive.action.buttons: must begin with those of type cta_url",
        ),
        (
            buttons({"type": "cta_url", "cta_url": "https://example.com"}, category="utility"),
            "interactive.action.buttons[0].cta_url: must be an object, not a string",
        ),
        ({**TEXT, "product_policy": "STRICT"}, "product_policy: goes with templates only"),
        ({**TEMPLATE, "product_policy": True}, "product_policy: must be a string"),
        (
            {**TEMPLATE, "message_activity_sharing": "yes"},
            "message_activity_sharing: must be true or false, not a string",
        ),
    ],
)
def test_what_whatsapp_refuses_is_named_before_it_is_sent(body, problem):
    with pytest.raises(InvalidMessage) as caught:
        parse(body)

    assert problem in str(caught.value)


def test_a_policy_of_tomorrow_goes_with_a_warning():
    message = parse({**TEMPLATE, "product_policy": "MM_ONLY"})

    assert [doubt.place for doubt in find_unknown(message, CLOUD)] == ["product_policy"]
