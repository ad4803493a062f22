"""What the sender does with what is in the outbox: limits, order, the window, another way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support.eventually import PATIENCE
from support.fake_transport import FakeStream, answer

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.conversation.message_notes import is_failure_of_failure
from rasa_whatsapp_channel.inbound.turn import handling_of_failure
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.policy import SendPolicy
from rasa_whatsapp_channel.outbound.sender import PREPARATIONS
from rasa_whatsapp_channel.outbound.statuses import Statuses
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.settings.inbound import Handling
from rasa_whatsapp_channel.store.base import WINDOW, DeadLetter, Done, Queue, Retry, StoreError
from rasa_whatsapp_channel.store.consumer import Consumer
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES, decide_verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, PlatformError, TransportError
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed, Status, from_body
from rasa_whatsapp_channel.whatsapp.messages import Image, Media, Template, Text, parse

PHONE = "4915112345678"
OTHER = "4915187654321"
NOT_REACHED = TransportError("connection refused", reached=False)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
LINK = "https://shop.example/a.jpg"
TEMPLATE = Template("hello_again", "en").body()


def refuse(code: int, status: int = 400, retry_after: float | None = None) -> APIError:
    verdict = decide_verdict(CLOUD_CODES, code=code, status=status)
    return APIError(
        PlatformError(code, "title"), status=status, verdict=verdict, retry_after=retry_after
    )


def status(message_id: str, what: str, code: int = 0) -> Status:
    errors = (PlatformError(code, "title"),) if code else ()
    return Status(message_id, what, recipient_id=PHONE, errors=errors)


class BreaksOnce:
    """A queue in a store that cannot write when something is put first, and can again then."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._is_broken = True

    async def put(self, *entry: Any, **more: Any) -> bool:
        if self._is_broken:
            self._is_broken = False
            raise StoreError("the disk is full")
        return await self._queue.put(*entry, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._queue, name)


class DownForAWhile:
    """A part of a store that cannot write the next three times."""

    def __init__(self, part: Any) -> None:
        self._part = part
        self._left = 3

    def __getattr__(self, name: str) -> Any:
        return self._write if name in ("note_sent", "set") else getattr(self._part, name)

    async def _write(self, *args: Any, **kwargs: Any) -> Any:
        if self._left:
            self._left -= 1
            raise StoreError("it does not answer")
        name = "note_sent" if "key" in kwargs else "set"
        return await getattr(self._part, name)(*args, **kwargs)


async def told(office) -> list[DeliveryFailed]:
    """Return what the bot will hear, and see that it is nothing but failures."""
    events = []
    while item := await office.store.inbox.claim():
        events.append(from_body(item.body))
        await office.store.inbox.done(item)
    assert all(isinstance(event, DeliveryFailed) for event in events)
    return events


# order of delivery


async def test_text_waits_until_the_image_before_it_was_delivered(office, clock):
    await office.put("1", Image(Media(link=LINK)))
    await office.put("2", Text("and this"))
    await office.run()
    assert office.types() == ["image"]

    await office.statuses.note(status("wamid.1", "sent"))
    await office.run()
    assert office.types() == ["image"]

    await office.statuses.note(status("wamid.1", "delivered"))
    await office.run()
    assert office.types() == ["image", "text"]


@pytest.mark.parametrize("when", ["after the answer", "before the answer"])
@pytest.mark.parametrize("code", [131053, 131000])
async def test_a_file_that_fails_while_the_rest_waits_for_it_is_sent_again_before_it(
    office, clock, when, code
):
    async def fail_first() -> None:
        if not office.client.sent:
            await office.statuses.note(status("wamid.1", "failed", code=code))

    if when == "before the answer":
        office.client.before_answer = fail_first
    office.servers.files[LINK] = answer(PNG)
    for number in (1, 2):
        await office.put(f"in:{number}", Image(Media(link=f"{LINK}?{number}"), caption=str(number)))
        office.servers.files[f"{LINK}?{number}"] = answer(PNG)
    await office.put("in:3", Text("and this"))
    await office.run()
    if when == "after the answer":
        await office.statuses.note(status("wamid.1", "failed", code=code))

    for _ in range(6):
        await office.run()
        clock.now += 2

    shown = [body["image"]["caption"] for _, body in office.client.sent if body["type"] == "image"]
    assert shown == ["1", "1", "2"]
    assert office.types() == ["image", "image", "image", "text"]


