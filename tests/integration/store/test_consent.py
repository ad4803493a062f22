"""Who wants no marketing messages, over every store: through changes of ids and deletion."""

from __future__ import annotations

import pytest
from support.hearing import hear

from rasa_whatsapp_channel.conversation.consent import Consents, anonymize
from rasa_whatsapp_channel.conversation.identity import LIFE, People, alias_key
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, UserIdChanged

MAYA, NEW = "4915112345678", "4915187654321"
USER_ID = "DE.13491208655302741918"


@pytest.fixture
def people(store, clock):
    return People(store.values, clock=clock)


@pytest.fixture
def consents(store, clock):
    return Consents(store.values, clock=clock)


@pytest.fixture
def writes(store, people):
    async def write(**ids):
        return await hear(store, people, InboundMessage("m", "text", **ids))

    return write


async def wants(people, consents, name):
    consent = await consents.of(await people.of(name))
    return None if consent is None else consent.marketing


async def test_nothing_is_known_of_who_said_nothing(people, consents):
    assert await wants(people, consents, MAYA) is None
    assert await consents.all() == []


async def test_what_a_person_said_last_counts_in_whatever_order_it_comes(people, consents, clock):
    person = await people.of(MAYA)
    assert await consents.note(person, marketing=True, source="WhatsApp", at=clock.now)

    assert not await consents.note(person, marketing=False, source="WhatsApp", at=clock.now - 9)
    assert await wants(people, consents, MAYA) is True
    assert await consents.note(person, marketing=False, source="WhatsApp", at=clock.now)
    assert await wants(people, consents, MAYA) is False


async def test_an_opt_out_follows_the_person_to_a_new_number(people, writes, consents):
    person = await writes(phone=MAYA)
    await consents.note(person, marketing=False, source="WhatsApp")
    content = {"type": "user_changed_number", "wa_id": NEW, "body": "changed"}
    event = InboundMessage("s", "system", phone=MAYA, content=content, timestamp=5)
    await people.change(event)

    assert await wants(people, consents, NEW) is False


async def test_an_opt_out_counts_where_two_chats_turn_out_to_be_of_one_person(
    people, writes, consents
):
    await consents.note(await writes(phone=MAYA), marketing=False, source="WhatsApp")
    await writes(user_id=USER_ID)
    await people.tie(USER_ID, MAYA, USER_ID)

    assert await wants(people, consents, USER_ID) is False
    assert await wants(people, consents, MAYA) is False


async def test_an_opt_out_stays_when_the_user_id_changes(people, writes, consents):
    person = await writes(user_id="DE.1")
    await consents.note(person, marketing=False, source="WhatsApp")
    await people.change(UserIdChanged("DE.1", "DE.2", timestamp=5))

    assert await wants(people, consents, "DE.2") is False


async def test_it_outlives_what_is_known_of_the_person_s_ids(
    people, writes, consents, clock, store
):
    person = await writes(phone=MAYA, user_id=USER_ID)
    await consents.note(person, marketing=False, source="WhatsApp")
    clock.now += LIFE + DAY
    await store.expire()
    for name in (MAYA, USER_ID):  # Redis ends values by its own clock
        await store.values.delete(alias_key(name))

    assert await wants(people, consents, USER_ID) is False
    assert await wants(people, consents, MAYA) is False


async def test_the_next_owner_of_a_number_did_not_opt_out(people, writes, consents):
    person = await writes(phone=MAYA, user_id="DE.1")
    await consents.note(person, marketing=False, source="WhatsApp")
    content = {"type": "user_changed_number", "wa_id": NEW, "body": "changed"}
    event = InboundMessage("s", "system", phone=MAYA, content=content, timestamp=5)
    await people.change(event)
    owner = await writes(phone=MAYA, user_id="DE.2")

    assert owner.name != MAYA
    assert await consents.of(owner) is None
    assert await wants(people, consents, NEW) is False


async def test_an_opt_out_outlives_the_deletion_of_a_person_s_data_without_their_name(
    people, writes, consents, store
):
    person = await writes(phone=MAYA, user_id=USER_ID)
    await consents.note(person, marketing=False, source="WhatsApp")
    for name in (MAYA, USER_ID):
        await anonymize(store.values, name)
        await store.erase(name)

    assert [each.person for each in await consents.all()] == [None]
    assert await wants(people, consents, MAYA) is False
    assert not [each async for each in store.values.find("") if MAYA in str(each)]


async def test_who_wants_marketing_again_is_deleted_with_everything_else(people, consents, store):
    await consents.note(await people.of(MAYA), marketing=True, source="WhatsApp")
    await anonymize(store.values, MAYA)

    assert await consents.all() == []


async def test_the_list_names_everybody_once_the_newest_first(people, writes, consents, clock):
    person = await writes(phone=MAYA, user_id=USER_ID)
    await consents.note(person, marketing=False, source="WhatsApp")
    clock.now += 60
    await consents.note(await people.of(NEW), marketing=True, source="a word they wrote")

    listed = [(each.person, each.marketing) for each in await consents.all()]

    assert listed == [(NEW, True), (MAYA, False)]
