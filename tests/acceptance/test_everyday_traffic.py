"""
What happens on any day: phones that take their time, statuses of other messages, short trouble.

The phones show texts after 0.3 to 0.8 seconds and files after 1 to 2, and tell of each message that
it was sent, delivered and read. The settings are those that nobody changed.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from dataclasses import replace

import pytest
from aiohttp import web
from support.cloud_api import PICTURE, OnPremisesApi, answers, fails, hangs_up
from support.crowd import Written, phone_of
from support.eventually import eventually
from support.numbered import answers_of
from support.phones import REAL
from support.side_by_side import Room, side_by_side
from support.wall_clock import put_wrong
from support.weather import takes_and, takes_and_answers_after

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")
pytestmark = pytest.mark.asyncio(loop_scope="module")

STORES = ("sqlite", "redis")
SLOW_API = float(os.environ.get("SLOW_API", "0"))
PAUSE = 30  # seconds that WhatsApp asks to wait
WAIT = 120.0  # seconds in which everything that is to come has come, on a busy machine


# Somebody's trouble is no matter of others


@pytest.mark.parametrize("store", STORES)
@side_by_side
async def test_a_message_that_kills_the_process_is_put_aside_and_five_others_are_answered(
    room, store
):
    await room.open(store=store)
    crashes = room.keep_alive("anna")

    await room.write(Written(0, 1, "crashes"), *(Written(user, 1) for user in range(1, 6)))
    dead = await first_dead_letter(room, crashes)

    await room.phones.have(15, within=WAIT)
    assert len(crashes) <= 5
    assert [(entry["queue"], entry["key"]) for entry in dead] == [("inbox", Written(0, 1).id)]
    await room.write(Written(0, 3))
    await room.phones.have(18)


@pytest.mark.parametrize("store", STORES)
@side_by_side
async def test_a_message_whose_sending_kills_the_process_is_put_aside_and_others_get_theirs(
    room, store
):
    await room.open(store=store)
    crashes = room.keep_alive("anna")
    room.api.trouble = kills_while_sending("u0 m1 a", room)

    await room.write(*(Written(user, 1) for user in range(6)))
    dead = await first_dead_letter(room, crashes)
    await room.phones.have(17, within=WAIT)

    assert len(crashes) <= 5
    assert [entry["queue"] for entry in dead] == ["outbox"]
    assert room.phones.on(phone_of(0)) == ["u0 m1 b", "u0 m1 c"]


# In order


@pytest.mark.parametrize("servers", [("anna",), ("anna", "ben")], ids=["one", "two"])
@pytest.mark.parametrize("store", STORES)
@side_by_side
async def test_thirty_people_see_a_text_a_picture_and_a_text_in_this_order(room, store, servers):
    await room.open(store=store, servers=servers, bot="illustrated")
    people = [Written(user, 1) for user in range(30)]

    await room.write(*people)
    await room.phones.have(90, within=WAIT)

    wrong = {
        person.text: room.phones.on(person.phone)
        for person in people
        if room.phones.on(person.phone) != answers_of("illustrated")(person.text)
    }
    assert wrong == {}


# What happens to one message is no matter of another


@side_by_side
async def test_four_seconds_of_errors_are_outlasted_while_earlier_messages_are_read(room):
    await room.open(habits=replace(REAL, read=None))
    await room.write(Written(1, 1))
    await room.write(Written(1, 3))
    await room.phones.have(6)

    room.api.trouble = fails(500, 131000, "Something went wrong")
    await room.write(Written(1, 4))
    await asked(room, "u1 m4 a")
    # However long the statuses take on a busy machine.
    asyncio.get_running_loop().call_later(4, setattr, room.api, "trouble", None)
    for earlier in room.phones.shown[:6]:
        await asyncio.sleep(0.65)
        await room.phones.tell(earlier, "read")
    await room.phones.have(8)

    assert room.phones.on(phone_of(1))[6:] == ["u1 m4 a", "u1 m4 b"]
    assert await room.dead_letters() == []


@side_by_side
async def test_a_message_taken_without_an_answer_is_not_sent_again_when_another_is_read(room):
    await room.open(habits=replace(REAL, sent=(2.0, 2.5), text=(2.5, 3.0), read=None))
    await room.write(Written(1, 1))
    await room.phones.have(3)

    room.api.next.append(takes_and(room.api, hangs_up))
    await room.write(Written(1, 2))
    await asked(room, "u1 m2 a")
    for earlier in room.phones.shown[:3]:
        await asyncio.sleep(0.3)
        await room.phones.tell(earlier, "read")
    await room.phones.have(5, within=WAIT)

    assert room.phones.on(phone_of(1))[3:] == ["u1 m2 a", "u1 m2 b"]
    assert len(room.asked("u1 m2 a")) == 1


@side_by_side
async def test_a_pause_that_whatsapp_asks_for_is_kept_whatever_else_happens_in_the_chat(room):
    await room.open(habits=replace(REAL, read=None))
    first = Written(1, 1)
    await room.write(first)
    await room.phones.have(3)

    room.api.trouble = fails(400, 131056, "Pair rate limit hit", Retry_After=str(PAUSE))
    await room.write(Written(1, 2))
    await asked(room, "u1 m2 a")
    began = room.asked("u1 m2 a")[0]
    end = began + PAUSE - 1
    while time.monotonic() < end:
        for earlier in room.phones.shown[:3]:
            await room.phones.tell(earlier, "read")
        await room.write(first)
        await room.write(Written(1, 3))  # the first of them is new
        await asyncio.sleep(1)

    room.api.trouble = None
    await room.phones.have(8, within=WAIT)
    assert [at - began for at in room.asked("u1 m2 a")[1:] if at - began < PAUSE] == []
    later = [*answers_of("texts")("u1 m2"), *answers_of("texts")("u1 m3")]
    assert room.phones.on(phone_of(1))[3:] == later


@side_by_side
async def test_a_text_waits_for_its_own_file_and_not_for_the_end_of_another_message(room):
    """The picture before it is shown late; meanwhile all earlier messages are told to be read."""
    await room.open(bot="illustrated", habits=replace(REAL, file=(2.0, 2.5), read=None))
    await room.write(Written(1, 2))  # buttons
    await room.phones.have(1)

    await room.write(Written(1, 4))  # a text, a picture and a text
    await asked(room, "u1 m4 b")
    await room.phones.tell(room.phones.shown[0], "read")
    await room.phones.have(4, within=WAIT)

    assert room.phones.on(phone_of(1))[1:] == ["u1 m4 a", "u1 m4 b", "u1 m4 c"]


# A failure counts the same whenever it comes


@side_by_side
async def test_six_new_people_get_the_template_when_the_failure_comes_before_the_answer(room):
    await room.open(
        habits=replace(REAL, early=1.0),
        fails=lambda taken: 131047 if taken.body["type"] == "text" else 0,
        reengagement_template={"name": "hello_again", "language": "en"},
    )
    people = [phone_of(user) for user in range(6)]

    await asyncio.gather(
        *(room.stubs.says("anna", phone, {"text": f"News for {phone}"}) for phone in people)
    )
    await room.phones.have(6, within=WAIT)

    assert sorted(shown.to for shown in room.phones.shown) == people
    assert {shown.body["type"] for shown in room.phones.shown} == {"template"}
    assert await room.dead_letters() == []


@pytest.mark.parametrize("code", [100, 131053])
@pytest.mark.parametrize("store", STORES)
@side_by_side
async def test_an_uploaded_file_that_whatsapp_does_not_know_any_more_goes_again_at_once(
    room, store, code
):
    await room.open(store=store, bot="uploaded")
    (room.folder / "media").mkdir()
    (room.folder / "media" / "lake.jpg").write_bytes(PICTURE)
    await room.write(Written(1, 1))
    await room.phones.have(1)
    quiet = len(room.warnings())

    room.api.trouble = refuses(room.api.uploads[0], fails(400, code, "media not found"), room)
    await room.write(Written(1, 2))
    await room.phones.have(2, within=WAIT)

    assert len(room.asked("u1 m2 a")) == 2
    assert len(room.api.uploads) == 2
    loud = room.warnings()[quiet:]
    assert len(loud) == 1, loud
    # Where it waits, the line says for how many seconds.
    assert "is sent again, with its file uploaded again" in loud[0]


# A pause has a measure


@side_by_side
async def test_a_maintenance_page_that_asks_for_a_day_stops_nobody_for_a_day(room):
    """Twenty seconds in the server are one here: a minute is twenty of them."""
    await room.open(order={"speed": 20.0})
    await room.write(Written(1, 1))
    await room.phones.have(3)

    room.api.next.append(answers(503, b"<h1>Maintenance</h1>", Retry_After="86400"))
    await room.write(Written(1, 2))
    await asked(room, "u1 m2 a")
    await room.write(Written(2, 2))
    await room.phones.have(7)


# Nobody knows whether WhatsApp has it


@pytest.mark.parametrize("api", ["cloud", "on_premises"])
@side_by_side
async def test_a_message_that_is_taken_without_any_sign_is_sent_twice_at_the_most(room, api):
    await room.open(**(on_premises() if api == "on_premises" else {}))
    room.api.taken = None  # no statuses
    room.api.trouble = takes_and(room.api, hangs_up)

    for user in range(3):
        await room.stubs.says("anna", phone_of(user), {"text": f"u{user} m1 a"})
    await asyncio.sleep(40)

    times = [len(room.asked(f"u{user} m1 a")) for user in range(3)]
    assert max(times) <= 2
    assert min(times) >= 1


@pytest.mark.skipif(not SLOW_API, reason="takes minutes: SLOW_API=600")
@side_by_side
async def test_an_api_that_answers_too_late_gets_each_message_twice_at_the_most(room):
    await room.open()
    room.api.taken = None  # no statuses
    room.api.trouble = takes_and_answers_after(room.api, 40)

    for user in range(5):
        await room.stubs.says("anna", phone_of(user), {"text": f"u{user} m1 a"})
    await asyncio.sleep(SLOW_API)

    times = Counter(room.api.texts)
    assert len(times) == 5
    assert max(times.values()) <= 2


# A busy server is no dead one


@pytest.mark.parametrize("store", STORES)
@side_by_side
async def test_a_turn_that_blocks_the_server_for_14_seconds_is_begun_once(room, store):
    await room.open(store=store, servers=("anna", "ben"))
    long = Written(1, 1, "blocks 14")

    await room.write(long, *(Written(user, 1) for user in range(2, 6)))
    await room.phones.have(15, within=WAIT)

    assert room.heard(long.text) == 1
    assert sorted(room.api.texts) == sorted(
        f"u{user} m1 {position}" for user in range(1, 6) for position in "abc"
    )


@pytest.mark.parametrize("store", STORES)
@side_by_side
async def test_a_message_in_flight_is_sent_once_while_a_turn_blocks_the_server(room, store):
    """On-premises no status tells what it is of, so that a second server would send it again."""
    await room.open(store=store, **on_premises())
    room.api.taken = None
    room.api.next.append(takes_and_answers_after(room.api, 17))
    await room.stubs.says("anna", phone_of(1), {"text": "in flight"})
    await asked(room, "in flight")
    await room.stubs.says("anna", phone_of(2), {"text": "before"})

    room.servers = ("anna", "ben")
    blocking = asyncio.create_task(room.stubs.blocks("anna", 14))
    await asyncio.sleep(0.5)
    await room.stubs.start("ben")
    await blocking
    await room.stubs.says("ben", phone_of(1), {"text": "after"})
    await room.api.takes(3, within=WAIT)

    assert sorted(room.api.texts) == ["after", "before", "in flight"]


@side_by_side
async def test_a_clock_that_is_a_day_fast_for_a_while_keeps_nobody_waiting(room):
    clock = room.folder / "clock"
    put_wrong(clock, 0)
    await room.open(order={"clock": str(clock)})
    await room.write(Written(1, 1))
    await room.phones.have(3)

    put_wrong(clock, 86_400)
    await room.write(Written(1, 2), Written(2, 2))
    await room.phones.have(7, within=WAIT)
    put_wrong(clock, 0)
    await room.write(Written(1, 3), Written(2, 4), Written(3, 2))
    await room.phones.have(14, within=WAIT)

    assert await room.dead_letters() == []


async def asked(room: Room, text: str) -> None:
    """Return as soon as WhatsApp was asked to send *text*."""
    await eventually(lambda: room.asked(text), told=lambda: f"{text} was not sent")


async def first_dead_letter(room: Room, crashes: list[float]) -> list[dict[str, str]]:
    """Wait for it, or for too many crashes."""
    while len(crashes) <= 5:
        if dead := await room.dead_letters():
            return dead
        await asyncio.sleep(2)
    return []


def refuses(media_id: str, trouble, room: Room):
    """Return what refuses messages with the file *media_id*, and takes others."""

    async def meets(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body.get("image", {}).get("id") == media_id:
            return await trouble(request)
        return web.json_response(await room.api.take(request))

    return meets


def kills_while_sending(text: str, room: Room):
    """Return what ends the server that sends *text*, before WhatsApp has it."""

    async def meets(request: web.Request) -> web.StreamResponse:
        body = await request.json()
        if body["text"]["body"] == text:
            room.stubs.crash("anna")
            return await hangs_up(request)
        return web.json_response(await room.api.take(request))

    return meets


def on_premises():
    return {
        "platform": OnPremisesApi(),
        "api": "on_premises",
        "username": "admin",
        "password": "a-password",
        "webhook_username": "whatsapp",
        "webhook_password": "a-password",
        "phone_number_id": None,
        "access_token": None,
        "app_secret": None,
        "verify_token": None,
    }
