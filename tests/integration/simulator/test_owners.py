"""Others who answer: a colleague's phone, another app, and what the bot hears and may do then."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from integration.simulator.conftest import MAYA, NUMBER, TOKEN
from support.spoken_bot import MEDIA

PEOPLE = f"/simulator/people/{MAYA}"
HELLO = {"type": "text", "text": {"body": "Hello, this is Kim"}}
USER_ID = "DE.13491208655302741918"
METADATA = {"display_phone_number": "15550783881", "phone_number_id": NUMBER}
TO_MAYA = {"messaging_product": "whatsapp", "to": MAYA}
TEXT = {**TO_MAYA, "type": "text", "text": {"body": "from the bot"}}
TEMPLATE = {
    **TO_MAYA,
    "type": "template",
    "template": {"name": "hello_world", "language": {"code": "en_US"}},
}


def change_in(received: Any) -> tuple[str, Any]:
    [change] = received.body["entry"][0]["changes"]
    return change["field"], change["value"]


async def owner_of(simulator: Any) -> dict[str, Any]:
    """Who answers Maya, as the page reads it."""
    _, state = await simulator.get("/simulator/state")
    owners = [each for each in state["owners"] if each["person"] == MAYA]
    return dict(owners[0]) if owners else {"owner": "bot"}


async def thread_control(simulator: Any, action: str, **more: Any) -> tuple[int, Any]:
    body = {**TO_MAYA, "action": action, **more}
    return await simulator.post(f"/v26.0/{NUMBER}/thread_control", body, headers=TOKEN)


async def test_what_a_colleague_writes_stands_in_the_chat_and_comes_as_an_echo(simulator, bot):
    status, written = await simulator.post(f"{PEOPLE}/echoes", HELLO)

    assert status == 200
    field, value = change_in((await bot.takes(1))[0])
    assert field == "smb_message_echoes"
    assert value == {
        "messaging_product": "whatsapp",
        "metadata": METADATA,
        "message_echoes": [
            {
                "from": "15550783881",
                "to": MAYA,
                "to_user_id": USER_ID,
                "id": written["id"],
                "timestamp": "1750000000",
                "type": "text",
                "text": {"body": "Hello, this is Kim"},
            }
        ],
    }
    [shown] = await simulator.chat()
    assert (shown["by"], shown["direction"], shown["content"]) == (
        "phone",
        "outbound",
        HELLO["text"],
    )
    assert (await owner_of(simulator))["owner"] == "human"


async def test_a_colleague_sends_a_picture_that_the_bot_can_download(simulator, bot):
    form = aiohttp.FormData({"type": "image", "caption": "the lake"})
    content = (MEDIA / "lake.jpg").read_bytes()
    form.add_field("file", content, filename="lake.jpg", content_type="image/jpeg")

    status, _ = await simulator.call("POST", f"{PEOPLE}/echoes", data=form)

    assert status == 200
    _, value = change_in((await bot.takes(1))[0])
    [echo] = value["message_echoes"]
    assert (echo["type"], echo["image"]["caption"]) == ("image", "the lake")
    _, found = await simulator.get(f"/v26.0/{echo['image']['id']}", headers=TOKEN)
    assert found["file_size"] == len(content)


async def test_a_colleague_edits_and_deletes_a_message(simulator, bot):
    _, written = await simulator.post(f"{PEOPLE}/echoes", HELLO)
    new = {"type": "text", "text": {"body": "Hello, this is Kim from Kiel"}}
    edit = {"original_message_id": written["id"], "message": new}
    await simulator.post(f"{PEOPLE}/echoes", {"type": "edit", "edit": edit})
    [edited] = await simulator.chat()
    revoke = {"original_message_id": written["id"]}
    await simulator.post(f"{PEOPLE}/echoes", {"type": "revoke", "revoke": revoke})
    [revoked] = await simulator.chat()

    assert (edited["edited"], edited["content"]) == (True, new["text"])
    assert revoked["revoked"] is True
    echoes = [change_in(each)[1]["message_echoes"][0] for each in await bot.takes(3)]
    assert [each["type"] for each in echoes] == ["text", "edit", "revoke"]
    assert (echoes[1]["edit"], echoes[2]["revoke"]) == (edit, revoke)
    assert len({each["id"] for each in echoes}) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"type": "revoke", "revoke": {"original_message_id": "wamid.none"}},
        {"type": "edit", "edit": {"original_message_id": "$", "message": {"type": "image"}}},
        {"type": "edit", "edit": {"original_message_id": "$"}},
    ],
)
async def test_a_change_of_what_is_not_there_is_refused(simulator, change):
    _, written = await simulator.post(f"{PEOPLE}/echoes", HELLO)
    part = change[change["type"]]
    original = part["original_message_id"].replace("$", written["id"])
    change = {**change, change["type"]: {**part, "original_message_id": original}}

    status, answer = await simulator.post(f"{PEOPLE}/echoes", change)

    assert (status, bool(answer["error"])) == (409, True)
    assert (await simulator.chat())[0]["content"] == HELLO["text"]


async def test_the_bot_gets_no_statuses_of_what_a_colleague_wrote(simulator, bot):
    await simulator.post(f"{PEOPLE}/echoes", HELLO)
    await simulator.post(f"{PEOPLE}/read")
    await simulator.says("thanks")

    assert [change_in(each)[0] for each in await bot.takes(2)] == ["smb_message_echoes", "messages"]
    assert (await simulator.chat())[0]["status"] == "read"


async def test_a_bot_that_says_nothing_of_owners_has_the_chat_when_it_answers(simulator):
    await simulator.post(f"{PEOPLE}/echoes", HELLO)
    await simulator.cloud(TEXT)

    assert (await owner_of(simulator))["owner"] == "bot"


async def test_who_answers_is_what_the_bot_says_and_survives_an_export(simulator):
    told = {"to": MAYA, "owner": "waiting", "reason": "a refund", "return_words": ["robot"]}
    await simulator.post("/simulator/owners", told)
    await simulator.post(f"{PEOPLE}/echoes", HELLO)  # the bot will say what it makes of it
    _, export = await simulator.get("/simulator/export")
    await simulator.post("/simulator/reset")
    await simulator.post("/simulator/import", export)

    owner = await owner_of(simulator)

    assert (owner["owner"], owner["reason"], owner["return_words"]) == (
        "waiting",
        "a refund",
        ["robot"],
    )


async def test_another_app_takes_the_chat_and_the_bot_is_on_standby(simulator, bot):
    await simulator.post(f"{PEOPLE}/thread", {"action": "take"})
    written = await simulator.says("is anybody there?")

    (taken, heard) = [change_in(each) for each in await bot.takes(2)]
    assert taken == (
        "messaging_handovers",
        {
            "messaging_product": "whatsapp",
            "sender": {"phone_number": MAYA},
            "recipient": {"phone_number_id": NUMBER, "display_phone_number": "15550783881"},
            "type": "control_taken",
            "timestamp": "1750000000",
            "control_taken": {
                "previous_owner_role": "ai_agent",
                "new_owner_role": "escalation",
            },
        },
    )
    field, value = heard
    assert (field, value["metadata"], "messages" in value) == ("standby", METADATA, False)
    assert value["standby"]["contacts"][0]["wa_id"] == MAYA
    [message] = value["standby"]["messages"]
    assert (message["id"], message["text"]["body"]) == (written["id"], "is anybody there?")
    assert (await owner_of(simulator))["owner"] == "app"


async def test_without_the_thread_the_bot_sends_templates_only(simulator):
    await simulator.says("hi")
    await simulator.post(f"{PEOPLE}/thread", {"action": "take"})

    status, refused = await simulator.cloud(TEXT)
    sent, _ = await simulator.cloud(TEMPLATE)

    assert (status, sent) == (400, 200)
    assert refused["error"]["code"] == 138038
    assert "Another app has the thread" in refused["simulator"]["rule"]


async def test_the_other_app_passes_the_chat_to_the_bot_with_its_reason(simulator, bot):
    await simulator.post(f"{PEOPLE}/thread", {"action": "take"})
    await simulator.post(f"{PEOPLE}/thread", {"action": "pass", "metadata": "all is settled"})
    await simulator.says("one more thing")

    received = [change_in(each) for each in await bot.takes(3)]
    assert received[1][1]["control_passed"] == {
        "previous_owner_role": "escalation",
        "new_owner_role": "ai_agent",
        "metadata": "all is settled",
    }
    assert received[2][0] == "messages"
    assert (await owner_of(simulator))["owner"] == "bot"


async def test_a_released_chat_is_that_of_the_primary_at_the_next_message(simulator, bot):
    await simulator.post(f"{PEOPLE}/thread", {"action": "take"})
    await simulator.post(f"{PEOPLE}/thread", {"action": "release"})
    await simulator.says("hello?")

    assert [change_in(each)[0] for each in await bot.takes(2)][1] == "messages"


async def test_a_day_after_the_last_message_the_chat_is_nobodys(simulator, bot):
    await simulator.post(f"{PEOPLE}/thread", {"action": "take"})
    await simulator.says("hello?")
    await simulator.post("/simulator/clock", {"advance": 25 * 3600})
    await simulator.says("hello again")

    assert [change_in(each)[0] for each in await bot.takes(3)][1:] == ["standby", "messages"]


async def test_what_the_other_app_writes_takes_the_chat_and_comes_on_standby(simulator, bot):
    await simulator.says("hi")
    await simulator.post(f"{PEOPLE}/echoes", {**HELLO, "by": "app"})

    (_, taken, echo) = [change_in(each) for each in await bot.takes(3)]
    assert taken[1]["control_taken"]["metadata"] == "Control taken via service message"
    [written] = echo[1]["standby"]["message_echoes"]
    assert echo[0] == "standby"
    assert written["message"] == {**TO_MAYA, **HELLO}


async def test_the_bot_passes_the_chat_on_and_may_not_take_it_back(simulator, bot):
    await simulator.says("hi")
    passed, answer = await thread_control(simulator, "pass", metadata="needs a person")
    again = await thread_control(simulator, "pass")
    taken = await thread_control(simulator, "take")
    await simulator.says("who are you?")

    assert (passed, answer) == (200, {"messaging_product": "whatsapp", "success": True})
    assert [(status, body["error"]["code"]) for status, body in (again, taken)] == [
        (400, 138038),
        (400, 2494191),
    ]
    assert change_in((await bot.takes(2))[1])[0] == "standby"


async def test_a_bot_that_is_the_escalation_partner_is_passed_the_chat_or_takes_it(start, bot):
    simulator = await start(routing="escalation")
    await simulator.says("hi")
    await simulator.post(f"{PEOPLE}/thread", {"action": "pass", "metadata": "needs a person"})
    [standby, passed] = [change_in(each) for each in await bot.takes(2)]
    released, _ = await thread_control(simulator, "release")
    await simulator.says("hello?")
    taken, _ = await thread_control(simulator, "take")
    refused, _ = await simulator.post(f"{PEOPLE}/thread", {"action": "take"})

    assert standby[0] == "standby"
    assert passed[1]["control_passed"] == {
        "previous_owner_role": "ai_agent",
        "new_owner_role": "escalation",
        "metadata": "needs a person",
    }
    assert (released, taken, refused) == (200, 200, 409)


async def test_a_message_of_the_escalation_partner_takes_the_chat(start, bot):
    simulator = await start(routing="escalation")
    await simulator.says("hi")
    status, _ = await simulator.cloud(TEXT)
    await simulator.says("thanks")

    assert status == 200
    fields = [change_in(each)[0] for each in await bot.takes(4)]  # two of them are statuses
    assert (fields[0], fields.count("standby"), fields.count("messages")) == ("standby", 1, 3)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"action": "steal"}, 131009),
        ({"action": "pass", "metadata": "x" * 2001}, 131009),
        ({"action": "pass", "messaging_product": "x"}, 100),
        ({"action": "pass", "to": "1"}, 131009),
    ],
)
async def test_what_thread_control_cannot_mean_is_refused(simulator, body, code):
    path = f"/v26.0/{NUMBER}/thread_control"

    status, answer = await simulator.post(path, {**TO_MAYA, **body}, headers=TOKEN)

    assert (status, answer["error"]["code"]) == (400, code)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("echoes", {**HELLO, "by": "cat"}, 400),
        ("echoes", {**HELLO, "number": "1"}, 404),
        ("thread", {"action": "steal"}, 400),
        ("thread", {"action": "pass"}, 409),
    ],
)
async def test_what_nobody_can_do_in_the_page_is_refused(simulator, path, body, status):
    assert (await simulator.post(f"{PEOPLE}/{path}", body))[0] == status


async def test_a_report_of_an_owner_that_is_none_is_refused(simulator):
    for told in ({"to": MAYA, "owner": "cat"}, {"to": "1", "owner": "bot"}):
        assert (await simulator.post("/simulator/owners", told))[0] == 400


async def test_other_apis_tell_nothing_of_others(start):
    simulator = await start("on_premises")

    assert (await simulator.post(f"{PEOPLE}/echoes", HELLO))[0] == 400
    assert (await simulator.post(f"{PEOPLE}/thread", {"action": "take"}))[0] == 400
