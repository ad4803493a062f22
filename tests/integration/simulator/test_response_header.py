"""What the channel tells a simulator of a message: the response, and what was changed to fit."""

import json

MAYA = "4915112345678"
NUMBER = "106540352242922"
TOKEN = {"Authorization": "Bearer simulator-token"}

HELLO = {"messaging_product": "whatsapp", "to": MAYA, "type": "text", "text": {"body": "hello"}}
TOLD = {
    "response": "utter_greet",
    "changes": [{"code": "cut", "message": "cut", "before": "hello you", "after": "hello"}],
}


async def send(simulator, header):
    status, answer = await simulator.post(
        f"/v26.0/{NUMBER}/messages", HELLO, headers={**TOKEN, "X-Rasa-Response": header}
    )
    assert status == 200, answer
    return answer, (await simulator.shows(1))[0]


async def test_a_message_shows_its_response_its_changes_and_its_answer(simulator):
    answer, message = await send(simulator, json.dumps(TOLD))

    assert message["response"] == "utter_greet"
    assert message["changes"] == TOLD["changes"]
    assert message["answer"] == answer
    assert message["number"] == NUMBER
    assert message["body"] == HELLO


async def test_a_broken_header_keeps_no_message_back(simulator):
    _, message = await send(simulator, '{"response": ')

    assert (message["response"], message["changes"]) == (None, [])


async def test_every_step_of_a_message_has_its_time(simulator):
    await simulator.cloud(HELLO)
    await simulator.shows(1)
    await simulator.post("/simulator/clock", {"advance": 60})
    await simulator.post(f"/simulator/people/{MAYA}/read")

    (message,) = await simulator.chat()
    assert message["statuses"] == [
        {"status": "sent", "timestamp": 1_750_000_000, "by_hand": False},
        {"status": "delivered", "timestamp": 1_750_000_000, "by_hand": False},
        {"status": "read", "timestamp": 1_750_000_060, "by_hand": False},
    ]
