"""WhatsApp's own bodies in a response, from the writer to what the person gets."""

from __future__ import annotations

from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

PHONE = "4915112345678"
TYPO = {"type": "text", "text": {"body": "Hello", "previw_url": True}}


def outbox_writer(office, **options):
    composer = Composer(CLOUD, **options)
    return OutboxWriter(office.store, composer, turn_id="wamid.in1", clock=office.clock)


async def test_what_is_meant_for_the_staff_does_not_reach_the_customer(office, caplog):
    """Its author hears why, without anybody's number."""
    told = {"type": "text", "text": {"body": "A customer complains"}, "to": "4930999999"}
    same = {"type": "text", "text": {"body": "Thank you"}, "to": f"+{PHONE}"}

    await outbox_writer(office).write(PHONE, {"custom": [told, same]})
    await office.run()

    assert [body["text"]["body"] for _, body in office.client.sent] == ["Thank you"]
    assert "[WA507]" in caplog.text
    assert "4930999999" not in caplog.text


async def test_a_key_that_is_not_known_reaches_whatsapp_as_it_was_written(office, caplog):
    await outbox_writer(office).write(PHONE, {"custom": TYPO})
    await office.run()

    assert [body for _, body in office.client.sent] == [TYPO]
    assert "did you mean 'preview_url'?" in caplog.text


async def test_with_unknown_keys_refuse_it_is_kept_back(office, caplog):
    await outbox_writer(office, unknown_keys="refuse").write(PHONE, {"custom": TYPO})
    await office.run()

    assert office.client.sent == []
    assert "`unknown_keys: pass` sends it all the same" in caplog.text


def test_unknown_keys_pass_unless_the_settings_say_otherwise():
    assert Settings().unknown_keys == "pass"
