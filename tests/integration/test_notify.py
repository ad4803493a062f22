"""Notifications: what your own server asks for, from the door to the phone."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import aiohttp
import jsonschema
import pytest
from aiohttp import web
from ruamel.yaml import YAML
from support.eventually import eventually
from support.processes import PROJECT

from rasa_whatsapp_channel.inbound import notify_door
from rasa_whatsapp_channel.notify.notifications import Notifications
from rasa_whatsapp_channel.outbound import due_notifications, recovery
from rasa_whatsapp_channel.store.base import StoreError

MAYA = "4915112345678"
TOKEN = "a-token-of-the-shop"
SHIPPED = {"text": "Order {number} is on its way"}


def in_an_hour() -> str:
    return (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()


class Description:
    """docs/notify.openapi.yml, which every request that is taken and every answer must fit."""

    def __init__(self) -> None:
        path = PROJECT / "docs" / "notify.openapi.yml"
        self._whole = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))

    def check_answer(self, method: str, key: str, answer: Any, body: Any, wish: Any = None) -> None:
        path = "/webhooks/whatsapp/notify" + ("/{key}" if key else "")
        assert answer.url.path == path.replace("{key}", key)
        operation = self._whole["paths"][path][method.lower()]
        told = operation["responses"][str(answer.status)]["$ref"].rpartition("/")[2]
        response = self._whole["components"]["responses"][told]
        assert answer.headers.keys() >= set(response.get("headers", ()))
        self.check(response["content"]["application/json"]["schema"], body)
        if answer.status == 202:
            self.check({"$ref": "#/components/schemas/Notification"}, wish)

    def check(self, schema: Any, value: Any) -> None:
        whole = {**schema, "components": self._whole["components"]}
        jsonschema.Draft202012Validator(whole).validate(value)


DESCRIPTION = Description()


class Shop:
    """Your own server: asks for notifications, and asks how far they came."""

    def __init__(self, running: Any, session: aiohttp.ClientSession) -> None:
        self.running = running
        self.url = f"{running.url}/notify"
        self._session = session

    def has(self, domain: str) -> None:
        """Give the bot a domain."""
        from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
        from rasa.shared.core.domain import Domain

        agent = self.running.agent
        agent.domain = Domain.from_yaml(domain)
        agent.nlg = TemplatedNaturalLanguageGenerator(agent.domain.responses)

    async def asks(
        self, key: str | None = None, token: str = TOKEN, **wish: Any
    ) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {token}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        async with self._session.post(self.url, json=wish, headers=headers) as answer:
            body = await answer.json()
            DESCRIPTION.check_answer("POST", "", answer, body, wish)
            return answer.status, body

    async def about(self, key: str, method: str = "GET") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        url = f"{self.url}/{key}"
        async with self._session.request(method, url, headers=headers) as answer:
            body = await answer.json()
            DESCRIPTION.check_answer(method, key, answer, body)
            return answer.status, body

    async def sees(self, key: str, state: str) -> dict[str, Any]:
        async def found() -> Any:
            _, told = await self.about(key)
            return told if told.get("state") == state else None

        return dict(await eventually(found))

    async def writes(self, text: str, sender: str = MAYA, number: int = 1) -> None:
        message = {
            "from": sender,
            "id": f"wamid.in{number}",
            "type": "text",
            "text": {"body": text},
        }
        assert await self._deliver(messages=[message]) == 200

    async def status(self, message_id: str, status: str, **more: Any) -> None:
        assert await self.answer_to(message_id, status, **more) == 200

    async def answer_to(self, message_id: str, status: str, **more: Any) -> int:
        """Return how a webhook with a status is answered: WhatsApp sends it again without 200."""
        told = {"id": message_id, "status": status, "recipient_id": MAYA, **more}
        return await self._deliver(statuses=[told])

    async def _deliver(self, **value: Any) -> int:
        value |= {
            "messaging_product": "whatsapp",
            "metadata": {"phone_number_id": "106540352242922"},
        }
        change = {"field": "messages", "value": value}
        webhook = {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [change]}],
        }
        return int(await self.running.deliver(webhook))


async def silent(message: Any) -> None:
    pass


async def echo(message: Any) -> None:
    await message.output_channel.send_response(message.sender_id, {"text": message.text})


@pytest.fixture
def shop(serve):
    @asynccontextmanager
    async def shop(bot=silent, **settings):
        settings = {"notify_token": TOKEN, **settings}
        settings = {name: value for name, value in settings.items() if value is not None}
        async with serve(bot, **settings) as running, aiohttp.ClientSession() as session:
            yield Shop(running, session)

    return shop


async def test_the_same_key_fifty_times_at_once_is_one_message(shop, platform):
    async with shop() as it:
        wish = {"to": "+49 151 12345678", "response": SHIPPED, "slots": {"number": 7}}
        answers = await asyncio.gather(*(it.asks("order-7", **wish) for _ in range(50)))

        assert {status for status, _ in answers} == {202}
        assert {told["key"] for _, told in answers} == {"order-7"}
        await it.sees("order-7", "sent")
        other = {"to": MAYA, "response": {"text": "The next one"}}
        assert (await it.asks("order-8", **other))[0] == 202
        sent = await platform[0].sends(2)

    assert [each["text"]["body"] for each in sent] == ["Order 7 is on its way", "The next one"]
    assert {each["to"] for each in sent} == {MAYA}


async def test_a_key_stands_for_one_wish_also_after_a_restart(shop, platform):
    async with shop() as it:
        assert (await it.asks("order-7", to=MAYA, response={"text": "It is here"}))[0] == 202
        await it.sees("order-7", "sent")
    async with shop() as it:
        again = await it.asks(
            "order-7", to="whatsapp:+4915112345678", response={"text": "It is here"}
        )
        other = await it.asks("order-7", to=MAYA, response={"text": "It is gone"})
        await it.asks("order-8", to=MAYA, response={"text": "The next one"})
        sent = await platform[0].sends(2)

    assert again[0] == 202
    assert again[1]["state"] == "sent"
    assert other == (409, {"error": "order-7 is the key of another notification"})
    assert [each["text"]["body"] for each in sent] == ["It is here", "The next one"]


async def test_the_state_goes_up_to_read_and_your_server_is_told(shop, platform):
    told: list[tuple[dict[str, Any], bool]] = []
    failures = [503]

    async def take(request: web.Request) -> web.Response:
        if failures:
            return web.Response(status=failures.pop())
        raw = await request.read()
        signed = ".".join(request.headers[name] for name in ("webhook-id", "webhook-timestamp"))
        digest = hmac.digest(TOKEN.encode(), f"{signed}.".encode() + raw, "sha256")
        shown = request.headers["webhook-signature"]
        told.append((json.loads(raw), shown == f"v1,{base64.b64encode(digest).decode()}"))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/changes", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        async with shop(notify_webhook=f"http://127.0.0.1:{port}/changes") as it:
            await it.asks("order-7", to=MAYA, response={"text": "It is here"})
            await it.sees("order-7", "sent")
            await it.status("wamid.out1", "delivered")
            await it.sees("order-7", "delivered")
            await it.status("wamid.out1", "read")
            await it.status("wamid.out1", "delivered")  # late
            await it.sees("order-7", "read")
            await eventually(lambda: [each for each, _ in told if each["state"] == "read"])
    finally:
        await runner.cleanup()

    for body, is_signed in told:
        assert is_signed
        DESCRIPTION.check({"$ref": "#/components/schemas/Change"}, body)
    states = [each["state"] for each, _ in told]
    assert len(states) == len(set(states))  # each is told once
    assert {"sent", "delivered", "read"} <= set(states)
    assert {each["key"] for each, _ in told} == {"order-7"}


async def test_a_status_that_was_kept_and_not_acted_on_is_acted_on_when_it_comes_again(
    shop, platform, monkeypatch
):
    note, failing = Notifications.note, [StoreError("the disk is full")]

    async def note_later(self: Notifications, message: str, state: str, *reason: str) -> None:
        if state == "delivered" and failing:
            raise failing.pop()
        await note(self, message, state, *reason)

    monkeypatch.setattr(Notifications, "note", note_later)
    async with shop() as it:
        await it.asks("order-7", to=MAYA, response={"text": "It is here"})
        await it.sees("order-7", "sent")

        assert await it.answer_to("wamid.out1", "delivered") == 503
        await it.status("wamid.out1", "delivered")

        await it.sees("order-7", "delivered")


async def test_a_message_that_fails_says_why(shop, platform):
    platform[0].answers.append(
        (400, {"error": {"code": 131026, "message": "Message undeliverable"}})
    )
    async with shop() as it:
        await it.asks("order-7", to=MAYA, response={"text": "It is here"})
        told = await it.sees("order-7", "failed")

    assert "131026" in told["reason"]


async def test_a_token_that_ends_in_the_middle_fails_nobody(shop, platform, monkeypatch):
    monkeypatch.setattr(recovery, "TOKEN_WAIT", 0.5)  # a minute otherwise
    expired = (401, {"error": {"code": 190, "message": "Error validating access token"}})
    async with shop() as it:
        await it.asks("order-0", to=MAYA, response={"text": "Order 0 is here"})
        await it.sees("order-0", "sent")
        platform[0].answers += [expired] * 100
        for number in (1, 2):
            wish = {"to": f"491511234560{number}", "response": {"text": f"Order {number} is here"}}
            await it.asks(f"order-{number}", **wish)
        await eventually(lambda: len(platform[0].answers) < 100)
        told = [(await it.about(f"order-{number}"))[1]["state"] for number in (1, 2)]
        platform[0].answers.clear()  # somebody has put in a new one
        for number in (1, 2):
            await it.sees(f"order-{number}", "sent")

    assert set(told) <= {"scheduled", "queued"}
    said = sorted(each["text"]["body"] for each in platform[0].sent)
    assert said == [f"Order {number} is here" for number in range(3)]


async def test_what_is_scheduled_waits_survives_a_restart_and_can_be_cancelled(shop, platform):
    async with shop() as it:
        _, told = await it.asks("later", to=MAYA, response={"text": "Later"}, at=in_an_hour())
        await it.asks("never", to=MAYA, response={"text": "Never"}, at=in_an_hour())
    async with shop(echo) as it:
        await it.writes("Hello?")
        sent = await platform[0].sends(1)
        cancelled = await it.about("never", "DELETE")
        kept = await it.about("later")
        await it.asks("now", to=MAYA, response={"text": "Now"})
        await it.sees("now", "sent")
        too_late = await it.about("now", "DELETE")
        unknown = await it.about("nothing"), await it.about("nothing", "DELETE")
        health = await it.running.health()

    assert told["state"] == "scheduled"
    assert kept == (200, told)
    assert [each["text"]["body"] for each in sent] == ["Hello?", "Now"]  # nobody waited
    assert cancelled[1]["state"] == "cancelled"
    assert too_late == (409, {"error": "it is too late: sent"})
    assert [status for status, _ in unknown] == [404, 404]
    assert health["inbox"]["waiting"] == 2


async def test_the_bots_own_turn_speaks_where_an_intent_is_asked_for(shop, platform):
    async with shop(echo) as it:
        await it.asks("order-7", to=MAYA, intent="order_shipped", slots={"number": 7})
        await it.sees("order-7", "sent")
        await it.status("wamid.out1", "read")
        await it.sees("order-7", "read")
        [heard] = it.running.agent.heard

    assert heard.text == '/order_shipped{"number": 7}'
    assert heard.sender_id == MAYA
    assert heard.metadata["whatsapp"]["type"] == "notification"
    assert [each["text"]["body"] for each in platform[0].sent] == [heard.text]


async def test_a_template_is_filled_in_and_sent(shop, platform):
    template = {"name": "order_shipped", "language": "de", "body": ["{number}"]}
    async with shop() as it:
        await it.asks("order-7", to=MAYA, template=template, slots={"number": "7"})
        [sent] = await platform[0].sends(1)

    assert sent["template"] == {
        "name": "order_shipped",
        "language": {"code": "de"},
        "components": [{"type": "body", "parameters": [{"type": "text", "text": "7"}]}],
    }


async def test_only_what_is_called_utility_goes_by_direct_send(shop, platform):
    async with shop(direct_send=True) as it:
        await it.asks("order", to=MAYA, response={"text": "It is here"}, category="utility")
        [order] = await platform[0].sends(1)
        await it.status("wamid.out1", "read")
        await it.sees("order", "read")
        await it.asks("news", to=MAYA, response={"text": "Cheaper"})

        async def waits() -> bool:
            return bool((await it.running.health())["outbox"]["waiting"] == 1)

        await eventually(waits)

    assert order["category"] == "utility"
    assert len(platform[0].sent) == 1


async def test_whoever_opts_out_while_it_waits_gets_no_marketing_but_their_order(shop, platform):
    news = {"to": MAYA, "response": {"text": "Everything is cheaper"}}
    template = {"name": "sent", "language": "en", "category": "utility"}
    parcel = {
        "text": "It is on its way",
        "metadata": {"whatsapp": {"preview_url": False}},
        "custom": {"whatsapp": {"template": template}},
    }
    async with shop(consent={"languages": ["en"]}) as it:
        it.running.agent.ready = False
        await it.asks("news", **news)
        await it.asks("parcel", **{**news, "response": parcel})
        await it.asks("order", **{**news, "response": {"text": "It is here"}}, category="utility")
        await it.writes("STOP")
        it.running.agent.ready = True
        withheld = await it.sees("news", "withheld")
        await it.sees("parcel", "sent")
        await it.sees("order", "sent")
        page = (await it.running.get("/metrics"))[1]

    said = {each["text"]["body"] for each in platform[0].sent}
    assert said == {"It is on its way", "It is here"}
    assert withheld["reason"].startswith("the person wants no marketing messages; ")
    assert "whatsapp_withheld_total 1.0" in page


async def test_in_quiet_hours_only_what_is_urgent_goes(shop, platform):
    berlin = datetime.now(timezone.utc) + timedelta(hours=1)  # or an hour more in summer
    begin, end = berlin - timedelta(hours=2), berlin + timedelta(hours=3)
    async with shop(quiet_hours=f"{begin:%H:%M}-{end:%H:%M}") as it:
        await it.asks("news", to=MAYA, response={"text": "News"})
        await it.asks("code", to=MAYA, response={"text": "Your code is 7"}, urgent=True)
        await it.sees("code", "sent")
        abroad = await it.asks("abroad", to="61412345678", response={"text": "News"})
        assert abroad[0] == 202
        await it.sees("abroad", "sent")
        kept = await it.about("news")

    assert kept[1]["state"] == "scheduled"
    assert [each["text"]["body"] for each in platform[0].sent] == ["Your code is 7", "News"]


WRONG = [
    ({"to": MAYA}, "one of 'response', 'template' and 'intent' says what is sent"),
    ({"to": MAYA, "response": "utter_x", "intent": "x"}, "one of 'response', 'template'"),
    ({"to": "0151 1234567", "intent": "x"}, "'to': a phone number needs its country's code"),
    ({"intent": "x"}, "'to': there is no recipient"),
    ({"to": MAYA, "intent": "x", "when": "now"}, "unknown key 'when'"),
    ({"to": MAYA, "response": {"text": "{name}"}}, "'slots' has no 'name'"),
    ({"to": MAYA, "intent": "x", "at": "tomorrow"}, "'at' must be a time such as"),
    ({"to": MAYA, "intent": "x", "at": "2099-01-01T00:00"}, "'at' is more than 400 days away"),
    ({"to": MAYA, "intent": "x", "at": "NaN"}, "'at' must be a time such as"),
    ({"to": MAYA, "intent": "x", "category": "promotion"}, "'category' must be one of"),
    ({"to": MAYA, "intent": "x", "urgent": "yes"}, "'urgent' must be true or false"),
    ({"to": MAYA, "response": ["text"]}, "'response' must be the name of a response"),
    ({"to": MAYA, "intent": "two words"}, "'intent' must be the name of an intent"),
    ({"to": MAYA, "intent": "x", "slots": "x"}, "'slots' must be an object"),
]


async def test_what_is_wrong_is_told_at_the_door(shop, platform):
    async with shop() as it:
        answers = [await it.asks(**wish) for wish, _ in WRONG]
        key = await it.asks("a key", to=MAYA, intent="x")
        large = await it.asks(to=MAYA, response={"text": "x" * 70_000})
        health = await it.running.health()

    for (status, told), (_, problem) in zip(answers, WRONG, strict=True):
        assert (status, problem in told["error"]) == (422, True), told
    assert key[0] == 422
    assert large == (413, {"error": "a notification has at most 65536 bytes"})
    assert health["inbox"]["waiting"] == 0


async def test_only_the_token_opens_the_door_and_without_one_there_is_none(shop, platform):
    async with shop() as it:
        wrong = await it.asks(token="another-token-of-16", to=MAYA, intent="x")
        async with aiohttp.ClientSession() as session, session.get(f"{it.url}/x") as answer:
            missing = answer.status, answer.headers["WWW-Authenticate"]
    async with shop(notify_token=None) as it:
        closed = await it.asks(to=MAYA, intent="x")

    assert wrong == (401, {"error": "the token is missing or wrong"})
    assert missing == (401, "Bearer")
    assert closed == (404, {"error": "`notify_token` is not set"})


async def test_too_many_requests_are_told_to_wait(shop, platform, monkeypatch):
    # A machine that is slow enough never asks faster than 50 times a second.
    monkeypatch.setattr(notify_door, "RATE", notify_door.RATE._replace(rate=0.001))
    async with shop() as it:
        answers = await asyncio.gather(*(it.about("nothing") for _ in range(600)))

    statuses = [status for status, _ in answers]
    assert (statuses.count(404), statuses.count(429)) == (500, 100)


DOMAIN = """
version: "3.1"
slots:
  city: {type: text, initial_value: Malmö, mappings: [{type: custom}]}
