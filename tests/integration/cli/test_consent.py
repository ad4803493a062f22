"""`rasa-whatsapp consent`: who wants no marketing messages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rasa_whatsapp_channel.conversation.consent import Consents
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import Store

MAYA = "4915112345678"
USER_ID = "DE.13491208655302741918"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    (tmp_path / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n  store: sqlite:///whatsapp.db\n"
    )
    async with open_store(f"sqlite:///{tmp_path / 'whatsapp.db'}") as store:
        yield store


async def test_at_first_nobody_has_said_anything(rasa_whatsapp, store):
    done = await rasa_whatsapp("consent", "list")

    assert done.stdout == "Nobody has said anything about marketing messages.\n"
    assert json.loads((await rasa_whatsapp("consent", "list", "--json")).stdout) == []


async def test_what_is_set_is_listed_and_hides_the_number_unless_it_is_asked_for(
    rasa_whatsapp, store
):
    done = await rasa_whatsapp("consent", "set", "+49 151 12345678", "marketing", "stop")
    assert (done.exit_code, done.stdout) == (0, "Noted: marketing stop.\n")

    listed = (await rasa_whatsapp("consent", "list")).stdout.splitlines()
    assert listed[0].split() == ["WHO", "MARKETING", "SINCE", "KNOWN", "FROM"]
    assert listed[1].split()[:2] == ["…5678", "stop"]
    assert len(listed) == 2
    [whole] = json.loads(
        (await rasa_whatsapp("consent", "list", "--json", "--show-numbers")).stdout
    )
    assert whole.pop("since").endswith("+00:00")
    assert whole == {
        "person": MAYA,
        "marketing": "stop",
        "known_from": "rasa-whatsapp consent set",
    }


async def test_resume_takes_it_back(rasa_whatsapp, store):
    await rasa_whatsapp("consent", "set", MAYA, "marketing", "stop")
    await rasa_whatsapp("consent", "set", MAYA, "marketing", "resume")

    [row] = json.loads((await rasa_whatsapp("consent", "list", "--json")).stdout)
    assert (row["person"], row["marketing"]) == ("…5678", "resume")


@pytest.mark.parametrize("words", [("maya", "marketing", "stop"), (MAYA, "utility", "stop")])
async def test_who_can_be_nobody_and_what_is_no_category_is_refused(rasa_whatsapp, store, words):
    assert (await rasa_whatsapp("consent", "set", *words)).exit_code == 2


@pytest.mark.parametrize("known_as", [MAYA, USER_ID])
async def test_whoever_is_forgotten_stays_opted_out_under_each_of_their_ids(
    rasa_whatsapp, store, known_as
):
    people = People(store.values)
    await people.conversation_of(MAYA)
    await people.tie(MAYA, USER_ID)
    await rasa_whatsapp("consent", "set", MAYA, "marketing", "stop")

    done = await rasa_whatsapp("queue", "erase", "--person", known_as, "--yes")

    assert done.exit_code == 0, done.output
    for name in (MAYA, USER_ID):
        consent = await Consents(store.values).of(await People(store.values).of(name))
        assert consent is not None
        assert not consent.marketing
    listed = await rasa_whatsapp("consent", "list", "--json", "--show-numbers")
    assert [row["person"] for row in json.loads(listed.stdout)] == [""]
