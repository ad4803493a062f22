"""The clock that can be moved, and what follows it."""

import aiohttp
import pytest

from rasa_whatsapp_channel.simulator.config import BusinessAccount

MAYA = "4915112345678"
NUMBER = "106540352242922"
TOKEN = {"Authorization": "Bearer simulator-token"}
HOUR, DAY = 3600, 86_400
TO = {"messaging_product": "whatsapp", "to": MAYA}
HELLO = {**TO, "type": "text", "text": {"body": "hello"}}
HELLO_WORLD = {"name": "hello_world", "language": {"code": "en_US"}}
V1_HELLO = {"to": MAYA, "type": "text", "text": {"body": "hello"}}
V1_TEMPLATE = {
    "to": MAYA,
    "type": "template",
    "template": {
        "namespace": "n",
        "name": "hello",
        "language": {"policy": "deterministic", "code": "en"},
    },
}
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077"
    "53de0000000c49444154789c63f8cfc00000030101 00c9fe92ef0000000049454e44ae426082"
)


async def advance(simulator, seconds):
    status, clock = await simulator.post("/simulator/clock", {"advance": seconds})
    assert status == 200, clock
    return clock


async def upload(simulator):
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": "image/png"})
    form.add_field("file", PNG, filename="a.png", content_type="image/png")
    status, answer = await simulator.call(
        "POST", f"/v26.0/{NUMBER}/media", data=form, headers=TOKEN
    )
    assert status == 200, answer
    return answer["id"]


async def test_the_clock_is_read_put_forward_and_set_back(simulator):
    assert await simulator.get("/simulator/clock") == (200, {"now": 1.75e9, "offset": 0.0})
    assert await advance(simulator, 90_000) == {"now": 1.75e9 + 90_000, "offset": 90_000.0}
    assert (await advance(simulator, 10))["offset"] == 90_010
    _, clock = await simulator.post("/simulator/clock", {"offset": 0})
    assert clock["now"] == 1.75e9
    _, state = await simulator.get("/simulator/state")
    assert state["clock"] == clock


@pytest.mark.parametrize(
    "body", [{}, {"advance": "1 day"}, {"advance": True}, {"advance": -1}, {"offset": 1e12}, []]
)
async def test_a_clock_that_cannot_be_is_refused(simulator, body):
    status, answer = await simulator.post("/simulator/clock", body)

    assert status == 400
    assert answer["error"]


async def test_a_message_has_the_time_of_the_clock(simulator):
    await advance(simulator, DAY)

    assert (await simulator.says("hi"))["timestamp"] == 1_750_000_000 + DAY


async def test_after_25_hours_a_text_is_taken_and_fails_and_a_template_arrives(simulator, bot):
    await advance(simulator, 25 * HOUR)

    status, _ = await simulator.cloud(HELLO)
    await simulator.cloud({**TO, "type": "template", "template": HELLO_WORLD})

    text, template = await simulator.shows(2)
    assert status == 200
    assert (text["status"], text["errors"][0]["code"]) == ("failed", 131047)
    assert template["status"] != "failed"
    told = (await bot.takes(1))[0].body["entry"][0]["changes"][0]["value"]["statuses"][0]
    assert told["status"] == "failed"
    assert told["errors"][0]["title"] == "Re-engagement message"


async def test_the_window_opens_when_the_person_writes_again(simulator):
    await advance(simulator, 25 * HOUR)
    await simulator.says("I am back")

    await simulator.cloud(HELLO)

    assert (await simulator.shows(2))[1]["status"] != "failed"


async def test_the_page_is_told_until_when_the_bot_may_write(simulator):
    _, state = await simulator.get("/simulator/state")
    assert state["people"][0]["window"] == 1.75e9 + DAY
    await advance(simulator, 10)
    await simulator.says("hi")
    _, state = await simulator.get("/simulator/state")
    assert state["people"][0]["window"] == 1.75e9 + 10 + DAY


async def test_a_person_who_never_wrote_gets_templates_only(simulator):
    stranger = "4915199999999"
    await simulator.cloud({**HELLO, "to": stranger})

    (message,) = await simulator.shows(1, stranger)

    assert (message["status"], message["errors"][0]["code"]) == ("failed", 131047)