@pytest.mark.parametrize("what", ["read", "played", "failed"])
async def test_where_delivered_is_skipped_the_later_statuses_let_the_next_one_go(office, what):
    await office.put("1", Image(Media(id="1")))
    await office.put("2", Text("and this"))
    await office.run()

    await office.statuses.note(status("wamid.1", what, code=131026 if what == "failed" else 0))
    await office.run()

    assert office.types() == ["image", "text"]


async def test_without_any_status_the_next_one_goes_after_the_timeout(office, clock):
    await office.put("1", Image(Media(link=LINK)))
    await office.put("2", Text("and this"))
    await office.run()
    clock.now += 3.1

    await office.run()

    assert office.types() == ["image", "text"]


async def test_a_status_that_is_faster_than_our_note_of_the_id_counts(office):
    await office.store.ledger.note_status("wamid.1", "delivered")
    await office.put("1", Image(Media(link=LINK)))
    await office.put("2", Text("and this"))

    await office.run()

    assert office.types() == ["image", "text"]


async def test_a_status_that_comes_before_the_entry_is_ended_counts(office):
    both_sent = asyncio.Event()

    async def handle(item):
        outcome = await office.sender.handle(item)
        await office.statuses.note(status(f"wamid.{len(office.client.sent)}", "delivered"))
        if len(office.client.sent) == 2:
            both_sent.set()
        return outcome

    await office.put("1", Image(Media(link=LINK)))
    await office.put("2", Text("and this"))
    outbox = Consumer(office.store.outbox, handle, name="outbox")

    outbox.start()
    await asyncio.wait_for(both_sent.wait(), PATIENCE)  # the clock stands still: no timeout ends
    await outbox.stop(grace=1)

    assert office.types() == ["image", "text"]


async def test_statuses_of_other_messages_do_not_let_the_next_one_go(office):
    await office.put("0", Text("before"))
    await office.put("1", Image(Media(link=LINK)))
    await office.put("2", Text("and this"))
    await office.run()

    for what in ("sent", "delivered", "read"):
        await office.statuses.note(status("wamid.1", what))
    await office.run()
    assert office.types() == ["text", "image"]

    await office.statuses.note(status("wamid.2", "delivered"))
    await office.run()
    assert office.types() == ["text", "image", "text"]


async def test_statuses_of_earlier_messages_and_their_reader_spend_no_tries_and_no_pauses(
    office, clock
):
    await office.put("0", Text("before"))
    await office.run()
    office.client.answers = [refuse(131056, retry_after=30), *[refuse(131000, 500)] * 2]
    await office.put("1", Text("limited"))

    for second in range(30):
        await office.run()
        await office.statuses.note(status("wamid.1", ("delivered", "read")[second % 2]))
        await office.store.outbox.end_wait(PHONE, WINDOW)
        clock.now += 0.99
    assert len(office.client.answers) == 2

    for _ in range(30):
        await office.run()
        await office.statuses.note(status("wamid.1", "read"))
        clock.now += 1
    assert office.texts() == ["before", "limited"]


@pytest.mark.parametrize(("what", "sent"), [("none", 3), ("media", 1), ("all", 1)])
async def test_the_setting_says_what_waits(office, what, sent):
    office.make_sender(policy=SendPolicy(wait_for_delivered=what))
    await office.put("1", Image(Media(link=LINK)))
    await office.put("2", Text("b"))
    await office.put("3", Text("c"))

    await office.run()

    assert len(office.client.sent) == sent


async def test_waiting_for_one_person_delays_nobody_else(office):
    await office.wrote(hours_ago=1, who=OTHER)
    await office.put("1", Image(Media(link=LINK)))
    await office.put("2", Text("waits"))
    await office.put("3", Text("goes"), to=OTHER)

    await office.run()

    assert office.texts() == ["goes"]


# limits


