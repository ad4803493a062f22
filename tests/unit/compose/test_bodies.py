"""
Responses become the bodies of the platform's pages: tests/samples/bodies/<api>.json.

What a response has no words for is written as WhatsApp's own body below `custom`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.fake_transport import FakeTransport

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.clients import (
    CloudClient,
    Dialog360Client,
    OnPremisesClient,
    TurnClient,
)

CLIENTS = {
    "cloud": CloudClient(FakeTransport(), phone_number_id="106540352242922", access_token="t"),
    "360dialog": Dialog360Client(FakeTransport(), access_token="t"),
    "on_premises": OnPremisesClient(
        FakeTransport(), base_url="https://wa.example:9090", username="u", password="p"
    ),
    "turn": TurnClient(FakeTransport(), access_token="t"),
}
FILES = {"cloud": "cloud", "360dialog": "cloud", "on_premises": "on_premises", "turn": "turn"}
FOLDER = Path(__file__).parents[2] / "samples" / "bodies"
SAMPLES = {
    api: json.loads((FOLDER / f"{file}.json").read_text(encoding="utf-8"))
    for api, file in FILES.items()
}

OFFER = "https://shop.example/offer.jpg"


def whatsapp(**style):
    return {"whatsapp": style}


RESPONSES = {
    "text": {"text": "Hello 👋"},
    "text_with_preview": {
        "text": "Look: https://shop.example/offer",
        "metadata": whatsapp(preview_url=True),
    },
    "image_by_link": {"text": "Our offer", "image": OFFER},
    "image_by_link_with_provider": {
        "attachment": {"type": "image", "link": OFFER, "provider": {"name": "shop"}}
    },
    "image_by_id": {"attachment": {"type": "image", "id": "1037543291543634"}},
    "document": {
        "text": "Your invoice",
        "attachment": {"type": "document", "id": "1037543291543635", "filename": "invoice.pdf"},
    },
    "audio": {"attachment": {"type": "audio", "id": "1037543291543636"}},
    "voice": {"attachment": {"type": "audio", "id": "1037543291543636", "voice": True}},
    "video": {
        "text": "How it works",
        "attachment": {"type": "video", "id": "1037543291543637"},
    },
    "sticker": {"attachment": {"type": "sticker", "id": "1037543291543638"}},
    "buttons": {
        "text": "Our offer for today",
        "image": OFFER,
        "buttons": [{"title": "Buy", "payload": "/buy"}, {"title": "Later", "payload": "/later"}],
        "metadata": whatsapp(footer="Until Friday"),
    },
    "cta_url": {
        "text": "Tap the button below to see the dates",
        "buttons": [{"type": "web_url", "title": "See dates", "url": "https://shop.example/dates"}],
    },
    "carousel_with_quick_replies": {
        "text": "New today",
        "elements": [
            {"image": {"id": "11"}, "buttons": [{"title": "Take it", "payload": "/aloe"}]},
            {"image": {"id": "12"}, "buttons": [{"title": "Take it", "payload": "/bonsai"}]},
        ],
    },
    "template": {
        "metadata": whatsapp(
            template={
                "name": "order_confirmation",
                "namespace": "c8ae5f90_307a_ca4c_b8f6_d1e2a2573574",
                "language": "en_US",
                "header": {
                    "type": "document",
                    "link": "https://shop.example/i.pdf",
                    "filename": "i.pdf",
                },
                "body": [
                    {"type": "text", "parameter_name": "first_name", "text": "Jessica"},
                    {
                        "type": "currency",
                        "currency": {
                            "fallback_value": "$100.99",
                            "code": "USD",
                            "amount_1000": 100990,
                        },
                    },
                ],
                "buttons": ["/confirm", "orders/42"],
            }
        )
    },
}
CASES = [(api, name) for api, samples in SAMPLES.items() for name in samples]


def whole_bodies(api, response):
    composed = compose(response, api=CLIENTS[api].api)
    return [
        CLIENTS[api].body("16505551234", outgoing.message, reply_to=outgoing.reply_to)
        for outgoing in composed.messages
    ]


@pytest.mark.parametrize(("api", "name"), [case for case in CASES if case[1] in RESPONSES])
def test_a_response_becomes_the_documented_body(api, name):
    assert whole_bodies(api, RESPONSES[name]) == [SAMPLES[api][name]]


@pytest.mark.parametrize(("api", "name"), CASES)
def test_whatsapps_own_body_comes_out_as_it_went_in(api, name):
    body = SAMPLES[api][name]

    assert whole_bodies(api, {"custom": body}) == [body]
    assert whole_bodies(api, {"custom": {"messages": [body]}}) == [body]
    assert whole_bodies(api, {"custom": json.dumps(body)}) == [body]
