"""`rasa-whatsapp queue`: what a person sees of the store, and what they can do about it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from rasa_whatsapp_channel.conversation.payloads import sent_key
from rasa_whatsapp_channel.conversation.window import wrote_key
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import (
    WINDOW,
    Retention,
    Store,
    status_cause,
    template_cause,
)
from rasa_whatsapp_channel.unix_time import DAY

MAYA = "4915112345678"
TOM = "4917698765432"
HI = "wamid.HBgNNDkxNTExMjM0NTY3OBUCABIYFDNBQTFCMkMzRDRFNUY2MDcxODI5AA=="


@pytest.fixture
def url(tmp_path: Path) -> str:
    (tmp_path / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n  store: sqlite:///whatsapp.db\n"
    )
    return f"sqlite:///{tmp_path / 'whatsapp.db'}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """The store of a bot that is running: the commands look at it from outside."""
    async with open_store(url) as store:
        yield store


def message(body: str, message_id: str = HI) -> dict:
    return {"kind": "message", "id": message_id, "type": "text", "content": {"body": body}}


def answer(text: str, to: str = MAYA) -> dict:
    body = {"type": "text", "text": {"body": text}}
    return {"recipient_id": to, "message": body, "response": "utter_greet"}


async def make_dead_letter(
    store: Store, key: str, person: str = MAYA, reason: str = "131026 no"
) -> None:
    await store.outbox.put(key, person, answer("hello", person))
    item = await store.outbox.claim()
    assert item is not None
    assert item.key == key
    await store.outbox.dead_letter(item, reason)


async def test_an_empty_store_says_so(rasa_whatsapp, store):
    done = await rasa_whatsapp("queue", "list")

    assert (done.exit_code, done.stdout) == (0, "Nothing waits, and there are no dead letters.\n")


async def test_the_list_tells_what_waits_and_what_are_dead_letters_and_why(rasa_whatsapp, store):
    await store.inbox.put(HI, MAYA, message("hi"))
    await make_dead_letter(store, f"{HI}:0", reason="HTTP 400, 131026\nMessage undeliverable")
    await store.inbox.put_dead_letter("unknown:" + "a" * 64, "", {"kind": "unknown"}, "not JSON")

    done = await rasa_whatsapp("queue", "list")

    header, *rows = (line.split() for line in done.stdout.splitlines())
    assert header == ["QUEUE", "STATE", "KEY", "WHO", "WHAT", "AGE", "ATTEMPTS", "WHY"]
    waits, odd, failed = (" ".join(row) for row in rows)
    assert waits.startswith("inbox ready …")
    assert " …5678 text 0 s 0" in waits
    assert odd.endswith("– unknown 0 s 0 not JSON")
    assert failed.endswith("…5678 utter_greet: text 0 s 1 HTTP 400, 131026 Message undeliverable")


async def test_numbers_are_hidden_also_those_inside_of_message_ids_unless_asked_for(
    rasa_whatsapp, store
):
    await store.inbox.put(HI, MAYA, message("a secret"))

    hidden = await rasa_whatsapp("queue", "list")
    shown = await rasa_whatsapp("queue", "list", "--show-numbers")

    assert MAYA not in hidden.stdout
    assert "NDkxNTExMjM0NTY3O" not in hidden.stdout  # the number in base64
    assert "secret" not in hidden.stdout + shown.stdout
    assert MAYA in shown.stdout


async def test_the_list_tells_why_something_waits(rasa_whatsapp, store):
    await store.outbox.put("one:0", MAYA, answer("one"))
    await store.outbox.put("one:1", MAYA, answer("two"))
    await store.outbox.put("two:0", TOM, answer("three", TOM))
    await store.outbox.claim()
    item = await store.outbox.claim()
    await store.outbox.retry_later(item, 3600)

    done = await rasa_whatsapp("queue", "list")

    one, behind, later = done.stdout.splitlines()[1:]
    assert "claimed" in one
    assert behind.endswith("behind another one of the same chat")
    assert later.endswith(("again in 59 min", "again in 1 h"))


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (WINDOW, "waits for the person to write"),
        (status_cause("wamid.1"), "waits until the message before it was delivered"),
        (template_cause("order"), "waits until its template can be sent again"),
    ],
)
async def test_the_list_tells_what_may_end_a_wait(rasa_whatsapp, store, cause, words):
    await store.outbox.put("one:0", MAYA, answer("one"))
    await store.outbox.retry_later(await store.outbox.claim(), 3600, cause=cause)

    done = await rasa_whatsapp("queue", "list")

    assert f"{words}, at the latest again in" in done.stdout


async def test_one_queue_can_be_listed_for_a_program(rasa_whatsapp, store):
    await store.inbox.put(HI, MAYA, message("hi"))
    await make_dead_letter(store, f"{HI}:0")

    done = await rasa_whatsapp("queue", "list", "--queue", "outbox", "--json")

    [entry] = json.loads(done.stdout)
    assert entry["key"] == f"{HI}:0"
    assert entry["conversation"] == "…5678"
    assert (entry["state"], entry["why"], entry["attempts"]) == ("dead letter", "131026 no", 1)
    assert entry["put_at"].endswith("+00:00")


async def test_a_long_list_ends_with_how_much_more_there_is(rasa_whatsapp, store):
    for number in range(5):
        await store.inbox.put(f"wamid.{number}", MAYA, message("hi"))

    done = await rasa_whatsapp("queue", "list", "--limit", "2")

    assert len(done.stdout.splitlines()) == 4
    assert done.stdout.splitlines()[-1] == "… and 3 more; --limit shows them."


async def test_show_takes_what_the_list_shows_and_tells_everything(rasa_whatsapp, store):
    await make_dead_letter(store, f"{HI}:0", reason="131026 no")
    listed = await rasa_whatsapp("queue", "list")
    [short] = [word for word in listed.stdout.split() if word.endswith(":0")]

    by_short, by_end, by_all = [
        await rasa_whatsapp("queue", "show", key) for key in (short, short[4:], f"{HI}:0")
    ]

    assert by_short.stdout == by_end.stdout == by_all.stdout
    entry = json.loads(by_all.stdout)
    assert (entry["key"], entry["why"], entry["conversation"]) == (f"{HI}:0", "131026 no", MAYA)
    assert entry["body"] == answer("hello")


async def test_a_key_of_nothing_or_of_several_is_an_error(rasa_whatsapp, store):
    await make_dead_letter(store, "one:0")
    await make_dead_letter(store, "two:0")

    nothing = await rasa_whatsapp("queue", "show", "three:0")
    several = await rasa_whatsapp("queue", "retry", ":0")

    assert "three:0: there is no such item" in nothing.stderr
    assert ":0: 2 keys end like this" in several.stderr


async def test_retry_puts_one_entry_back(rasa_whatsapp, store):
    await make_dead_letter(store, "one:0")
    await make_dead_letter(store, "two:0")

    done = await rasa_whatsapp("queue", "retry", "two:0")

    assert done.stdout == "1 item put back.\n"
    item = await store.outbox.claim()
    assert item is not None
    assert (item.key, item.body) == ("two:0", answer("hello"))
    assert (await store.outbox.depth()).dead_letters == 1


async def test_retry_all_asks_and_keeps_the_order_of_each_chat(rasa_whatsapp, store):
    for number in range(3):
        await make_dead_letter(store, f"one:{number}")
        await asyncio.sleep(0.002)

    refused = await rasa_whatsapp("queue", "retry", "--all", input="n\n")
    assert (await store.outbox.depth()).waiting == 0
    done = await rasa_whatsapp("queue", "retry", "--all", "--yes")

    assert "Try 3 items again?" in refused.output
    assert refused.exit_code == 1
    assert done.stdout == "3 items put back.\n"
    keys = [entry.key for entry in await store.outbox.waiting()]
    assert keys == ["one:0", "one:1", "one:2"]


async def test_erase_forgets_what_are_dead_letters_and_only_that(rasa_whatsapp, store):
    await make_dead_letter(store, "one:0")
    await store.outbox.put("one:1", MAYA, answer("waits"))

    refused = await rasa_whatsapp("queue", "erase", "one:0", input="n\n")
    assert (await store.outbox.depth()).dead_letters == 1
    done = await rasa_whatsapp("queue", "erase", "one:0", "--yes")
    waiting = await rasa_whatsapp("queue", "erase", "one:1", "--yes")

    assert refused.exit_code == 1
    assert done.stdout == "1 item deleted.\n"
    assert (await store.outbox.depth()).dead_letters == 0
    assert "there is no such item" in waiting.stderr
    assert (await store.outbox.depth()).waiting == 1


async def test_purging_a_person_forgets_all_of_them_and_nobody_else(rasa_whatsapp, store):
    second = "206540352242922"  # another number of the bot
    for person in (MAYA, TOM):
        await store.outbox.put(f"{person}:picture", f"{person}@{second}", answer("look", person))
        await store.outbox.done(await store.outbox.claim(), hold=3600)
    for person in (MAYA, TOM):
        await make_dead_letter(store, f"{person}:0", person)
    for person in (MAYA, TOM):
        await store.inbox.put(f"wamid.{person}", person, message("hi"))
        await store.outbox.put(f"{person}:1", person, answer("waits", person))
        await store.outbox.put(f"{person}:template", f"template:{person}", answer("t", person))
        await store.inbox.put(f"wamid.second.{person}", f"{person}@{second}", message("hi"))
        for queue, kind in ((store.inbox, "desk_history"), (store.desk, "desk")):
            body = {"kind": kind, "conversation": f"{person}@{second}"}
            await queue.put(f"{kind}:{person}:1", f"{kind}:{person}@{second}", body)
        await store.ledger.note_sent(f"wamid.out{person}", key=f"{person}:2", recipient_id=person)
        await store.values.set(wrote_key(person), 1_749_416_383.0, 3600)
        await store.values.set(sent_key(person, "/buy"), 1, 3600)

    done = await rasa_whatsapp("queue", "erase", "--person", "+49 151 12345678", "--yes")

    assert done.stdout.startswith("Deleted: 7 in the queues, 1 in the ledger")
    assert done.stderr == ""
    assert await store.outbox.holds() == [f"{TOM}@{second}"]
    for queue in store.queues:
        left = [
            entry.conversation for entry in (*await queue.waiting(), *await queue.dead_letters())
        ]
        assert left
        assert not any(MAYA in conversation for conversation in left)
    assert await store.ledger.get(f"wamid.out{MAYA}") is None
    assert await store.ledger.get(f"wamid.out{TOM}") is not None
    for key in (wrote_key, lambda person: sent_key(person, "/buy")):
        assert await store.values.get(key(MAYA)) is None
        assert await store.values.get(key(TOM)) is not None


async def test_purging_a_person_asks_first(rasa_whatsapp, store):
    await store.inbox.put(HI, MAYA, message("hi"))

    refused = await rasa_whatsapp("queue", "erase", "--person", MAYA, input="n\n")

    assert refused.exit_code == 1
    assert (await store.inbox.depth()).waiting == 1


@pytest.mark.parametrize(
    "args",
    [
        ["retry"],
        ["retry", "--all", "one:0"],
        ["erase"],
        ["erase", "one:0", "--person", MAYA],
    ],
)
async def test_what_to_do_it_with_must_be_clear(rasa_whatsapp, store, args):
    done = await rasa_whatsapp("queue", *args)

    assert done.exit_code == 2


@pytest.mark.parametrize(
    "args",
    [
        ["list"],
        ["show", "one:0"],
        ["retry", "--all", "--yes"],
        ["erase", "--person", MAYA, "--yes"],
    ],
)
async def test_a_store_that_is_not_there_is_not_made(rasa_whatsapp, url, tmp_path, args):
    done = await rasa_whatsapp("queue", *args)

    assert done.exit_code == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(f"Error: there is no store at {tmp_path / 'whatsapp.db'}; ")
    assert not (tmp_path / "whatsapp.db").exists()


@pytest.mark.parametrize(
    ("store_url", "said"),
    [
        ("memory:", "store memory: is in the bot's process"),
        ("mysql://x", "not a store this package knows"),
        ("sqlite:///credentials.yml", "store credentials.yml: "),
    ],
)
async def test_a_store_that_cannot_be_looked_at_is_one_line(rasa_whatsapp, url, store_url, said):
    done = await rasa_whatsapp("queue", "list", "--store", store_url)

    assert done.exit_code == 1
    [line] = done.stderr.splitlines()
    assert said in line


async def test_the_store_is_found_though_other_keys_of_the_file_cannot_be_read_here(
    rasa_whatsapp, store, tmp_path
):
    file = tmp_path / "credentials.yml"
    file.write_text(file.read_text() + "  access_token: ${A_SECRET_OF_THE_SERVER}\n")

    done = await rasa_whatsapp("queue", "list", env={"A_SECRET_OF_THE_SERVER": None})

    assert done.exit_code == 0, done.output


async def test_the_place_of_the_store_may_come_from_the_environment(rasa_whatsapp, store, tmp_path):
    file = tmp_path / "credentials.yml"
    file.write_text("rasa_whatsapp_channel.WhatsAppInput:\n  store: ${THE_STORE}\n")

    there = await rasa_whatsapp("queue", "list", env={"THE_STORE": "sqlite:///whatsapp.db"})
    absent = await rasa_whatsapp("queue", "list", env={"THE_STORE": None})

    assert there.exit_code == 0, there.output
    assert "store: ${THE_STORE}: not set here; give the store with --store" in absent.stderr


async def test_a_command_forgets_nothing_that_the_bot_remembers_longer(
    rasa_whatsapp, tmp_path, url
):
    forty_days_ago = time.time() - 40 * DAY
    remembers = Retention(ledger=60 * DAY)
    async with open_store(url, clock=lambda: forty_days_ago, retention=remembers) as then:
        await then.ledger.note_sent("wamid.1", key="k", recipient_id=MAYA)

    await rasa_whatsapp("queue", "erase", "--person", TOM, "--yes")

    async with open_store(url, retention=remembers) as now:
        assert await now.ledger.get("wamid.1")
