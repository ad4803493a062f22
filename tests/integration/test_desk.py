"""
A desk by the contract: it hears what happens, takes the conversation, writes, and gives it back.

The desk checks every signature itself, as the page of Standard Webhooks says.
"""

from __future__ import annotations

import base64
import json
import time
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support import webhooks
from support.cloud_api import PICTURE, PICTURE_SHA256
from support.desk_server import SECRET, DeskServer, Door
from support.eventually import eventually
from support.webhooks import echo, envelope

from rasa_whatsapp_channel import standard_webhooks
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import OUTSIDE

PHONE = "4915112345678"


def text(number: int, body: str) -> dict[str, Any]:
    return envelope([webhooks.text(PHONE, f"wamid.in{number}", body)])


class Bot:
    """Says *says* to everything; its *tracker* has it before it is sent."""

    def __init__(self, *says: dict[str, Any]) -> None:
        self.says = says or ({"text": "an answer"},)
        self.tracker: list[Any] = []

    async def __call__(self, message: Any) -> None:
        for each in self.says:
            said = {"type_name": "bot", "text": each["text"], "metadata": {}}
            self.tracker.append(SimpleNamespace(**said, timestamp=time.time()))
            await message.output_channel.send_response(message.sender_id, each)


ASKS = {"text": "I fetch somebody.", "metadata": {"whatsapp": {"handoff": "a refund"}}}


@pytest.fixture
def chat(serve: Any, desk: DeskServer) -> Any:
    def chat(bot: Any = None, *, handoff: dict[str, Any] | None = None, **settings: Any) -> Any:
        group = {"desk": "webhook", "url": desk.url, "secret": SECRET, **(handoff or {})}
        return serve(bot or Bot(), handoff=group, **settings)

    return chat


def words(bodies: list[dict[str, Any]]) -> list[str]:
    return [body.get("text", {}).get("body") or body["type"] for body in bodies]


async def test_a_desk_hears_the_request_takes_it_writes_and_gives_it_back(chat, desk, platform):
    bot = Bot({"text": "I see."}, ASKS, {"text": "One moment."})
    async with chat(bot) as running:
        said = SimpleNamespace(
            type_name="user",
            text="hello",
            timestamp=time.time() - 60,
            message_id="wamid.in0",
            metadata={"whatsapp": {"type": "text"}},
        )
        bots = SimpleNamespace(type_name="bot", text="Hi!", timestamp=time.time() - 59, metadata={})
        bot.tracker += [said, bots]
        running.agent.saved[PHONE] = SimpleNamespace(events=bot.tracker)
        await running.deliver(text(1, "my money back"))
        asked = await desk.hears("handoff.requested")
        running.agent.saved.clear()
        await platform[0].sends(3)

        assert (asked["reason"], asked["from"], asked["to"]) == ("a refund", "bot", "waiting")
        assert asked["conversation"] == PHONE
        assert asked["contact"]["phone"] == PHONE
        assert asked["number"] == {"phone_number_id": webhooks.NUMBER}
        assert [(each["from"], each["text"]) for each in asked["history"]] == [
            ("user", "hello"),
            ("bot", "Hi!"),
        ]
        assert asked["window_closes_at"] > asked["time"]
        await desk.hears("message.sent", 3)
        assert [(each["type"], each["message"]["text"]) for each in desk.told[1:]] == [
            ("message.received", "my money back"),
            ("message.sent", "I see."),
            ("message.sent", "I fetch somebody."),
            ("message.sent", "One moment."),
        ]
        assert (await desk.hears("message.sent"))["message"]["raw"] == {"body": "One moment."}

        door = Door(running.url, PHONE)
        eve = {"client_id": "1", "text": "Eve here. **Which** order?", "agent": {"name": "Eve"}}
        status, answer = await door.asks("messages", eve)
        assert status == 202
        assert answer["client_id"] == "1"
        await platform[0].sends(4)
        took = await desk.hears("owner.changed")
        assert (took["to"], took["by"], took["reason"]) == ("human", "desk", "Eve")
        await running.deliver(envelope([webhooks.status("wamid.out4", "delivered", PHONE)]))
        arrived = await desk.hears("message.status")
        assert (arrived["client_id"], arrived["status"]) == ("1", "delivered")

        await running.deliver(text(2, "4711"))
        await desk.hears("message.received", 2)
        assert (desk.told[-1]["message"]["text"], desk.told[-1]["contact"]["name"]) == (
            "4711",
            "Person 5678",
        )
        back = {"owner": "bot", "note": "refund of 4711", "say": "Back with the robot"}
        assert (await door.asks("owner", back))[0] == 200
        returned = await desk.hears("owner.changed", 2)
        assert (returned["to"], returned["reason"]) == ("bot", "refund of 4711")
        await platform[0].sends(5)
        assert [message.text for message in running.agent.heard] == ["my money back"]
    assert words(platform[0].sent)[3:5] == ["Eve here. *Which* order?", "Back with the robot"]
    sequences = [event["sequence"] for event in desk.told]
    assert sequences == list(range(1, len(sequences) + 1))


