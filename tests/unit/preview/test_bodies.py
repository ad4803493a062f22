"""The bodies are the clients' own, with the names of files where their ids will be."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.preview import write_bodies
from rasa_whatsapp_channel.whatsapp.apis import APIS, CLOUD, ON_PREMISES, TURN, Api


def test_a_file_stands_there_by_its_name() -> None:
    composed = compose({"text": "The lake", "image": "media/lake.jpg"}, api=CLOUD)

    assert write_bodies(composed.messages, CLOUD) == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "15551234567",
            "type": "image",
            "image": {"id": "<id of media/lake.jpg>", "caption": "The lake"},
        }
    ]


def test_a_link_is_fetched_first_where_the_api_takes_none() -> None:
    response = {"text": "", "image": "https://shop.example/lake.jpg"}

    [turn] = write_bodies(compose(response, api=TURN).messages, TURN)
    [own] = write_bodies(compose(response, api=ON_PREMISES).messages, ON_PREMISES)

    assert turn == {
        "recipient_type": "individual",
        "to": "15551234567",
        "type": "image",
        "image": {"id": "<id of https://shop.example/lake.jpg>"},
    }
    assert own["image"] == {"link": "https://shop.example/lake.jpg"}


@pytest.mark.parametrize("api", APIS.values(), ids=lambda api: api.name)
def test_every_api_writes_buttons(api: Api) -> None:
    response = {
        "text": "Sure?",
        "image": "https://shop.example/lake.jpg",
        "buttons": [{"title": "Yes", "payload": "/yes"}],
    }

    [body] = write_bodies(compose(response, api=api).messages, api)

    assert body["to"] == "15551234567"
    assert body["interactive"]["action"]["buttons"] == [
        {"type": "reply", "reply": {"id": "/yes", "title": "Yes"}}
    ]
