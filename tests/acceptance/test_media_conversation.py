"""A person and a real Rasa bot exchange every kind of medium, over both shapes of the API."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from support.bot import MEDIA
from support.eventually import eventually
from support.processes import PHONE, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

FILES = [file for _, file, _, _ in MEDIA]
KINDS = [kind for kind, _, _, _ in MEDIA]


async def test_a_greeting_is_answered_with_a_text_and_five_media_by_path(world, maya):
    await maya.says("hi")

    text, *media = await maya.gets(6)

    assert text["content"]["body"].startswith("Welcome to the *Lakeside Guesthouse*!")
    assert [message["type"] for message in media] == KINDS
    assert [await maya.file_of(message) for message in media] == [
        world.media(file) for file in FILES
    ]
    assert media[0]["content"]["caption"] == "The lake, this evening"
    assert media[1]["content"]["filename"] == "House guide.pdf"


@pytest.mark.parametrize("words", ["everything by link", "everything by {} number"])
async def test_media_by_link_and_by_id_arrive_with_the_same_bytes(world, maya, words):
    await maya.says(words.format({"cloud": "cloud", "on_premises": "premises"}[world.api]))

    media = await maya.gets(5)

    assert [message["type"] for message in media] == KINDS
    assert [await maya.file_of(message) for message in media] == [
        world.media(file) for file in FILES
    ]
    source = "link" if "link" in words else "id"
    kinds = [message["body"][message["type"]] for message in media]
    assert all(source in content for content in kinds)


async def test_a_picture_whose_uploaded_id_is_refused_goes_again_at_once(worlds):
    world = worlds["cloud"]
    url = f"{world.simulator.url}/simulator"
    refused = {"on": "messages", "match": {"type": "image"}, "when": {"next": 1}}
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        maya = Person(session, world.simulator, PHONE)
        await maya.looks()
        await maya.says("hi")
        await maya.gets(6)
        log = world.rasa.process.log
        before = len(log.read_text())

        async with session.post(f"{url}/faults", json={**refused, "do": {"code": 100}}):
            pass
        await maya.says("hi")
        media = await maya.gets(6)
        async with session.delete(f"{url}/faults"):
            pass

    assert [message["type"] for message in media[1:]] == KINDS
    lines = [line for line in log.read_text()[before:].splitlines() if "whatsapp." in line]
    loud = [line for line in lines if "WARNING" in line or "ERROR" in line]
    assert len(loud) == 1, loud
    # Where it waits, the line says for how many seconds.
    assert "is sent again, with its file uploaded again" in loud[0]


async def test_text_and_buttons_of_a_dead_link_are_there_without_a_wait(world, maya):
    log = world.rasa.process.log
    before = len(log.read_text())
    await maya.says("how much is my invoice")

    async def arrived() -> list[dict[str, Any]]:
        return [each for each in await maya.new_answers() if not each["errors"]]

    shown = await eventually(arrived, told=lambda: log.read_text()[before:])
    await maya.looks()

    assert len(shown) == 1, shown
    content = shown[0]["content"]
    assert content["body"]["text"] == "Your invoice is 42 EUR"
    titles = [button["reply"]["title"] for button in content["action"]["buttons"]]
    assert (titles, "header" in content) == (["Pay now", "Later"], False)
    lines = [line for line in log.read_text()[before:].splitlines() if "whatsapp." in line]
    loud = [line for line in lines if "WARNING" in line or "ERROR" in line]
    assert len(loud) == 1, loud  # another one would tell of a wait
    assert "utter_invoice: the image is left out" in loud[0]


async def test_id_and_link_together_are_refused_before_sending_and_the_log_names_the_response(
    world, maya
):
    await maya.says("both together please")

    (only,) = await maya.gets(1)

    assert only["content"]["body"] == "Both at once"
    log = world.rasa.process.log.read_text()
    assert "utter_twice" in log
    assert "exactly one of id, link and path" in log


@pytest.mark.parametrize(
    ("kind", "file", "mime_type", "caption", "answer"),
    [
        ("image", "lake.jpg", "image/jpeg", "menu", "What would you like to see?"),
        ("image", "lake.jpg", "image/jpeg", "", "Thank you for the picture!"),
        ("document", "guide.pdf", "application/pdf", "", "Thank you, we have received guide.pdf."),
        ("voice", "chime.ogg", "audio/ogg; codecs=opus", "", "Thank you for the voice message!"),
        ("video", "boat.mp4", "video/mp4", "", "Thank you for the video!"),
        ("sticker", "sun.webp", "image/webp", "", "Thank you for the sticker!"),
    ],
)
async def test_what_a_person_sends_is_kept_and_answered(
    world, maya, kind, file, mime_type, caption, answer
):
    content = world.media(file)
    await maya.sends_file(kind, content, filename=file, mime_type=mime_type, caption=caption)

    (message,) = await maya.gets(1)

    assert text_of(message) == answer
    kept = [path for path in (world.folder / f"received-{world.api}").rglob("*") if path.is_file()]
    assert content in [path.read_bytes() for path in kept]


async def test_a_tapped_button_is_heard_as_its_payload(world, maya):
    await maya.says("menu")
    (menu,) = await maya.gets(1)
    buttons = menu["content"]["action"]["buttons"]
    lake = next(button["reply"] for button in buttons if button["reply"]["title"] == "The lake")

    await maya.sends(
        {
            "type": "interactive",
            "interactive": {"type": "button_reply", "button_reply": lake},
            "context": {"message_id": menu["id"]},
        }
    )

    (picture,) = await maya.gets(1)
    assert await maya.file_of(picture) == world.media("lake.jpg")


async def test_a_typed_intent_is_not_obeyed(world, maya):
    await maya.says("/whatsapp_order")

    (answer,) = await maya.gets(1)

    assert answer["type"] == "text"
    assert answer["content"]["body"] != "Thank you for the order!"


@pytest.mark.parametrize("world", ["cloud"], indirect=True)  # the API takes no part in it
async def test_a_message_whose_turn_was_killed_is_answered_once_after_the_restart(world, maya):
    (world.folder / "turn-has-begun").unlink(missing_ok=True)
    await maya.says("answer me slowly")
    await maya.waits_for((world.folder / "turn-has-begun").exists)

    world.rasa.process.kill()
    assert await maya.new_answers() == []
    world.rasa.process.start()
    await world.rasa.ready()

    (answer,) = await maya.gets(1)
    assert answer["content"]["body"] == "See you at the lake!"
    await maya.says("both together please")
    (next_one,) = await maya.gets(1)  # a second answer would come before it
    assert next_one["content"]["body"] == "Both at once"


def text_of(message):
    body = message["content"].get("body")
    return body["text"] if isinstance(body, dict) else body