async def test_a_person_who_takes_over_sees_what_the_bot_wanted_to_say(chat, desk, platform):
    async with chat(Bot({"text": "one"})) as running:
        door = Door(running.url, PHONE)
        platform[0].gate.clear()
        await running.deliver(text(1, "hi"))
        await platform[0].eventually(lambda: platform[0].waiting >= 1)
        await running.deliver(text(2, "are you there?"))
        await eventually(lambda: len(running.agent.heard) == 2)
        assert (await door.asks("owner", {"owner": "human"}))[1]["owner"] == "human"
        platform[0].gate.set()
        withheld = await desk.hears("message.withheld")
        assert withheld["message"]["text"] == "one"
        assert desk.types()[0] == "owner.changed"


async def test_a_desk_that_is_down_slow_or_answers_garbage_loses_nothing(chat, desk):
    desk.answers = [(503, b"<html>away</html>"), (404, b"\xff\xfe")]
    async with chat(Bot(ASKS)) as running:
        await running.deliver(text(1, "my money back"))
        await desk.hears("message.received")
        desk.gate.clear()
        await running.deliver(text(2, "hello?"))
        await running.deliver(text(3, "is anybody there?"))
        await eventually(lambda: desk.attempts >= 6)
        assert (await Door(running.url, PHONE).state())["owner"] == "waiting"
        desk.gate.set()
        await desk.hears("message.received", 3)
    assert desk.texts() == ["my money back", "hello?", "is anybody there?"]


async def test_the_same_message_again_is_sent_once_and_another_one_is_refused(chat, desk, platform):
    async with chat() as running:
        door = Door(running.url, PHONE)
        first = {"client_id": "991", "text": "Hello"}
        answers = [await door.asks("messages", first) for _ in range(3)]
        assert answers[0] == answers[1] == answers[2]
        status, answer = await door.asks("messages", {"client_id": "991", "text": "Other"})
        assert (status, answer["error"]) == (409, "client_id_used")
        other = Door(running.url, "4915199999999")
        assert (await other.asks("messages", first))[0] == 202  # an id is of one conversation
        await platform[0].sends(2)
    assert [(body["to"], body["text"]["body"]) for body in platform[0].sent] == [
        (PHONE, "Hello"),
        ("4915199999999", "Hello"),
    ]


async def test_a_stale_version_and_a_conversation_of_the_bots_are_refused(chat, desk, platform):
    async with chat() as running:
        door = Door(running.url, PHONE)
        quiet = {"client_id": "1", "text": "Hello", "take": False}
        status, answer = await door.asks("messages", quiet)
        assert (status, answer["error"], answer["owner"]) == (409, "not_owner", "bot")

        _, took = await door.asks("owner", {"owner": "human", "if": 1})
        status, answer = await door.asks("owner", {"owner": "bot", "if": "1"})
        assert (status, answer["error"]) == (409, "stale")
        assert (answer["owner"], answer["version"]) == ("human", took["version"])
        assert (await door.asks("messages", quiet))[0] == 202
        await platform[0].sends(1)


