"""What is known of the account: what begins lasts until it ends."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Any

import pytest
from support.eventually import eventually

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.inbound.account_events import AccountEvents
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import Values
from rasa_whatsapp_channel.whatsapp.account_events import AccountEvent, read_account_event
from rasa_whatsapp_channel.whatsapp.errors import PlatformError

PAUSED = PlatformError(132015, "Template is paused")
TEMPLATE = {"message_template_name": "order", "message_template_language": "en_US"}


@dataclass
class Clock:
    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def store(tmp_path, clock):
    store = open_store(f"sqlite:///{tmp_path / 'whatsapp.db'}", clock=clock)
    await store.open()
    yield store
    await store.close()


@pytest.fixture
def state(store, clock):
    return AccountState(store.values, clock=clock)


def template(event: str) -> AccountEvent:
    value = {**TEMPLATE, "event": event, "reason": "NONE"}
    return read_account_event("message_template_status_update", value, 1_000)


async def test_a_paused_template_is_in_trouble_until_it_is_approved_again(state):
    await state.note(template("PAUSED"))

    (trouble,) = await state.troubles()
    assert str(trouble) == "template order (en_US) PAUSED"
    assert trouble.since == 1_000
    assert await state.obstacle("order (en_US)") == trouble
    assert await state.obstacle("order (de)") is None

    await state.note(template("APPROVED"))

    assert await state.troubles() == []


async def test_a_flagged_template_can_still_be_sent(state):
    await state.note(template("FLAGGED"))

    assert await state.troubles() == []


async def test_a_later_word_replaces_an_earlier_one(state):
    await state.note(template("PAUSED"))
    await state.note(template("DISABLED"))

    assert [trouble.event for trouble in await state.troubles()] == ["DISABLED"]


async def test_what_an_error_says_is_believed_for_an_hour(state, clock):
    await state.note_template("order (en_US)", "PAUSED", PAUSED)
    assert await state.obstacle("order (en_US)")

    clock.now += 3_601

    assert await state.obstacle("order (en_US)") is None


async def test_an_error_does_not_replace_what_whatsapp_reported(state, clock):
    await state.note(template("DISABLED"))
    await state.note_template("order (en_US)", "PAUSED", PAUSED)
    clock.now += 3_601

    assert [trouble.event for trouble in await state.troubles()] == ["DISABLED"]


def account(event: str, **more: Any) -> AccountEvent:
    return read_account_event("account_update", {"event": event, **more}, 1_000)


def restriction(kind: str, until: object = None) -> AccountEvent:
    info = {"restriction_type": kind, **({} if until is None else {"expiration": until})}
    return account("ACCOUNT_RESTRICTION", phone_number="16505551111", restriction_info=[info])


DISABLED = account("DISABLED_UPDATE", ban_info={"waba_ban_state": "DISABLE"})
SCHEDULED = account("DISABLED_UPDATE", ban_info={"waba_ban_state": "SCHEDULE_FOR_DISABLE"})


@pytest.mark.parametrize(
    ("event", "stopped"),
    [
        (restriction("RESTRICTED_CUSTOMER_INITIATED_MESSAGING"), (True, True)),
        (restriction("RESTRICTED_BIZ_INITIATED_MESSAGING"), (False, True)),
        (restriction("RESTRICTED_ADD_PHONE_NUMBER_ACTION"), (False, False)),
        (DISABLED, (True, True)),
        (SCHEDULED, (False, False)),
        (account("ACCOUNT_DELETED"), (True, True)),
        (account("ACCOUNT_VIOLATION"), (False, False)),
    ],
)
async def test_what_the_account_may_not_do_stops_templates_or_everything(state, event, stopped):
    await state.note(event)

    obstacles = await state.obstacle(), await state.obstacle("order (en_US)")

    assert tuple(each is not None for each in obstacles) == stopped


@pytest.mark.parametrize("until", [1_700_000_060, "1700000060"])
async def test_a_restriction_ends_when_whatsapp_said(state, clock, until):
    await state.note(restriction("RESTRICTED_CUSTOMER_INITIATED_MESSAGING", until))
    assert await state.obstacle()

    clock.now += 61

    assert await state.troubles() == []


@pytest.mark.parametrize("until", [None, "soon", True, [], float("inf")])
async def test_a_restriction_without_a_readable_end_is_believed_for_a_day(state, clock, until):
    await state.note(restriction("RESTRICTED_CUSTOMER_INITIATED_MESSAGING", until))
    assert await state.obstacle()

    clock.now += 86_401

    assert await state.obstacle() is None


async def test_restrictions_of_two_kinds_last_beside_each_other_until_the_account_is_back(state):
    await state.note(restriction("RESTRICTED_BIZ_INITIATED_MESSAGING"))
    await state.note(restriction("RESTRICTED_ADD_PHONE_NUMBER_ACTION"))
    await state.note(DISABLED)
    assert len(await state.troubles()) == 3

    await state.note(account("DISABLED_UPDATE", ban_info={"waba_ban_state": "REINSTATE"}))

    assert await state.troubles() == []


async def test_a_restriction_of_one_of_several_numbers_stops_none(store):
    state = AccountState(store.values, has_numbers=True)

    await state.note(restriction("RESTRICTED_CUSTOMER_INITIATED_MESSAGING"))

    assert await state.troubles()
    assert await state.obstacle("order (en_US)") is None


async def test_a_report_that_comes_while_another_process_writes_for_long_is_kept(store, clock):
    class Slow:
        """The values of a process that stands still once, between reading and writing."""

        stands = True
        change = Values.change  # by the methods of this one

        def __getattr__(self, name):
            return getattr(store.values, name)

        async def get(self, key):
            found = await store.values.get(key)
            if self.stands:
                self.stands = False
                clock.now += 3_600
                await AccountState(store.values, clock=clock).note(template("PAUSED"))
            return found

    slow = AccountState(Slow(), clock=clock)
    await slow.note(restriction("RESTRICTED_BIZ_INITIATED_MESSAGING"))

    assert len(await slow.troubles()) == 2


async def test_many_reports_at_the_same_time_are_all_kept(state):
    events = [
        read_account_event(
            "message_template_status_update",
            {"message_template_name": f"t{number}", "event": "PAUSED"},
            number,
        )
        for number in range(20)
    ]

    await asyncio.gather(*(state.note(event) for event in events))

    assert [trouble.subject for trouble in await state.troubles()] == [
        f"t{number}" for number in range(20)
    ]


async def test_each_event_is_logged_at_its_level_and_counted(state, store, caplog):
    metrics = Metrics()
    events = AccountEvents(state, store.outbox, metrics)

    with caplog.at_level(logging.INFO):
        await events.handle(template("PAUSED"))
        await events.handle(read_account_event("account_review_update", {"decision": "APPROVED"}))
        await events.handle(read_account_event("account_update", {"event": "ACCOUNT_DELETED"}))

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        (
            "WARNING",
            "whatsapp.account_event: message_template_status_update PAUSED order (en_US)",
        ),
        ("INFO", "whatsapp.account_event: account_review_update APPROVED"),
        ("ERROR", "whatsapp.account_event: account_update ACCOUNT_DELETED"),
    ]
    page = metrics.page().decode()
    assert (
        'whatsapp_account_events_total{event="ACCOUNT_DELETED",field="account_update"} 1.0' in page
    )


async def test_a_function_of_the_author_gets_the_event(state, store):
    heard = []
    events = AccountEvents(state, store.outbox, Metrics(), function=heard.append)

    await events.handle(template("PAUSED"))
    await eventually(lambda: heard)

    assert heard == [template("PAUSED")]


async def test_a_function_that_fails_holds_up_nothing(state, store, caplog):
    async def fail(event):
        raise ValueError("no mail server")

    events = AccountEvents(state, store.outbox, Metrics(), function=fail)

    await events.handle(template("PAUSED"))
    await eventually(lambda: "account_function_failed" in caplog.text)

    assert "ValueError('no mail server')" in caplog.text
    assert await state.troubles()