async def test_beyond_its_burst_a_person_gets_one_message_in_six_seconds(office, clock):
    for number in range(47):
        await office.put(str(number), Text(str(number)))

    await office.run()
    assert len(office.client.sent) == 45
    clock.now += 6.1
    await office.run()
    assert len(office.client.sent) == 46
    clock.now += 6.1
    await office.run()

    assert office.texts() == [str(number) for number in range(47)]


async def test_the_number_sends_no_faster_than_the_setting_allows(office, clock):
    office.make_sender(policy=SendPolicy(max_per_second=10))
    for number in range(30):
        await office.wrote(hours_ago=1, who=f"49151{number}")
        await office.put(str(number), Text("x"), to=f"49151{number}")
    begun = clock.now

    await office.run()

    assert clock.now - begun == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(
    "error", [refuse(130429), refuse(0, 429), refuse(0, 503), refuse(130429, retry_after=20)]
)
async def test_when_the_number_is_at_its_limit_everybody_waits(office, clock, error):
    await office.wrote(hours_ago=1, who=OTHER)
    office.client.answers = [error]
    await office.put("1", Text("a"))
    await office.put("2", Text("b"), to=OTHER)
    pause = max(1.0, error.retry_after or 0)

    await office.run()
    assert office.texts() == []
    clock.now += pause - 0.1
    await office.run()
    assert office.texts() == []

    clock.now += 2.0
    await office.run()
    clock.now += 2.0
    await office.run()
    assert sorted(office.texts()) == ["a", "b"]


async def test_after_a_pause_one_message_tries_before_the_others(office, clock):
    office.client.answers = [refuse(130429)] * 3
    people = [f"4915100000{number:03}" for number in range(20)]
    for who in people:
        await office.wrote(hours_ago=1, who=who)
        await office.put(who, Text("x"), to=who)

    for _ in range(3):
        left = len(office.client.answers)
        await office.run()
        assert len(office.client.answers) == left - 1
        clock.now += 61
    for _ in range(3):
        await office.run()
        clock.now += 2

    assert len(office.client.sent) == 20


async def test_a_pause_of_a_day_is_tried_again_after_minutes(office, clock):
    office.client.answers = [refuse(0, 503, retry_after=86_400)]
    await office.put("1", Text("a"))

    await office.run()
    clock.now += 300
    await office.run()

    assert office.texts() == ["a"]


@pytest.mark.slow
async def test_while_whatsapp_does_not_answer_no_message_is_risked_to_find_out(office, clock):
    people = [f"4915100000{number:03}" for number in range(20)]
    for who in people:
        await office.wrote(hours_ago=1, who=who)
        await office.put(who, Text("x"), to=who)
    office.client.is_down = True
    for _ in range(100):
        await office.run(steps=200)
        clock.now += 15
    assert office.client.pings > 10

    office.client.is_down = False
    for _ in range(10):
        await office.run(steps=200)
        clock.now += 15

    assert len(office.client.sent) == 20
    assert (await office.store.outbox.depth()).dead_letters == 0


async def test_a_pair_limit_holds_up_that_person_only(office, clock):
    await office.wrote(hours_ago=1, who=OTHER)
    office.client.answers = [refuse(131056)]
    await office.put("1", Text("a"))
    await office.put("2", Text("b"), to=OTHER)
    begun = clock.now

    await office.run()

    assert (office.texts(), clock.now) == (["b"], begun)


async def test_with_a_dead_token_everything_waits_and_goes_on_when_it_lives_again(
    office, clock, caplog
):
    office.client.answers = [refuse(190, 401)] * 30
    for number in range(3):
        await office.put(str(number), Text(str(number)))

    for _ in range(30):
        await office.run()
        clock.now += 61
    await office.run()
    clock.now += 61
    await office.run()

    assert office.texts() == ["0", "1", "2"]
    lines = [line for line in caplog.messages if "the token is not accepted" in line]
    assert len(lines) == 1


# failures


@pytest.mark.slow
async def test_an_outage_of_hours_loses_nothing_and_keeps_the_order(office, clock):
    office.client.answers = [NOT_REACHED] * 100
    await office.put("1", Text("a"))
    await office.put("2", Text("b"))

    for _ in range(104):
        await office.run()
        clock.now += 61

    assert office.texts() == ["a", "b"]


