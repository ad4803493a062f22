"""What goes wrong on purpose, as a bot sees it."""

import asyncio

import aiohttp
import pytest

MAYA = "4915112345678"
NUMBER = "106540352242922"
TOKEN = {"Authorization": "Bearer simulator-token"}
TO = {"messaging_product": "whatsapp", "to": MAYA}
HELLO = {**TO, "type": "text", "text": {"body": "hello"}}
ONCE = {"next": 1}


async def rule(simulator, on, do, when=ONCE, **more):
    status, answer = await simulator.post(
        "/simulator/faults", {"on": on, "when": when, "do": do, **more}
    )
    assert status == 200, answer
    return answer


def value(webhook):
    return webhook.body["entry"][0]["changes"][0]["value"]


def texts(webhooks):
    changes = [change for each in webhooks for change in each.body["entry"][0]["changes"]]
    found = [m for change in changes for m in change["value"].get("messages", [])]
    return [message["text"]["body"] for message in found]


@pytest.mark.parametrize(
    ("do", "status", "code", "subcode"),
    [
        ({"code": 131056}, 400, 131056, None),
        ({"code": 130429}, 400, 130429, None),
        ({"code": 131000}, 500, 131000, None),
        ({"expire_token": True}, 401, 190, 463),
    ],
)
async def test_the_next_message_is_refused_with_a_code_and_the_one_after_is_not(
    simulator, do, status, code, subcode
):
    await rule(simulator, "messages", do)

    given, answer = await simulator.cloud(HELLO)
    assert (given, answer["error"]["code"]) == (status, code)
    assert answer["error"].get("error_subcode") == subcode
    assert (await simulator.cloud(HELLO))[0] == 200
    _, (kept,) = await simulator.get("/simulator/faults")
    assert kept["hits"] == 1


async def test_a_code_the_platform_tells_by_status_only_comes_so(simulator):
    await rule(simulator, "messages", {"code": 131026})

    status, _ = await simulator.cloud(HELLO)
    (message,) = await simulator.shows(1)
    assert status == 200
    assert (message["status"], message["errors"][0]["code"]) == ("failed", 131026)


async def test_a_status_rule_fails_one_type_of_message_only(simulator):
    await rule(
        simulator, "statuses", {"code": 131049}, {"always": True}, match={"type": "location"}
    )
    place = {"type": "location", "location": {"latitude": 1, "longitude": 2}}
    await simulator.cloud(HELLO)
    body = {key: value for key, value in HELLO.items() if key != "text"}
    await simulator.cloud({**body, **place})

    *fine, failed = await simulator.shows(2)
    assert failed["errors"][0]["code"] == 131049
    assert all(message["status"] != "failed" for message in fine)


async def test_an_http_status_without_a_code(simulator):
    await rule(simulator, "messages", {"status": 503})

    assert (await simulator.cloud(HELLO))[0] == 503


@pytest.mark.parametrize(("do", "arrives"), [(True, 0), ("after", 1)])
async def test_a_connection_breaks_before_or_after_the_message_was_taken(simulator, do, arrives):
    await rule(simulator, "messages", {"hang_up": do})

    with pytest.raises(aiohttp.ClientError):
        await simulator.cloud(HELLO)
    assert len(await simulator.shows(arrives)) == arrives


async def test_an_answer_breaks_off_in_the_middle_though_the_message_was_taken(simulator):
    await rule(simulator, "messages", {"cut": True})

    with pytest.raises(aiohttp.ClientPayloadError):
        await simulator.cloud(HELLO)
    assert len(await simulator.shows(1)) == 1


async def test_the_number_is_to_wait_for_seconds(simulator):
    await rule(simulator, "messages", {"retry_after": 2})

    url = f"{simulator.url}/v26.0/{NUMBER}/messages"
    async with simulator.session.post(url, json=HELLO, headers=TOKEN) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (429, "2")


async def test_the_statuses_come_before_the_answer(simulator, bot):
    await rule(simulator, "messages", {"early": True})

    _, answer = await simulator.cloud(HELLO)

    told = [status for each in bot.received for status in value(each).get("statuses", [])]
    assert answer["messages"][0]["id"] in {status["id"] for status in told}


async def test_a_failure_comes_before_the_answer(simulator, bot):
    await rule(simulator, "messages", {"early": True})
    await rule(simulator, "statuses", {"code": 131026})

    await simulator.cloud(HELLO)

    assert [value(each)["statuses"][0]["status"] for each in bot.received] == ["failed"]


async def test_an_uploaded_file_is_gone_for_good(simulator):
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": "text/plain"})
    form.add_field("file", b"Hello", filename="hello.txt", content_type="text/plain")
    _, uploaded = await simulator.call("POST", f"/v26.0/{NUMBER}/media", data=form, headers=TOKEN)
    await rule(simulator, "ids", {"missing": True})

    sent = {**TO, "type": "document", "document": uploaded}
    answers = [answer["error"] for _, answer in [await simulator.cloud(sent) for _ in range(2)]]

    assert [error["code"] for error in answers] == [100, 100]
    assert uploaded["id"] in answers[0]["error_data"]["details"]


async def test_the_server_of_a_link_fails_once(simulator, bot):
    await rule(simulator, "links", {"missing": True})

    link = {**TO, "type": "image", "image": {"link": "https://pictures.example/a.png"}}
    await simulator.cloud(link)

    (message,) = await simulator.shows(1)
    assert (message["status"], message["errors"][0]["code"]) == ("failed", 131053)