async def test_outside_the_window_only_a_template_goes(chat, desk, platform):
    template = {"name": "hello_again", "language": {"code": "en"}}
    async with chat(reengagement_template=template) as running:
        old = webhooks.text(PHONE, "wamid.in1", "hi")
        old["messages"][0]["timestamp"] = str(int(time.time()) - 90_000)
        await running.deliver(envelope([old]))
        door = Door(running.url, PHONE)
        status, answer = await door.asks("messages", {"client_id": "1", "text": "Hello"})
        assert (status, answer["error"]) == (409, "window_closed")
        assert answer["templates"][0]["template"]["name"] == "hello_again"
        status, _ = await door.asks("messages", {"client_id": "2", "template": template})
        assert status == 202
        await platform[0].sends(1)
    assert platform[0].sent[-1]["template"]["name"] == "hello_again"


async def test_words_at_a_return_go_as_the_bots_would_outside_the_window(chat, desk, platform):
    template = {"name": "hello_again", "language": {"code": "en"}}
    async with chat(reengagement_template=template) as running:
        old = webhooks.text(PHONE, "wamid.in1", "hi")
        old["messages"][0]["timestamp"] = str(int(time.time()) - 90_000)
        await running.deliver(envelope([old]))
        door = Door(running.url, PHONE)
        await door.asks("owner", {"owner": "human"})
        status, answer = await door.asks("owner", {"owner": "bot", "say": "Back with the robot"})
        assert (status, answer["owner"]) == (200, "human")  # the return waits in the inbox
        await platform[0].sends(1)
        returned = await desk.hears("owner.changed", 2)
        assert returned["to"] == "bot"
    assert platform[0].sent[0]["template"]["name"] == "hello_again"


async def test_a_desk_sees_how_many_messages_wait_to_be_sent(chat, desk, platform):
    async with chat() as running:
        door = Door(running.url, PHONE)
        assert (await door.state())["outbox"] == 0
        platform[0].gate.clear()
        await door.asks("messages", {"client_id": "1", "text": "Hello"})
        assert (await door.state())["outbox"] == 1
        platform[0].gate.set()
        await platform[0].sends(1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"text": "no id"}, "client_id is missing"),
        ({"client_id": "1"}, "it says nothing"),
        ({"client_id": "1", "txt": "typo"}, "there is no key txt"),
        ({"client_id": "1", "text": {"a": 1}}, "text must be a text"),
        ({"client_id": "1", "media": {"type": "image", "url": "media/lake.jpg"}}, "the url of a"),
        ({"client_id": "1", "media": {"type": "gif", "url": "https://a.example/b"}}, "media.type"),
        ({"client_id": "1", "template": "hello"}, "template: must be an object"),
        ([], "no object"),
    ],
)
async def test_what_does_not_fit_is_refused_in_words(chat, desk, platform, body, said):
    async with chat() as running:
        status, answer = await Door(running.url, PHONE).asks("messages", body)
        assert (status, answer["error"]) == (422, "does_not_fit")
        assert said in answer["message"]
        status, answer = await Door(running.url, PHONE).asks("messages", raw=b"<html>")
        assert status == 422
        assert (await Door(running.url, PHONE).asks("owner", {"owner": "cat"}))[0] == 422
        assert (await Door(running.url, PHONE).asks("nowhere", {}))[0] == 404
        assert (await Door(running.url, "no body").asks("messages", {}))[0] == 404
    assert platform[0].sent == []


@pytest.mark.parametrize(
    "changed",
    [
        {"secret": "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXI="},
        {"at": -400.0},
        {"at": +400.0},
        {"headers": {"webhook-signature": "v1,"}},
        {"headers": {"webhook-signature": ""}},
        {"headers": {"webhook-timestamp": "x"}},
        {"headers": {"webhook-id": "msg_2"}},
    ],
)
async def test_who_does_not_sign_is_not_answered(chat, desk, platform, changed):
    async with chat() as running:
        body = {"client_id": "1", "text": "Hello"}
        asked = {**changed, "at": time.time() + changed.get("at", 0.0)}
        status, answer = await Door(running.url, PHONE).asks("messages", body, **asked)
        assert (status, answer) == (401, b"refused")
    assert platform[0].sent == []


