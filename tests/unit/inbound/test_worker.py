"""What happens around a turn: ticks and typing, voice notes as text, who is new."""

from __future__ import annotations

import asyncio
import threading

import pytest
from support.desk import Desk
from support.eventually import PATIENCE, eventually
from support.quiet_client import QuietClient

from rasa_whatsapp_channel.conversation.window import Windows
from rasa_whatsapp_channel.inbound.read_receipts import ReadReceipts
from rasa_whatsapp_channel.inbound.transcribe import FunctionTranscriber
from rasa_whatsapp_channel.media.values import StoredFile
from rasa_whatsapp_channel.settings.parsers import SettingsError, load_function
from rasa_whatsapp_channel.whatsapp.errors import TransportError

FILE = StoredFile("/media/1.ogg", 9, "audio/ogg", "00")


# ticks and typing


async def test_typing_shows_as_long_as_the_bot_thinks():
    client = QuietClient()
    receipts = ReadReceipts(client, delay=0, step=0.02)

    async with receipts.during("m1"):
        await eventually(lambda: len(client.receipts) >= 3)
    shown = len(client.receipts)
    await asyncio.sleep(0.1)

    assert set(client.receipts) == {("m1", True)}
    assert len(client.receipts) <= shown + 1


async def test_typing_ends_and_no_tick_turns_blue_once_a_person_has_the_conversation():
    client = QuietClient()
    taken = asyncio.Event()

    async def is_ours() -> bool:
        return not taken.is_set()

    receipts = ReadReceipts(client, delay=0, step=0.01)
    async with receipts.during("m1", is_ours=is_ours):
        await eventually(lambda: len(client.receipts) >= 2)
        taken.set()
        shown = len(client.receipts)
        await asyncio.sleep(0.1)
    async with receipts.during("m2", is_ours=is_ours):
        pass
    await asyncio.sleep(0.1)

    assert len(client.receipts) <= shown + 1
    assert {message_id for message_id, _ in client.receipts} == {"m1"}


async def test_without_typing_a_message_is_marked_once():
    client = QuietClient()

    async with ReadReceipts(client, typing=False, delay=0, step=0.01).during("m1"):
        await asyncio.sleep(0.1)

    assert client.receipts == [("m1", False)]


async def test_a_quick_turn_turns_the_ticks_blue_as_well():
    client = QuietClient()

    async with ReadReceipts(client).during("m1"):
        pass

    await eventually(lambda: client.receipts == [("m1", False)])  # a bubble would come too late


async def test_no_bubble_comes_behind_an_answer_that_goes_while_the_owner_is_asked():
    client = QuietClient()
    asked, answered = asyncio.Event(), asyncio.Event()

    async def is_ours() -> bool:
        asked.set()
        await answered.wait()
        return True

    async with ReadReceipts(client, delay=0).during("m1", is_ours=is_ours):
        await asked.wait()
    answered.set()

    await eventually(lambda: client.receipts == [("m1", False)])


async def test_a_quick_turn_shows_nothing_where_only_typing_is_wanted():
    client = QuietClient()

    async with ReadReceipts(client, mark_read=False).during("m1"):
        pass
    await asyncio.sleep(0.05)

    assert client.receipts == []


async def test_a_turn_that_nobody_answers_leaves_the_ticks_grey():
    client = QuietClient()

    async with ReadReceipts(client).during("m1") as receipt:
        receipt.withhold()
    async with ReadReceipts(client, delay=0.01).during("m2", hidden=True):
        await asyncio.sleep(0.05)
    with pytest.raises(RuntimeError):
        async with ReadReceipts(client).during("m3"):
            raise RuntimeError("no turn now")
    await asyncio.sleep(0.05)

    assert client.receipts == []


async def test_with_both_switched_off_nothing_is_shown():
    client = QuietClient()

    receipts = ReadReceipts(client, mark_read=False, typing=False, delay=0, step=0.01)
    async with receipts.during("m1"):
        await asyncio.sleep(0.05)

    assert client.receipts == []