async def test_a_phone_shows_a_text_before_the_file_that_was_sent_earlier(simulator):
    await rule(simulator, "phones", {"delay": 0.4})
    form = aiohttp.FormData({"messaging_product": "whatsapp", "type": "text/plain"})
    form.add_field("file", b"Hello", filename="hello.txt", content_type="text/plain")
    _, uploaded = await simulator.call("POST", f"/v26.0/{NUMBER}/media", data=form, headers=TOKEN)

    await simulator.cloud({**TO, "type": "document", "document": uploaded})
    await simulator.cloud(HELLO)

    assert [message["type"] for message in await simulator.shows(2)] == ["text", "document"]


async def test_a_webhook_comes_again_later(simulator, bot):
    await rule(simulator, "webhooks", {"again": 0.1})
    await simulator.says("one")
    await simulator.says("two")

    await bot.takes(3)
    assert texts(bot.received) == ["one", "two", "one"]
    assert bot.received[0].raw == bot.received[2].raw


async def test_a_person_whom_the_bot_knows_comes_without_their_number(simulator, bot):
    await rule(simulator, "webhooks", {"hide_number": True}, when={"always": True})
    await simulator.says("the bot has heard of neither name yet")
    await bot.takes(1)
    while (await simulator.chat())[0]["status"] == "sent":
        await asyncio.sleep(0.01)
    await simulator.says("now it has")
    first, second = await bot.takes(2)

    assert value(first)["messages"][0]["from"] == MAYA
    assert "from" not in value(second)["messages"][0]
    assert value(second)["messages"][0]["from_user_id"] == "DE.13491208655302741918"
    assert "wa_id" not in value(second)["contacts"][0]


async def test_no_answer_comes_in_time(simulator):
    await rule(simulator, "messages", {"timeout": True})

    with pytest.raises(aiohttp.ServerTimeoutError):
        await simulator.post(
            f"/v26.0/{NUMBER}/messages",
            HELLO,
            headers=TOKEN,
            timeout=aiohttp.ClientTimeout(sock_read=0.2),
        )


async def test_a_file_is_gone(simulator):
    await rule(simulator, "media", {"missing": True})

    status, answer = await simulator.get("/v26.0/1234567890", headers=TOKEN)
    assert (status, answer["error"]["code"], answer["error"]["error_subcode"]) == (404, 100, 33)


async def test_a_login_fails_on_premises(start):
    simulator = await start("on_premises")
    await rule(simulator, "login", {"status": 500})

    assert (await simulator.post("/v1/users/login"))[0] == 500


async def test_a_webhook_comes_twice(simulator, bot):
    await rule(simulator, "webhooks", {"duplicate": 1})
    await simulator.says("hi")

    first, second = await bot.takes(2)
    assert first.raw == second.raw


async def test_two_webhooks_change_places(simulator, bot):
    await rule(simulator, "webhooks", {"reorder": True})
    await simulator.says("first")
    await simulator.says("second")

    assert texts(await bot.takes(2)) == ["second", "first"]


async def test_a_webhook_that_nothing_overtakes_comes_late(simulator, bot):
    await rule(simulator, "webhooks", {"reorder": True})
    await simulator.says("alone")

    assert texts(await bot.takes(1)) == ["alone"]


async def test_several_messages_come_in_one_webhook(simulator, bot):
    await rule(simulator, "webhooks", {"batch": 3})
    for text in ("a", "b", "c"):
        await simulator.says(text)

    (webhook,) = await bot.takes(1)
    assert texts([webhook]) == ["a", "b", "c"]


async def test_statuses_of_an_on_premises_client_come_in_one_webhook(start, bot):
    simulator = await start("on_premises")
    await rule(simulator, "statuses", {"batch": 2})
    body = {"to": MAYA, "type": "text", "text": {"body": "hello"}}
    await simulator.post("/v1/messages", body, headers=await simulator.login())

    (webhook,) = await bot.takes(1)
    assert [each["status"] for each in webhook.body["statuses"]] == ["sent", "delivered"]


async def test_a_lost_status_is_in_the_log_and_never_comes(simulator, bot):
    await rule(simulator, "statuses", {"lose": True})
    await simulator.cloud(HELLO)

    (webhook,) = await bot.takes(1)
    assert value(webhook)["statuses"][0]["status"] == "delivered"
    lost = (await simulator.attempts(2))[0]
    assert (lost["error"], lost["attempt"]) == ("lost by a fault", 0)


async def test_rules_are_removed_one_by_one_and_all_at_once(simulator):
    first = await rule(simulator, "messages", {"status": 500})
    second = await rule(simulator, "webhooks", {"lose": True})

    _, left = await simulator.call("DELETE", f"/simulator/faults/{first['id']}")
    assert [each["id"] for each in left] == [second["id"]]
    assert (await simulator.call("DELETE", f"/simulator/faults/{first['id']}"))[0] == 404
    assert await simulator.call("DELETE", "/simulator/faults") == (200, [])


async def test_a_rule_that_cannot_be_is_refused(simulator):
    status, answer = await simulator.post("/simulator/faults", {"on": "messages"})

    assert status == 400
    assert answer["error"].startswith("do is")
    assert (await simulator.post("/simulator/faults/seed", {"seed": "x"}))[0] == 400


@pytest.mark.parametrize(("limits", "refused"), [(True, 131056), (False, None)])
async def test_the_46th_message_at_once_to_a_person_is_refused(start, limits, refused):
    simulator = await start(limits=limits)
    answers = [await simulator.cloud(HELLO) for _ in range(46)]

    assert [status for status, _ in answers[:45]] == [200] * 45
    assert answers[45][1].get("error", {}).get("code") == refused
    await simulator.post("/simulator/clock", {"advance": 6})
    assert (await simulator.cloud(HELLO))[0] == 200


async def test_a_number_has_a_throughput(start):
    simulator = await start(throughput=2)
    answers = [await simulator.cloud(HELLO) for _ in range(3)]

    assert answers[2][1]["error"]["code"] == 130429