async def test_a_secret_is_replaced_while_both_count(chat, desk, platform):
    new = "whsec_b3RoZXJvdGhlcm90aGVyb3RoZXI="
    async with chat(handoff={"secret": [new, SECRET]}) as running:
        for number, secret in enumerate((new, SECRET)):
            body = {"client_id": str(number), "text": "Hello"}
            status, _ = await Door(running.url, PHONE).asks("messages", body, secret=secret)
            assert status == 202
        await desk.hears("owner.changed")  # the desk knows the old one only


async def test_html_and_slashes_are_text_in_both_directions(chat, desk, platform):
    odd = "<b>/restart</b> <script>alert(1)</script>"
    async with chat(Bot(ASKS)) as running:
        await running.deliver(text(1, "a person"))
        await running.deliver(text(2, odd))
        await desk.hears("message.received", 2)
        said = {"client_id": "1", "text": odd}
        await Door(running.url, PHONE).asks("messages", said)
        await platform[0].sends(2)
        assert [message.text for message in running.agent.heard] == ["a person"]
    assert desk.texts()[1] == words(platform[0].sent)[1] == odd


async def test_files_go_to_the_desk_by_links_that_expire(chat, desk, platform):
    platform[0].files["77"] = (PICTURE, "image/jpeg")
    async with chat(Bot(ASKS)) as running:
        await running.deliver(text(1, "a person"))
        await desk.hears("message.received")
        sent = webhooks.picture(PHONE, "wamid.in2", "my lake", media_id="77", sha256=PICTURE_SHA256)
        await running.deliver(envelope([sent]))
        told = await desk.hears("message.received", 2)
        media = told["message"]["media"]
        assert (told["message"]["text"], media["mime_type"]) == ("my lake", "image/jpeg")
        assert media["size"] == len(PICTURE)
        assert str(running.url) not in media["url"]  # without public_url it begins at the host
        host = running.url.removesuffix("/webhooks/whatsapp")
        async with aiohttp.ClientSession() as session:
            async with session.get(host + media["url"]) as answer:
                assert (answer.status, await answer.read()) == (200, PICTURE)
                assert answer.headers["Content-Disposition"] == "attachment"
            for wrong in (
                media["url"].replace("expires=", "expires=9"),
                media["url"][:-1] + ("0" if media["url"][-1] != "0" else "1"),
                media["url"].split("?")[0],
            ):
                async with session.get(host + wrong) as answer:
                    assert answer.status == 401


def form_with(photos: int) -> dict[str, Any]:
    """A form that somebody has filled in, with so many photos."""
    hashed = base64.b64encode(bytes.fromhex(PICTURE_SHA256)).decode()
    photo = {"id": 78, "mime_type": "image/jpeg", "sha256": hashed, "file_name": "dent.jpg"}
    answers = json.dumps({"flow_token": "t", "car": "red", "photos": [photo] * photos})
    form = webhooks.text(PHONE, "wamid.in2", "")
    [message] = form["messages"]
    message["type"] = "interactive"
    message["interactive"] = {"type": "nfm_reply", "nfm_reply": {"response_json": answers}}
    return envelope([form])


async def test_the_desk_reads_a_form_and_gets_its_photos(chat, desk, platform):
    platform[0].files["78"] = (PICTURE, "image/jpeg")
    async with chat(Bot(ASKS)) as running:
        await running.deliver(text(1, "a person"))
        await desk.hears("message.received")
        await running.deliver(form_with(photos=1))
        told = await desk.hears("message.received", 3)
        host = running.url.removesuffix("/webhooks/whatsapp")
        link = host + told["message"]["media"]["url"]
        async with aiohttp.ClientSession() as session, session.get(link) as answer:
            assert await answer.read() == PICTURE
    assert desk.texts() == ["a person", "[flow: car: red, photos: dent.jpg]", ""]
    assert told["message"]["media"]["filename"] == "dent.jpg"


