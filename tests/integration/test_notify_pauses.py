"""What pauses notifications, in a running bot beside the simulator, and what ends each pause."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from support.beside_whatsapp import beside_whatsapp
from support.eventually import eventually

from rasa_whatsapp_channel.cli import main
from rasa_whatsapp_channel.outbound import due_notifications

TEMPLATES = "\n".join(
    f"- {{name: {name}, language: en_US, category: {category}, components: [{{type: BODY, "
    f"text: Hello}}]}}"
    for name, category in (("sale", "MARKETING"), ("news", "MARKETING"), ("order", "UTILITY"))
)
DOMAIN = "responses:\n" + "\n".join(
    f"  utter_{name}:\n  - text: Hello\n    metadata:\n      whatsapp:\n"
    f"        template: {{name: {name}, language: en_US, category: {category}}}"
    for name, category in (("sale", "marketing"), ("news", "marketing"), ("order", "utility"))
)
PEOPLE = 12


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run `rasa-whatsapp notify` for a response or a key, and return its JSON."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "domain.yml").write_text(DOMAIN)

    async def command(*args: str) -> dict[str, Any]:
        given = ["notify", *args, "--yes", "--json", "--domain", "domain.yml"]
        given += ["--store", f"sqlite:///{tmp_path}/whatsapp.db"]
        done = await asyncio.to_thread(CliRunner().invoke, main, given)
        assert done.exit_code == 0, done.output
        return dict(json.loads(done.stdout))

    return command


def write_people(first: int, count: int = PEOPLE) -> None:
    numbers = range(first, first + count)
    Path("people.csv").write_text("to\n" + "".join(f"49151000{number:05d}\n" for number in numbers))


async def test_marketing_waits_for_template_quality_and_failures_and_orders_go(
    serve, tmp_path, command, monkeypatch
):
    monkeypatch.setattr(due_notifications, "PAUSE", 0.2)  # a quarter of an hour otherwise
    settings = {"max_messages_per_second": 10, "wait_for_delivered": "none"}
    async with beside_whatsapp(serve, tmp_path, TEMPLATES, **settings) as (running, whatsapp):

        async def states(run: str, **wanted: int) -> None:
            async def told() -> bool:
                found = (await command("--key", run))["states"]
                return all(found.get(name, 0) >= count for name, count in wanted.items())

            await eventually(told)

        async def is_told(topic: str, *, is_over: bool = False) -> None:
            async def told() -> bool:
                topics = [each["topic"] for each in (await running.health()).get("account", ())]
                return (topic in topics) is not is_over

            await eventually(told)

        async def order(key: str) -> None:
            """An order, which no pause concerns."""
            await command("--to", "4915112345678", "--response", "utter_order", "--key", key)

            async def is_there() -> bool:
                return (await command("--key", key))["state"] == "delivered"

            await eventually(is_there)

        # The template is paused in the middle of a file.
        sale = ("--csv", "people.csv", "--response", "utter_sale", "--key", "sale")
        write_people(0, 2)
        await command(*sale)
        await states("sale", delivered=2)
        await whatsapp.set_template("PAUSED", "sale")
        await is_told("template")
        write_people(0)
        await command(*sale)
        await order("during-sale")
        paused = (await command("--key", "sale"))["states"]
        await whatsapp.set_template("APPROVED", "sale")
        await states("sale", delivered=PEOPLE)

        # People dislike the number.
        await whatsapp.post("/events", {"name": "Quality flagged"})
        await is_told("number quality")
        await command("--csv", "people.csv", "--response", "utter_news", "--key", "flagged")
        await order("during-flagged")
        flagged = (await command("--key", "flagged"))["states"]
        await whatsapp.post("/events", {"name": "Quality good again"})
        await states("flagged", delivered=PEOPLE)

        # They dislike a template.
        await whatsapp.post("/templates/news/en_US", {"quality": "RED"})
        await is_told("template quality")
        await command("--csv", "people.csv", "--response", "utter_news", "--key", "disliked")
        await order("during-disliked")
        disliked = (await command("--key", "disliked"))["states"]
        await whatsapp.post("/templates/news/en_US", {"quality": "GREEN", "status": "APPROVED"})
        await states("disliked", delivered=PEOPLE)

        # Too many numbers are wrong.
        await whatsapp.post(
            "/faults", {"on": "statuses", "when": {"next": 20}, "do": {"code": 131026}}
        )
        write_people(100, 30)
        await command("--csv", "people.csv", "--response", "utter_sale", "--key", "wrong")
        await is_told("notifications")
        await command("--to", "4915199999999", "--response", "utter_sale", "--key", "late")
        await order("during-failures")
        late = await command("--key", "late")
        wrong = (await command("--key", "wrong"))["states"]

    assert paused == {"delivered": 2, "scheduled": PEOPLE - 2}
    assert flagged == {"scheduled": PEOPLE}
    assert disliked == {"scheduled": PEOPLE}
    assert late["state"] == "scheduled"
    assert wrong["failed"] >= 20
