"""`rasa-whatsapp account`: what WhatsApp says of the account, and what the bot was told."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.whatsapp.account_events import read_account_event

RESTRICTED = {
    "event": "ACCOUNT_RESTRICTION",
    "restriction_info": [
        {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING", "expiration": 4102444800}
    ],
}


@pytest.fixture
async def state(tmp_path: Path) -> AsyncIterator[AccountState]:
    """What a bot that runs in this folder was told."""
    async with open_store(f"sqlite:///{tmp_path / 'whatsapp.db'}") as store:
        yield AccountState(store.values)


async def pause(url: str, name: str) -> None:
    address = f"{url}/simulator/templates/{name}/en_US"
    paused = {"status": "PAUSED"}
    async with aiohttp.ClientSession() as session, session.post(address, json=paused) as answer:
        assert answer.status == 200


async def test_a_table_shows_both(rasa_whatsapp, simulator, state):
    await pause(simulator.url, "summer_sale")
    await state.note(read_account_event("account_update", RESTRICTED, 1_790_000_000))

    done = await rasa_whatsapp("account")

    assert done.exit_code == 0, done.output
    rows = [line.split("  ") for line in done.stdout.splitlines()]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    assert cells == [
        ["SAYS", "WHAT", "STATE", "DETAILS"],
        ["WhatsApp", "number +15550783881", "CONNECTED", "quality GREEN, limit TIER_UNLIMITED"],
        ["WhatsApp", "sending as PHONE_NUMBER 106540352242922", "AVAILABLE"],
        ["WhatsApp", "sending as WABA 102290129340398", "AVAILABLE"],
        ["WhatsApp", "template summer_sale (en_US)", "PAUSED"],
        [
            "the bot",
            "restriction of templates",
            "ACCOUNT_RESTRICTION",
            "since 2026-09-21 14:13 UTC, RESTRICTED_BIZ_INITIATED_MESSAGING, "
            "until 2100-01-01 00:00 UTC",
        ],
    ]


async def test_json_is_one_document(rasa_whatsapp, simulator, state):
    await pause(simulator.url, "summer_sale")
    await state.note(read_account_event("account_update", RESTRICTED, 1_790_000_000))

    done = await rasa_whatsapp("account", "--json")

    report = json.loads(done.stdout)
    assert report["failures"] == []
    assert report["live"][-1] == {
        "source": "WhatsApp",
        "what": "template summer_sale (en_US)",
        "state": "PAUSED",
    }
    (stored,) = report["stored"]
    assert (stored["event"], stored["stops"]) == ("ACCOUNT_RESTRICTION", "templates")


async def test_offline_only_the_store_is_read(rasa_whatsapp, simulator, state):
    done = await rasa_whatsapp("account", "--offline")

    assert done.exit_code == 0, done.output
    assert done.stdout == "Nothing is wrong with the account, as far as it is known.\n"


async def test_an_account_that_is_not_there_is_said(rasa_whatsapp, simulator, state):
    done = await rasa_whatsapp("account", "--account", "7")

    assert done.exit_code == 0
    assert "number +15550783881" in done.stdout
    assert "WhatsApp was not asked for everything: " in done.stderr


async def test_an_api_that_cannot_tell_is_said_beside_the_store(rasa_whatsapp, start, state):
    await start("turn")

    done = await rasa_whatsapp("account")

    assert done.exit_code == 0
    assert done.stderr == "WhatsApp was not asked: api turn cannot tell\n"


async def test_with_neither_whatsapp_nor_a_store_it_fails(rasa_whatsapp, start):
    await start("turn")

    done = await rasa_whatsapp("account")

    assert done.exit_code == 1
    assert done.stdout == ""
    assert "WhatsApp was not asked: api turn cannot tell\n" in done.stderr
    assert "The store was not read: there is no store" in done.stderr


async def test_without_credentials_it_says_what_to_do(rasa_whatsapp):
    done = await rasa_whatsapp("account")

    assert done.exit_code == 1
    assert "credentials.yml: does not exist; go to the bot's folder" in done.stderr