intents: [order_shipped, faq]
responses:
  utter_shipped:
  - text: "Order {number} comes to {city}"
  - text: "Order {number} comes to {city}, by WhatsApp"
    channel: whatsapp
  utter_news:
  - text: "News for {response} in {filled_slots}"
  - text: "Only the best for {response}"
    condition: [{type: slot, name: level, value: gold}]
  utter_gold:
  - text: "For gold only"
    condition: [{type: slot, name: level, value: gold}]
"""


@pytest.mark.filterwarnings("ignore")  # of how Rasa reads its YAML
async def test_a_response_of_the_domain_is_filled_with_slots_of_both_sides(shop, platform):
    async with shop() as it:
        it.has(DOMAIN)
        slots = {"number": "4711", "tracker": "a name of a parameter"}
        assert (await it.asks("a", to=MAYA, response="utter_shipped", slots=slots))[0] == 202
        unknown = await it.asks("b", to=MAYA, response="utter_shiped")
        assert await it.asks("c", to=MAYA, intent="order_shiped") == (
            422,
            {"error": "the bot has no intent order_shiped"},
        )
        assert (await it.asks("d", to=MAYA, intent="/faq/hours"))[0] == 202
        [sent] = await platform[0].sends(1)

    assert sent["text"]["body"] == "Order 4711 comes to Malmö, by WhatsApp"
    assert unknown == (422, {"error": "the bot has no response utter_shiped"})


@pytest.mark.filterwarnings("ignore")
async def test_what_the_bot_no_longer_has_when_it_is_due_fails(shop, platform):
    async with shop() as it:
        it.running.agent.ready = False
        await it.asks("a", to=MAYA, intent="order_shipped")
        it.has(DOMAIN.replace("order_shipped", "shipped"))
        it.running.agent.ready = True
        failed = await it.sees("a", "failed")

    assert failed["reason"] == "the bot has no intent order_shipped"
    assert not it.running.agent.heard


@pytest.mark.filterwarnings("ignore")
async def test_slots_choose_the_variation_and_may_have_any_name(shop, platform):
    async with shop() as it:
        it.has(DOMAIN)
        slots = {"response": "Maya", "filled_slots": "Malmö"}  # names of Rasa's parameters
        await it.asks("a", to=MAYA, response="utter_news", slots=slots)
        [first] = await platform[0].sends(1)
        await it.asks("b", to=MAYA, response="utter_news", slots={**slots, "level": "gold"})
        [_, second] = await platform[0].sends(2)
        await it.asks("c", to=MAYA, response="utter_gold")
        refused = await it.sees("c", "failed")

    assert first["text"]["body"] == "News for Maya in Malmö"
    assert second["text"]["body"] == "Only the best for Maya"
    assert refused["reason"] == "no variation of utter_gold is for whatsapp and these slots"


async def test_marketing_waits_while_too_much_fails_and_orders_go_on(shop, platform):
    refused = (400, {"error": {"code": 131026, "message": "Message undeliverable"}})
    platform[0].answers += [refused] * 20
    sale = {"text": "Everything is cheaper"}
    async with shop() as it:
        for number in range(20):
            await it.asks(f"sale-{number}", to=f"49151123456{number:02d}", response=sale)
        await eventually(lambda: not platform[0].answers)
        for number in range(20):
            await it.sees(f"sale-{number}", "failed")
        await it.asks("late", to=MAYA, response=sale)
        await it.asks("order", to=MAYA, response={"text": "It is here"}, category="utility")
        await it.sees("order", "sent")
        late = await it.about("late")
        health = await it.running.health()

    assert late[1]["state"] == "scheduled"
    assert [each["text"]["body"] for each in platform[0].sent] == ["It is here"]
    [trouble] = health["account"]
    assert (trouble["topic"], trouble["event"]) == ("notifications", "PAUSED")
    assert trouble["detail"].startswith("20 of 20 messages of this hour failed")


@pytest.mark.filterwarnings("ignore")
async def test_a_response_waits_while_the_conversations_cannot_be_read(shop, platform, monkeypatch):
    monkeypatch.setattr(due_notifications, "AGAIN", 0.2)  # half a minute otherwise
    asked = []
    async with shop() as it:
        it.has(DOMAIN)

        async def is_away_twice(sender_id: str) -> None:
            asked.append(sender_id)
            if len(asked) < 3:
                raise ConnectionError("the tracker store is away")

        monkeypatch.setattr(it.running.agent, "retrieve", is_away_twice)
        await it.asks("a", to=MAYA, response="utter_shipped", slots={"number": "1"})
        [sent] = await platform[0].sends(1)

    assert asked == [MAYA] * 3
    assert sent["text"]["body"] == "Order 1 comes to Malmö, by WhatsApp"


@pytest.mark.filterwarnings("ignore")
async def test_a_response_waits_while_its_generator_is_away(shop, platform, monkeypatch):
    monkeypatch.setattr(due_notifications, "AGAIN", 0.2)  # half a minute otherwise
    monkeypatch.setattr(due_notifications, "ATTEMPTS", 1)  # minutes of pauses otherwise
    asked = []
    async with shop() as it:
        it.has(DOMAIN)
        generate = it.running.agent.nlg.generate

        async def is_away_twice(*args: Any, **kwargs: Any) -> Any:
            asked.append(args)
            if len(asked) < 3:
                raise ConnectionError("the server of `nlg` is away")
            return await generate(*args, **kwargs)

        monkeypatch.setattr(it.running.agent.nlg, "generate", is_away_twice)
        await it.asks("a", to=MAYA, response="utter_shipped", slots={"number": "1"})
        [sent] = await platform[0].sends(1)

    assert len(asked) == 3
    assert sent["text"]["body"] == "Order 1 comes to Malmö, by WhatsApp"


@pytest.mark.filterwarnings("ignore")
async def test_what_cannot_be_generated_fails_after_the_last_attempt(shop, platform, monkeypatch):
    monkeypatch.setattr(due_notifications, "ATTEMPTS", 1)  # minutes of pauses otherwise
    async with shop() as it:
        it.has(DOMAIN)

        async def fails(*args: Any, **kwargs: Any) -> Any:
            raise KeyError("a bug of the bot")

        monkeypatch.setattr(it.running.agent.nlg, "generate", fails)
        await it.asks("a", to=MAYA, response="utter_shipped", slots={"number": "1"})
        failed = await it.sees("a", "failed")

    assert failed["reason"] == "KeyError: 'a bug of the bot'"