async def test_a_form_from_a_phone_brings_no_more_photos_than_a_form_may_have(chat, desk, platform):
    platform[0].files["78"] = (PICTURE, "image/jpeg")
    async with chat(Bot(ASKS)) as running:
        await running.deliver(text(1, "a person"))
        await running.deliver(form_with(photos=40))
        await running.deliver(text(3, "Is it bad?"))
        await eventually(lambda: "Is it bad?" in desk.texts())
    assert desk.texts().count("") == 30


async def test_a_file_of_the_desk_goes_out_and_one_that_is_too_large_is_told(chat, desk, platform):
    async with chat() as running:
        door = Door(running.url, PHONE)
        link = "https://desk.example/lake.jpg"
        picture = {"client_id": "1", "text": "Here", "media": {"type": "image", "url": link}}
        await door.asks("messages", picture)
        [body] = await platform[0].sends(1)
        assert body["image"] == {"link": link, "caption": "Here"}
        large = {"code": 131052, "title": "Media download error"}
        large["error_data"] = {"details": "the file has 200 MB"}
        platform[0].answers = []
        failed = webhooks.status("wamid.out1", "failed", PHONE, errors=[{**large, "code": 131051}])
        await running.deliver(envelope([failed]))
        told = await desk.hears("message.status")
        assert (told["client_id"], told["status"], told["code"]) == ("1", "failed", 131051)
        assert running.agent.heard == []  # the bot did not say it


async def test_a_desk_that_missed_something_asks_for_it(chat, desk):
    async with chat(Bot(ASKS)) as running:
        await running.deliver(text(1, "one"))
        await running.deliver(text(2, "two"))
        await desk.hears("message.received", 2)
        door = Door(running.url, PHONE)
        everything = (await door.state())["events"]
        assert [event["id"] for event in everything] == [event["id"] for event in desk.told]
        gap = (await door.state(after=1))["events"]
        assert gap == everything[1:]


async def test_what_else_a_person_does_is_told(chat, desk):
    async with chat(Bot(ASKS)) as running:
        await running.deliver(text(1, "a person"))
        await desk.hears("message.received")
        await running.deliver(envelope([webhooks.reaction(PHONE, "wamid.in2", "👍", "wamid.out1")]))
        reacted = await desk.hears("reaction")
        assert (reacted["message"]["reply_to"], "👍" in reacted["message"]["text"]) == (
            "wamid.out1",
            True,
        )
        change = {"original_message_id": "wamid.in1", "message": {"type": "text"}}
        change["message"]["text"] = {"body": "a person, please"}
        for number, kind, said in (
            (3, "edit", change),
            (4, "revoke", {"original_message_id": "wamid.in1"}),
        ):
            told = webhooks.text(PHONE, f"wamid.in{number}", "")
            del told["messages"][0]["text"]
            told["messages"][0] |= {"type": kind, kind: said}
            await running.deliver(envelope([told]))
        edited, deleted = await desk.hears("message.edited"), await desk.hears("message.deleted")
        assert "a person, please" in edited["message"]["text"]
        assert edited["message"]["reply_to"] == deleted["message"]["reply_to"] == "wamid.in1"
        await running.deliver(echo(PHONE, "wamid.echo1", "from the phone"))
        spoken = await desk.hears("message.sent", 2)
        assert (spoken["message"]["from"], spoken["message"]["text"]) == ("human", "from the phone")


async def test_nobody_came_in_time(chat, desk):
    async with chat(Bot(ASKS), handoff={"waiting": 2}) as running:
        await running.deliver(text(1, "a person"))
        expired = await desk.hears("handoff.expired")
        assert (expired["from"], expired["to"], expired["by"]) == ("waiting", "bot", "clock")


async def test_a_ticked_message_and_typing_are_shown_when_the_desk_says_so(chat, desk, platform):
    async with chat(Bot(ASKS), mark_read=False, typing_indicator=False) as running:
        await running.deliver(text(1, "a person"))
        await desk.hears("message.received")
        door = Door(running.url, PHONE)
        assert await door.asks("read", {}) == (204, b"")
        assert await door.asks("typing", {}) == (204, b"")
    assert [body["message_id"] for body in platform[0].receipts] == ["wamid.in1"] * 2
    assert "typing_indicator" in platform[0].receipts[1]