@pytest.mark.slow
async def test_what_cannot_be_sent_within_a_day_is_a_dead_letter(office, clock):
    office.client.answers = [NOT_REACHED] * 3000
    await office.put("1", Text("a"))
    outcome = None
    for _ in range(2000):
        await office.wrote(hours_ago=1)
        if step := await office.step():
            outcome = step[1]
        clock.now += 61

    assert isinstance(outcome, DeadLetter)
    assert [(event.response, event.recipient_id) for event in await told(office)] == [
        ("utter_x", PHONE)
    ]


async def test_a_refused_message_is_a_dead_letter_the_bot_is_told_and_the_next_one_goes(office):
    office.client.answers = [refuse(131009)]
    await office.put("1", Text("a"))
    await office.put("2", Text("b"))

    await office.run()

    assert office.texts() == ["b"]
    (event,) = await told(office)
    assert (event.code, event.response) == (131009, "utter_x")


async def test_a_simulator_is_told_dead_letters_and_why(office):
    office.client.answers = [refuse(131009)]
    await office.put("1", Text("a"))

    await office.run()

    (told,) = office.client.dead_letters
    assert {**told, "reason": ""} == {
        "to": PHONE,
        "number": None,
        "code": 131009,
        "reason": "",
        "response": "utter_x",
        "body": {"type": "text", "text": {"body": "a"}},
    }
    assert "131009" in told["reason"]


async def test_of_what_the_bot_says_about_a_failure_is_told_that_it_is_that(office):
    office.client.answers = [refuse(131009)]
    await office.put("failed:1:0", Text("a"))

    await office.run()

    (event,) = await told(office)
    assert is_failure_of_failure(event.key)
    assert (
        handling_of_failure(event, "message_failed") is Handling.EVENT
    )  # it goes round in no circles


async def test_a_failure_after_acceptance_tells_the_bot(office):
    await office.put("1", Text("a"))
    await office.run()

    await office.statuses.note(status("wamid.1", "failed", code=131026))
    await office.statuses.note(status("wamid.1", "failed", code=131026))

    (event,) = await told(office)
    assert (event.code, event.reason, event.response) == (131026, "131026 title", "utter_x")
    assert event.title == "title"


@pytest.mark.parametrize("when", ["in the answer", "in a status", "in a status before the answer"])
@pytest.mark.parametrize("code", [131000, 131016, 130429, 131056])
async def test_a_passing_failure_is_tried_again_whenever_it_comes(office, clock, when, code):
    async def fail_first() -> None:
        if not office.client.sent:
            await office.statuses.note(status("wamid.1", "failed", code=code))

    if when == "in the answer":
        office.client.answers = [refuse(code)]
    elif when == "in a status before the answer":
        office.client.before_answer = fail_first
    await office.put("1", Text("a"))
    await office.run()
    if when == "in a status":
        await office.statuses.note(status("wamid.1", "failed", code=code))

    for _ in range(3):
        await office.run()
        clock.now += 2

    assert office.texts() == ["a"] * (1 if when == "in the answer" else 2)
    assert await told(office) == []


@pytest.mark.parametrize("when", ["in the answer", "in a status", "in a status before the answer"])
async def test_the_bot_hears_the_code_of_a_failure_whenever_it_comes(office, when):
    async def fail_first() -> None:
        await office.statuses.note(status("wamid.1", "failed", code=131026))

    if when == "in the answer":
        office.client.answers = [refuse(131026)]
    elif when == "in a status before the answer":
        office.client.before_answer = fail_first
    await office.put("1", Text("a"))
    await office.run()
    if when == "in a status":
        await fail_first()

    (event,) = await told(office)
    assert (event.code, event.title) == (131026, "title")


async def test_a_closed_window_is_heard_of_before_the_answer_too(office):
    async def close_first() -> None:
        number = len(office.client.sent) + 1
        if number <= len(people):
            await office.statuses.note(status(f"wamid.{number}", "failed", code=131047))

    office.make_sender(reengagement=TEMPLATE)
    office.client.before_answer = close_first
    people = [f"49151000000{number:02}" for number in range(6)]
    for who in people:
        await office.put(who, Text("a"), to=who)

    await office.run()

    templates = [who for who, body in office.client.sent if body == TEMPLATE]
    assert sorted(templates) == people


