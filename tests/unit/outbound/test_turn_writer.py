"""What a bot says in one turn stands in the outbox together, once, whatever happens on the way."""

from __future__ import annotations

import asyncio
import logging

import pytest
from support.conversations import corpus, sent, spells_of
from support.eventually import eventually

from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.outbound.turn_writer import TurnWriter
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

PHONE = "4915112345678"
TURN = "wamid.in1"
LONG = 60.0
WAIT = 0.05


def said(name, **more):
    return {"text": name, "utter_action": f"utter_{name}", **more}


@pytest.fixture
def turn(office):
    """Return what begins an attempt at the turn."""

    def turn(*, wait=LONG, values=office.store.values, **options):
        skip = options.pop("skip", ())
        writer = OutboxWriter(
            office.store, Composer(CLOUD), turn_id=TURN, clock=office.clock, **options
        )
        return TurnWriter(writer, values, TURN, wait=wait, skip=skip)

    return turn


@pytest.fixture
def bodies(office):
    async def bodies():
        """Return what stands in the outbox, by key."""
        bodies = {}
        while item := await office.store.outbox.claim():
            bodies[item.key] = item.body
            await office.store.outbox.done(item)
        return bodies

    return bodies


@pytest.fixture
def texts(bodies):
    async def texts():
        return [body["message"]["text"]["body"] for body in (await bodies()).values()]

    return texts


async def test_what_is_said_in_a_turn_is_one_message_with_the_names_of_all(turn, bodies):
    async with turn() as writer:
        await writer.write(PHONE, said("a"))
        await writer.write(PHONE, said("b"))
        assert await bodies() == {}

    [(key, body)] = (await bodies()).items()
    assert body["message"]["text"]["body"] == "a\n\nb"
    assert body["response"] == "utter_a, utter_b"
    assert key == f"{TURN}:1"


async def test_without_combine_everything_goes_at_once(turn, bodies):
    async with turn(wait=None) as writer:
        await writer.write(PHONE, said("a"))
        assert [*await bodies()] == [f"{TURN}:0"]


async def test_a_turn_that_takes_long_is_sent_in_parts(turn, texts):
    async with turn(wait=10 * WAIT) as writer:
        await writer.write(PHONE, said("a"))
        await writer.write(PHONE, said("b"))
        assert await eventually(texts) == ["a\n\nb"]
        await writer.write(PHONE, said("c"))

    assert await texts() == ["c"]


async def test_a_turn_that_blocks_the_server_is_sent_in_parts_too(turn, texts, clock):
    async with turn(wait=WAIT) as writer:
        await writer.write(PHONE, said("a"))
        end = asyncio.get_running_loop().time() + 2 * WAIT
        while asyncio.get_running_loop().time() < end:
            pass  # no other task gets its turn
        await writer.write(PHONE, said("b"))

    assert await texts() == ["a", "b"]


async def test_one_moment_is_not_said_where_something_else_comes(turn, texts):
    async with turn(wait=WAIT, skip=["utter_moment"]) as writer:
        await writer.write(PHONE, said("moment"))
        await asyncio.sleep(4 * WAIT)
        assert await texts() == []
        await writer.write(PHONE, said("a"))
    assert await texts() == ["a"]


async def test_one_moment_is_said_where_nothing_else_comes(turn, texts):
    async with turn(skip=["utter_moment"]) as writer:
        await writer.write(PHONE, said("moment"))

    assert await texts() == ["moment"]


async def test_what_was_said_before_a_bot_fails_goes_out(turn, texts):
    async def fails():
        async with turn() as writer:
            await writer.write(PHONE, said("a"))
            await writer.write(PHONE, said("b"))
            raise RuntimeError("the action server is down")

    with pytest.raises(RuntimeError):
        await fails()
    assert await texts() == ["a\n\nb"]

    async with turn() as again:
        await again.resume()
        for name in "abc":
            await again.write(PHONE, said(name))

    assert await texts() == ["c"]


async def test_what_a_killed_process_had_said_goes_out_when_its_turn_is_taken_up(turn, texts):
    writer = turn()
    await writer.write(PHONE, said("a"))
    await writer.write(PHONE, said("b"))

    async with turn() as again:
        await again.resume()  # Rasa had saved the turn: nothing is said again

    assert await texts() == ["a\n\nb"]


async def test_parts_that_were_sent_before_a_process_was_killed_are_not_sent_again(turn, texts):
    writer = turn(wait=WAIT)
    await writer.write(PHONE, said("a"))
    sent = await eventually(texts)
    await writer.write(PHONE, said("b"))

    async with turn() as again:
        await again.resume()
        for name in "abcd":
            await again.write(PHONE, said(name))

    assert [*sent, *await texts()] == ["a", "b", "c\n\nd"]


