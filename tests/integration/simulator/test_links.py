"""A `link` is answered at once and loaded afterwards."""

from __future__ import annotations

import pytest
from yarl import URL

TO = {"messaging_product": "whatsapp", "to": "4915112345678"}
PNG = b"\x89PNG\r\n\x1a\n"


async def test_the_file_behind_a_link_is_loaded_and_shown(simulator, bot, host):
    link = await host(PNG, "image/png")

    status, answer = await simulator.cloud({**TO, "type": "image", "image": {"link": link}})

    assert status == 200
    assert answer["messages"][0]["id"]
    [shown] = await simulator.shows(1)
    assert shown["content"]["link"] == link
    assert (shown["content"]["mime_type"], shown["content"]["size"]) == ("image/png", len(PNG))
    assert (await simulator.get(shown["content"]["url"]))[1] == PNG
    statuses = [
        webhook.body["entry"][0]["changes"][0]["value"]["statuses"][0]["status"]
        for webhook in await bot.takes(2)
    ]
    assert statuses == ["sent", "delivered"]


async def test_where_the_environment_names_a_proxy_a_link_is_loaded_by_it(
    simulator, host, monkeypatch
):
    monkeypatch.setenv("http_proxy", await host(PNG, "image/png"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    link = URL(await host(PNG, "image/png")).with_host("files.example").human_repr()

    await simulator.cloud({**TO, "type": "image", "image": {"link": link}})

    [shown] = await simulator.shows(1)
    assert (await simulator.get(shown["content"]["url"]))[1] == PNG


@pytest.mark.parametrize(
    ("content", "mime_type", "http_status", "words"),
    [
        (PNG, "image/png", 404, "HTTP 404"),
        (PNG, "text/html", 200, "text/html"),
        (b"x" * (5 * 1024 * 1024 + 1), "image/png", 200, "5242880 bytes"),
    ],
    ids=["not found", "a page", "too large"],
)
async def test_a_link_that_cannot_be_sent_fails_afterwards(
    simulator, bot, host, content, mime_type, http_status, words
):
    link = await host(content, mime_type, status=http_status)

    status, answer = await simulator.cloud({**TO, "type": "image", "image": {"link": link}})

    assert status == 200
    [webhook] = await bot.takes(1)
    value = webhook.body["entry"][0]["changes"][0]["value"]
    [failed] = value["statuses"]
    assert failed["id"] == answer["messages"][0]["id"]
    assert failed["status"] == "failed"
    [error] = failed["errors"]
    assert (error["code"], error["title"]) == (131053, "Media upload error")
    assert words in error["error_data"]["details"]
    assert "contacts" not in value
    [shown] = await simulator.chat()
    assert (shown["status"], shown["errors"]) == ("failed", [error])


@pytest.mark.parametrize("link", ["http://127.0.0.1:1/x.png", "http://[::1]:1/x.png"])
async def test_a_host_that_does_not_answer_fails_afterwards(simulator, link):
    await simulator.cloud({**TO, "type": "image", "image": {"link": link}})
    assert (await simulator.shows(1))[0]["status"] == "failed"


async def test_messages_stay_in_order_behind_a_slow_link(simulator, host):
    link = await host(PNG, "image/png")
    await simulator.cloud({**TO, "type": "image", "image": {"link": link}})
    await simulator.cloud({**TO, "type": "text", "text": {"body": "There it is"}})

    assert [message["type"] for message in await simulator.shows(2)] == ["image", "text"]


PROVIDERS = "/v1/settings/application/media/providers"


async def test_an_on_premises_client_loads_links_with_a_provider(start, bot, host):
    simulator = await start("on_premises")
    token = await simulator.login()
    link = await host(PNG, "image/png")
    shop = [{"name": "shop", "type": "www", "config": {"bearer": "t"}}]
    await simulator.post(PROVIDERS, shop, headers=token)
    for image in (
        {"link": link, "provider": {"name": "shop"}},
        {"link": f"shop/{link}", "provider": {"name": "shop"}},
    ):
        body = {"to": "4915112345678", "type": "image", "image": image}
        status, answer = await simulator.post("/v1/messages", body, headers=token)
        assert status == 200, answer

    assert [message["status"] for message in await simulator.shows(2)] == ["delivered"] * 2


async def test_an_on_premises_client_names_a_link_that_failed_1014(start, bot, host):
    simulator = await start("on_premises")
    token = await simulator.login()
    link = await host(b"", "image/png", status=404)
    body = {"to": "4915112345678", "type": "image", "image": {"link": link}}

    status, answer = await simulator.post("/v1/messages", body, headers=token)

    assert status == 200
    [webhook] = await bot.takes(1)
    [failed] = webhook.body["statuses"]
    assert (failed["id"], failed["status"]) == (answer["messages"][0]["id"], "failed")
    assert failed["errors"][0]["code"] == 1014


@pytest.mark.parametrize(
    ("message", "param"),
    [
        (
            {"type": "image", "image": {"link": "https://a.example/São Paulo.png"}},
            "image['link']",
        ),
        ({"type": "image", "image": {"link": "shop.example/1.jpg"}}, "image['link']"),
        (
            {
                "type": "interactive",
                "interactive": {
                    "type": "button",
                    "header": {"type": "image", "image": {"link": "https://a.example/a b"}},
                    "body": {"text": "?"},
                    "action": {"buttons": [{"type": "reply", "reply": {"id": "a", "title": "A"}}]},
                },
            },
            "interactive['header']['image']['link']",
        ),
    ],
)
async def test_a_link_that_is_no_uri_is_refused_in_metas_words(simulator, message, param):
    status, answer = await simulator.cloud({**TO, **message})

    assert status == 400
    assert answer["error"]["code"] == 100
    assert answer["error"]["message"] == f"(#100) Param {param} is not a valid URI"


async def test_a_key_whatsapp_does_not_know_is_refused_wherever_it_stands(simulator):
    text = {"type": "text", "text": {"body": "a"}, "context": {"message_id": "wamid.1", "odd": 1}}
    rows = [{"id": "a", "title": "A", "descripton": "typo"}]
    listed = {
        "type": "interactive",
        "interactive": {
            "type": "list",
            "body": {"text": "?"},
            "action": {"button": "Choose", "sections": [{"rows": rows}]},
        },
    }
    for message in (text, listed):
        status, answer = await simulator.cloud({**TO, **message})

        assert (status, answer["error"]["code"]) == (400, 100)
        assert "Unexpected key" in answer["error"]["error_data"]["details"]
