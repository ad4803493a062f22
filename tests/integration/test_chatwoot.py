"""
Agents answer in Chatwoot: they see the chat once, and what they write publicly goes out once.

The Chatwoot is a stand-in, written from the documented bodies.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from support import chatwoot as server
from support import webhooks
from support.chatwoot import Chatwoot
from support.cloud_api import PICTURE, PICTURE_SHA256
from support.eventually import eventually
from support.webhooks import envelope

from rasa_whatsapp_channel.desk import delivery

PHONE = "4915112345678"
ASKS = {"text": "I fetch somebody.", "metadata": {"whatsapp": {"handoff": "a refund"}}}


def text(number: int, body: str, **more: Any) -> dict[str, Any]:
    return envelope([webhooks.text(PHONE, f"wamid.in{number}", body)])


async def asks(message: Any) -> None:
    """Ask for a person, or say that the bot is there again."""
    says = ASKS if message.text == "a person" else {"text": "the bot again"}
    await message.output_channel.send_response(message.sender_id, says)


@pytest_asyncio.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Chatwoot]:
    monkeypatch.setattr(delivery, "AGAIN", 0.3)  # a minute otherwise
    async with server.chatwoot() as chatwoot:
        yield chatwoot


@pytest.fixture
def chat(serve: Any, desk: Chatwoot) -> Any:
    class Chat:
        """The bot, whose address Chatwoot's inbox has."""

        def __init__(self, **settings: Any) -> None:
            group = {"desk": "chatwoot", "url": desk.url, "secret": server.SECRET}
            group |= {"token": server.TOKEN, "account": server.ACCOUNT, "inbox": server.INBOX}
            self._serving = serve(asks, handoff={**group, **settings})

        async def __aenter__(self) -> Any:
            running = await self._serving.__aenter__()
            desk.hook = f"{running.url}/handoff/chatwoot"
            return running

        async def __aexit__(self, *error: Any) -> None:
            desk.hook = ""
            await self._serving.__aexit__(*error)

    return Chat


def words(bodies: list[dict[str, Any]]) -> list[str]:
    return [body.get("text", {}).get("body") or body["type"] for body in bodies]


async def waits(running: Any, desk: Chatwoot) -> None:
    """Let somebody ask for a person, until the agents see them."""
    await running.deliver(text(1, "a person"))
    await desk.shows("Somebody waits for a person: a refund", private=True)
    await desk.shows("a person", private=False)


async def test_an_agent_sees_the_chat_takes_it_and_gives_it_back(chat, desk, platform):
    platform[0].files["77"] = (PICTURE, "image/jpeg")
    async with chat() as running:
        said = SimpleNamespace(
            type_name="user",
            text="where is it?",
            timestamp=time.time() - 60,
            message_id="wamid.in0",
            metadata={},
        )
        running.agent.saved[PHONE] = SimpleNamespace(events=[said])
        await waits(running, desk)
        running.agent.saved.clear()
        assert "Person: where is it?" in desk.shown(private=True)[0]
        assert "WhatsApp takes answers until" in desk.shown(private=True)[0]
        assert desk.contacts[9]["phone_number"] == f"+{PHONE}"
        await desk.shows("Bot: I fetch somebody.", private=True)

        sent = webhooks.picture(
            PHONE, "wamid.in2", "the broken one", media_id="77", sha256=PICTURE_SHA256
        )
        await running.deliver(envelope([sent]))
        await desk.shows("the broken one", private=False)
        [(filename, content)] = desk.files.values()
        assert (filename.endswith((".jpg", ".jpeg")), content) == (True, PICTURE)

        await desk.writes("between us: she is angry", private=True)
        # Chatwoot names what an agent answers to by the id that it has elsewhere.
        about = {"in_reply_to": 102, "in_reply_to_external_id": "wamid.in2"}
        message = await desk.writes("Eve here. **Which** order?", content_attributes=about)
        await platform[0].sends(2)
        delivered = webhooks.status("wamid.out2", "delivered", PHONE)
        await running.deliver(envelope([delivered]))
        await eventually(lambda: message.get("status") == "delivered")

        await running.deliver(text(3, "4711"))
        await desk.shows("4711", private=False)
        await desk.resolves()
        await desk.shows("The bot answers again", private=True)
        await platform[0].sends(3)
        assert running.agent.heard[0].text == "a person"
    assert platform[0].sent[1]["context"] == {"message_id": "wamid.in2"}
    assert words(platform[0].sent) == [
        "I fetch somebody.",
        "Eve here. *Which* order?",
        "the bot again",  # to what Eve left unanswered
    ]
    assert [each["content"] for each in desk.messages if each["message_type"] == "incoming"] == [
        "a person",
        "the broken one",
        "4711",
    ]