async def test_a_failure_the_bot_could_not_be_told_of_is_told_when_the_status_comes_again(office):
    failures = Failures(BreaksOnce(office.store.inbox))
    office.statuses = Statuses(
        office.store,
        failures,
        AccountState(office.store.values, clock=office.clock),
        clock=office.clock,
    )
    await office.put("1", Text("a"))
    await office.run()

    with pytest.raises(StoreError):  # the webhook is answered 503, so WhatsApp sends it again
        await office.statuses.note(status("wamid.1", "failed", code=131026))
    for _ in range(2):
        await office.statuses.note(status("wamid.1", "failed", code=131026))

    (event,) = await told(office)
    assert event.code == 131026


async def test_a_message_that_could_not_go_another_way_does_when_the_status_comes_again(office):
    await office.put("1", Image(Media(link=LINK)))
    await office.run()
    office.store.outbox = BreaksOnce(office.store.outbox)

    with pytest.raises(StoreError):
        await office.statuses.note(status("wamid.1", "failed", code=131053))
    for _ in range(2):
        await office.statuses.note(status("wamid.1", "failed", code=131053))

    (entry,) = await office.store.outbox.waiting()
    message = entry.body["message"]
    assert (message["image"]["link"], entry.body["remedies"]) == (LINK, ["upload_link"])


@pytest.mark.parametrize("part", ["ledger", "values"])
async def test_a_message_is_not_sent_again_when_the_store_fails_after_whatsapp_took_it(
    office, part
):
    setattr(office.store, part, DownForAWhile(getattr(office.store, part)))
    office.make_sender()
    await office.put("1", Image(Media(link=LINK)))

    await office.run()

    assert office.types() == ["image"]
    sent = await office.store.ledger.by_key("1")
    assert sent.message_id == "wamid.1"
    assert sent.body["message"]["image"]["link"] == LINK


async def test_a_failure_that_came_before_our_note_is_told_though_the_store_broke_then(office):
    failures = Failures(BreaksOnce(office.store.inbox))
    office.statuses = Statuses(
        office.store,
        failures,
        AccountState(office.store.values, clock=office.clock),
        clock=office.clock,
    )
    office.make_sender()
    await office.put("1", Text("a"))
    await office.store.ledger.note_status("wamid.1", "failed", reason="131026 title", code=131026)

    item = await office.store.outbox.claim()
    with pytest.raises(StoreError):
        await office.sender.handle(item)
    await office.store.outbox.retry_later(item, counted=False)
    await office.run()

    assert len(await told(office)) == 1
    assert office.texts() == ["a"]


async def test_after_a_crash_text_still_waits_for_the_image_that_was_sent(office, clock):
    await office.put("1", Image(Media(id="1")))
    await office.put("2", Text("and this"))
    # The process died before it could say that it was sent.
    await office.sender.handle(await office.crash_with_message_in_hand())

    await office.run()
    assert office.types() == ["image"]

    clock.now += 3.1
    await office.run()
    assert office.types() == ["image", "text"]


async def test_a_template_that_is_refused_for_the_window_is_a_dead_letter(office):
    await office.put("1", Template("hello_again", "en"))
    await office.put("2", Text("b"))
    office.client.answers = [refuse(131047)]

    await office.run()

    assert office.texts() == ["b"]
    (event,) = await told(office)
    assert event.code == 131047


async def test_a_template_that_failed_for_the_window_does_not_go_round_in_circles(office):
    picture = {"type": "image", "image": {"link": LINK}}
    header = {"type": "header", "parameters": [picture]}
    template = Template.parse({"name": "offer", "language": {"code": "en"}, "components": [header]})
    await office.put("1", template)
    await office.run()

    await office.statuses.note(status("wamid.1", "failed", code=131047))
    await office.run()

    assert office.types() == ["template"]
    (event,) = await told(office)
    assert event.code == 131047


async def test_sent_noted_and_crashed_before_done_is_not_sent_again(office, clock):
    await office.put("1", Text("a"))
    assert await office.sender.handle(await office.crash_with_message_in_hand()) == Done()

    await office.run()

    assert office.texts() == ["a"]


