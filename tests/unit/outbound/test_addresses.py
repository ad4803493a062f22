"""Where a message goes when the person behind a conversation is reached elsewhere."""

from __future__ import annotations

from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.whatsapp.events import UserIdChanged

PHONE = "4915112345678"


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