async def test_a_webhook_that_comes_twice_and_one_that_is_lost(chat, desk, platform):
    async with chat() as running:
        await waits(running, desk)
        message = await desk.writes("one")
        assert await desk.sends(desk.body_of("message_created", message)) == 200
        await platform[0].sends(2)
        await desk.writes("two", calls=False)
        await platform[0].sends(3)
        await running.deliver(text(2, "thanks"))
        await desk.shows("thanks", private=False)
        desk.change(42, status="resolved")  # and the webhook of that is lost
        await desk.shows("The bot answers again", private=True)
        asked = len(desk.asked)
        await desk.sends(desk.body_of("message_created", message))
        await platform[0].sends(4)
        await running.deliver(text(3, "still there?"))
        await platform[0].sends(5)
        assert desk.asked[asked:] == []  # the late repetition did not take it again
    assert words(platform[0].sent)[1:] == ["one", "two", "the bot again", "the bot again"]


async def test_another_ones_conversation_and_inbox_change_nothing(chat, desk, platform):
    async with chat() as running:
        await waits(running, desk)
        message = await desk.writes("hello", calls=False, private=False)
        body = desk.body_of("message_created", message)
        body["id"] = 999
        other = {**body["conversation"], "id": 4242}
        assert await desk.sends({**body, "conversation": other}) == 200
        elsewhere = {**body["conversation"], "inbox_id": 6}
        assert await desk.sends({**body, "id": 998, "conversation": elsewhere}) == 200
        await platform[0].sends(2)  # what Eve wrote, once, as it is asked for
    assert words(platform[0].sent) == ["I fetch somebody.", "hello"]


async def test_a_webhook_out_of_order_gives_nothing_back(chat, desk, platform):
    async with chat() as running:
        await waits(running, desk)
        await desk.writes("one")
        await platform[0].sends(2)
        shown = desk.body_of("message_created", desk.messages[-1])["conversation"]
        old = {**shown, "status": "resolved", "updated_at": shown["updated_at"] - 1}
        assert await desk.sends({"event": "conversation_status_changed", **old}) == 200
        await running.deliver(text(2, "to Eve"))
        await desk.shows("to Eve", private=False)
        assert len(running.agent.heard) == 1


async def test_who_asks_again_after_a_return_is_not_given_back_by_the_one_of_before(
    chat, desk, platform
):
    async with chat() as running:
        await waits(running, desk)
        await desk.resolves()
        await desk.shows("The bot answers again", private=True)
        desk.gate.clear()  # Chatwoot is slow to show the second one
        await running.deliver(text(5, "a person"))
        await eventually(lambda: desk.hanging >= 2)
        desk.gate.set()
        await eventually(
            lambda: sum("Somebody waits" in note for note in desk.shown(private=True)) == 2
        )
        await running.deliver(text(6, "to Eve"))
        await desk.shows("to Eve", private=False)
        assert desk.conversations[42]["status"] == "open"


async def test_a_return_that_assigning_hides_is_seen_in_any_event(chat, desk, platform):
    async with chat() as running:
        await waits(running, desk)
        await desk.writes("one")
        await desk.resolves(event="conversation_updated")
        await desk.shows("The bot answers again", private=True)


async def test_a_return_while_the_conversation_is_looked_at_is_seen_at_once(
    chat, desk, platform, monkeypatch
):
    monkeypatch.setattr(delivery, "AGAIN", 3600.0)  # so that only its call can bring the look
    async with chat() as running:
        await waits(running, desk)
        desk.meanwhile = desk.resolves  # the look that is going on has its status already
        await desk.writes("one")
        await eventually(
            lambda: any("The bot answers again" in note for note in desk.shown(private=True)),
            within=30.0,
        )


@pytest.mark.parametrize(
    "changed",
    [{"secret": "hmac_token"}, {"at": time.time() - 400}, {"token": "other"}, {"token": ""}],
)
async def test_who_does_not_sign_is_not_heard(chat, desk, platform, changed):
    async with chat(idle=3600) as running:
        await waits(running, desk)
        message = await desk.writes("hello", calls=False)
        body = {**desk.body_of("message_created", message), "content": "forged", "id": 777}
        assert await desk.sends(body, **changed) == 401
        await platform[0].sends(2)
    assert words(platform[0].sent) == ["I fetch somebody.", "hello"]


