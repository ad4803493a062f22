"""What the account cannot send: waits, goes another way, or is a dead letter with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.inbound.account_events import AccountEvents
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound.policy import SendPolicy
from rasa_whatsapp_channel.store.base import WINDOW
from rasa_whatsapp_channel.whatsapp.account_events import read_account_event
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES, decide_verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, PlatformError
from rasa_whatsapp_channel.whatsapp.events import Status, from_body
from rasa_whatsapp_channel.whatsapp.messages import Template, Text

PHONE = "4915112345678"
ORDER = Template("order", "en_US")
HELLO = Template("hello_again", "en").body()


@pytest.fixture
def report(office, clock):
    """Return what reports a webhook about the account."""
    events = AccountEvents(
        AccountState(office.store.values, clock=clock),
        office.store.outbox,
        Metrics(),
    )

    async def report(field: str, **value: Any) -> None:
        await events.handle(read_account_event(field, value, int(clock.now)))

    return report


@pytest.fixture
def tell(report):
    """Return what reports the status of a template."""

    async def tell(event: str, name: str = "order", language: str = "en_US") -> None:
        await report(
            "message_template_status_update",
            event=event,
            message_template_name=name,
            message_template_language=language,
            reason="NONE",
        )

    return tell


def refuse(code: int) -> APIError:
    verdict = decide_verdict(CLOUD_CODES, code=code, status=400)
    return APIError(PlatformError(code, "title"), status=400, verdict=verdict)


async def causes(office) -> list[str | None]:
    return [row.cause for row in await office.store.outbox.waiting()]


async def failures(office) -> list[tuple[int, str]]:
    found = []
    while item := await office.store.inbox.claim():
        event: Any = from_body(item.body)
        found.append((event.code, event.reason))
        await office.store.inbox.done(item)
    return found


async def test_a_paused_template_waits_until_it_is_approved_again(office, tell, caplog):
    await tell("PAUSED")
    await office.put("1", ORDER)
    await office.run()
    assert office.types() == []
    assert await causes(office) == ["template:order"]
    assert "utter_x waits: template order (en_US) PAUSED" in caplog.text

    await tell("APPROVED")
    await office.run()

    assert office.types() == ["template"]


async def test_a_template_that_waits_holds_up_no_text_and_no_other_template(office, tell):
    await tell("PAUSED")
    await office.put("1", ORDER)
    await office.put("2", Text("a"))
    await office.put("3", Template("menu", "en"))

    await office.run()

    assert office.types() == ["text", "template"]


async def test_another_language_of_a_paused_template_goes(office, tell):
    await tell("PAUSED", language="en-US")
    await office.put("1", Template("order", "de"))
    await office.put("2", ORDER)

    await office.run()

    assert [body["template"]["language"]["code"] for _, body in office.client.sent] == ["de"]


@pytest.mark.parametrize("word", ["DISABLED", "REJECTED", "DELETED"])
async def test_a_template_that_does_not_come_back_is_a_dead_letter(office, tell, word):
    await tell("PAUSED")
    await office.put("1", ORDER)
    await office.run()

    await tell(word)
    await office.run()

    (dead,) = await office.store.outbox.dead_letters()
    assert dead.reason == f"utter_x: it cannot be sent: template order (en_US) {word}"
    assert office.types() == []


async def test_a_template_waits_for_a_day_at_most(office, tell, clock):
    await tell("PAUSED")
    await office.put("1", ORDER)
    await office.run()

    clock.now += 86_401
    await office.run()

    ((_, reason),) = await failures(office)
    assert reason == "it waited too long: template order (en_US) PAUSED"


async def test_a_template_refused_as_paused_is_not_tried_again_within_the_hour(office, clock):
    office.client.answers = [refuse(132015)]
    await office.put("1", ORDER)
    await office.put("2", ORDER, to="4915187654321")
    await office.run()
    assert office.client.answers == []
    assert await causes(office) == ["template:order"] * 2

    clock.now += 3_601
    await office.run()

    assert office.types() == ["template", "template"]


async def test_a_template_dropped_after_it_was_taken_waits_too(office, clock):
    await office.put("1", ORDER)
    await office.run()

    await office.statuses.note(
        Status("wamid.1", "failed", recipient_id=PHONE, errors=(PlatformError(132015, "title"),))
    )
    await office.run()

    assert await causes(office) == ["template:order"]
    assert office.types() == ["template"]


@pytest.mark.parametrize("code", [132001, 132007, 132016])
async def test_a_template_refused_for_good_is_a_dead_letter_and_so_is_the_next(office, code):
    office.client.answers = [refuse(code)]
    await office.put("1", ORDER)
    await office.put("2", ORDER)

    await office.run()

    assert office.types() == []
    assert [code for code, _ in await failures(office)] == [code, code]


async def test_instead_of_a_responses_own_template_the_reengagement_template_goes(
    office, tell, caplog
):
    office.make_sender(reengagement=HELLO)
    await tell("PAUSED")
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"), template=ORDER.body())
    await office.put("2", Text("b"), template=ORDER.body())

    await office.run()

    assert [body for _, body in office.client.sent] == [HELLO]
    assert "`reengagement_template` goes instead of the template of utter_x" in caplog.text


async def test_an_own_template_that_is_refused_is_replaced_too(office):
    office.make_sender(reengagement=HELLO)
    office.client.answers = [refuse(132016)]
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"), template=ORDER.body())

    await office.run()

    assert [body for _, body in office.client.sent] == [HELLO]


@pytest.mark.parametrize("with_other", [False, True])
async def test_with_no_sound_template_the_message_waits_for_the_template(office, tell, with_other):
    if with_other:
        office.make_sender(reengagement=HELLO)
        await tell("PAUSED", "hello_again", "en")
    await tell("PAUSED")
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"), template=ORDER.body())
    await office.run()
    assert sorted(map(str, await causes(office))) == ["template:order", WINDOW]

    await tell("APPROVED")
    await office.run()

    assert [body for _, body in office.client.sent] == [ORDER.body()]


async def test_or_for_the_person_and_then_the_template_does_not_go(office, tell):
    await tell("PAUSED")
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"), template=ORDER.body())
    await office.run()

    await office.wrote(hours_ago=0)
    await office.store.outbox.end_wait(PHONE, WINDOW)
    await tell("APPROVED")
    await tell("PAUSED")
    await office.run()

    assert office.types() == ["text"]
    assert await causes(office) == []


async def test_a_template_is_not_needed_after_the_person_wrote_though_the_window_closed_again(
    office, tell, clock
):
    office.make_sender(policy=SendPolicy(wait_for_window=7 * 86_400))
    await tell("PAUSED")
    await office.wrote(hours_ago=25)
    await office.put("1", Text("a"), template=ORDER.body())
    await office.run()
    clock.now += 3_600
    await office.wrote(hours_ago=0)
    await office.store.outbox.end_wait(PHONE, WINDOW)
    await office.run()
    clock.now += 2 * 86_400

    await tell("LOCKED")
    await office.run()

    assert office.types() == ["text"]
    assert await causes(office) == []


async def test_a_disabled_account_sends_nothing_until_it_is_reinstated(office, report):
    await report("account_update", event="DISABLED_UPDATE", ban_info={"waba_ban_state": "DISABLE"})
    await office.put("1", Text("a"))
    await office.put("2", ORDER, to="4915187654321")
    await office.run()
    assert office.types() == []
    assert await causes(office) == ["account", "account"]

    await report(
        "account_update", event="DISABLED_UPDATE", ban_info={"waba_ban_state": "REINSTATE"}
    )
    await office.run()

    assert office.types() == ["text", "template"]


@pytest.mark.parametrize(
    ("kind", "sent"),
    [
        ("RESTRICTED_CUSTOMER_INITIATED_MESSAGING", []),
        ("RESTRICTED_BIZ_INITIATED_MESSAGING", ["text"]),
    ],
)
async def test_a_restriction_holds_what_it_names_until_it_expires(
    office, report, clock, kind, sent
):
    info = {"restriction_type": kind, "expiration": int(clock.now) + 3_600}
    await report("account_update", event="ACCOUNT_RESTRICTION", restriction_info=[info])
    await office.put("1", Text("a"))
    await office.put("2", ORDER, to="4915187654321")
    await office.run()
    assert office.types() == sent

    clock.now += 3_601
    await office.run()

    assert sorted(office.types()) == ["template", "text"]
