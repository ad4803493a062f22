"""Rough weather in a simulator: told, repeatable, and changed while it runs."""

import pytest

BRAZIL, KNOWN = "5511987654321", "551187654321"
HELLO = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "hello"}}


def value(webhook):
    return webhook.body["entry"][0]["changes"][0]["value"]


async def statuses(simulator, count):
    """Send *count* messages; return what the bot sees of each, None where nothing came back."""
    seen = []
    for _ in range(count):
        try:
            seen.append((await simulator.cloud({**HELLO, "to": "491512345"}))[0])
        except Exception as error:
            seen.append(type(error).__name__)
    return seen


async def faults(simulator):
    _, weather = await simulator.get("/simulator/weather")
    return [
        (fault["kind"], fault["n"], fault["do"])
        for fault in weather["faults"]
        if fault["kind"] == "messages"
    ]


async def test_the_same_seed_and_traffic_meet_the_same_again(start):
    rough = {"weather": "rough", "seed": 4, "limits": False, "window": False}
    first, second = await start(**rough), await start(**rough)
    other = await start(**{**rough, "seed": 6})

    seen = [await statuses(each, 40) for each in (first, second, other)]

    assert seen[0] == seen[1] != seen[2]
    assert await faults(first) == await faults(second) != await faults(other)
    assert await faults(first)
    _, requests = await first.get("/simulator/requests")
    told = [each["fault"] for each in requests if each["fault"]]
    _, weather = await first.get("/simulator/weather")
    words = [g["words"] for g in weather["faults"] if g["kind"] == "messages"]
    assert told == [f"Rough weather: {each}." for each in words]


async def test_a_calm_day_brings_nothing(simulator):
    assert set(await statuses(simulator, 30)) == {200}
    _, weather = await simulator.get("/simulator/weather")
    assert weather == {"weather": "calm", "seed": None, "lasting": None, "faults": []}


async def test_the_weather_turns_while_the_simulator_runs_and_the_page_hears_of_it(start):
    simulator = await start(limits=False)
    async with simulator.session.ws_connect(f"{simulator.url}/simulator/socket") as socket:
        _, told = await simulator.post("/simulator/weather", {"weather": "rough", "seed": 4})
        assert (told["weather"], told["seed"]) == ("rough", 4)
        await statuses(simulator, 40)
        events = []
        while not any(event["event"] == "weather" for event in events):
            events.append(await socket.receive_json(timeout=60))

    fault = events[-1]
    assert events[0]["event"] == "weather_changed"
    assert fault["words"]
    assert fault["person"] == "491512345"
    await simulator.post("/simulator/weather", {"weather": "calm"})
    assert set(await statuses(simulator, 30)) == {200}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"weather": "wet"},
        {"weather": "rough", "seed": "7"},
        {"weather": "rough", "seed": 1, "lasting": 0},
    ],
)
async def test_a_weather_that_is_none_is_refused(simulator, given):
    status, answer = await simulator.post("/simulator/weather", given)
    assert status == 400
    assert answer["error"]


async def test_whatsapp_answers_a_brazilian_number_with_the_one_it_knows(start, bot):
    # Of kinds that are empty nothing happens: only the names are left of the weather.
    simulator = await start(weather="rough", seed=1, lasting=False)
    await simulator.post("/simulator/people", {"name": "Bia", "phone": BRAZIL})

    for _ in range(3):  # one of them is answered
        try:
            status, answer = await simulator.cloud({**HELLO, "to": BRAZIL})
        except Exception:
            continue
        if status == 200:
            break
    await simulator.says("oi", BRAZIL)
    heard = []
    while not any("messages" in each for each in heard) or not any(
        "statuses" in each for each in heard
    ):
        received = await bot.takes(len(heard) + 1)
        heard = [value(each) for each in received]

    assert answer["contacts"] == [{"input": BRAZIL, "wa_id": KNOWN}]
    messages = [message for each in heard for message in each.get("messages", [])]
    told = [status for each in heard for status in each.get("statuses", [])]
    assert {message["from"] for message in messages} == {KNOWN}
    assert {status["recipient_id"] for status in told} == {KNOWN}
    # and either name is the same person here
    assert (await simulator.chat(KNOWN)) == (await simulator.chat(BRAZIL))


async def test_a_refusal_is_kept_with_the_chat(start, tmp_path):
    state = tmp_path / "chats.db"
    simulator = await start(state=state)
    bad = {**HELLO, "to": "4915112345678", "text": {"body": "x" * 5000}}
    await simulator.cloud(bad)

    _, (kept,) = await simulator.get("/simulator/refusals")
    _, whole = await simulator.get("/simulator/state")

    assert whole["refusals"] == [kept]
    assert (kept["by"], kept["person"], kept["code"]) == ("whatsapp", "4915112345678", 100)
    assert "4096" in kept["rule"]
    assert kept["request"]["body"] == bad
    assert kept["answer"]["error"]["code"] == 100


async def test_refusals_are_there_again_after_the_next_start(start, tmp_path):
    simulator = await start()
    await simulator.cloud({**HELLO, "to": "4915112345678", "text": {}})
    await simulator.post(
        "/simulator/dead-letters", {"to": "4915112345678", "reason": "no such file"}
    )
    _, export = await simulator.get("/simulator/export")
    _, refusals = await simulator.get("/simulator/refusals")

    other = await start()
    assert (await other.post("/simulator/import", export))[0] == 200
    assert await other.get("/simulator/refusals") == (200, refusals)
    assert [each["by"] for each in refusals] == ["whatsapp", "channel"]

    export["refusals"][0]["by"] = "nobody"
    assert (await other.post("/simulator/import", export))[0] == 400


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"to": "49"},
        {"to": "49", "reason": "x", "body": 7},
        {"to": "49", "reason": "x", "code": "7"},
    ],
)
async def test_what_is_told_of_a_dead_letter_is_checked(simulator, given):
    status, answer = await simulator.post("/simulator/dead-letters", given)
    assert (status, list(answer)) == (400, ["error"])


async def test_a_reset_brings_back_the_weather_of_the_start(start):
    simulator = await start(weather="rough", seed=4)
    await simulator.post("/simulator/weather", {"weather": "calm"})

    await simulator.post("/simulator/reset", {})

    _, weather = await simulator.get("/simulator/weather")
    assert (weather["weather"], weather["seed"], weather["faults"]) == ("rough", 4, [])


async def test_a_refused_message_brings_nobody_to_the_desk(simulator):
    sent = {**HELLO, "to": "4915100000009", "type": "image", "image": {"id": "1"}}
    del sent["text"]

    status, answer = await simulator.cloud(sent)

    assert (status, answer["error"]["code"]) == (400, 100)
    assert (await simulator.get("/simulator/people/4915100000009/messages"))[0] == 404