async def test_a_status_of_a_message_we_do_not_know_is_no_matter(office):
    await office.statuses.note(status("wamid.unknown", "failed", code=131026))

    assert await told(office) == []


# another way


@pytest.mark.parametrize("code", [131052, 131053])
async def test_a_link_whatsapp_cannot_fetch_is_sent_as_a_text_when_we_cannot_either(office, code):
    await office.put("1", Image(Media(link=LINK), caption="Our lake"))
    office.client.answers = [refuse(code)]

    await office.run()

    assert office.texts() == [f"Our lake\n{LINK}"]


async def test_a_refused_link_goes_once_where_nothing_may_be_uploaded(office):
    office.make_sender(upload="never")
    await office.put("1", Image(Media(link=LINK), caption="Our lake"))
    office.client.answers = [refuse(131053)]

    await office.run()

    assert office.types() == ["text"]
    assert office.client.answers == []
    assert office.servers.asked == []


async def test_a_link_that_failed_after_acceptance_goes_another_way_too(office):
    await office.put("1", Image(Media(link=LINK)))
    await office.run()

    await office.statuses.note(status("wamid.1", "failed", code=131053))
    await office.run()

    assert office.types() == ["image", "text"]
    assert await told(office) == []


@pytest.mark.slow
async def test_a_file_that_breaks_its_upload_holds_nobody_up_and_takes_no_words_with_it(
    office, clock, tmp_path
):
    async def breaks(file: Any) -> str:
        raise TransportError("connection reset")

    (tmp_path / "a.png").write_bytes(PNG)
    office.client.upload = breaks
    await office.put("1", Image(Media(path="a.png"), caption="our lake"))
    await office.run()
    for number in range(15):
        clock.now += 60
        await office.put(f"2:{number}", Text(f"hello {number}"), to=OTHER)
        await office.run()
        assert office.texts()[-1] != f"hello {number - 1}"

    assert "our lake" in office.texts()
    assert len(office.texts()) == 16


async def test_files_that_are_slow_to_go_up_hold_up_no_text(office, tmp_path):
    gate, was_sent = asyncio.Event(), asyncio.Event()

    async def upload(file):
        await gate.wait()
        return "media1"

    async def note_sent():
        was_sent.set()

    office.client.upload = upload
    office.client.before_answer = note_sent
    for number in range(4 * PREPARATIONS):
        (tmp_path / f"{number}.png").write_bytes(PNG + str(number).encode())
        who = f"49151{number:07}"
        await office.wrote(hours_ago=1, who=who)
        await office.put(who, Image(Media(path=f"{number}.png")), to=who)
    await office.put("text", Text("goes"))
    outbox = Consumer(office.store.outbox, office.sender.handle, name="outbox")

    outbox.start()
    await asyncio.wait_for(was_sent.wait(), PATIENCE)
    assert office.texts() == ["goes"]
    gate.set()
    await outbox.stop(grace=30)


async def test_a_slow_file_server_holds_up_no_file_of_the_bot(office, tmp_path):
    gate, was_sent = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def slow(request: Any) -> AsyncIterator[Any]:
        await gate.wait()
        yield FakeStream(answer(PNG))

    async def note_sent():
        was_sent.set()

    office.make_sender(upload="always")
    office.servers.stream = slow
    office.client.before_answer = note_sent
    for number in range(2 * PREPARATIONS):
        who = f"49151{number:07}"
        await office.wrote(hours_ago=1, who=who)
        await office.put(who, Image(Media(link=f"{LINK}?{number}")), to=who)
    (tmp_path / "a.png").write_bytes(PNG)
    await office.put("file", Image(Media(path="a.png"), caption="goes"))
    outbox = Consumer(office.store.outbox, office.sender.handle, name="outbox")

    outbox.start()
    await asyncio.wait_for(was_sent.wait(), PATIENCE)
    assert [body["image"]["caption"] for _, body in office.client.sent] == ["goes"]
    gate.set()
    await outbox.stop(grace=30)


# the window


async def test_outside_the_window_the_template_goes_and_the_message_waits_for_the_person(
    office, clock
):
    office.make_sender(reengagement=TEMPLATE)
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"))
    await office.put("2", Text("b"))

    await office.run()
    clock.now += 3600
    await office.run()
    assert [body for _, body in office.client.sent] == [TEMPLATE]

    await office.wrote(hours_ago=0)
    await office.store.outbox.end_wait(PHONE, WINDOW)
    await office.run()

    assert office.texts() == ["a", "b"]
    assert office.types() == ["template", "text", "text"]


