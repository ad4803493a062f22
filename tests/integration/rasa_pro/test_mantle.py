"""Rasa Pro's engine Mantle, whole turns: what its model hears, and what goes out."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from support.mantle import Odd, activate
from support.webhooks import echo, envelope, text, texts

from rasa_whatsapp_channel.agent import cancel_turn

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # what Rasa Pro's own imports warn of
    # Since then a project for Mantle has its present form.
    pytest.mark.needs("rasa.shared.project_structure:validate_mantle_project_structure"),
]

PHONE = "4915112345678"
ROOM = "set:session.book_room.room"
YES = {"title": "Yes", "payload": "yes"}


def shown(platform: Any, body: dict[str, Any]) -> tuple[str, str | None, str | None]:
    """Return the type of a message, its words, and the name of its file."""
    kind = body["type"]
    part = body[kind]
    if kind == "text":
        return kind, part["body"], None
    if kind == "interactive":
        header = part.get("header", {})
        return kind, part["body"]["text"], _file(platform, header.get(header.get("type"), {}))
    return kind, part.get("caption"), _file(platform, part)


def _file(platform: Any, medium: dict[str, Any]) -> str | None:
    if "id" not in medium:
        return medium.get("link")
    content, _ = platform.files[medium["id"]]
    return next(path.name for path in Path("media").iterdir() if path.read_bytes() == content)


def tap(message_id: str, payload: str, title: str) -> dict[str, Any]:
    told = text(PHONE, message_id, "")
    (message,) = told["messages"]
    del message["text"]
    reply = {"type": "button_reply", "button_reply": {"id": payload, "title": title}}
    message |= {"type": "interactive", "interactive": reply}
    return envelope([told])


def image(message_id: str, caption: str | None = None) -> dict[str, Any]:
    told = text(PHONE, message_id, "")
    (message,) = told["messages"]
    del message["text"]
    medium = {"mime_type": "image/jpeg", "id": "1003383421387256", "caption": caption}
    message |= {"type": "image", "image": medium}
    return envelope([told])


async def memory_of(running: Any) -> dict[str, Any]:
    tracker = await running.tracker()
    return {each.key: each.value for each in tracker.events if each.type_name == "memory_set"}


async def test_the_model_hears_a_text_and_its_words_go_out(mantle, platform) -> None:
    async with mantle(["Hello, this is the **Lakeside Guesthouse**."]) as running:
        await running.deliver(texts("good morning"))
        (sent,) = await platform[0].sends(1)

    assert running.script.heard()[-1].endswith("good morning")
    assert shown(platform[0], sent) == ("text", "Hello, this is the *Lakeside Guesthouse*.", None)


async def test_media_stand_in_the_metadata_of_responses_and_tools_send_more(
    mantle, platform
) -> None:
    async with mantle([activate("show_house"), "That was all."]) as running:
        await running.deliver(texts("show me the house"))
        sent = await platform[0].sends(4)

    assert [shown(platform[0], body) for body in sent] == [
        ("image", "A wooden house, a jetty, and the lake in front of it.", "lake.jpg"),
        ("document", "All about it is in the guide.", "guide.pdf"),
        ("audio", None, "chime.ogg"),
        ("text", "That was all.", None),
    ]
    assert sent[1]["document"]["filename"] == "House guide.pdf"
    assert sent[2]["audio"]["voice"] is True
    assert ["utter_guide" in (note or "") for note in platform[0].notes] == [
        False,
        True,
        False,
        False,
    ]


async def test_the_model_hears_what_was_tapped(mantle, platform) -> None:
    lines = [activate("book_room"), [], "A good choice."]
    async with mantle(lines) as running:
        await running.deliver(texts("I need a room"))
        (asked,) = await platform[0].sends(1)
        running.script.lines = ["Anything else?"]
        await running.deliver(tap("wamid.tap", f"{ROOM}=boat_house", "Boat house"))
        sent = await platform[0].sends(3)
        memory = await memory_of(running)

    assert shown(platform[0], asked) == ("interactive", "Which room would you like?", "lake.jpg")
    assert asked["interactive"]["footer"]["text"] == "Breakfast is included"
    assert [shown(platform[0], body) for body in sent[1:3]] == [
        ("video", "This is what you will see in the morning.", "boat.mp4"),
        ("text", "It is yours. See you soon!", None),
    ]
    assert sent[2]["context"] == {"message_id": "wamid.tap"}
    assert memory["book_room.room"] == "boat_house"


async def test_the_title_of_a_tap_is_what_the_model_reads(mantle, platform) -> None:
    async with mantle([activate("book_room"), []]) as running:
        await running.deliver(texts("I need a room"))
        await platform[0].sends(1)
        running.script.lines = ["Anything else?"]
        await running.deliver(tap("wamid.tap", f"{ROOM}=single", "Single"))
        await platform[0].sends(3)
        running.script.lines = ["You are welcome."]
        await running.deliver(texts("thanks", first=9))
        await platform[0].eventually(lambda: len(running.script.prompts) >= 4)
        heard = running.script.heard()

    assert any("Single" in words for words in heard)
    assert not any("set:session" in json.dumps(prompt) for prompt in running.script.prompts)


async def test_a_picture_is_heard_as_a_line(mantle, platform) -> None:
    async with mantle(["A nice room.", "Thank you."]) as running:
        await running.deliver(image("wamid.i1", "My room"))
        await platform[0].sends(1)
        first = running.script.heard()[-1]
        await running.deliver(image("wamid.i2"))
        await platform[0].sends(2)
        second = running.script.heard()[-1]
        tracker = await running.tracker()

    assert (first, second) == ("[image: My room]", "[image]")
    last = [each for each in tracker.events if each.type_name == "user"][-1]
    assert last.metadata["whatsapp"]["image"]["id"] == "1003383421387256"


async def test_memory_is_seeded_with_who_writes(mantle, platform) -> None:
    async with mantle(["Hello."]) as running:
        await running.deliver(texts("hi"))
        await platform[0].sends(1)
        memory = await memory_of(running)

    assert (memory["project.profile_name"], memory["project.phone"]) == ("Person 5678", PHONE)


async def test_a_picture_in_what_the_model_says_is_a_picture(mantle, platform) -> None:
    said = "This is the view.\n\n![The lake](media/lake.jpg)\n\nShall I book?"
    async with mantle([said, "`![The lake](media/lake.jpg)` is how it is written."]) as running:
        await running.deliver(texts("what do I see?"))
        await platform[0].sends(1)
        await running.deliver(texts("how do you write that?", first=2))
        sent = await platform[0].sends(2)

    assert [shown(platform[0], body) for body in sent] == [
        ("image", "This is the view.\n\nShall I book?", "lake.jpg"),
        ("text", "`![The lake](media/lake.jpg)` is how it is written.", None),
    ]


async def test_the_model_cannot_send_a_file_that_the_settings_do_not_name(
    mantle, mantle_bot, platform
) -> None:
    (mantle_bot.folder / "secret.jpg").write_bytes(b"a secret")
    async with mantle(["Look: ![it](secret.jpg) ![it](media/../secret.jpg)"]) as running:
        await running.deliver(texts("send me secret.jpg"))
        (sent,) = await platform[0].sends(1)

    assert shown(platform[0], sent) == ("text", "Look: it it", None)
    assert platform[0].files == {}


async def test_a_tool_sends_whatever_a_response_may_have(mantle, platform) -> None:
    async def act(context: Any, send: Any) -> None:
        await send({"text": "Here", "image": "https://shop.example/a.jpg"}, footer="Only today")
        await send(custom={"type": "location", "location": {"latitude": 1.5, "longitude": 2.5}})
        await context.send("The sun", metadata={"whatsapp": {"sticker": "media/sun.webp"}})
        link = {"type": "web_url", "title": "Open", "url": "https://shop.example"}
        await send(text="Our shop", buttons=[link], custom={"whatsapp": {"footer": "At the lake"}})
        await send(text="Yes?", buttons=[YES], sticker="media/sun.webp")

    Odd.act = act
    async with mantle([activate("odd_tool"), "Done."]) as running:
        await running.deliver(texts("do it"))
        sent = await platform[0].sends(8)
        tracker = await running.tracker()

    kinds = [
        body["interactive"]["type"] if "interactive" in body else body["type"] for body in sent
    ]
    assert kinds[:5] == ["image", "location", "text", "sticker", "cta_url"]
    assert kinds[5:] == ["sticker", "button", "text"]
    assert sent[4]["interactive"]["footer"]["text"] == "At the lake"
    assert sent[0]["image"]["link"] == "https://shop.example/a.jpg"
    said = [each.text for each in tracker.events if each.type_name == "bot"]
    assert said == ["Here", "[custom]", "The sun", "Our shop", "Yes?", "Done."]


async def test_rows_with_a_description_are_known_to_the_engine(mantle, platform) -> None:
    """Else it refuses a tap that writes its memory: the choice is no longer available."""
    rows = [
        {"title": "Single", "payload": f"{ROOM}=single", "description": "With a view"},
        {"title": "Double", "payload": f"{ROOM}=double"},
    ]

    async def act(context: Any, send: Any) -> None:
        await send("Which room?", buttons=rows)

    Odd.act = act
    async with mantle([activate("odd_tool"), "Done."]) as running:
        await running.deliver(texts("do it"))
        asked, _ = await platform[0].sends(2)
        tracker = await running.tracker()

    (section,) = asked["interactive"]["action"]["sections"]
    assert [(row["title"], row.get("description")) for row in section["rows"]] == [
        ("Single", "With a view"),
        ("Double", None),
    ]
    said = next(each for each in tracker.events if each.type_name == "bot")
    assert [each["payload"] for each in said.data["buttons"]] == [each["payload"] for each in rows]


async def test_what_a_tool_sends_in_a_wrong_form_loses_nothing_else(mantle, platform) -> None:
    async def act(context: Any, send: Any) -> None:
        await send("one", buttons=[{"title": 1, "payload": "/one"}])
        await send("two", buttons=[{"payload": "Two"}, {"title": "Three", "payload": ""}])
        await send(text="three", metadata="x")
        await send(text="four", metadata={"whatsapp": ["x"]}, footer="below", buttons=[YES])
        await send(text=5)
        await send("six", buttons=YES)
        await send(text={"a": 1}, image="https://shop.example/a.jpg")

    Odd.act = act
    async with mantle([activate("odd_tool"), "Done."]) as running:
        await running.deliver(texts("do it"))
        sent = await platform[0].sends(8)

    assert [shown(platform[0], body)[1] for body in sent] == [
        *("one", "two", "three", "four", "5", "six", None, "Done."),
    ]
    titles = [
        [each["reply"]["title"] for each in body["interactive"]["action"]["buttons"]]
        for body in sent
        if body["type"] == "interactive"
    ]
    assert titles == [["1"], ["Two", "Three"], ["Yes"], ["Yes"]]


async def test_on_another_channel_a_tool_sends_words_and_addresses(mantle) -> None:
    from rasa.core.channels.channel import CollectingOutputChannel, UserMessage

    async def act(context: Any, send: Any) -> None:
        await send(text="The lake", image="media/lake.jpg")
        await send(voice="media/chime.ogg")
        link = {"type": "web_url", "title": "Open", "url": "https://shop.example"}
        await send(text="Our shop", buttons=[link])

    Odd.act = act
    output = CollectingOutputChannel()  # of Rasa's end-to-end tests
    async with mantle([activate("odd_tool"), "Done."]) as running:
        await running.agent.handle_message(UserMessage("do it", output, "a-tester"))

    assert [message["text"] for message in output.messages] == [
        "The lake\nmedia/lake.jpg",
        "media/chime.ogg",
        "Our shop\nhttps://shop.example",
        "Done.",
    ]


async def test_a_turn_without_the_model_is_counted_and_shown_until_it_answers(
    mantle, platform, caplog
) -> None:
    async def away() -> Any:
        raise RuntimeError("no route to the model")

    async with mantle([away, "I am back."]) as running:
        await running.deliver(texts("hello?"))
        (apology,) = await platform[0].sends(1)
        await running.tracker()
        broken = await running.health()
        _, page = await running.get("/metrics")
        await running.deliver(texts("hello?", first=2))
        await platform[0].sends(2)
        await running.tracker()
        healed = await running.health()

    assert "something went wrong" in apology["text"]["body"]
    assert broken["status"] == "degraded"
    assert [(each["what"], each["reason"]) for each in broken["away"]] == [
        ("engine", "LLM call failed.")
    ]
    assert 'whatsapp_turn_errors_total{reason="model"} 1.0' in page
    assert "whatsapp.turn_error: the person got an apology" in caplog.text
    assert healed["status"] == "ok"


async def test_a_turn_that_is_cancelled_says_nothing_more(mantle, platform) -> None:
    async def slow() -> str:
        thinks.set()
        await asyncio.sleep(60)
        return "Too late"

    thinks = asyncio.Event()
    async with mantle([slow, "Here I am."]) as running:
        assert cancel_turn(running.agent, PHONE) is False
        await running.deliver(texts("think hard"))
        await asyncio.wait_for(thinks.wait(), 60)
        assert cancel_turn(running.agent, PHONE) is True
        tracker = await running.tracker()
        await running.deliver(texts("are you there?", first=2))
        (sent,) = await platform[0].sends(1)

    assert [each.text for each in tracker.events if each.type_name == "user"] == ["think hard"]
    assert sent["text"]["body"] == "Here I am."


async def test_a_turn_ends_when_a_person_takes_over_and_the_model_hears_what_they_said(
    mantle, platform
) -> None:
    async def slow() -> str:
        thinks.set()
        await asyncio.sleep(600)
        return "Too late"

    thinks = asyncio.Event()
    async with mantle([slow, "A refund it is."], handoff={"return_words": ["robot"]}) as running:
        await running.deliver(texts("think hard"))
        await asyncio.wait_for(thinks.wait(), 60)
        await running.deliver(echo(PHONE, "wamid.echo1", "Eve here: you get a refund"))
        await running.deliver(texts("thank you", first=2))
        await running.deliver(texts("robot", first=3))
        (sent,) = await platform[0].sends(1)

    told = [(each["role"], str(each["content"])) for each in running.script.prompts[-1]]
    assert sent["text"]["body"] == "A refund it is."
    for role, words in (("assistant", "you get a refund"), ("user", "thank you")):
        assert any(each == role and words in content for each, content in told), told


async def test_whoever_writes_after_a_hangup_begins_a_new_conversation(
    mantle, platform, caplog
) -> None:
    async with mantle([activate("bye")]) as running:
        await running.deliver(texts("bye"))
        ended = await running.tracker()
        assert ended.terminated
        running.script.lines = ["Welcome back.", "Still here."]
        with caplog.at_level(logging.INFO, "rasa_whatsapp_channel"):
            await running.deliver(texts("hello again", first=2))
            await platform[0].sends(1)
            await running.deliver(texts("and again", first=3))
            await platform[0].sends(2)
        keys = await running.agent.tracker_store.keys()
        _, page = await running.get("/metrics")

    assert [body["text"]["body"] for body in platform[0].sent] == ["Welcome back.", "Still here."]
    assert {body["to"] for body in platform[0].sent} == {PHONE}
    assert running.script.heard() == ["hello again", "and again"]
    old, new = sorted(keys)
    assert (old, new.partition("!")[0]) == (PHONE, PHONE)
    assert "whatsapp_conversations_restarted_total 1.0" in page
    assert "whatsapp.conversation_restarted" in caplog.text
    assert "whatsapp.silenced" not in caplog.text


async def test_the_settings_may_keep_an_ended_conversation_silent(mantle, platform, caplog) -> None:
    async with mantle([activate("bye")], on_hangup="silence") as running:
        await running.deliver(texts("bye"))
        await running.tracker()
        running.script.lines = ["Welcome back."]
        await running.deliver(texts("hello again", first=2))
        await running.tracker()

    assert platform[0].sent == []
    assert "whatsapp.silenced" in caplog.text


async def test_outside_of_a_turn_nothing_can_be_sent() -> None:
    from rasa_whatsapp_channel import send
    from rasa_whatsapp_channel.mantle import NoTurn

    with pytest.raises(NoTurn, match="while their turn runs"):
        await send(text="Hello")


def test_rasa_pro_still_tells_what_its_turns_hold() -> None:
    """
    When this fails, Rasa Pro has closed the undocumented way that `mantle.py` takes.

    Then `metadata.whatsapp` of Mantle's responses, and `send`, need another one.
    """
    from rasa.mantle.orchestration.turn_context import MessageTurnContext, current_turn_context

    with pytest.raises(LookupError):
        current_turn_context()
    for name in ("sender_id", "output_channel", "tracker_handle", "send"):
        assert hasattr(MessageTurnContext, name), f"MessageTurnContext has no {name} any more"


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"intent": "EXTERNAL_shipped"}, "the bot has no intent EXTERNAL_shipped"),
        ({"response": "utter_house"}, "the bot has no response utter_house"),
    ],
)
async def test_a_notification_names_nothing_that_only_a_turn_has(mantle, wish, error) -> None:
    headers = {"Authorization": "Bearer a-token-of-the-shop"}
    async with (
        mantle(notify_token="a-token-of-the-shop") as running,
        aiohttp.ClientSession(headers=headers) as shop,
        shop.post(f"{running.url}/notify", json={"to": "+49 151 12345678", **wish}) as answer,
    ):
        assert (answer.status, await answer.json()) == (422, {"error": error})
