"""A message that WhatsApp took, though no answer said so: a status may still tell."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.conversation.message_notes import template_conversation
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.outbound.recovery import BROKEN, OUTSIDE_WINDOW, TIMED_OUT
from rasa_whatsapp_channel.store.base import DONE
from rasa_whatsapp_channel.store.consumer import CRASHES
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, ON_PREMISES, TURN
from rasa_whatsapp_channel.whatsapp.clients.answers import lost_id
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, PlatformError, TransportError
from rasa_whatsapp_channel.whatsapp.events import Status
from rasa_whatsapp_channel.whatsapp.messages import Image, Media, Template, Text

PHONE = "4915112345678"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


def status_of_entry(
    key: str, what: str = "sent", *, message_id: str = "wamid.taken", code: int = 0
) -> Status:
    errors = (PlatformError(code, "Message undeliverable"),) if code else ()
    return Status(message_id, what, errors=errors, callback_data=key)


async def test_each_message_carries_the_key_of_its_entry(office, hello):
    await office.put("wamid.in:0", hello)

    await office.run()

    assert office.client.callback_data == ["wamid.in:0"]


async def test_after_a_crash_a_message_whose_status_came_is_not_sent_again(office, clock, hello):
    await office.put("wamid.in:0", hello)
    await office.crash_with_message_in_hand()

    _, outcome = await office.step()
    assert (outcome.after, outcome.counted) == (BROKEN, False)
    await office.statuses.note(status_of_entry("wamid.in:0"))
    clock.now += BROKEN

    assert await office.step() == ("wamid.in:0", DONE)
    assert office.client.sent == []
    noted = await office.store.ledger.get("wamid.taken")
    assert (noted.key, noted.status) == ("wamid.in:0", "sent")


async def test_a_status_that_came_before_the_lease_ended_saves_the_wait(office, clock, hello):
    await office.put("wamid.in:0", hello)
    await office.crash_with_message_in_hand()
    await office.statuses.note(status_of_entry("wamid.in:0", "delivered"))

    assert await office.step() == ("wamid.in:0", DONE)
    assert office.client.sent == []


async def test_after_a_crash_a_message_of_which_nobody_hears_is_sent(office, clock, hello):
    await office.put("wamid.in:0", hello)
    await office.crash_with_message_in_hand()
    await office.step()
    clock.now += BROKEN

    await office.run()

    assert office.texts() == ["hello"]


async def test_meanwhile_what_comes_after_it_waits_and_other_people_do_not(office, clock, hello):
    await office.put("anna:0", hello, to="4915100000001")
    await office.crash_with_message_in_hand()
    await office.put("anna:1", Text("more"), to="4915100000001")
    await office.put("ben:0", Text("hi Ben"), to="4915100000002")
    await office.wrote(hours_ago=1, who="4915100000001")
    await office.wrote(hours_ago=1, who="4915100000002")

    await office.run()
    assert office.texts() == ["hi Ben"]

    clock.now += BROKEN
    await office.run()
    assert office.texts() == ["hi Ben", "hello", "more"]


async def test_a_recognised_message_that_failed_afterwards_is_told_to_the_bot(office, clock, hello):
    await office.put("wamid.in:0", hello)
    await office.crash_with_message_in_hand()
    await office.statuses.note(status_of_entry("wamid.in:0", "failed", code=131026))

    await office.step()

    told = await office.store.inbox.claim()
    assert told.body["reason"].startswith("131026")


BROKE = TransportError("connection lost")
NO_ANSWER = TransportError("no whole answer within 30 seconds", timed_out=True)


@pytest.mark.parametrize(("error", "wait"), [(BROKE, BROKEN), (NO_ANSWER, TIMED_OUT)])
async def test_after_a_request_without_an_answer_the_status_lets_it_go_on_at_once(
    office, hello, error, wait
):
    office.client.answers = [error]
    await office.put("wamid.in:0", hello)
    await office.put("wamid.in:1", Text("more"))

    _, outcome = await office.step()
    assert outcome.after == wait
    await office.run()
    assert office.texts() == []

    await office.statuses.note(status_of_entry("wamid.in:0"))
    await office.run()

    assert office.texts() == ["more"]
    assert (await office.store.ledger.by_key("wamid.in:0")).message_id == "wamid.taken"


async def test_a_status_that_comes_before_the_wait_begins_ends_it_too(office, hello):
    async def tell_first() -> None:
        await office.statuses.note(status_of_entry("wamid.in:0"))

    office.client.answers = [BROKE]
    office.client.before_answer = tell_first
    await office.put("wamid.in:0", hello)

    await office.run()

    assert office.client.sent == []
    assert (await office.store.ledger.by_key("wamid.in:0")).message_id == "wamid.taken"


async def put_news(office) -> None:
    """Put a template for somebody whose window is closed."""
    entry = OutboxMessage(PHONE, Template("news", "en").body())
    await office.store.outbox.put("notify:news:0", template_conversation(PHONE), entry.body())


@pytest.mark.parametrize("late", [60, 300])
@pytest.mark.parametrize("lost", ["process", "answer"])
async def test_outside_of_the_window_a_status_may_come_minutes_late(office, clock, lost, late):
    await put_news(office)
    if lost == "process":
        await office.crash_with_message_in_hand()
    else:
        office.client.answers = [BROKE]

    await office.run()
    clock.now += late
    await office.run()
    await office.statuses.note(status_of_entry("notify:news:0", "delivered"))
    await office.run()

    assert office.client.sent == []
    assert (await office.store.ledger.by_key("notify:news:0")).message_id == "wamid.taken"


async def test_outside_of_the_window_what_nobody_hears_of_is_sent_after_ten_minutes(office, clock):
    await put_news(office)
    await office.crash_with_message_in_hand()
    await office.run()

    clock.now += OUTSIDE_WINDOW
    await office.run()

    assert office.types() == ["template"]


async def test_statuses_of_earlier_messages_do_not_end_the_wait(office, hello):
    await office.put("wamid.in:0", hello)
    await office.run()
    office.client.answers = [BROKE]
    await office.put("wamid.in:1", Text("taken without an answer"))
    await office.step()

    for what in ("sent", "delivered", "read"):
        await office.statuses.note(status_of_entry("wamid.in:0", what, message_id="wamid.1"))
    await office.run()
    assert office.texts() == ["hello"]

    await office.statuses.note(status_of_entry("wamid.in:1"))
    await office.run()
    assert office.texts() == ["hello"]
    assert (await office.store.outbox.depth()).waiting == 0


async def test_a_process_that_was_gone_while_it_waited_hears_first_what_was_told_meanwhile(
    office, clock, hello
):
    office.client.answers = [BROKE]
    await office.put("wamid.in:0", hello)
    await office.step()

    clock.now += 3600
    office.make_sender()
    _, outcome = await office.step()
    assert (outcome.after, outcome.counted) == (BROKEN, False)
    await office.statuses.note(status_of_entry("wamid.in:0"))  # delivered again by WhatsApp

    assert await office.step() == ("wamid.in:0", DONE)
    assert office.client.sent == []


async def test_also_after_a_crash_a_process_that_was_gone_hears_first_what_was_told_meanwhile(
    office, clock, hello
):
    await office.put("wamid.in:0", hello)
    await office.crash_with_message_in_hand()
    await office.step()

    clock.now += 3600
    office.make_sender()
    await office.run()
    await office.statuses.note(status_of_entry("wamid.in:0"))  # delivered again by WhatsApp
    await office.run()

    assert office.client.sent == []


@pytest.mark.parametrize("api", [CLOUD, TURN])
async def test_a_process_that_was_gone_while_it_waited_and_hears_nothing_sends_it(
    office, clock, hello, api
):
    office.speaks(api)
    office.client.answers = [BROKE]
    await office.put("wamid.in:0", hello)
    await office.step()

    clock.now += 3600
    office.make_sender()
    await office.run()
    clock.now += BROKEN
    await office.run()

    assert office.texts() == ["hello"]


@pytest.mark.parametrize("api", [CLOUD, TURN])
async def test_without_any_answer_a_message_is_sent_twice_and_then_a_person_decides(
    office, clock, hello, api
):
    office.speaks(api)
    requests = 0

    async def count() -> None:
        nonlocal requests
        requests += 1

    office.client.before_answer = count
    office.client.answers = [NO_ANSWER] * 10
    await office.put("wamid.in:0", hello)
    await office.put("wamid.in:1", Text("more"))

    for _ in range(20):
        await office.run()
        clock.now += 60

    (dead_letter, _) = reversed(await office.store.outbox.dead_letters())
    assert dead_letter.key == "wamid.in:0"
    assert "WhatsApp did not confirm it, so whether it arrived is not known" in dead_letter.reason
    assert "no whole answer within 30 seconds" in dead_letter.reason
    assert requests == 4  # twice for each of the two


async def test_an_upload_without_an_answer_is_no_message_that_may_have_been_taken(
    office, clock, tmp_path
):
    (tmp_path / "a.png").write_bytes(PNG)
    failures = [NO_ANSWER] * 5
    upload = office.client.upload

    async def upload_late(file):
        if failures:
            raise failures.pop()
        return await upload(file)

    office.client.upload = upload_late
    await office.put("wamid.in:0", Image(Media(path="a.png")))

    for _ in range(20):
        await office.run()
        clock.now += 60

    assert office.types() == ["image"]


async def test_a_success_without_an_id_is_not_sent_again(office, clock, hello):
    office.client.answers = [lost_id(), None]
    await office.put("wamid.in:0", hello)

    for _ in range(5):
        await office.run()
        clock.now += 60

    assert office.client.sent == []
    (dead_letter,) = await office.store.outbox.dead_letters()
    assert "without a message id" in dead_letter.reason


@pytest.mark.parametrize("lost", ["process", "answer"])
async def test_a_status_that_comes_while_a_file_is_made_ready_saves_the_second_try(
    office, clock, tmp_path, lost
):
    (tmp_path / "a.png").write_bytes(PNG)
    await office.put("wamid.in:0", Image(Media(path="a.png")))
    if lost == "process":
        await office.crash_with_message_in_hand()
    else:
        office.client.answers = [NO_ANSWER, None]
    await office.step()
    upload = office.client.upload

    async def upload_slowly(file):
        await office.statuses.note(status_of_entry("wamid.in:0"))
        return await upload(file)

    office.client.upload = upload_slowly
    (tmp_path / "a.png").write_bytes(PNG + b"changed")
    clock.now += TIMED_OUT
    await office.run()

    assert office.client.sent == []
    assert (await office.store.ledger.get("wamid.taken")).key == "wamid.in:0"


async def test_what_failed_after_an_answer_that_was_lost_is_sent_again_until_it_is_there(
    office, clock, hello
):
    refusal = APIError(PlatformError(131000, "trouble"), status=500, verdict=Verdict.RETRY)
    office.client.answers = [lost_id(), refusal, None]
    await office.put("wamid.in:0", hello)
    await office.run()
    await office.statuses.note(status_of_entry("wamid.in:0", "failed", code=131000))

    for _ in range(5):
        await office.run()
        clock.now += 60

    assert office.texts() == ["hello"]
    assert await office.store.outbox.dead_letters() == []


async def test_a_message_that_kills_its_process_is_a_dead_letter_in_the_end(office, clock, hello):
    await office.put("wamid.in:0", hello)

    for _ in range(CRASHES):
        await office.crash_with_message_in_hand()

    item = await office.store.outbox.claim_suspect()
    assert item.crashes == CRASHES


@pytest.mark.parametrize("before", ["status", "note"])
async def test_statuses_of_a_message_that_was_noted_leave_nothing_behind(office, hello, before):
    await office.put("wamid.in:0", hello)
    if before == "note":
        await office.run()
        await office.statuses.note(status_of_entry("wamid.in:0", message_id="wamid.1"))
    else:
        await office.statuses.note(status_of_entry("wamid.in:0", message_id="wamid.1"))
        await office.run()

    assert office.texts() == ["hello"]
    assert (await office.store.ledger.get("wamid.1")).status == "sent"


def status_without_key(message_id: str, what: str = "sent", *, code: int = 0) -> Status:
    errors = (PlatformError(code, "Trouble"),) if code else ()
    return Status(message_id, what, recipient_id=PHONE, errors=errors)


@pytest.mark.parametrize("error", [BROKE, NO_ANSWER, lost_id()])
async def test_without_keys_a_status_of_an_unknown_message_tells_that_this_one_was_taken(
    office, hello, error
):
    office.speaks(TURN)
    office.client.answers = [error]
    await office.put("wamid.in:0", hello)
    await office.put("wamid.in:1", Text("more"))
    await office.run()
    assert office.texts() == []

    await office.statuses.note(status_without_key("taken"))
    await office.run()

    assert office.texts() == ["more"]
    assert (await office.store.ledger.by_key("wamid.in:0")).message_id == "taken"


async def test_without_keys_a_status_that_comes_before_the_answer_is_lost_counts(office, hello):
    async def tell_first() -> None:
        await office.statuses.note(status_without_key("taken"))

    office.speaks(TURN)
    office.client.answers = [BROKE]
    office.client.before_answer = tell_first
    await office.put("wamid.in:0", hello)

    await office.run()

    assert office.client.sent == []
    assert (await office.store.ledger.by_key("wamid.in:0")).message_id == "taken"


class Killed(BaseException):
    """What ends a process."""


async def test_without_keys_a_message_is_recognised_after_a_crash_too(office, hello):
    office.speaks(TURN)
    office.client.answers = [Killed()]
    await office.put("wamid.in:0", hello)
    item = await office.crash_with_message_in_hand()
    with pytest.raises(Killed):  # as far as it came
        await office.sender.handle(item)
    assert (await office.step())[1].after == BROKEN

    await office.statuses.note(status_without_key("taken", "delivered"))
    await office.run()

    assert office.client.sent == []
    assert (await office.store.ledger.by_key("wamid.in:0")).message_id == "taken"


async def test_without_keys_what_other_software_sent_before_confirms_nothing(office, clock, hello):
    office.speaks(TURN)
    await office.statuses.note(status_without_key("of a colleague"))
    office.client.answers = [BROKE]
    await office.put("wamid.in:0", hello)
    await office.run()

    await office.statuses.note(status_without_key("of a colleague", "read"))
    clock.now += BROKEN
    await office.run()

    assert office.texts() == ["hello"]


async def test_without_keys_a_confirmation_is_for_the_message_that_is_waited_for(
    office, clock, hello
):
    office.speaks(TURN)
    office.client.answers = [BROKE]
    await office.put("wamid.in:0", hello)
    await office.run()
    clock.now += BROKEN
    await office.run()  # once more, with an answer

    await office.statuses.note(status_without_key("late"))
    await office.put("wamid.in:1", Text("more"))
    await office.run()

    assert office.texts() == ["hello", "more"]
    assert await office.store.ledger.get("late") is None


@pytest.mark.parametrize("when", ["before the refusal", "after it"])
async def test_without_keys_what_was_refused_is_not_confirmed_by_what_others_send(
    office, clock, hello, when
):
    async def tell_of_another() -> None:
        await office.statuses.note(status_without_key("of a colleague"))

    office.speaks(TURN)
    office.client.answers = [APIError(PlatformError(131000), status=500, verdict=Verdict.RETRY)]
    if when == "before the refusal":
        office.client.before_answer = tell_of_another
    await office.put("wamid.in:0", hello)
    await office.step()

    await tell_of_another()
    clock.now += 60
    await office.run()

    assert office.texts() == ["hello"]


async def test_without_keys_a_link_that_fails_behind_a_lost_answer_takes_no_words_with_it(
    office, hello
):
    office.speaks(ON_PREMISES)
    office.client.answers = [lost_id()]
    await office.put("wamid.in:0", Image(Media(link="http://shop.example/gone.jpg"), "The lake"))
    await office.put("wamid.in:1", Text("more"))
    await office.run()

    await office.statuses.note(status_without_key("taken", "failed", code=1014))
    await office.run()

    assert [text.partition("\n")[0] for text in office.texts()] == ["The lake", "more"]
    assert await office.store.outbox.dead_letters() == []


async def test_without_keys_a_success_without_an_id_is_a_dead_letter_when_nothing_tells_of_it(
    office, clock, hello
):
    office.speaks(TURN)
    office.client.answers = [lost_id()]
    await office.put("wamid.in:0", Text("not confirmed"))
    await office.put("wamid.in:1", hello)

    await office.run()
    assert office.texts() == []
    clock.now += TIMED_OUT
    await office.run()

    assert office.texts() == ["hello"]
    [letter] = await office.store.outbox.dead_letters()
    assert "so whether it arrived is not known" in letter.reason
