"""What WhatsApp tells besides messages: the simulator sends each webhook, and its API agrees."""

from __future__ import annotations

from typing import Any

import pytest
from integration.simulator.conftest import MAYA, NUMBER, TOKEN

from rasa_whatsapp_channel.simulator.webhooks.platform_events import examples
from rasa_whatsapp_channel.whatsapp.account_events import FIELDS, AccountEvent
from rasa_whatsapp_channel.whatsapp.envelopes import read_events

# Fields that only templates' own list sends, or that no documentation shows a body of.
ELSEWHERE = {
    "message_template_status_update",
    "business_status_update",
    "business_username_update",
    "template_correct_category_detection",
    "tracking_events",
}


def test_there_is_an_example_of_every_field_about_the_account():
    assert {each.field for each in examples().values()} >= FIELDS - ELSEWHERE


@pytest.mark.parametrize("name", sorted(examples()))
async def test_each_event_reaches_the_bot_with_the_facts_of_the_chat(simulator, bot, name):
    event = examples()[name]

    status, sent = await simulator.post("/simulator/events", {"name": name, "person": MAYA})

    assert status == 200
    received = [each.body for each in await bot.takes(len(event.values))]
    assert [body["entry"][0]["changes"][0] for body in received] == [
        {"field": event.field, "value": value} for value in sent["values"]
    ]
    assert "$" not in str(received)
    parsed = [each for body in received for each in read_events(body)]
    assert parsed
    assert not [each for each in parsed if type(each).__name__ == "Unknown"]


async def test_what_was_changed_by_hand_is_sent(simulator, bot):
    value = {"event": "ACCOUNT_VIOLATION", "violation_info": {"violation_type": "SCAM"}}

    await simulator.post("/simulator/events", {"field": "account_update", "values": [value]})

    (received,) = await bot.takes(1)
    [event] = read_events(received.body)
    assert isinstance(event, AccountEvent)
    assert event.detail == "SCAM"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "Rain"}, 404),
        ({}, 400),
        ({"field": "account_update", "values": []}, 400),
        ({"field": "account_update", "values": "x"}, 400),
        ({"name": "Disabled", "person": "1"}, 404),
    ],
)
async def test_an_event_that_cannot_be_sent_is_refused(simulator, body, status):
    assert (await simulator.post("/simulator/events", body))[0] == status


async def test_a_simulator_of_another_api_sends_none(start):
    simulator = await start("turn")

    status, answer = await simulator.post("/simulator/events", {"name": "Disabled"})

    assert (status, "Cloud API" in answer["error"]) == (400, True)


@pytest.mark.parametrize("state", ["PAUSED", "DISABLED", "REJECTED", "APPROVED", "DELETED"])
async def test_the_status_of_a_template_is_told_to_the_bot(simulator, bot, state):
    await simulator.post("/simulator/templates/hello_world/en_US", {"status": state})

    (received,) = await bot.takes(1)
    [event] = read_events(received.body)
    assert (event.field, event.event, event.subject) == (
        "message_template_status_update",
        state,
        "hello_world (en_US)",
    )


async def test_the_api_tells_the_templates_with_their_status_page_by_page(simulator):
    await simulator.post("/simulator/templates/hello_world/en_US", {"status": "PAUSED"})
    path = "/v26.0/102290129340398/message_templates"

    _, paused = await simulator.get(f"{path}?status=PAUSED", headers=TOKEN)
    found: list[Any] = []
    url = f"{path}?limit=2"
    while url:
        _, page = await simulator.get(url.removeprefix(simulator.url), headers=TOKEN)
        found += page["data"]
        url = page["paging"].get("next")

    assert [each["name"] for each in paused["data"]] == ["hello_world"]
    assert len(found) == len((await simulator.get("/simulator/templates"))[1])


async def test_the_api_tells_the_health_and_the_limit_of_the_number(simulator):
    fields = "quality_rating,health_status,whatsapp_business_manager_messaging_limit"

    _, number = await simulator.get(f"/v26.0/{NUMBER}?fields={fields}", headers=TOKEN)

    assert number["health_status"]["can_send_message"] == "AVAILABLE"
    assert number["whatsapp_business_manager_messaging_limit"] == "TIER_UNLIMITED"


@pytest.mark.parametrize(
    ("people", "word", "before", "event"),
    [
        (250, "TIER_250", None, "DOWNGRADE"),
        (2000, "TIER_2K", 250, "UPGRADE"),
        (None, "TIER_UNLIMITED", 100_000, "UPGRADE"),
        (1500, "TIER_1500", 2000, "DOWNGRADE"),
    ],
)
async def test_the_messaging_limit_is_set_at_runtime_and_told(
    start, bot, people, word, before, event
):
    simulator = await start(webhook=bot.url, messaging_limit=before)

    status, answer = await simulator.post("/simulator/account", {"messaging_limit": people})

    assert (status, answer["messaging_limit"]) == (200, {"people": people, "reached": 0})
    [change] = [each.body["entry"][0]["changes"][0] for each in await bot.takes(1)]
    assert change["field"] == "phone_number_quality_update"
    assert (change["value"]["event"], change["value"]["current_limit"]) == (event, word)
    field = "whatsapp_business_manager_messaging_limit"
    _, number = await simulator.get(f"/v26.0/{NUMBER}?fields={field}", headers=TOKEN)
    assert number[field] == word


async def test_an_event_that_tells_another_limit_sets_it(simulator, bot):
    await simulator.post("/simulator/events", {"name": "Limit raised", "person": MAYA})

    _, state = await simulator.get("/simulator/state")
    assert state["messaging_limit"] == {"people": 2000, "reached": 0}
    await simulator.post("/simulator/reset", {})
    _, state = await simulator.get("/simulator/state")
    assert state["messaging_limit"] == {"people": None, "reached": 0}


@pytest.mark.parametrize("wrong", [0, -1, True, "250", 2.5, 10**9])
async def test_a_messaging_limit_is_a_number_of_people(simulator, wrong):
    status, answer = await simulator.post("/simulator/account", {"messaging_limit": wrong})

    assert (status, "messaging_limit" in answer["error"]) == (400, True)