async def test_what_is_left_behind_a_message_that_waited_in_vain_sends_no_second_template(
    office, clock
):
    office.make_sender(reengagement=TEMPLATE)
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"))
    await office.run()
    clock.now += 3600
    await office.put("2", Text("b"))

    clock.now += 86_400 - 3599  # the first has waited for a day
    await office.run()
    assert office.types() == ["template"]

    clock.now += 3600  # the second too
    await office.run()
    assert office.types() == ["template"]
    assert len(await told(office)) == 2


async def test_what_the_bot_says_a_day_later_sends_a_template_again(office, clock):
    office.make_sender(reengagement=TEMPLATE)
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"))
    await office.run()
    clock.now += 86_390

    await office.put("2", Text("b"))
    clock.now += 11  # the first has waited for a day
    await office.run()

    assert office.types() == ["template", "template"]


async def test_each_time_the_window_closes_a_template_goes(office, clock):
    office.make_sender(reengagement=TEMPLATE, policy=SendPolicy(wait_for_window=7 * 86_400))
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"))
    await office.run()
    await office.wrote(hours_ago=0)
    await office.store.outbox.end_wait(PHONE, WINDOW)
    await office.run()
    clock.now += 25 * 3600

    await office.put("2", Text("b"))
    await office.run()

    assert office.types() == ["template", "text", "template"]


async def test_what_waited_for_days_is_tried_again_for_a_day_like_everything_else(office, clock):
    office.make_sender(policy=SendPolicy(wait_for_window=7 * 86_400))
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"))
    await office.run()
    clock.now += 3 * 86_400
    await office.wrote(hours_ago=0)
    await office.store.outbox.end_wait(PHONE, WINDOW)
    office.client.answers = [refuse(131016, 503)]

    await office.run()
    clock.now += 60
    await office.run()

    assert office.texts() == ["a"]


async def test_who_writes_while_a_message_is_put_to_wait_gets_it_at_once(office):
    was_sent = asyncio.Event()

    async def handle(item):
        outcome = await office.sender.handle(item)
        if isinstance(outcome, Retry):
            await office.wrote(hours_ago=0)
            await office.store.outbox.end_wait(PHONE, WINDOW)  # nothing waits yet
        else:
            was_sent.set()
        return outcome

    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"))
    outbox = Consumer(office.store.outbox, handle, name="outbox")

    outbox.start()
    await asyncio.wait_for(was_sent.wait(), PATIENCE)
    await outbox.stop(grace=1)

    assert office.texts() == ["a"]


async def test_the_template_of_the_response_goes_before_the_general_one(office):
    office.make_sender(reengagement=TEMPLATE)
    own = Template("your_order", "en").body()
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"), template=own, template_key="turn:template")
    await office.put("2", Text("b"), template=own, template_key="turn:template")

    await office.run()

    assert [body for _, body in office.client.sent] == [own]


async def test_nothing_is_sent_outside_the_window_when_there_is_no_template(office, clock):
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"))

    await office.run()
    assert office.client.sent == []
    clock.now += 86_401
    await office.run()

    assert office.client.sent == []
    (event,) = await told(office)
    assert event.code == 131047


async def test_a_template_goes_at_any_time(office):
    await office.wrote(hours_ago=100)
    await office.put("1", Template("hello_again", "en"))

    await office.run()

    assert office.types() == ["template"]


@pytest.mark.parametrize("how", ["answer", "status"])
@pytest.mark.parametrize("code", [131061, 131063])
async def test_a_template_that_must_be_a_marketing_message_becomes_one_once(office, how, code):
    await office.put("1", Template("welcome_offer", "en"))
    if how == "answer":
        office.client.answers = [refuse(code), None]
    await office.run()
    if how == "status":
        await office.statuses.note(status("wamid.1", "failed", code=code))
        await office.run()

    _, body = office.client.sent[-1]
    assert body["product_policy"] == "CLOUD_API_FALLBACK"
    sent = len(office.client.sent)

    await office.statuses.note(status(f"wamid.{sent}", "failed", code=code))
    await office.run()

    assert len(office.client.sent) == sent
    (event,) = await told(office)
    assert event.code == code


