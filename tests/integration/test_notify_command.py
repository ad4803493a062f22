"""`rasa-whatsapp notify`, beside a channel that runs on the same store."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.eventually import eventually

from rasa_whatsapp_channel.cli import main

MAYA = "4915112345678"
NEWS = "Hello {name}, the lake opens on {day}"
DOMAIN = f"""
responses:
  utter_news:
  - text: "{NEWS}"
  utter_order:
  - text: "It is here"
    metadata: {{whatsapp: {{template: {{name: order, language: en, category: utility}}}}}}
"""
CREDENTIALS = """
rasa_whatsapp_channel.WhatsAppInput:
  phone_number_id: "106540352242922"
  access_token: a-token
  app_secret: an-app-secret
  verify_token: a-verify-token
  max_messages_per_second: 1000
"""


@pytest.fixture
def notify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    Path("domain.yml").write_text(DOMAIN, encoding="utf-8")
    Path("credentials.yml").write_text(CREDENTIALS, encoding="utf-8")

    async def notify(*args: str, command: str = "notify", **more: Any) -> Result:
        asked = [*command.split(), *args, "--store", f"sqlite:///{tmp_path}/whatsapp.db"]
        if command == "notify":
            asked += ["--domain", "domain.yml"]
        return await asyncio.to_thread(CliRunner().invoke, main, asked, **more)

    return notify


async def silent(message: Any) -> None:
    pass


def texts(platform: Any) -> list[tuple[str, str]]:
    return [(each["to"], each["text"]["body"]) for each in platform[0].sent]


async def test_one_person_gets_a_response_and_the_key_tells_how_far_it_came(
    serve, platform, notify
):
    wish = ("--to", "+49 151 12345678", "--response", "utter_order", "--key", "order-7")
    async with serve(silent) as running:
        done = await notify(*wish)
        assert done.exit_code == 0, done.output
        assert done.stdout.startswith("key: order-7\nstate: scheduled\nat: ")
        await platform[0].sends(1)
        again = await notify(*wish, "--json")

        async def state() -> Any:
            told = await notify("--key", "order-7", "--json")
            return json.loads(told.stdout)["state"] == "sent"

        await eventually(state)
        unknown = await notify("--key", "order-8")
        # The template went, and the message waits for the person to write.
        assert (await running.health())["outbox"]["waiting"] == 1

    assert json.loads(again.stdout)["key"] == "order-7"
    [sent] = platform[0].sent
    assert (sent["to"], sent["template"]["name"]) == (MAYA, "order")
    assert (unknown.exit_code, "no notification with this key" in unknown.stderr) == (1, True)


PEOPLE = """to,name
+49 151 12345678,Maya
0151 1,nobody
4915187654321,Ben
4915112345678,Maya again
15551234567,Cara
"""


async def test_all_of_a_file_get_it_once_however_often_it_is_done(serve, platform, notify):
    Path("people.csv").write_text(PEOPLE, encoding="utf-8")
    many = ("--csv", "people.csv", "--response", "utter_news", "--slot", "day=Sunday")
    async with serve(silent):
        stopped = await notify(command="consent set 15551234567 marketing stop")
        assert stopped.exit_code == 0, stopped.output
        dry = await notify(*many, "--dry-run")
        refused = await notify(*many, input="n\n")
        mine = await notify(*many, "--to-me", "4930123456")
        assert [to for to, _ in texts(platform)] in ([], ["4930123456"])
        first = await notify(*many, "--yes", "--json")
        await platform[0].sends(3)
        second = await notify(*many, "--yes", "--json")

        async def states() -> Any:
            told = json.loads((await notify("--key", "utter_news", "--json")).stdout)["states"]
            return told if told == {"sent": 2, "withheld": 1} else None

        await eventually(states)

    assert dry.exit_code == refused.exit_code - 1 == mine.exit_code == 0
    assert "line 3: a phone number needs its country's code" in dry.stderr
    assert "line 5: this number stands in an earlier line, too" in dry.stderr
    told = json.loads(dry.stdout)
    assert (told["people"], told["left_out"], told["opted_out"]) == (3, 2, 1)
    assert told["would_send"]["response"]["text"] == "Hello Maya, the lake opens on Sunday"
    assert "Write to 3 people?" in refused.stderr
    assert json.loads(first.stdout)["states"] == {"scheduled": 3}
    assert sum(json.loads(second.stdout)["states"].values()) == 3
    assert sorted(texts(platform)) == [
        ("4915112345678", "Hello Maya, the lake opens on Sunday"),
        ("4915187654321", "Hello Ben, the lake opens on Sunday"),
        ("4930123456", "Hello Maya, the lake opens on Sunday"),
    ]


# As programs save them, and as they should not: the mark of Excel, semicolons, a formula, letters
# of another encoding, and an end in the middle.
ODD = (
    b"\xef\xbb\xbfto;name\r\n"
    b'="4915112345678";Maya\r\n'
    b"4915187654321;=HYPERLINK(A1)\r\n"
    b"4915187654322;J\xf6rg\r\n"
    b"4915187654323;Ben;more\r\n"
    b'15551234567;"Cara'
)


async def test_an_odd_file_goes_to_whom_it_can_and_says_why_not_to_others(serve, platform, notify):
    Path("people.csv").write_bytes(ODD)
    many = ("--csv", "people.csv", "--response", "utter_news", "--slot", "day=Sunday")
    async with serve(silent):
        done = await notify(*many, "--yes", "--json")
        await platform[0].sends(1)

    assert json.loads(done.stdout)["left_out"] == 4
    assert texts(platform) == [(MAYA, "Hello Maya, the lake opens on Sunday")]
    for problem in (
        "line 3: name: is a formula, or the beginning of one",
        "line 4: name: is no UTF-8; save the file as CSV UTF-8",
        "line 5: 3 cells, and the first line has 2",
        "line 6: cannot be read from line 6 on: ",
    ):
        assert problem in done.stderr


async def test_what_is_scheduled_for_many_can_be_cancelled(serve, platform, notify):
    Path("people.csv").write_text(PEOPLE, encoding="utf-8")
    many = ("--csv", "people.csv", "--response", "utter_order", "--at", "2027-06-01T09:00")
    async with serve(silent) as running:
        assert (await notify(*many, "--yes", "--key", "june")).exit_code == 0
        cancelled = await notify("--key", "june", "--cancel", "--json")
        other = await notify(*many, "--yes", "--key", "june", "--slot", "day=Sunday")
        assert (await running.health())["inbox"]["waiting"] == 3

    assert json.loads(cancelled.stdout)["states"] == {"cancelled": 3}
    assert (other.exit_code, "is the key of another notification" in other.stderr) == (1, True)


async def test_your_server_is_told_of_what_the_command_cancels(serve, platform, notify):
    nowhere = {"notify_token": "a-token-of-the-shop", "notify_webhook": "http://127.0.0.1:1/"}
    later = ("--to", MAYA, "--response", "utter_order", "--at", "2027-06-01T09:00", "--key", "june")
    async with serve(silent, **nowhere) as running:
        assert (await notify(*later)).exit_code == 0
        assert "state: cancelled" in (await notify("--key", "june", "--cancel")).stdout

        async def is_kept_for_it() -> bool:
            return bool((await running.health())["inbox"]["waiting"] == 2)

        await eventually(is_kept_for_it)


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (("--to", MAYA, "--response", "utter_new"), "did you mean utter_news?"),
        (("--to", MAYA, "--response", "utter_news"), "'slots' has no 'name'"),
        (("--response", "utter_order"), "Give either --to or --csv."),
        (("--to", MAYA), "Give --response or --intent, or --key"),
        (("--to", MAYA, "--intent", "x", "--at", "soon"), "'at' must be a time"),
        (("--to", MAYA, "--intent", "x", "--key", "a b"), "an idempotency key has"),
        (("--csv", "empty.csv", "--response", "utter_order"), "there is nobody to write to"),
        (("--csv", "one.csv", "--response", "utter_news"), "'slots' has no 'name'"),
    ],
)
async def test_a_mistake_is_told_before_anything_goes(serve, platform, notify, args, problem):
    Path("empty.csv").write_text("to\n", encoding="utf-8")
    Path("one.csv").write_text(f"to\n{MAYA}\n", encoding="utf-8")
    async with serve(silent) as running:
        done = await notify(*args)
        assert (await running.health())["inbox"]["waiting"] == 0

    assert done.exit_code != 0
    assert problem in done.stderr


async def test_what_is_scheduled_for_a_person_is_erased_with_them(serve, platform, notify):
    later = ("--response", "utter_order", "--at", "2027-06-01T09:00")
    async with serve(silent) as running:
        for number in ("+49 151 12345678", "4915187654321"):
            assert (await notify("--to", number, *later)).exit_code == 0
        erased = await notify("--person", MAYA, "--yes", command="queue erase")
        assert (await running.health())["inbox"]["waiting"] == 1

    assert "Deleted: 1 in the queues" in erased.output
