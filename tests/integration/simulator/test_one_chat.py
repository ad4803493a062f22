"""One chat: restarted, exported, deleted, and written down as a test; and the bot's requests."""

from __future__ import annotations

import aiohttp
from integration.simulator.conftest import MAYA, NUMBER
from support.spoken_bot import MEDIA

PEOPLE = f"/simulator/people/{MAYA}"
TEXT = {
    "messaging_product": "whatsapp",
    "to": MAYA,
    "type": "text",
    "text": {"body": "hi Maya"},
}


async def _ravi(simulator):
    _, ravi = await simulator.post("/simulator/people", {"name": "Ravi"})
    return ravi["phone"]


async def test_a_restarted_chat_is_empty_and_the_others_stay(simulator):
    ravi = await _ravi(simulator)
    form = aiohttp.FormData({"type": "image"})
    form.add_field("file", (MEDIA / "lake.jpg").read_bytes(), filename="lake.jpg")
    _, picture = await simulator.call("POST", f"{PEOPLE}/messages", data=form)
    await simulator.says("hello", ravi)
    await simulator.cloud({**TEXT, "text": {}})  # refused
    await simulator.post("/simulator/owners", {"to": MAYA, "owner": "human"})

    status, _ = await simulator.post(f"{PEOPLE}/restart")

    _, state = await simulator.get("/simulator/state")
    assert status == 200
    assert [message["person"] for message in state["messages"]] == [ravi]
    assert (state["refusals"], state["owners"]) == ([], [])
    assert [person["name"] for person in state["people"]] == ["Maya", "Ravi"]
    assert (await simulator.get(picture["content"]["url"]))[0] == 404


async def test_a_deleted_person_is_gone_with_the_chat(simulator):
    ravi = await _ravi(simulator)
    await simulator.says("hello")

    status, _ = await simulator.call("DELETE", PEOPLE)

    _, state = await simulator.get("/simulator/state")
    assert status == 200
    assert ([person["phone"] for person in state["people"]], state["messages"]) == ([ravi], [])
    assert (await simulator.call("DELETE", PEOPLE))[0] == 404


async def test_who_is_in_a_group_cannot_be_deleted(simulator):
    await simulator.post("/simulator/groups", {"name": "Sailing", "people": [MAYA]})

    status, answer = await simulator.call("DELETE", PEOPLE)

    assert (status, answer["error"]) == (409, "Maya is in the group Sailing.")


async def test_one_chat_is_exported_and_read_by_another_simulator(simulator, start):
    ravi = await _ravi(simulator)
    form = aiohttp.FormData({"type": "image"})
    form.add_field("file", (MEDIA / "lake.jpg").read_bytes(), filename="lake.jpg")
    await simulator.call("POST", f"{PEOPLE}/messages", data=form)
    await simulator.says("hello", ravi)

    _, export = await simulator.get(f"/simulator/export?person={MAYA}")
    other = await start()
    status, state = await other.post("/simulator/import", export)

    assert status == 200
    assert [person["name"] for person in state["people"]] == ["Maya"]
    [message] = state["messages"]
    assert (await other.get(message["content"]["url"]))[0] == 200
    assert (await simulator.get("/simulator/export?person=1"))[0] == 404


async def test_a_chat_is_written_down_as_a_test(simulator):
    await simulator.says("hi")
    await simulator.cloud(TEXT)
    await simulator.shows(2)

    _, code = await simulator.get(f"{PEOPLE}/transcript?form=pytest")

    assert b"user.sends('hi')\n    await user.gets(text='hi Maya')\n" in code


async def test_the_log_of_requests_names_what_became_of_each(simulator):
    await simulator.cloud(TEXT)
    await simulator.cloud({**TEXT, "text": {}})

    _, (sent, refused) = await simulator.get("/simulator/requests")
    _, [refusal] = await simulator.get("/simulator/refusals")

    assert (sent["id"], sent["status"], sent["refusal"]) == ("1", 200, None)
    assert sent["path"] == f"/v26.0/{NUMBER}/messages"
    assert (refused["id"], refused["status"], refused["refusal"]) == ("2", 400, refusal["id"])