DIRECT = parse(
    {
        "type": "text",
        "text": {"body": "Your order 12345 left our store."},
        "category": "utility",
        "ttl_seconds": 600,
    }
)


async def test_direct_send_goes_outside_of_the_window_without_a_template(office):
    await office.wrote(hours_ago=100)
    await office.put("1", DIRECT, template=TEMPLATE)

    await office.run()

    assert [body for _, body in office.client.sent] == [DIRECT.body()]


@pytest.mark.parametrize("how", ["answer", "status"])
@pytest.mark.parametrize("code", [100, 131047, 132021, 139200])
async def test_where_direct_send_is_refused_the_template_goes_and_the_message_waits(
    office, how, code
):
    await office.wrote(hours_ago=100)
    await office.put("1", DIRECT, template=TEMPLATE)
    if how == "answer":
        office.client.answers = [refuse(code)]
    await office.run()
    if how == "status":
        await office.statuses.note(status("wamid.1", "failed", code=code))
        await office.run()
    assert office.client.sent[-1][1] == TEMPLATE

    await office.wrote(hours_ago=0)
    await office.store.outbox.end_wait(PHONE, WINDOW)
    await office.run()

    assert office.client.sent[-1][1] == Text("Your order 12345 left our store.").body()


@pytest.mark.parametrize("how", ["answer", "status"])
async def test_when_whatsapp_says_the_window_is_closed_the_message_waits_too(office, how):
    await office.store.values.delete(f"wrote:{PHONE}")
    office.make_sender(reengagement=TEMPLATE)
    await office.put("1", Text("a"))
    if how == "answer":
        office.client.answers = [refuse(131047)]
    await office.run()
    if how == "status":
        await office.statuses.note(status("wamid.1", "failed", code=131047))
        await office.run()
    assert office.client.sent[-1][1] == TEMPLATE

    await office.wrote(hours_ago=0)
    await office.store.outbox.end_wait(PHONE, WINDOW)
    await office.run()

    assert office.types()[-2:] == ["template", "text"]


@pytest.mark.parametrize("how", ["answer", "status"])
async def test_a_window_that_opens_while_whatsapp_says_it_is_closed_stays_open(office, clock, how):
    await office.store.values.delete(f"wrote:{PHONE}")
    office.make_sender(reengagement=TEMPLATE)
    await office.put("1", Text("a"))
    if how == "answer":
        office.client.before_answer = lambda: office.wrote(hours_ago=0)
        office.client.answers = [refuse(131047)]
    await office.run()
    if how == "status":
        clock.now += 1
        await office.wrote(hours_ago=0)
        await office.statuses.note(status("wamid.1", "failed", code=131047))
    clock.now += 5
    await office.run()

    assert office.types() == ["text"] * (2 if how == "status" else 1)


async def test_release_keeps_the_item_first(office):
    office.client.answers = [refuse(131056)]
    await office.put("1", Text("a"))
    await office.put("2", Text("b"))

    key, outcome = await office.step()

    assert (key, type(outcome)) == ("1", Retry)
    assert await office.step() is None


async def test_a_template_is_not_held_up_by_an_earlier_message_that_waits(office, clock):
    office.make_sender(reengagement=TEMPLATE)
    await office.wrote(hours_ago=25)
    await office.put("1", Text("waits"))
    await office.run()
    writer = OutboxWriter(office.store, Composer(CLOUD), turn_id="reminder", clock=clock)
    reminder = {
        "text": "Your table is ready",
        "metadata": {"whatsapp": {"template": {"name": "table_ready", "language": "en"}}},
    }

    await writer.write(PHONE, reminder)
    await office.run()
    assert [body["template"]["name"] for _, body in office.client.sent] == [
        "hello_again",
        "table_ready",
    ]
    await office.wrote(hours_ago=0)
    await office.store.outbox.end_wait(PHONE, WINDOW)
    await office.run()

    assert office.texts() == ["waits", "Your table is ready"]
    assert office.types() == ["template", "template", "text", "text"]
