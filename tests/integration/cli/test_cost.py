"""`rasa-whatsapp cost`: what an operator sees of the charges."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import Charge, Store

CARD = Path(__file__).parents[2] / "support" / "rate_card.csv"
ANA, BEN = "5511987654321", "4915112345678"
START = datetime(2026, 11, 2, 12, tzinfo=timezone.utc).timestamp()
SINCE = ("--since", "2026-11-01")


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    shutil.copy(CARD, tmp_path / "rates.csv")
    (tmp_path / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n"
        "  store: sqlite:///whatsapp.db\n"
        "  billing: {rate_card: rates.csv, free_messages: 2}\n"
    )
    return tmp_path


@pytest.fixture
async def store(bot: Path) -> AsyncIterator[Store]:
    """Five messages of two days: two free ones, two billed replies, a template of a colleague."""
    charges = (
        (ANA, "utter_menu", "55", "service", "regular", 0),
        (BEN, "utter_menu", "49", "service", "free_customer_service", 1),
        (ANA, "utter_menu", "55", "service", "regular", 2),
        (BEN, None, "49", "service", "regular", 86_400),
        (None, None, "55", "marketing", "regular", 86_401),
    )
    async with open_store(f"sqlite:///{bot / 'whatsapp.db'}") as store:
        for number, (person, response, country, category, kind, after) in enumerate(charges):
            message_id = f"wamid.{number}"
            if person is not None:
                await store.ledger.note_sent(
                    message_id, key=f"out:{number}", recipient_id=person, response=response
                )
            month = "2026-11" if category == "service" else ""
            charge = Charge(START + after, "106540352242922", country, category, kind, month)
            await store.ledger.note_status(message_id, "delivered", charge=charge)
        yield store


def lines(text: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines()]


async def test_the_cost_of_each_day_is_a_line(store, rasa_whatsapp):
    done = await rasa_whatsapp("cost", *SINCE)

    assert done.exit_code == 0, done.output
    assert lines(done.stdout) == [
        ["DAY", "MESSAGES", "FREE", "BILLED", "COST", "(USD)"],
        ["2026-11-02", "3", "2", "1", "0.0068"],
        ["2026-11-03", "2", "0", "2", "0.0689"],
        ["total", "5", "2", "3", "0.0757"],
    ]


@pytest.mark.parametrize(
    ("by", "rows"),
    [
        (
            "response",
            {
                "utter_menu": (3, 1, "0.0068"),
                "(no response of the domain)": (1, 1, "0.0064"),
                "(sent by another program)": (1, 1, "0.0625"),
            },
        ),
        ("country", {"+55 Brazil": (3, 2, "0.0693"), "+49 Germany": (2, 1, "0.0064")}),
        (
            "conversation",
            {
                "…4321": (2, 1, "0.0068"),
                "…5678": (2, 1, "0.0064"),
                "(sent by another program)": (1, 1, "0.0625"),
            },
        ),
    ],
)
async def test_the_cost_is_told_by_what_one_asks_for(store, rasa_whatsapp, by, rows):
    done = await rasa_whatsapp("cost", "--by", by, *SINCE, "--json")

    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["currency"] == "USD"
    assert told["total"] == {"messages": 5, "billed": 3, "unpriced": 0, "cost": "0.0757"}
    assert {row[by]: (row["messages"], row["billed"], row["cost"]) for row in told["rows"]} == rows


async def test_without_a_card_messages_are_counted(store, rasa_whatsapp, bot):
    (bot / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n  store: sqlite:///whatsapp.db\n"
    )

    done = await rasa_whatsapp("cost", "--by", "country", *SINCE)

    assert done.exit_code == 0, done.output
    assert lines(done.stdout) == [
        ["COUNTRY", "MESSAGES", "FREE", "BILLED"],
        ["+55", "Brazil", "3", "2", "1"],
        ["+49", "Germany", "2", "2", "0"],
        ["total", "5", "4", "1"],
    ]


async def test_a_day_begins_in_the_time_zone_of_the_account(store, rasa_whatsapp, bot):
    text = (bot / "credentials.yml").read_text()
    zone = text.replace("free_messages: 2", "free_messages: 2, time_zone: Asia/Tokyo")
    (bot / "credentials.yml").write_text(zone)

    done = await rasa_whatsapp("cost", "--since", "2026-11-03", "--json")

    assert json.loads(done.stdout)["since"] == "2026-11-03T00:00:00+09:00"
    assert [row["day"] for row in json.loads(done.stdout)["rows"]] == ["2026-11-03"]


async def test_nothing_charged_and_a_missing_card_are_said_in_a_sentence(store, rasa_whatsapp, bot):
    nothing = await rasa_whatsapp("cost", "--since", "2200-01-01")
    (bot / "rates.csv").unlink()
    no_card = await rasa_whatsapp("cost")

    assert (nothing.exit_code, nothing.stdout) == (0, "Nothing was charged since 2200-01-01.\n")
    assert no_card.exit_code == 1
    assert "billing.rate_card: rates.csv cannot be read" in no_card.output


async def test_all_that_was_ever_charged_is_found_at_once(store, rasa_whatsapp):
    done = await rasa_whatsapp("cost", "--since", "0001-01-01", "--json")

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["total"]["messages"] == 5


async def test_a_card_that_cannot_be_read_is_named_with_the_remedy(store, rasa_whatsapp, bot):
    (bot / "rates.csv").write_text("Market;Currency;Utility\nBrazil;BRL;0,0350\n")

    done = await rasa_whatsapp("cost")

    assert done.exit_code == 1
    assert "billing.rate_card: rates.csv: it has no line that begins with Market" in done.output
    assert "give Meta's CSV of rates as it was downloaded" in done.output


@pytest.mark.parametrize("billing", ["[1]", "5", "{daily_limit: 9}"])
async def test_settings_that_are_wrong_are_named(store, rasa_whatsapp, bot, billing):
    (bot / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n"
        f"  store: sqlite:///whatsapp.db\n  billing: {billing}\n"
    )

    done = await rasa_whatsapp("cost")

    assert (done.exit_code, type(done.exception)) == (1, SystemExit)
    assert "credentials.yml: 'billing" in done.output