async def test_an_older_chatwoot_has_the_secret_in_the_address(chat, desk, platform):
    desk.patches = False
    async with chat() as running:
        await waits(running, desk)
        message = await desk.writes("hello", calls=False)
        body = desk.body_of("message_created", message)
        assert await desk.sends(body, token=server.SECRET) == 200
        await platform[0].sends(2)
        errors = [{"code": 131026, "title": "Message undeliverable"}]
        failed = webhooks.status("wamid.out2", "failed", PHONE, errors=errors)
        await running.deliver(envelope([failed]))
        await desk.shows("Not sent: 131026 Message undeliverable", private=True)
    assert words(platform[0].sent) == ["I fetch somebody.", "hello"]


async def test_a_chatwoot_that_is_away_slow_or_answers_garbage_sees_everything_once(
    chat, desk, platform
):
    desk.fails = [(503, b"<html>"), (200, b"\xff garbage")]
    desk.loses_answers = 1
    async with chat() as running:
        await running.deliver(text(1, "a person"))
        await desk.shows("a person", private=False)
        desk.gate.clear()
        await running.deliver(text(2, "hello?"))
        desk.gate.set()
        await desk.shows("hello?", private=False)
        await desk.writes("here")
        await platform[0].sends(2)
    assert desk.shown(private=False) == ["a person", "hello?", "here"]
    assert len(desk.contacts) == len(desk.conversations) == 1
    assert len([note for note in desk.shown(private=True) if "Somebody waits" in note]) == 1


async def test_somebody_whom_chatwoot_knows_and_a_conversation_that_was_deleted(
    chat, desk, platform
):
    known = {"id": 7, "name": "Ada", "identifier": None, "phone_number": f"+{PHONE}"}
    desk.contacts[7] = known
    async with chat() as running:
        await waits(running, desk)
        assert list(desk.contacts) == [7]
        await desk.writes("one")
        await desk.resolves()
        await desk.shows("The bot answers again", private=True)
        del desk.conversations[42]
        desk.conversations[41] = {"id": 41, "contact": 7, "inbox_id": 6, "status": "open"}
        desk.conversations[41] |= {"source": "", "assignee": None, "updated_at": 0.0}
        await running.deliver(text(5, "a person"))
        await eventually(lambda: any(each["conversation_id"] == 43 for each in desk.messages))


async def test_files_of_an_agent_go_out_one_by_one(chat, desk, platform):
    async with chat() as running:
        await waits(running, desk)
        files = [
            {"id": 1, "file_type": "image", "data_url": "https://chat.example/r/lake.jpg"},
            {"id": 2, "file_type": "file", "data_url": "https://chat.example/r/the%20bill.pdf"},
        ]
        await desk.writes("Here they are", attachments=files)
        await platform[0].sends(3)
    picture, bill = platform[0].sent[1:]
    assert picture["image"]["link"] == "https://chat.example/r/lake.jpg"
    assert picture["image"]["caption"] == "Here they are"
    assert bill["document"]["link"] == "https://chat.example/r/the%20bill.pdf"
    assert bill["document"]["filename"] == "the bill.pdf"


async def test_what_cannot_be_sent_is_marked_at_the_agent(chat, desk, platform):
    async with chat() as running:
        await waits(running, desk)
        await desk.writes("I am here")
        old = webhooks.status(
            "wamid.out2",
            "failed",
            PHONE,
            errors=[{"code": 131047, "title": "Re-engagement message"}],
        )
        await platform[0].sends(2)
        await running.deliver(envelope([old]))  # the window is closed, as WhatsApp says
        late = await desk.writes("Are you still there?")
        await eventually(lambda: late.get("status") == "failed")
        assert "24 hours" in late["content_attributes"]["external_error"]


@pytest.mark.parametrize("garbage", [b"[7]", b"7", b'{"payload": 7}', b'{"payload": [7]}', b"{}"])
async def test_an_answer_of_another_shape_is_asked_for_again(chat, desk, platform, garbage):
    async with chat() as running:
        await waits(running, desk)
        desk.fails = [(200, garbage)] * 3
        await desk.writes("hello", calls=False)
        await platform[0].sends(2)
    assert words(platform[0].sent) == ["I fetch somebody.", "hello"]
