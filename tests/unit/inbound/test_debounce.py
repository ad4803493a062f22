"""Several messages in a row as one turn."""

from __future__ import annotations

import pytest
from support.desk import Desk

OTHER = "15550003333"


@pytest.fixture
def desk(store, clock) -> Desk:
    return Desk(store, clock, debounce=3.0)


async def test_without_the_setting_every_text_is_a_turn(store, clock):
    desk = Desk(store, clock)
    await desk.says("hi")
    await desk.says("there")

    assert await desk.run() == ["hi", "there"]


async def test_a_burst_is_one_turn_when_it_is_over(desk, clock):
    for words in ("hi", "I have a question", "about the lake"):
        await desk.says(words)
        clock.now += 2
        assert await desk.run() == []
    clock.now += 1.1

    assert await desk.run() == ["hi\nI have a question\nabout the lake"]
    (turn,) = desk.heard
    assert turn.message_id == "m1"
    assert [facts["id"] for facts in turn.metadata["whatsapp"]["messages"]] == ["m1", "m2", "m3"]


async def test_one_text_is_a_turn_like_any_other(desk, clock):
    await desk.says("hi")
    clock.now += 3.1

    assert await desk.run() == ["hi"]
    assert "messages" not in desk.heard[0].metadata["whatsapp"]


async def test_whoever_never_stops_is_heard_all_the_same(desk, clock):
    for number in range(20):
        await desk.says(str(number) + "!")
        clock.now += 1
        await desk.run()

    assert desk.texts[0].startswith("0!\n1!\n2!")
    assert 11 <= len(desk.texts[0].split("\n")) <= 13


async def test_what_comes_later_is_another_turn(desk, clock):
    await desk.says("one")
    clock.now += 3.1
    await desk.run()
    await desk.says("two")
    clock.now += 3.1

    assert await desk.run() == ["one", "two"]


async def test_a_tap_never_waits_and_neither_does_what_stands_before_it(desk):
    await desk.says("hi")
    await desk.run()
    await desk.gets("interactive", type="button_reply", button_reply={"id": "yes", "title": "Yes"})

    assert await desk.run() == ["hi", "yes"]


@pytest.mark.parametrize("words", ["2", "/restart"])
async def test_a_choice_that_is_typed_never_waits(desk, words):
    await desk.says(words)

    assert await desk.run() == [words.lstrip("/")]


async def test_people_do_not_wait_for_each_other(desk, clock):
    await desk.says("hi")
    clock.now += 2
    await desk.says("hello", phone=OTHER)
    await desk.run()
    clock.now += 1.1

    assert await desk.run() == ["hi"]


async def test_an_album_is_one_turn(desk, clock):
    for number in range(3):
        await desk.gets("image", id=str(number), mime_type="image/jpeg")
    clock.now += 3.1

    await desk.run()

    (turn,) = desk.heard
    assert turn.text.startswith('/whatsapp_image{"id": "0"')
    messages = turn.metadata["whatsapp"]["messages"]
    assert [facts["image"]["path"] for facts in messages] == ["/media/0", "/media/1", "/media/2"]


async def test_the_words_of_an_album_are_its_text(desk, clock):
    await desk.gets("image", id="0")
    await desk.gets("image", id="1", caption="our house")
    clock.now += 3.1

    assert await desk.run() == ["our house"]


async def test_a_turn_that_failed_is_repeated_with_the_same_messages(desk, clock):
    desk.failures = [RuntimeError("down")]
    await desk.says("one")
    await desk.says("two")
    clock.now += 3.1
    await desk.run()
    await desk.says("three")
    clock.now += 3.1

    assert await desk.run() == ["one\ntwo", "one\ntwo", "three"]


async def test_a_second_delivery_is_no_part_of_a_burst(desk, clock):
    await desk.says("one")
    desk._count -= 1
    await desk.says("one")
    clock.now += 3.1

    assert await desk.run() == ["one"]


async def test_the_ticks_of_the_last_message_turn_blue(desk, clock):
    await desk.says("one")
    await desk.says("two")
    clock.now += 3.1
    await desk.run()

    assert desk.client.receipts in ([("m2", False)], [])  # it is shown beside the turn
