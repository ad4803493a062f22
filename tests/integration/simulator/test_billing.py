"""The simulator bills like WhatsApp, and the bot's own count agrees with it, over a month."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections import Counter
from dataclasses import replace
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

from click.testing import CliRunner
from support.eventually import eventually
from support.webhooks import envelope

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.cli import main
from rasa_whatsapp_channel.outbound.charges import Charges
from rasa_whatsapp_channel.settings import BillingSettings
from rasa_whatsapp_channel.simulator.billing import Billing
from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.state import ChatMessage
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.whatsapp import webhook
from rasa_whatsapp_channel.whatsapp.events import Status

CARD = Path(__file__).parents[2] / "support" / "rate_card.csv"
ANA, BEN, DOM = "5511987654321", "15550002222", "18095550100"
NUMBER = Config().number.phone_number_id
TEXT = {"messaging_product": "whatsapp", "type": "text", "text": {"body": "hello"}}
HOUR, DAY = 3_600, 86_400
START = int(datetime(2026, 11, 1, tzinfo=timezone.utc).timestamp())


class Month:
    """A simulator's billing with a clock of the test's own."""

    def __init__(self, **config) -> None:
        self.billing = Billing(replace(Config(rate_card=CARD), **config))
        self.messages: list[ChatMessage] = []

    def sends(self, person: str, at: int, **body) -> dict:
        message = ChatMessage(
            *(f"wamid.{len(self.messages)}", "outbound", person, START + at, "text", {}),
            number=NUMBER,
            body=body,
        )
        message = replace(message, charge=self.billing.charge(message, self.messages))
        self.messages.append(message)
        return dict(message.charge["pricing"])

    def bill(self, month: str = "2026-11") -> dict:
        return dict(self.billing.bill(self.messages, month, START))


def test_a_thousand_replies_are_free_and_the_next_one_is_billed():
    month = Month()

    types = [month.sends(ANA, n)["type"] for n in range(1001)]

    assert Counter(types) == {"free_customer_service": 1000, "regular": 1}
    assert types[-1] == "regular"
    assert (month.bill()["free"], month.bill()["cost"]) == (1000, "0.0068")
    assert month.bill()["allowance"] == [{"number": NUMBER, "free": 1000, "used": 1000}]
    assert month.sends(ANA, 30 * DAY)["billable"] is False  # December begins at 0
    assert month.sends(ANA, 30 * DAY, category="UTILITY")["billable"] is True


def test_after_an_advertisement_everything_is_free_for_72_hours_from_the_answer():
    month = Month(free_messages=0)
    month.billing.note_referral(ANA, NUMBER, START)

    answers = [month.sends(ANA, at) for at in (23 * HOUR, 94 * HOUR, 95 * HOUR)]

    assert [each["type"] for each in answers] == ["free_entry_point", "free_entry_point", "regular"]
    assert month.messages[0].charge["conversation"]["expiration_timestamp"] == str(
        START + 95 * HOUR
    )
    assert month.sends(BEN, 23 * HOUR)["type"] == "regular"  # only for who came from there
    assert month.bill()["cost"] == "0.0102"


def test_an_answer_after_a_day_opens_no_entry_point():
    month = Month(free_messages=0)
    month.billing.note_referral(ANA, NUMBER, START)

    assert month.sends(ANA, 25 * HOUR)["type"] == "regular"


async def test_the_bot_and_the_simulator_agree_to_the_cent_over_a_month(tmp_path):
    month = Month()
    month.billing.note_referral(DOM, NUMBER, START + 2 * DAY)
    for n in range(1_200):
        body = {"category": "MARKETING"} if n % 50 == 0 else {}
        month.sends((ANA, BEN, DOM)[n % 3], n * 2_000, **body)
    webhooks = [told(message) for message in month.messages]

    said = await cost(tmp_path, webhooks)

    bill = month.bill()
    assert Decimal(said["total"]["cost"]) == Decimal(bill["cost"]) > 0
    assert (said["total"]["billed"], said["total"]["messages"]) == (bill["billed"], 1_200)
    assert {line["market"] for line in bill["lines"]} == {
        "Brazil",
        "North America",
        "Rest of Latin America",
    }


async def test_a_month_passes_in_the_simulator_and_costs_what_the_bot_says(start, bot, tmp_path):
    simulator = await start(rate_card=CARD, limits=False)
    simulator.clock.now = START
    ad = {"source_type": "ad", "source_id": "7", "source_url": "https://fb.me/7"}
    heard = sent = 0

    async def asks(person, **more):
        nonlocal heard
        await simulator.writes({"type": "text", "text": {"body": "hi"}, **more}, person)
        heard += 1

    async def answers(person, count=1):
        nonlocal sent
        bodies = [simulator.cloud({**TEXT, "to": person}) for _ in range(count)]
        assert {status for status, _ in await asyncio.gather(*bodies)} == {200}
        sent += count
        await eventually(all_delivered)

    def all_delivered():
        # On a busy machine a webhook may come twice.
        is_enough = len(bot.received) >= heard + 2 * sent
        return is_enough and len(delivered([each.body for each in bot.received])) == sent

    async def bill(month):
        found = (await simulator.get("/simulator/bill", params={"month": month}))[1]
        return found["free"], found["billed"], found["cost"]

    for person in (ANA, BEN, DOM):
        await simulator.post("/simulator/people", {"phone": person, "name": "A person"})
    await asks(ANA)
    await answers(ANA, 1_000)
    assert await bill("2026-11") == (1_000, 0, "0")
    await answers(ANA)  # the 1,001st, in Brazil
    assert await bill("2026-11") == (1_000, 1, "0.0068")
    await asks(BEN)
    await answers(BEN)
    assert await bill("2026-11") == (1_000, 2, "0.0102")  # and one in North America

    await asks(DOM, referral=ad)
    await answers(DOM)
    await simulator.post("/simulator/clock", {"advance": 71 * HOUR})
    await asks(DOM)
    await answers(DOM)
    assert await bill("2026-11") == (1_002, 2, "0.0102")
    await simulator.post("/simulator/clock", {"advance": 2 * HOUR})
    await answers(DOM)  # 73 hours after the first answer, in the rest of Latin America
    assert await bill("2026-11") == (1_002, 3, "0.0215")

    await simulator.post("/simulator/clock", {"advance": 27 * DAY})
    await asks(ANA)
    await answers(ANA)
    assert await bill("2026-11") == (1_002, 3, "0.0215")
    assert await bill("2026-12") == (1, 0, "0")

    said = await cost(tmp_path, [each.body for each in bot.received])
    assert (said["total"]["messages"], said["total"]["billed"]) == (1_006, 3)
    assert said["total"]["cost"] == "0.0215"
    assert {row["country"]: (row["billed"], row["cost"]) for row in said["rows"]} == {
        "+55 Brazil": (1, "0.0068"),
        "+1 North America": (1, "0.0034"),
        "+1809 Rest of Latin America": (1, "0.0113"),
    }


def delivered(webhooks: list[dict]) -> set[str]:
    values = [webhook["entry"][0]["changes"][0]["value"] for webhook in webhooks]
    statuses = [status for value in values for status in value.get("statuses", ())]
    return {status["id"] for status in statuses if status["status"] == "delivered"}


async def cost(folder: Path, webhooks: list[dict]) -> dict:
    """Return what `rasa-whatsapp cost` says when a bot has heard *webhooks*."""
    shutil.copy(CARD, folder / "rates.csv")
    (folder / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n  billing: {rate_card: rates.csv}\n"
    )
    url = f"sqlite:///{folder / 'whatsapp.db'}"
    async with open_store(url) as store:
        account = AccountState(store.values)
        charges = Charges(store.ledger, account, numbers=(NUMBER,), billing=BillingSettings())
        for body in webhooks:
            for event in webhook.read(json.dumps(body).encode()):
                if isinstance(event, Status):
                    told = charges.of(event)
                    noted = await store.ledger.note_status(
                        event.message_id, event.status, charge=told
                    )
                    if told:
                        await charges.note(event, told, noted.charge)
    credentials = ["--credentials", str(folder / "credentials.yml"), "--store", url]
    command = ["cost", "--by", "country", "--since", "2026-11-01", "--json", *credentials]
    done = await asyncio.to_thread(CliRunner().invoke, main, command)
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.stdout))


def told(message: ChatMessage) -> dict:
    status = {
        "id": message.id,
        "status": "delivered",
        "timestamp": str(message.timestamp),
        "recipient_id": message.person,
        **message.charge,
    }
    return envelope([{"statuses": [status]}])