async def test_what_the_store_keeps_for_a_desk_is_erased_with_the_person(chat, desk, tmp_path):
    async with chat(Bot(ASKS)) as running:
        await running.deliver(text(1, "a person"))
        await desk.hears("message.sent")
        url = f"sqlite:///{tmp_path / 'whatsapp.db'}"
        async with open_store(url, retention=OUTSIDE) as store:
            assert await store.values.get(f"desk:{PHONE}")
            await store.erase(PHONE)
            assert await store.values.get(f"desk:{PHONE}") is None


@pytest.mark.parametrize("store", ["sqlite", "redis"])
async def test_through_a_restart_the_desk_hears_everything_once_and_in_order(
    chat, desk, platform, tmp_path, request, store
):
    url = f"sqlite:///{tmp_path / 'whatsapp.db'}"
    if store == "redis":
        url = f"{request.getfixturevalue('redis').url}?name={uuid4().hex}"
    desk.answers = [(503, b"")] * 2
    async with chat(Bot(ASKS), store=url) as running:
        await running.deliver(text(1, "a person"))
        await running.deliver(text(2, "one"))
        await eventually(lambda: desk.attempts)
    async with chat(Bot(ASKS), store=url) as running:
        await running.deliver(text(3, "two"))
        await desk.hears("message.received", 3)
        said = {"client_id": "1", "text": "Eve here"}
        await Door(running.url, PHONE).asks("messages", said)
    async with chat(Bot(ASKS), store=url) as running:
        assert (await Door(running.url, PHONE).asks("messages", said))[0] == 202
        await running.deliver(text(4, "three"))
        await desk.hears("message.received", 4)
    assert desk.texts() == ["a person", "one", "two", "three"]
    assert [event["sequence"] for event in desk.told] == list(range(1, len(desk.told) + 1))
    assert words(platform[0].sent) == ["I fetch somebody.", "Eve here"]


async def test_the_bot_answers_others_while_the_desk_hangs(chat, desk, platform, monkeypatch):
    monkeypatch.setattr(standard_webhooks, "AT_ONCE", 1)  # instead of as many people as that

    async def bot(message: Any) -> None:
        says = ASKS if message.text == "a person" else {"text": "an answer"}
        await message.output_channel.send_response(message.sender_id, says)

    desk.gate.clear()
    async with chat(bot) as running:
        for number, phone in enumerate(("4915111111111", "4915122222222", "4915133333333")):
            asks = webhooks.text(phone, f"wamid.a{number}", "a person")
            await running.deliver(envelope([asks]))
        await running.deliver(text(1, "hi"))
        await platform[0].sends(4)
        desk.gate.set()
        await desk.hears("message.received", 3)
    assert "an answer" in words(platform[0].sent)


async def test_the_window_closes_in_two_hours(chat, desk):
    asks = webhooks.text(PHONE, "wamid.in1", "a person")
    asks["messages"][0]["timestamp"] = str(int(time.time()) - 82_000)
    async with chat(Bot(ASKS)) as running:
        await running.deliver(envelope([asks]))
        closing = await desk.hears("window.closing")
        asked = await desk.hears("handoff.requested")
        assert closing["window_closes_at"] == asked["window_closes_at"]


async def test_a_file_of_200_mb_is_refused_in_words(chat, desk, platform):
    async def large(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "image/jpeg"})
        response.content_length = 200_000_000
        await response.prepare(request)
        return response

    other = web.Application()
    other.router.add_get("/lake.jpg", large)
    media = {"upload": "always", "private_links": True}
    async with TestServer(other) as theirs, chat(media=media) as running:
        link = str(theirs.make_url("/lake.jpg"))
        said = {"client_id": "1", "text": "Here", "media": {"type": "image", "url": link}}
        assert (await Door(running.url, PHONE).asks("messages", said))[0] == 202
        told = await desk.hears("message.status")
        assert (told["client_id"], told["status"]) == ("1", "failed")
        assert "larger than 100 MB" in told["reason"]
    assert platform[0].sent == []
