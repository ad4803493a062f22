"""What is known of the account: what begins lasts until it ends."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

import pytest

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.inbound.account_events import AccountEvents
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.whatsapp.account_events import AccountEvent, read_account_event

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
    assert await state.template_trouble("order", "en-US") == trouble
    assert await state.template_trouble("order", "de") is None

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
    await state.note_template("order", "en_US", "PAUSED", "132015 Template is paused")
    assert await state.template_trouble("order", "en_US")

    clock.now += 3_601

    assert await state.template_trouble("order", "en_US") is None


async def test_an_error_does_not_replace_what_whatsapp_reported(state, clock):
    await state.note(template("DISABLED"))
    await state.note_template("order", "en_US", "PAUSED", "132015 Template is paused")
    clock.now += 3_601

    assert [trouble.event for trouble in await state.troubles()] == ["DISABLED"]


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


async def test_each_event_is_logged_at_its_level_and_counted(state, caplog):
    metrics = Metrics()
    events = AccountEvents(state, metrics)

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


async def test_a_function_of_the_author_gets_the_event(state):
    heard = []
    events = AccountEvents(state, Metrics(), function=heard.append)

    await events.handle(template("PAUSED"))
    await _until(lambda: heard)

    assert heard == [template("PAUSED")]


async def test_a_function_that_fails_holds_up_nothing(state, caplog):
    async def fail(event):
        raise ValueError("no mail server")

    events = AccountEvents(state, Metrics(), function=fail)

    await events.handle(template("PAUSED"))
    await _until(lambda: "account_function_failed" in caplog.text)

    assert "ValueError('no mail server')" in caplog.text
    assert await state.troubles()


async def _until(is_so) -> None:
    for _ in range(200):
        if is_so():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nothing came")