@pytest.mark.parametrize(("api", "code"), [("on_premises", 470), ("turn", 131047)])
async def test_a_client_below_v1_has_a_code_of_its_own_for_the_window(start, api, code):
    simulator = await start(api)
    await advance(simulator, 25 * HOUR)
    login = await simulator.login() if api == "on_premises" else TOKEN

    status, _ = await simulator.post("/v1/messages", V1_HELLO, headers=login)
    await simulator.post("/v1/messages", V1_TEMPLATE, headers=login)

    text, template = await simulator.shows(2)
    assert status == 200
    assert (text["status"], text["errors"][0]["code"]) == ("failed", code)
    assert template["status"] != "failed"


async def test_the_window_can_be_left_open(start):
    simulator = await start(window=False)
    await advance(simulator, 25 * HOUR)
    await simulator.cloud(HELLO)

    assert (await simulator.shows(1))[0]["status"] != "failed"


async def test_an_uploaded_file_lives_for_30_days_and_its_address_for_five_minutes(simulator):
    media_id = await upload(simulator)
    _, media = await simulator.get(f"/v26.0/{media_id}", headers=TOKEN)

    await advance(simulator, 301)
    assert (await simulator.call("GET", media["url"][len(simulator.url) :], headers=TOKEN))[
        0
    ] == 404
    await advance(simulator, 30 * DAY - 302)
    assert (await simulator.get(f"/v26.0/{media_id}", headers=TOKEN))[0] == 200
    await advance(simulator, 1)
    status, answer = await simulator.get(f"/v26.0/{media_id}", headers=TOKEN)
    assert (status, answer["error"]["code"]) == (400, 100)


@pytest.mark.parametrize(("api", "days"), [("cloud", 7), ("on_premises", 14), ("turn", 7)])
async def test_a_file_of_a_person_lives_as_long_as_the_api_keeps_it(start, api, days):
    simulator = await start(api, login_life=365 * DAY)
    head = await simulator.login() if api == "on_premises" else TOKEN
    form = aiohttp.FormData()
    form.add_field("file", PNG, filename="a.png", content_type="image/png")
    _, message = await simulator.call("POST", f"/simulator/people/{MAYA}/messages", data=form)
    path = ("/v26.0/" if api == "cloud" else "/v1/media/") + message["content"]["id"]

    await advance(simulator, days * DAY - 1)
    assert (await simulator.call("GET", path, headers=head))[0] == 200
    await advance(simulator, 1)
    assert (await simulator.call("GET", path, headers=head))[0] in (400, 404)


async def test_a_login_ends_on_the_clock(start):
    simulator = await start("on_premises")
    login = await simulator.login()
    await advance(simulator, 7 * DAY + 1)

    assert (await simulator.get("/v1/health", headers=login))[0] == 401


async def test_a_webhook_that_waits_for_hours_is_tried_when_the_clock_moves(start, bot):
    simulator = await start(retry_pauses=(5 * HOUR,))
    bot.statuses = [503]
    await simulator.says("hi")
    await simulator.attempts(1)

    await advance(simulator, 5 * HOUR)

    assert len(await simulator.attempts(2)) == 2
    await bot.takes(2)


async def test_a_webhook_is_given_up_after_seven_days(start, bot):
    simulator = await start(retry_pauses=(8 * DAY,))
    bot.statuses = [503] * 3
    await simulator.says("hi")
    assert (await simulator.attempts(1))[0]["retry_after"] == 8 * DAY

    await advance(simulator, 8 * DAY)

    assert (await simulator.attempts(2))[1]["retry_after"] is None


async def test_a_reset_brings_back_the_real_time_and_takes_rules_away(simulator):
    await advance(simulator, DAY)
    await simulator.post("/simulator/faults", {"on": "messages", "do": {"status": 500}})

    _, state = await simulator.post("/simulator/reset")

    assert state["clock"]["offset"] == 0
    assert state["faults"] == []
    assert (await simulator.cloud(HELLO))[0] == 200


async def test_an_access_token_ends_on_the_clock(start):
    simulator = await start(account=BusinessAccount(token_ends=1_750_000_000 + DAY))
    assert (await simulator.cloud(HELLO))[0] == 200
    await advance(simulator, DAY)

    status, answer = await simulator.cloud(HELLO)

    assert status == 401
    assert (answer["error"]["code"], answer["error"]["error_subcode"]) == (190, 463)
