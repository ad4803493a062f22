"""The desk of a bot, and the bot's door for it, as the doctor finds them."""

from __future__ import annotations

import time
from typing import Any

import pytest
from support import chatwoot as server
from support.desk_server import SECRET, desk_server

from rasa_whatsapp_channel.doctor.checks.desk import check_desk
from rasa_whatsapp_channel.doctor.collect_remote import collect_desk
from rasa_whatsapp_channel.doctor.results import State
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport


async def nobody(_said: object) -> None:
    """A bot that says nothing."""


async def diagnose(
    settings: dict[str, Any], url: str | None = None
) -> dict[str, tuple[State, str]]:
    group, transport = HandoffSettings.parse(settings), AiohttpTransport()
    try:
        facts = await collect_desk(transport, group, url, now=time.time())
    finally:
        await transport.close()
    return {each.check: (each.state, each.text) for each in check_desk(facts, group)}


def webhook(url: str, **changes: Any) -> dict[str, Any]:
    return {"desk": "webhook", "url": url, "secret": SECRET, **changes}


def chatwoot(url: str, **changes: Any) -> dict[str, Any]:
    numbers = {"account": server.ACCOUNT, "inbox": server.INBOX}
    secrets = {"token": server.TOKEN, "secret": server.SECRET}
    return {"desk": "chatwoot", "url": url, **numbers, **secrets, **changes}


async def test_a_desk_and_a_door_that_fit(serve):
    async with desk_server() as desk, serve(nobody, handoff=webhook(desk.url)) as running:
        found = await diagnose(webhook(desk.url), running.url)
        assert [state for state, _ in found.values()] == [State.OK] * 2
        assert desk.told == []

        other = webhook(desk.url, secret="whsec_b3RoZXI=")
        found = await diagnose(other, running.url)
        assert found["desk.reached"] == (State.ERROR, f"{desk.url} answers HTTP 401")
        assert found["desk.door"][0] is State.ERROR


async def test_a_desk_that_is_away_and_one_that_checks_no_signature():
    found = await diagnose(webhook("http://127.0.0.1:9/events"))
    assert found["desk.reached"][0] is State.ERROR
    async with desk_server() as desk:
        desk.checks = False
        found = await diagnose(webhook(desk.url))
    assert found["desk.signature"] == (
        State.WARNING,
        "the desk takes an event that nobody signed",
    )


async def test_a_chatwoot_that_fits_and_mistakes_in_it(serve):
    async with server.chatwoot() as desk, serve(nobody, handoff=chatwoot(desk.url)) as running:
        desk.hook = f"{running.url}/handoff/chatwoot"
        found = await diagnose(chatwoot(desk.url), running.url)
        assert [state for state, _ in found.values()] == [State.OK] * 3

        desk.hook = "https://elsewhere.example/hook"
        found = await diagnose(chatwoot(desk.url), running.url)
        assert found["desk.webhook"][0] is State.ERROR
        desk.shown_secret = "another"
        found = await diagnose(chatwoot(desk.url))
        assert "every reply is refused" in found["desk.secret"][1]


@pytest.mark.parametrize(("changes", "status"), [({"token": "old"}, 401), ({"inbox": 6}, 404)])
async def test_a_token_and_a_number_that_are_wrong(changes, status):
    async with server.chatwoot() as desk:
        found = await diagnose(chatwoot(desk.url, **changes))
    assert found["desk.reached"] == (State.ERROR, f"{desk.url} answers HTTP {status}")


async def test_an_inbox_of_another_kind():
    async with server.chatwoot() as desk:
        desk.kind = "Channel::WebWidget"
        found = await diagnose(chatwoot(desk.url))
    assert found["desk.inbox"] == (
        State.ERROR,
        "inbox 5 is of the kind Channel::WebWidget, not API",
    )


async def test_the_doctor_looks_at_the_desk_of_a_bot(setup, online):
    async with desk_server() as desk:
        await online()
        block = f"  handoff: {{desk: webhook, url: '{desk.url}', secret: '{SECRET}'}}\n"
        setup.credentials.write_text(setup.credentials.read_text() + block)
        results = await setup.run_checks()
    assert "desk.reached" in {each.check for each in results if each.state is State.OK}
