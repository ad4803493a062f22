"""Where a message goes when the person behind a conversation is reached elsewhere."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES, decide_verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, PlatformError
from rasa_whatsapp_channel.whatsapp.events import UserIdChanged
from rasa_whatsapp_channel.whatsapp.identity import as_dialled

PHONE = "4915112345678"
NOT_IN_LIST = APIError(
    PlatformError(131030, "(#131030) Recipient phone number not in allowed list"),
    status=400,
    verdict=decide_verdict(CLOUD_CODES, code=131030, status=400),
)


async def test_a_conversation_is_written_to_where_its_person_is_now(office, hello):
    people = People(office.store.values)
    await people.tie(PHONE, "DE.41")
    await people.change(UserIdChanged("DE.41", "DE.42"))
    await office.put("1", hello)

    await office.run()

    assert [to for to, _ in office.client.sent] == ["DE.42"]
    sent = await office.store.ledger.get("wamid.1")
    assert sent.recipient_id == PHONE


async def test_without_news_of_another_place_its_name_is_where(office, hello):
    await office.put("1", hello)

    await office.run()

    assert [to for to, _ in office.client.sent] == [PHONE]


@pytest.mark.parametrize(
    ("whatsapp_id", "dialled"),
    [
        ("5491155551234", "541155551234"),
        ("5215512345678", "525512345678"),
        ("551187654321", "5511987654321"),
    ],
)
async def test_a_test_number_writes_to_the_number_as_it_is_dialled(
    office, hello, whatsapp_id, dialled
):
    """Its list has the number as it was entered, and not the id that webhooks have."""
    office.client.answers = [NOT_IN_LIST, None]
    await office.put("1", hello, to=whatsapp_id)

    await office.run()

    assert [to for to, _ in office.client.sent] == [dialled]
    sent = await office.store.ledger.get("wamid.1")
    assert sent.recipient_id == whatsapp_id


@pytest.mark.parametrize("number", ["5491155551234", PHONE])
async def test_a_number_that_is_not_in_the_list_is_tried_no_further(office, hello, number):
    office.client.answers = [NOT_IN_LIST, NOT_IN_LIST, None]
    await office.put("1", hello, to=number)

    await office.run()

    assert office.client.sent == []
    (dead,) = await office.store.outbox.dead_letters()
    assert "131030" in dead.reason


@pytest.mark.parametrize(
    "number", ["5511987654321", "551131234567", "541155551234", "4915112345678"]
)
def test_most_numbers_are_dialled_as_whatsapp_names_them(number):
    assert as_dialled(number) is None