async def test_when_whatsapp_does_not_take_it_the_turn_goes_on():
    class Deaf(QuietClient):
        async def mark_read(self, message_id: str, *, typing: bool = False) -> None:
            self.receipts.append((message_id, typing))
            raise TransportError("no way", sent=False)

    client = Deaf()

    async with ReadReceipts(client, delay=0, step=0.01).during("m1"):
        await asyncio.sleep(0.1)

    assert client.receipts == [("m1", True)]


# voice notes


async def said(path: str, mime_type: str) -> str:
    return f"{path} says /hello"


def said_at_once(path: str, mime_type: str) -> str:
    return "hello"


def fails(path: str, mime_type: str) -> str:
    raise RuntimeError("no model")


def says_nothing(path: str, mime_type: str) -> str:
    return "  "


is_over = threading.Event()


def takes_for_ever(path: str, mime_type: str) -> str:
    is_over.wait()
    return "late"


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (said, "/media/1.ogg says /hello"),
        (said_at_once, "hello"),
        (fails, None),
        (says_nothing, None),
        (takes_for_ever, None),
        (lambda *_: 7, None),
    ],
)
async def test_what_a_function_makes_of_a_voice_note(function, text):
    is_over.clear()
    seconds = 0.1 if function is takes_for_ever else PATIENCE
    assert (await FunctionTranscriber(function, timeout=seconds)(FILE)).text == text
    is_over.set()


async def test_a_voice_note_is_heard_as_what_it_says(store, clock):
    desk = Desk(store, clock, transcriber=FunctionTranscriber(lambda *_: "/restart the heating"))
    await desk.gets("voice", id="1", mime_type="audio/ogg")

    assert await desk.run() == ["restart the heating"]
    voice = desk.heard[0].metadata["whatsapp"]["voice"]
    assert voice["transcript"] == "/restart the heating"
    assert voice["path"] == "/media/1"


async def test_a_voice_note_that_cannot_be_understood_is_heard_as_one(store, clock):
    desk = Desk(store, clock, transcriber=FunctionTranscriber(fails))
    await desk.gets("voice", id="1", mime_type="audio/ogg")

    assert await desk.run() == [
        '/whatsapp_voice{"id": "1", "mime_type": "audio/ogg", "path": "/media/1"}'
    ]
    voice = desk.heard[0].metadata["whatsapp"]["voice"]
    assert voice["transcript_problem"] == "the function of `transcribe` raised RuntimeError"
    assert "transcript" not in voice


async def test_the_author_may_word_what_a_voice_note_says(store, clock):
    wording = {"voice": "(spoken) {transcript}"}
    desk = Desk(store, clock, transcriber=FunctionTranscriber(said_at_once), wording=wording)
    await desk.gets("voice", id="1")

    assert await desk.run() == ["(spoken) hello"]


def test_the_function_is_found_by_its_name():
    assert load_function("transcribe", "json.dumps")({"a": 1}) == '{"a": 1}'


@pytest.mark.parametrize("name", ["no_such_module.function", "json.no_such", "json.__name__"])
def test_a_name_without_a_function_is_refused(name):
    with pytest.raises(SettingsError, match="'transcribe'"):
        load_function("transcribe", name)


# who is new


async def test_the_first_message_of_a_person_is_marked(store, clock):
    desk = Desk(store, clock)
    await desk.says("hi")
    await desk.says("again")
    await desk.says("hi", phone="15550003333")
    await desk.run()

    marks = [turn.metadata["whatsapp"].get("first") for turn in desk.heard]
    assert sorted(marks, key=str) == [None, True, True]
    assert desk.heard[0].metadata["whatsapp"]["first"] is True


@pytest.mark.parametrize("before", ["reaction", "sticker"])
async def test_a_message_that_is_no_turn_is_nobodys_first(store, clock, before):
    desk = Desk(store, clock, wording={"sticker": "ignore"})
    await desk.gets(before, id="1")
    await desk.says("hi")
    await desk.says("again")
    await desk.run()

    assert [turn.metadata["whatsapp"].get("first") for turn in desk.heard] == [True, None]


async def test_a_person_whose_window_was_closed_is_not_new(store, clock):
    desk = Desk(store, clock)
    await desk.says("hi")
    await Windows(store.values).close(["15550002222"], since=clock.now)
    await desk.says("again")
    await desk.run()

    assert [turn.metadata["whatsapp"].get("first") for turn in desk.heard] == [True, None]
