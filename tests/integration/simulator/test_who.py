"""Groups, several numbers, user ids without a phone, and people who change them."""

import pytest

from rasa_whatsapp_channel.simulator.config import Number

MAYA = "4915112345678"
TOM = "4915100000001"
TOKEN = {"Authorization": "Bearer simulator-token"}
SALES = "200000000000002"
USER_ID = "DE.13491208655302741918"
TEXT = {"type": "text", "text": {"body": "hello"}}
TO = {"messaging_product": "whatsapp", "to": MAYA}


def value(webhook):
    return webhook.body["entry"][0]["changes"][0]["value"]


@pytest.fixture
async def group(simulator):
    await simulator.post("/simulator/people", {"name": "Tom", "phone": TOM})
    body = {"name": "Trip", "people": [MAYA, "+49 151 00000001"]}
    status, group = await simulator.post("/simulator/groups", body)
    assert status == 200, group
    return group


def to_group(group, message):
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "group",
        "to": group["user_id"],
        **message,
    }


async def test_a_group_has_its_people(simulator, group):
    assert (group["group"], group["participants"]) == (True, [MAYA, TOM])
    _, state = await simulator.get("/simulator/state")
    assert state["people"][-1] == group


async def test_a_message_in_a_group_names_its_author_and_the_group(simulator, bot, group):
    written = await simulator.writes({**TEXT, "author": TOM}, group["user_id"])

    told = value((await bot.takes(1))[0])
    assert written["author"] == TOM
    assert told["contacts"][0]["wa_id"] == TOM
    assert told["messages"][0]["from"] == TOM
    assert told["messages"][0]["group_id"] == group["user_id"]


async def test_a_bot_answers_a_group(simulator, bot, group):
    status, answer = await simulator.cloud(to_group(group, TEXT))

    assert status == 200
    assert answer["contacts"] == [{"input": group["user_id"]}]
    assert answer["messages"][0]["group_id"] == group["user_id"]
    assert len(await simulator.shows(1, group["user_id"])) == 1
    told = value((await bot.takes(1))[0])["statuses"][0]
    assert (told["recipient_type"], told["recipient_id"]) == ("group", group["user_id"])


@pytest.mark.parametrize(
    "message",
    [
        {
            "type": "interactive",
            "interactive": {
                "type": "button",
                "body": {"text": "?"},
                "action": {"buttons": [{"type": "reply", "reply": {"id": "1", "title": "Yes"}}]},
            },
        },
        {"type": "location", "location": {"latitude": 1, "longitude": 2}},
    ],
)
async def test_groups_take_no_interactive_messages_and_the_like(simulator, group, message):
    status, answer = await simulator.cloud(to_group(group, message))

    assert (status, answer["error"]["code"]) == (400, 131051)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "x", "people": []}, 400),
        ({"people": [MAYA]}, 400),
        ({"name": "x", "people": ["1"]}, 404),
        ({"name": "x", "people": [MAYA] * 9}, 400),
    ],
)
async def test_a_group_that_cannot_be_is_refused(simulator, body, status):
    assert (await simulator.post("/simulator/groups", body))[0] == status


async def test_nobody_outside_writes_into_a_group(simulator, group):
    path = f"/simulator/people/{group['user_id']}/messages"

    assert (await simulator.post(path, {**TEXT, "author": "1"}))[0] == 404


@pytest.fixture
async def two(start):
    return await start(more_numbers=(Number(SALES, "15550001111", "Sales"),))


async def test_a_bot_has_several_numbers(two, bot):
    await two.writes({**TEXT, "number": SALES})
    told = value((await bot.takes(1))[0])
    assert told["metadata"] == {"display_phone_number": "15550001111", "phone_number_id": SALES}

    status, _ = await two.post(f"/v26.0/{SALES}/messages", {**TO, **TEXT}, headers=TOKEN)
    assert status == 200
    assert [message["number"] for message in await two.shows(2)] == [SALES, SALES]
    told = value((await bot.takes(2))[1])
    assert told["metadata"]["phone_number_id"] == SALES
    _, state = await two.get("/simulator/state")
    assert [number["name"] for number in state["numbers"]] == ["Your bot", "Sales"]


