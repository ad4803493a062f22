"""Messages that a stop, a late failure or an older version met."""

from __future__ import annotations

import asyncio

import pytest

from rasa_whatsapp_channel.outbound.recovery import BROKEN
from rasa_whatsapp_channel.store.base import ItemState, StoreError
from rasa_whatsapp_channel.store.consumer import Consumer
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, PlatformError, TransportError
from rasa_whatsapp_channel.whatsapp.events import Status
from rasa_whatsapp_channel.whatsapp.messages import Template, Text

from .conftest import PHONE


def status(message_id, what, code=0, callback_data=None):
    errors = (PlatformError(code, "trouble"),) if code else ()
    return Status(
        message_id=message_id,
        status=what,
        errors=errors,
        callback_data=callback_data,
        recipient_id=PHONE,
    )


async def test_a_stop_while_the_answer_is_on_its_way_is_looked_into_before_it_is_sent_again(
    office, hello
):
    await office.put("a:0", hello)
    arrived = asyncio.Event()

    async def never_answers():
        office.client.sent.append((PHONE, hello.body()))  # WhatsApp has taken it
        arrived.set()
        await asyncio.Event().wait()

    office.client.before_answer = never_answers
    consumer = Consumer(office.store.outbox, office.sender.handle, name="outbox")
    consumer.start()
    await arrived.wait()
    await consumer.stop(0.01)

    async def answers():
        pass

    office.client.before_answer = answers
    office.make_sender()  # the next life
    assert (await office.store.outbox.waiting())[0].state is ItemState.WAITING
    await office.statuses.note(status("wamid.x", "sent", callback_data="a:0"))
    await office.run()
    assert office.texts() == ["hello"]


class Away:
    """A ledger that cannot be written until it is told that it can."""

    def __init__(self, ledger):
        self._ledger = ledger
        self.was_asked = asyncio.Event()
        self.is_away = True

    def __getattr__(self, name):
        return self._fail if name == "note_sent" and self.is_away else getattr(self._ledger, name)

    async def _fail(self, *args, **kwargs):
        self.was_asked.set()
        raise StoreError("store: it is not there")


async def test_a_stop_before_the_store_could_note_that_it_was_sent_sends_nothing_twice(
    office, clock, hello
):
    await office.put("a:0", hello)
    office.store.ledger = ledger = Away(office.store.ledger)
    office.make_sender(sleep=asyncio.sleep)
    consumer = Consumer(office.store.outbox, office.sender.handle, name="outbox")
    consumer.start()
    await ledger.was_asked.wait()
    await consumer.stop(0.01)

    ledger.is_away = False
    office.make_sender()
    clock.now += 11
    await office.run()
    assert office.texts() == ["hello"]


async def test_a_template_that_failed_late_does_not_wait_behind_what_waits_for_it(office, clock):
    office.make_sender(reengagement=Template("hello_again", "en").body())
    await office.wrote(hours_ago=30)
    await office.put("a:0", Text("news"))
    await office.run()
    assert office.types() == ["template"]
    await office.statuses.note(status("wamid.1", "failed", code=131000))
    clock.now += 60
    await office.run()
    assert office.types() == ["template", "template"]


async def test_a_message_that_fails_late_again_and_again_can_still_be_recognised(office, clock):
    await office.put("wamid.HBgMNDkxNTExMjM0NTY3OBUCABIYFDNBQTAwMDAwMDAwMDAwMDAwMDAA:0", Text("hi"))
    for n in range(1, 12):
        await office.run()
        assert len(office.client.sent) == n
        await office.statuses.note(status(f"wamid.{n}", "failed", code=131016))
        clock.now += 100
    assert all(len(data) < 200 for data in office.client.callback_data)


async def test_each_crash_is_looked_into_also_after_a_try_that_failed(office, clock, hello):
    refusal = APIError(PlatformError(131000, "trouble"), status=500, verdict=Verdict.RETRY)
    await office.put("a:0", hello)
    await office.crash_with_message_in_hand()
    await office.run()  # waits for a status
    clock.now += BROKEN + 1
    office.client.answers = [refusal]
    await office.run()
    clock.now += BROKEN + 1
    await office.crash_with_message_in_hand()
    await office.run()
    assert office.texts() == []  # a status may still tell
    clock.now += BROKEN + 1
    await office.run()
    assert office.texts() == ["hello"]


async def test_a_failure_of_what_another_version_sent_does_not_refuse_the_webhook(office):
    await office.store.ledger.note_sent(
        "wamid.1", key="a:0", recipient_id=PHONE, body={"recipient_id": PHONE, "unheard_of": 1}
    )
    await office.statuses.note(status("wamid.1", "failed", code=131000))
    assert await office.store.inbox.claim() is not None  # the bot is told


@pytest.mark.slow
async def test_where_only_messages_are_not_answered_most_of_them_are_not_risked(office, clock):
    async def hangs():
        raise TransportError("no whole answer within 30 seconds", timed_out=True)

    office.client.before_answer = hangs  # what asks without sending is answered
    for n in range(30):
        await office.put(f"a{n}:0", Text("hi"), to=f"49151{n:08}")
    for _ in range(60):
        while await office.step():
            pass
        clock.now += 10
    assert len(await office.store.outbox.dead_letters()) < 10


async def test_of_a_message_that_fails_by_its_status_nothing_but_its_name_is_in_the_log(
    office, hello, caplog
):
    await office.put("a:0", hello)
    await office.run()

    await office.statuses.note(status("wamid.1", "failed", 131000))

    [record] = [each for each in caplog.records if "whatsapp.not_delivered" in each.getMessage()]
    assert "hello" not in f"{vars(record)}"
    assert PHONE not in f"{vars(record)}"