async def test_a_turn_that_an_operator_begins_anew_goes_on_behind_what_was_said(turn, texts):
    async with turn() as writer:
        await writer.write(PHONE, said("a"))
        await writer.write(PHONE, said("b"))

    async with turn() as again:  # as a new item of the inbox, not as a repeated one
        for name in "abc":
            await again.write(PHONE, said(name))

    assert await texts() == ["a\n\nb", "c"]


async def test_after_combine_was_switched_off_a_repeated_turn_sends_nothing_twice(turn, texts):
    writer = turn()
    await writer.write(PHONE, said("a"))
    await writer.write(PHONE, said("b"))

    async with turn(wait=None) as again:
        await again.resume()
        for name in "abc":
            await again.write(PHONE, said(name))

    assert await texts() == ["a\n\nb", "c"]


async def test_what_was_said_does_not_stay_in_the_store(turn, office):
    async with turn() as writer:
        await writer.write(PHONE, said("secret"))

    assert (await office.store.values.get(f"said:{TURN}"))["kept"] == []


class Failing:
    """Values that fail when they are written, before or after it was done."""

    def __init__(self, values, *, done):
        self._values = values
        self._done = done
        self.fails = False

    async def get(self, key):
        return await self._values.get(key)

    async def set(self, key, value, ttl):
        if self._done or not self.fails:
            await self._values.set(key, value, ttl)
        if self.fails:
            raise StoreError("the disk is full")


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("heals", [True, False])
async def test_a_store_that_fails_loses_and_doubles_nothing(turn, office, texts, done, heals):
    values = Failing(office.store.values, done=done)

    async def fails():
        async with turn(values=values) as writer:
            await writer.write(PHONE, said("a"))
            values.fails = True
            try:
                await writer.write(PHONE, said("b"))
            finally:
                values.fails = not heals

    with pytest.raises(StoreError):
        await fails()

    async with turn() as again:
        await again.resume()
        for name in "abc":
            await again.write(PHONE, said(name))

    assert "\n\n".join(await texts()) == "a\n\nb\n\nc"


async def test_the_log_says_what_became_of_a_turn_as_information(turn, caplog):
    caplog.set_level(logging.INFO)

    async with turn(skip=["utter_moment"]) as writer:
        for name in ("moment", "a", "b"):
            await writer.write(PHONE, said(name))

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "INFO",
            "whatsapp.changed: utter_moment: 'moment' is not sent, because `combine_skip` names it "
            "and the turn says something else [WA902]",
        ),
        (
            "INFO",
            "whatsapp.changed: utter_a, utter_b: 2 messages of the turn became one, as `combine` "
            "asks [WA901]",
        ),
    ]


async def test_a_simulator_hears_all_changes_of_a_joined_message(turn, bodies):
    async with turn(notes=True) as writer:
        await writer.write(PHONE, said("a", documnet="a.pdf"))
        await writer.write(PHONE, {"text": "b", "documnet": "b.pdf"})

    [body] = (await bodies()).values()
    assert [change["code"] for change in body["changes"]] == ["WA113", "WA901"]
    assert body["response"] == "utter_a"


async def test_numbers_that_were_offered_are_understood(turn, office):
    async with turn() as writer:
        buttons = [{"title": "Tea", "payload": "/tea"}]
        await writer.write(PHONE, {"text": "Well?", "buttons": buttons, "button_type": "numbers"})
        await writer.write(PHONE, said("a"))

    assert (await office.store.values.get(f"choices:{PHONE}"))["now"] == {"1": ["/tea", "Tea"]}


@pytest.mark.slow
async def test_sixty_conversations_stand_in_the_outbox_as_the_bench_counts_them(office, bodies):
    turns = [turn for each in corpus() for turn in each.turns]
    spells = [spell for turn in turns for spell in spells_of(turn)]

    for number, spell in enumerate(spells):
        writer = OutboxWriter(
            office.store, Composer(CLOUD), turn_id=f"wamid.in{number}", clock=office.clock
        )
        async with TurnWriter(writer, office.store.values, f"{number}", wait=LONG) as turn_writer:
            for response in spell:
                await turn_writer.write(PHONE, response)

    envelope = {"messaging_product": "whatsapp", "recipient_type": "individual", "to": PHONE}
    written = [{**envelope, **body["message"]} for body in (await bodies()).values()]
    assert written == [body for turn in turns for body in sent(turn, together=True).bodies]


async def test_what_a_task_says_after_the_turn_goes_when_the_store_is_back(turn, office, texts):
    async with turn(wait=WAIT, skip=["utter_moment"]) as writer:
        await writer.write(PHONE, said("a"))
    assert await texts() == ["a"]
    put = office.store.outbox.put
    refused = []

    async def refuse(*args, **options):
        refused.append(args)
        raise StoreError("the disk is full")

    office.store.outbox.put = refuse
    await writer.write(PHONE, said("moment"))
    await eventually(lambda: refused)
    office.store.outbox.put = put

    assert await eventually(texts) == ["moment"]