async def test_each_number_has_a_window_of_its_own(two):
    await two.post("/simulator/clock", {"advance": 25 * 3600})
    await two.writes({**TEXT, "number": SALES})
    await two.cloud({**TO, **TEXT})
    await two.post(f"/v26.0/{SALES}/messages", {**TO, **TEXT}, headers=TOKEN)

    _, first, second = await two.shows(3)
    assert first["status"] == "failed"
    assert second["status"] != "failed"


async def test_a_number_nobody_has(two):
    path = f"/simulator/people/{MAYA}/messages"

    assert (await two.post(path, {**TEXT, "number": "1"}))[0] == 404
    assert (await two.post("/v26.0/1/messages", {**TO, **TEXT}, headers=TOKEN))[0] == 400


async def test_a_user_id_in_to_is_taken_and_reaches_nobody(simulator, bot):
    status, answer = await simulator.cloud({**TO, "to": USER_ID, **TEXT})

    assert status == 200
    assert answer["messages"][0]["id"].startswith("wamid.")
    assert "recipient" in answer["simulator"]["rule"]
    await simulator.says("still there?")
    assert len(await bot.takes(1)) == 1
    assert "statuses" not in value(bot.received[0])
    assert len(await simulator.chat()) == 1


async def test_a_person_gets_another_number(simulator, bot):
    await simulator.says("hi")
    status, person = await simulator.post(f"/simulator/people/{MAYA}/change", {"phone": TOM})
    assert (status, person["phone"]) == (200, TOM)

    told = value((await bot.takes(2))[1])
    system = told["messages"][0]
    assert "contacts" not in told
    assert system["from"] == MAYA
    assert system["system"]["type"] == "user_changed_number"
    assert system["system"]["wa_id"] == TOM
    assert [message["type"] for message in await simulator.chat(TOM)] == ["text", "system"]


async def test_a_person_gets_another_user_id(simulator, bot):
    path = f"/simulator/people/{MAYA}/change"
    assert (await simulator.post(path, {"user_id": "DE.2"}))[0] == 200

    system, update = await bot.takes(2)
    assert value(system)["messages"][0]["system"]["type"] == "user_changed_user_id"
    change = update.body["entry"][0]["changes"][0]
    assert change["field"] == "user_id_update"
    assert change["value"]["user_id_update"][0]["user_id"] == {
        "previous": USER_ID,
        "current": "DE.2",
    }
    assert (await simulator.post(path, {}))[0] == 400
    assert (await simulator.post(path, {"user_id": "DE.2"}))[0] == 409


def pin(message_id, **more):
    kind = "pin" if more else "unpin"
    return {"type": "pin", "pin": {"type": kind, "message_id": message_id, **more}}


async def test_messages_of_a_group_are_pinned_three_at_a_time(simulator, group):
    written = [await simulator.writes({**TEXT, "author": TOM}, group["user_id"]) for _ in range(4)]
    ids = [each["id"] for each in written]
    for message_id in ids[:3]:
        message = to_group(group, pin(message_id, expiration_days=4))
        assert (await simulator.cloud(message))[0] == 200

    await simulator.cloud(to_group(group, pin(ids[3], expiration_days=4)))
    await simulator.cloud(to_group(group, pin(ids[0])))
    await simulator.cloud(to_group(group, pin(ids[3], expiration_days=30)))

    shown = await simulator.shows(10, group["user_id"])
    assert [each["status"] for each in shown if each["type"] == "pin"] == [
        *["delivered"] * 3,
        "failed",
        *["delivered"] * 2,
    ]


async def test_what_is_not_in_the_group_is_not_pinned(simulator, group):
    written = await simulator.says("hi")

    await simulator.cloud(to_group(group, pin(written["id"], expiration_days=4)))

    (message,) = await simulator.shows(1, group["user_id"])
    assert message["errors"][0]["code"] == 131009


async def test_a_person_has_nothing_pinned(simulator):
    written = await simulator.says("hi")
    body = {"messaging_product": "whatsapp", "to": MAYA, **pin(written["id"], expiration_days=4)}

    status, answer = await simulator.cloud(body)

    assert (status, answer["error"]["code"]) == (400, 131051)
