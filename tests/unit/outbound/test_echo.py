"""A message that WhatsApp took, though no answer said so: a status may still tell."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.outbound.retry import ECHO
from rasa_whatsapp_channel.store.consumer import DONE, Release
from rasa_whatsapp_channel.whatsapp.apis import TURN
from rasa_whatsapp_channel.whatsapp.errors import PlatformError, TransportError
from rasa_whatsapp_channel.whatsapp.events import Status
from rasa_whatsapp_channel.whatsapp.messages import Text


def echo(key: str, what: str = "sent", *, message_id: str = "wamid.taken", code: int = 0) -> Status:
    errors = (PlatformError(code, "Message undeliverable"),) if code else ()
    return Status(message_id, what, errors=errors, callback_data=key)


async def dies_with_a_message_in_hand(office, clock) -> None:
    """A process claims the entry, and is killed while the answer is on its way."""
    await office.store.outbox.claim(10)
    clock.now += 11


async def test_each_message_carries_the_key_of_its_entry(office, hello):
    await office.put("wamid.in:0", hello)

    await office.run()

    assert office.client.callback_data == ["wamid.in:0"]


async def test_after_a_crash_a_message_whose_status_came_is_not_sent_again(office, clock, hello):
    await office.put("wamid.in:0", hello)
    await dies_with_a_message_in_hand(office, clock)

    assert await office.step() == ("wamid.in:0", Release(ECHO, attempt=False))
    await office.statuses.note(echo("wamid.in:0"))
    clock.now += ECHO

    assert await office.step() == ("wamid.in:0", DONE)
    assert office.client.sent == []
    noted = await office.store.ledger.get("wamid.taken")
    assert (noted.key, noted.status) == ("wamid.in:0", "sent")


async def test_a_status_that_came_before_the_lease_ended_saves_the_wait(office, clock, hello):
    await office.put("wamid.in:0", hello)
    await dies_with_a_message_in_hand(office, clock)
    await office.statuses.note(echo("wamid.in:0", "delivered"))

    assert await office.step() == ("wamid.in:0", DONE)
    assert office.client.sent == []


async def test_after_a_crash_a_message_of_which_nobody_hears_is_sent(office, clock, hello):
    await office.put("wamid.in:0", hello)
    await dies_with_a_message_in_hand(office, clock)
    await office.step()
    clock.now += ECHO

    await office.run()

    assert office.texts() == ["hello"]


async def test_meanwhile_what_comes_after_it_waits_and_other_people_do_not(office, clock, hello):
    await office.put("anna:0", hello, to="4915100000001")
    await dies_with_a_message_in_hand(office, clock)
    await office.put("anna:1", Text("more"), to="4915100000001")
    await office.put("ben:0", Text("hi Ben"), to="4915100000002")
    await office.wrote(hours_ago=1, who="4915100000001")
    await office.wrote(hours_ago=1, who="4915100000002")

    await office.run()
    assert office.texts() == ["hi Ben"]

    clock.now += ECHO
    await office.run()
    assert office.texts() == ["hi Ben", "hello", "more"]


async def test_a_recognised_message_that_failed_afterwards_is_told_to_the_bot(office, clock, hello):
    await office.put("wamid.in:0", hello)
    await dies_with_a_message_in_hand(office, clock)
    await office.statuses.note(echo("wamid.in:0", "failed", code=131026))

    await office.step()

    told = await office.store.inbox.claim(10)
    assert told.body["reason"].startswith("131026")


async def test_after_a_broken_connection_the_status_is_waited_for_too(office, clock, hello):
    office.client.answers = [TransportError("connection lost")]
    await office.put("wamid.in:0", hello)

    _, release = await office.step()
    await office.statuses.note(echo("wamid.in:0"))
    clock.now += release.after
    await office.run()

    assert release.after >= ECHO
    assert office.client.sent == []


@pytest.mark.parametrize("before", ["status", "note"])
async def test_statuses_of_a_message_that_was_noted_leave_nothing_behind(office, hello, before):
    await office.put("wamid.in:0", hello)
    if before == "note":
        await office.run()
        await office.statuses.note(echo("wamid.in:0", message_id="wamid.1"))
    else:
        await office.statuses.note(echo("wamid.in:0", message_id="wamid.1"))
        await office.run()

    assert office.texts() == ["hello"]
    assert (await office.store.ledger.get("wamid.1")).status == "sent"


async def test_where_statuses_carry_no_key_nothing_is_waited_for(office, clock, hello):
    office.client.api = TURN
    await office.put("wamid.in:0", hello)
    await dies_with_a_message_in_hand(office, clock)

    await office.run()

    assert office.texts() == ["hello"]
