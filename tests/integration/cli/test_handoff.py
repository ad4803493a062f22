"""`rasa-whatsapp handoff`: what an operator sees, takes and gives back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rasa_whatsapp_channel.conversation.handoffs import EpisodeMessage, Handoffs
from rasa_whatsapp_channel.conversation.owner import Owner
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import Store

MAYA = "4915112345678"
BLOCK = "rasa_whatsapp_channel.WhatsAppInput:\n  store: sqlite:///whatsapp.db\n"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    (tmp_path / "credentials.yml").write_text(f"{BLOCK}  handoff: {{idle: 3600}}\n")
    async with open_store(f"sqlite:///{tmp_path / 'whatsapp.db'}") as store:
        yield store


@pytest.fixture
def handoffs(store: Store) -> Handoffs:
    return Handoffs(store, HandoffSettings())


async def test_at_first_every_conversation_is_the_bots(rasa_whatsapp, store):
    done = await rasa_whatsapp("handoff", "list")
    shown = await rasa_whatsapp("handoff", "show", MAYA)

    assert (done.exit_code, done.stdout) == (0, "Every conversation is the bot's.\n")
    assert shown.stdout.splitlines()[1].split() == [MAYA, "bot", "–", "–", "–", "–"]


async def test_a_simulator_is_told_who_answers(rasa_whatsapp, store, platform, tmp_path):
    (tmp_path / "credentials.yml").write_text(
        f"{BLOCK}  handoff: {{return_words: [robot]}}\n  api: cloud\n  base_url: {platform[1]}\n"
        '  phone_number_id: "106540352242922"\n'
        "  access_token: t\n  app_secret: s\n  verify_token: v\n"
    )

    done = await rasa_whatsapp("handoff", "take", MAYA, "--reason", "a refund")

    assert done.exit_code == 0
    assert platform[0].owners == [
        {
            **{"to": MAYA, "number": None, "owner": "human", "by": "operator"},
            **{"reason": "a refund", "return_words": ["robot"]},
        }
    ]


async def test_what_is_taken_is_listed_with_its_reason_until_it_is_given_back(
    rasa_whatsapp, store, handoffs
):
    done = await rasa_whatsapp("handoff", "take", "+49 151 12345678", "--reason", "a refund")
    assert (done.exit_code, done.stdout) == (
        0,
        "Taken: the bot is silent in this conversation until it is returned.\n",
    )

    [row] = json.loads((await rasa_whatsapp("handoff", "list", "--json")).stdout)
    owner = await handoffs.of(MAYA)
    assert (row["who"], row["owner"], row["by"], row["reason"]) == (
        "…5678",
        "human",
        "operator",
        "a refund",
    )
    assert owner.until - owner.since == pytest.approx(3600, abs=60)

    done = await rasa_whatsapp("handoff", "return", MAYA)
    assert done.stdout == "Returned: the bot answers what comes from now on.\n"
    item = await store.inbox.claim()
    assert item is not None
    assert (item.conversation, item.body["kind"]) == (MAYA, "handoff_return")


async def test_whoever_is_forgotten_leaves_no_owner_no_episode_and_no_timer(
    rasa_whatsapp, store, handoffs
):
    await handoffs.apply(MAYA, Owner.HUMAN, by="app")
    await handoffs.note(MAYA, EpisodeMessage("1", "user", 1.0, "text", "my order is late"))

    done = await rasa_whatsapp("queue", "erase", "--person", MAYA, "--yes")

    assert (done.exit_code, done.stderr) == (0, "")
    assert await handoffs.all() == {}
    assert await store.desk.waiting() == []


async def test_what_the_bot_has_cannot_be_given_back(rasa_whatsapp, store):
    done = await rasa_whatsapp("handoff", "return", MAYA)

    assert (done.exit_code, done.stdout) == (0, "The conversation is the bot's already.\n")


async def test_the_episode_is_shown_as_it_was_said(rasa_whatsapp, handoffs):
    await handoffs.apply(MAYA, Owner.HUMAN, by="app")
    for message in (
        EpisodeMessage("2", "bot", 1_790_000_060.0, "text", "Which one?"),
        EpisodeMessage("1", "user", 1_790_000_000.0, "text", "my order is late"),
        EpisodeMessage("3", "user", 1_790_000_120.0, "image"),
    ):
        await handoffs.note(MAYA, message)

    shown = (await rasa_whatsapp("handoff", "show", MAYA)).stdout.splitlines()
    told = json.loads((await rasa_whatsapp("handoff", "show", MAYA, "--json")).stdout)

    assert [line.partition("  ")[2] for line in shown[2:]] == [
        "user: my order is late",
        "bot (not sent): Which one?",
        "user: [image]",
    ]
    assert [each["id"] for each in told["messages"]] == ["1", "2", "3"]


async def test_a_bot_that_lets_nobody_take_over_says_what_to_write(
    rasa_whatsapp, store, handoffs, tmp_path
):
    (tmp_path / "credentials.yml").write_text(BLOCK)

    done = await rasa_whatsapp("handoff", "take", MAYA)

    assert done.exit_code == 1
    assert "write `handoff: {}` into its block" in done.stderr
    assert (await handoffs.of(MAYA)).owner is Owner.BOT


async def test_a_mistake_in_the_settings_is_told(rasa_whatsapp, store, tmp_path):
    (tmp_path / "credentials.yml").write_text(f"{BLOCK}  handoff: yes\n")

    done = await rasa_whatsapp("handoff", "list")

    assert done.exit_code == 1
    assert "'handoff' must be a group of keys" in done.stderr
