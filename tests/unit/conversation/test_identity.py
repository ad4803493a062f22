"""Whose conversation it is, while phone numbers and user ids come and go."""

from __future__ import annotations

import pytest
from support import samples
from support.hearing import hear

from rasa_whatsapp_channel.conversation.identity import LIFE, People
from rasa_whatsapp_channel.store.base import Store
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, UserIdChanged
from rasa_whatsapp_channel.whatsapp.webhook import read

PHONE = "15550002222"
NEW_PHONE = "15550005555"
USER = "US.13491208655302741918"
NEW_USER = "US.9876543210"


def wrote(phone: str | None = None, user_id: str | None = None, **more: str) -> InboundMessage:
    return InboundMessage(id="m1", type="text", phone=phone, user_id=user_id, **more)


async def address(store: Store, name: str) -> str:
    return (await People(store.values).of(name)).address.first


async def test_a_conversation_goes_on_when_the_phone_number_disappears(store):
    people = People(store.values)

    assert (await hear(store, people, wrote(PHONE, USER))).name == PHONE
    assert (await hear(store, people, wrote(None, USER))).name == PHONE
    assert await address(store, PHONE) == PHONE


async def test_another_server_process_knows_it_too(store):
    await hear(store, People(store.values), wrote(PHONE, USER))

    assert (await hear(store, People(store.values), wrote(None, USER))).name == PHONE


async def test_a_conversation_that_began_without_a_number_keeps_its_name(store):
    people = People(store.values)

    assert (await hear(store, people, wrote(None, USER))).name == USER
    assert (await hear(store, people, wrote(PHONE, USER))).name == USER
    assert (await hear(store, people, wrote(PHONE))).name == USER
    # Meta wants the number when it is known.
    assert await address(store, USER) == PHONE


@pytest.mark.parametrize(("setting", "name"), [("phone", PHONE), ("user_id", USER)])
async def test_the_setting_names_whoever_is_new(store, setting, name):
    assert (
        await hear(store, People(store.values, sender_id=setting), wrote(PHONE, USER))
    ).name == name


async def test_with_user_ids_as_names_a_missing_one_is_no_new_conversation(store):
    people = People(store.values, sender_id="user_id")
    await hear(store, people, wrote(PHONE, USER))

    assert (await hear(store, people, wrote(PHONE))).name == USER


async def test_after_a_long_silence_the_setting_counts_again(store, clock):
    await hear(store, People(store.values), wrote(PHONE, USER))
    clock.now += LIFE + 1

    assert (await hear(store, People(store.values, clock=clock), wrote(None, USER))).name == USER


async def test_whoever_writes_now_and_then_is_not_forgotten(store, clock):
    people = People(store.values, clock=clock)
    for _ in range(5):
        await hear(store, people, wrote(PHONE, USER))
        clock.now += LIFE - 1

    assert (await hear(store, people, wrote(None, USER))).name == PHONE


async def test_a_group_is_one_conversation_and_ties_nobody(store):
    people = People(store.values)

    assert (
        await hear(store, people, wrote(PHONE, USER, group_id="Y2FwaV9ncm91cDox"))
    ).name == "Y2FwaV9ncm91cDox"
    assert (await hear(store, people, wrote(None, USER))).name == USER


@pytest.mark.parametrize("name", ["cloud/system_changed_number", "on_premises/system"])
async def test_a_new_number_goes_on_with_the_conversation_and_is_written_to(store, name):
    people = People(store.values)
    await hear(store, people, wrote(PHONE))
    (event,) = read(samples.webhook(name))

    await people.change(event)

    assert (await hear(store, people, wrote(NEW_PHONE))).name == PHONE
    assert await address(store, PHONE) == NEW_PHONE


async def test_who_gets_the_old_number_one_day_is_somebody_else(store):
    people = People(store.values)
    await hear(store, people, wrote(PHONE, USER))
    (event,) = read(samples.webhook("cloud/system_changed_number"))
    await people.change(event)

    stranger = (await hear(store, people, wrote(PHONE, "US.777"))).name

    assert stranger not in (PHONE, NEW_PHONE)
    assert await address(store, stranger) == PHONE
    assert (await hear(store, people, wrote(PHONE, "US.777"))).name == stranger
    assert (await hear(store, people, wrote(NEW_PHONE))).name == PHONE


async def test_news_of_a_change_may_come_twice(store):
    people = People(store.values)
    await hear(store, people, wrote(PHONE))
    (event,) = read(samples.webhook("cloud/system_changed_number"))

    await people.change(event)
    await people.change(event)

    assert (await hear(store, people, wrote(NEW_PHONE))).name == PHONE


async def test_a_new_user_id_goes_on_with_the_conversation(store):
    people = People(store.values)
    await hear(store, people, wrote(PHONE, USER))
    (event,) = read(samples.webhook("cloud/system_changed_user_id"))

    await people.change(event)

    assert (await hear(store, people, wrote(None, NEW_USER))).name == PHONE
    # A user id is new because the number is.
    assert await address(store, PHONE) == NEW_USER
    assert (await hear(store, people, wrote(PHONE))).name == PHONE
    # Unless they write from it.
    assert await address(store, PHONE) == PHONE


async def test_the_webhook_field_for_user_ids_says_the_same(store):
    people = People(store.values)
    await hear(store, people, wrote(PHONE, USER))
    (event,) = read(samples.webhook("cloud/user_id_update"))
    assert isinstance(event, UserIdChanged)

    await people.change(event)

    assert (await hear(store, people, wrote(None, NEW_USER))).name == PHONE
    assert await address(store, PHONE) == PHONE


async def test_a_change_of_somebody_who_never_wrote_is_no_matter(store):
    people = People(store.values)
    (event,) = read(samples.webhook("cloud/user_id_update"))

    await people.change(event)

    assert (await hear(store, people, wrote(None, NEW_USER))).name == NEW_USER
