"""What only a file can get wrong: other processes, kills, bad files, full disks."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.crashes import notice_silence
from support.eventually import PATIENCE, eventually
from support.store_processes import Processes

from rasa_whatsapp_channel.store.base import (
    ItemState,
    QueueItem,
    Retention,
    StoreError,
    status_cause,
)
from rasa_whatsapp_channel.store.clock import SteadyClock
from rasa_whatsapp_channel.store.heartbeat import LEASE
from rasa_whatsapp_channel.store.sqlite import SQLiteStore
from rasa_whatsapp_channel.store.sqlite.errors import explain
from rasa_whatsapp_channel.store.sqlite.log_growth import FAR_TOO_LONG
from rasa_whatsapp_channel.store.sqlite.schema import APPLICATION
from rasa_whatsapp_channel.store.token_bucket import Limit
from rasa_whatsapp_channel.unix_time import DAY

ANNA = "491511111111"
HELLO = {"type": "text", "text": {"body": "hello"}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "whatsapp.db"


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    started = Processes(tmp_path)
    yield started
    started.kill_all()


# Transactions, each of which waits for the disk


async def test_only_what_changes_something_takes_a_transaction(path):
    begun = []
    async with SQLiteStore(path) as store:
        await store.expire()  # as the store itself has by then, which began before
        db = store._writer._db
        db.set_trace_callback(lambda sql: begun.append(sql) if sql.startswith("BEGIN") else None)

        await store.inbox.put("a", ANNA, HELLO)
        await store.inbox.done(await store.inbox.claim())
        await store.ledger.note_sent("wamid.1", key="a", recipient_id=ANNA)
        await store.ledger.note_status("wamid.1", "delivered")
        assert len(begun) == 5

        assert await store.inbox.claim() is None
        assert await store.inbox.claim_suspect() is None
        assert not await store.outbox.end_wait(ANNA, status_cause("wamid.1"))
        assert len(begun) == 5


# Several processes


async def test_several_processes_lose_nothing_double_nothing_and_keep_the_order(path, processes):
    workers = [processes.start("work", path) for _ in range(3)]
    putters = [processes.start("put", path, name, 300, 10) for name in ("p", "q")]
    for putter in putters:
        processes.join(putter)
    async with SQLiteStore(path) as store:
        await eventually(lambda: is_empty(store))
    processes.kill_all()

    events = sorted(line.split() for worker in workers for line in processes.lines(worker))
    handled = [key for _, _, key in events]
    assert sorted(handled) == [f"{name}-{n:05}" for name in ("p", "q") for n in range(300)]
    for conversation in {conversation for _, conversation, _ in events}:
        keys = [key for _, who, key in events if who == conversation]
        assert keys == sorted(keys)


async def is_empty(store):
    return (await store.inbox.depth()).waiting == 0


async def test_many_processes_can_make_the_file_at_once(path, processes):
    started = [processes.start("put", path, f"p{n}", 1, 1) for n in range(6)]

    for number in started:
        assert processes.join(number) == [f"p{number}-00000"]


async def test_waiting_ends_when_another_process_puts(path, processes):
    async with SQLiteStore(path) as store:
        await store.inbox.wait(0.5)
        await store.inbox.wait(0.5)
        waiting = asyncio.create_task(store.inbox.wait(NEVER))
        processes.start("put", path, "p", 1, 1)

        await asyncio.wait_for(waiting, PATIENCE)
        assert (await store.inbox.claim()).key == "p-00000"


NEVER = 3600.0  # seconds between two looks whether the file has changed


async def nothing_to_claim(store: SQLiteStore, queue: str = "inbox") -> asyncio.Task[None]:
    """Return a task that waits in *store*, as a process does that has nothing to do."""
    assert await getattr(store, queue).claim() is None
    await getattr(store, queue).wait(0.01)  # what was ready at the start
    waiting = asyncio.create_task(getattr(store, queue).wait(NEVER))
    await asyncio.sleep(0)
    return waiting


@pytest.mark.parametrize("queue", ["inbox", "outbox"])
async def test_a_put_wakes_the_process_that_claims_without_a_look_at_the_file(path, queue):
    async with SQLiteStore(path, listen=NEVER) as claimant:
        waiting = await nothing_to_claim(claimant, queue)
        async with SQLiteStore(path, listen=NEVER) as other:
            await getattr(other, queue).put("k", ANNA, HELLO)

            await asyncio.wait_for(waiting, PATIENCE)
            assert (await getattr(claimant, queue).claim()).key == "k"


async def test_the_end_of_a_wait_wakes_the_process_that_claims(path):
    async with SQLiteStore(path, listen=NEVER) as claimant:
        await claimant.outbox.put("k", ANNA, HELLO)
        await claimant.outbox.retry_later(await claimant.outbox.claim(), NEVER, cause="window")
        waiting = await nothing_to_claim(claimant, "outbox")
        async with SQLiteStore(path, listen=NEVER) as other:
            assert await other.outbox.end_wait(ANNA, "window")

            await asyncio.wait_for(waiting, PATIENCE)
            assert (await claimant.outbox.claim()).key == "k"


async def test_the_end_of_a_claim_wakes_the_process_that_is_idle(path):
    async with SQLiteStore(path, listen=NEVER) as idle:
        waiting = await nothing_to_claim(idle)
        async with SQLiteStore(path, listen=NEVER) as busy:
            await idle.inbox.put("a", ANNA, HELLO)
            await asyncio.wait_for(waiting, PATIENCE)
            await idle.inbox.put("b", ANNA, HELLO)
            item = await busy.inbox.claim()
            waiting = await nothing_to_claim(idle)

            await busy.inbox.done(item)

            await asyncio.wait_for(waiting, PATIENCE)
            assert (await idle.inbox.claim()).key == "b"


async def test_who_waits_is_not_woken_by_a_file_that_nobody_wrote_to(path):
    async with SQLiteStore(path, listen=0.01) as idle:
        waiting = await nothing_to_claim(idle)
        await asyncio.sleep(0.2)

        assert not waiting.done()
        waiting.cancel()


async def test_the_socket_of_a_process_that_was_killed_goes_away(path, processes):
    killed = processes.start("work", path)
    await eventually(lambda: sockets_beside(path))
    processes.kill(killed)
    async with SQLiteStore(path) as store:
        await store.inbox.put("k", ANNA, HELLO)

        await eventually(lambda: not sockets_beside(path))


async def test_a_store_that_was_closed_leaves_no_socket(path):
    async with SQLiteStore(path) as store:
        await store.inbox.claim()
        assert len(sockets_beside(path)) == 1

    assert sockets_beside(path) == []


async def test_where_a_path_is_too_long_for_a_socket_the_file_is_looked_at(tmp_path):
    path = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 5, "whatsapp.db")
    path.parent.mkdir(parents=True)
    async with SQLiteStore(path) as claimant, SQLiteStore(path) as other:
        waiting = await nothing_to_claim(claimant)
        assert sockets_beside(path) == []
        await other.inbox.put("k", ANNA, HELLO)

        await asyncio.wait_for(waiting, PATIENCE)
        assert (await claimant.inbox.claim()).key == "k"


def sockets_beside(path: Path) -> list[Path]:
    return [file for file in path.parent.iterdir() if file.is_socket()]


async def test_a_lock_of_another_process_is_waited_for_without_holding_the_loop(path):
    async with SQLiteStore(path) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        putting = asyncio.create_task(store.inbox.put("k", ANNA, HELLO))
        await asyncio.sleep(0.1)  # which does not end if the loop is held
        assert not putting.done()

        other.execute("ROLLBACK")
        other.close()

        assert await putting


async def test_a_lock_that_another_process_never_gives_back_is_reported(path):
    async with SQLiteStore(path, patience=0.2) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")

        answers = await asyncio.gather(
            *(store.inbox.put(f"k{n}", ANNA, HELLO) for n in range(20)), return_exceptions=True
        )
        other.execute("ROLLBACK")
        other.close()

        assert all("another process keeps it locked" in str(answer) for answer in answers)
        assert await store.inbox.put("k0", ANNA, HELLO)


async def test_a_file_that_another_process_keeps_locked_cannot_be_opened(path):
    async with SQLiteStore(path):
        pass
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreError, match="another process keeps it locked"):
        await SQLiteStore(path, patience=0.2).open()

    other.execute("ROLLBACK")
    other.close()
    async with SQLiteStore(path) as store:
        await store.ping()


# Kills


async def test_items_of_a_killed_process_come_back_when_others_see_that_it_died(path, processes):
    async with SQLiteStore(path) as store:
        for n in range(5):
            await store.inbox.put(f"k{n}", f"user {n}", HELLO)
        holder = processes.start("hold", path, 5)
        await eventually(lambda: has_printed(processes, holder, 5))
        processes.kill(holder)

        assert await store.inbox.claim() is None
        await asyncio.to_thread(notice_silence, store)
        again = [await store.inbox.claim() for _ in range(5)]

    assert [item.key for item in again] == ["k0", "k1", "k2", "k3", "k4"]
    assert {(item.attempts, item.crashes) for item in again} == {(2, 1)}


async def test_a_living_process_keeps_its_items_though_its_event_loop_is_blocked(path, processes):
    async with SQLiteStore(path) as store:
        await store.inbox.put("k0", ANNA, HELLO)
        holder = processes.start("block", path, LEASE + 4)
        await eventually(lambda: has_printed(processes, holder, 1))

        await store.inbox.claim()  # which begins to look
        await eventually(lambda: has_printed(processes, holder, 2))

    assert processes.lines(holder) == ["k0", "done"]


async def has_printed(processes, number, count):
    return len(processes.lines(number)) >= count


async def test_what_was_kept_before_a_kill_is_there_after_it(path, processes):
    putter = processes.start("put", path, "p", 100_000, 50)
    await eventually(lambda: has_printed(processes, putter, 200))
    processes.kill(putter)

    # The last line may have been cut off by the kill.
    kept = [line for line in processes.lines(putter) if len(line) == len("p-00000")]
    async with SQLiteStore(path) as store:
        depth = await store.inbox.depth()
        again = [await store.inbox.put(key, ANNA, HELLO) for key in kept]

    assert len(kept) <= depth.waiting <= len(kept) + 1
    assert not any(again)


async def test_a_reopened_file_has_everything(path, clock):
    async with SQLiteStore(path, clock=clock) as store:
        await store.inbox.put("waits", ANNA, HELLO)
        await store.outbox.put_dead_letter("odd", "", {"raw": "x"}, "not JSON")
        await store.ledger.note_sent("wamid.1", key="out:0", recipient_id=ANNA)
        await store.values.set("media", {"id": "123"}, ttl=60)

    async with SQLiteStore(path, clock=clock) as store:
        assert (await store.inbox.claim()).key == "waits"
        assert not await store.inbox.put("waits", ANNA, HELLO)
        assert [row.key for row in await store.outbox.dead_letters()] == ["odd"]
        assert (await store.ledger.get("wamid.1")).recipient_id == ANNA
        assert await store.values.get("media") == {"id": "123"}


# Files that cannot be used


async def refusal(path):
    with pytest.raises(StoreError) as info:
        await SQLiteStore(path).open()
    assert str(path) in str(info.value)
    return str(info.value)


async def test_a_file_of_a_newer_version_is_refused_and_left_alone(path):
    async with SQLiteStore(path) as store:
        await store.inbox.put("k", ANNA, HELLO)
    change(path, "PRAGMA user_version = 99")
    before = path.read_bytes()

    assert "newer version" in await refusal(path)

    assert path.read_bytes() == before


def change(path, *statements):
    db = sqlite3.connect(path, isolation_level=None)
    for statement in statements:
        db.execute(statement)
    db.close()


async def test_a_file_from_before_the_first_release_is_refused_and_left_alone(path):
    change(
        path,
        "CREATE TABLE items (seq INTEGER PRIMARY KEY)",
        f"PRAGMA application_id = {APPLICATION}",
        "PRAGMA user_version = 2",
    )
    before = path.read_bytes()

    assert "before its first release; name another file" in await refusal(path)

    assert path.read_bytes() == before


async def test_a_database_of_another_program_is_refused_and_left_alone(path):
    change(path, "CREATE TABLE events (id INTEGER)")
    before = path.read_bytes()

    assert "another program" in await refusal(path)

    assert path.read_bytes() == before


async def test_a_file_that_is_no_database_is_refused_and_left_alone(path):
    path.write_text("{}" * 1000)

    assert "no SQLite database" in await refusal(path)

    assert path.read_text() == "{}" * 1000


async def test_a_missing_folder_is_named(tmp_path):
    assert f"folder {tmp_path}/nowhere" in await refusal(tmp_path / "nowhere" / "whatsapp.db")


async def test_a_folder_in_place_of_the_file_is_refused(tmp_path):
    assert "it is a folder" in await refusal(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    tmp_path.chmod(0o500)
    try:
        assert "give the bot's user the right" in await refusal(tmp_path / "whatsapp.db")
    finally:
        tmp_path.chmod(0o700)


async def test_a_file_on_a_file_system_that_takes_none_is_named():
    # Nobody can make files there, root neither.
    assert "give the bot's user the right" in await refusal(Path("/proc/whatsapp.db"))


async def test_a_refused_file_can_be_opened_once_it_is_mended(path):
    path.write_text("no database")
    store = SQLiteStore(path)
    with pytest.raises(StoreError):
        await store.open()
    path.unlink()

    async with store:
        assert await store.inbox.put("k", ANNA, HELLO)


async def test_what_people_write_can_be_read_by_the_bots_user_alone(path):
    async with SQLiteStore(path) as store:
        await store.inbox.put("k", ANNA, HELLO)
        await store.inbox.claim()
        modes = {file: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}

    assert {file.name for file in modes if "-wake-" not in file.name} == {
        "whatsapp.db",
        "whatsapp.db-wal",
        "whatsapp.db-shm",
    }
    assert len(modes) == 4
    assert set(modes.values()) == {0o600}


# Trouble while running


async def test_a_deleted_file_is_reported_and_work_goes_on_when_it_is_back(path):
    async with SQLiteStore(path) as store:
        await store.inbox.put("k", ANNA, HELLO)
        aside = path.rename(path.with_name("aside.db"))

        for _ in range(2):
            with pytest.raises(StoreError, match="deleted or replaced"):
                await store.inbox.claim()

        aside.rename(path)
        assert (await store.inbox.claim()).key == "k"


async def test_waiting_goes_on_while_the_file_is_gone(path):
    async with SQLiteStore(path) as store:
        aside = path.rename(path.with_name("aside.db"))
        for _ in range(3):
            await store.inbox.wait(0.3)
        aside.rename(path)

        assert await store.inbox.put("k", ANNA, HELLO)


@pytest.mark.parametrize("steps", range(6))
async def test_an_item_claimed_while_the_store_closes_is_not_lost(path, clock, steps):
    store = SQLiteStore(path, clock=clock)
    await store.open()
    await store.inbox.put("k", ANNA, HELLO)
    closing = await in_steps(steps, store.close())
    claiming = await in_steps(1, store.inbox.claim())
    claiming.cancel()
    await asyncio.wait([closing, claiming])

    clock.now += 31
    async with store:
        assert (await store.inbox.claim()).key == "k"


async def in_steps(steps, doing):
    """Start *doing*, and go on after so many rounds of the event loop."""
    task = asyncio.create_task(doing)
    for _ in range(steps):
        await asyncio.sleep(0)
    return task


@pytest.mark.parametrize(
    ("text", "way_out"),
    [
        ("database or disk is full", "make room"),
        ("attempt to write a readonly database", "the right to write"),
        ("something SQLite says tomorrow", "something SQLite says tomorrow"),
    ],
)
def test_sqlites_errors_are_told_with_a_way_out(text, way_out):
    assert way_out in explain(sqlite3.OperationalError(text))


async def test_a_damaged_file_is_reported(path):
    async with SQLiteStore(path) as store:
        for n in range(500):
            await store.inbox.put(f"k{n}", f"user {n}", {"text": "x" * 3000})
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))

    async def use():
        async with SQLiteStore(path) as store:
            await store.inbox.claim()

    with pytest.raises(StoreError, match="damaged"):
        await use()


async def test_a_file_that_is_damaged_while_the_bot_runs_is_reported(path):
    async with SQLiteStore(path) as store:
        for n in range(500):
            await store.inbox.put(f"k{n}", f"user {n}", {"text": "x" * 3000})
    async with SQLiteStore(path) as store:
        with path.open("r+b") as file:
            file.write(b"\xff" * path.stat().st_size)

        with pytest.raises(StoreError, match="damaged"):
            await store.inbox.claim()


async def test_a_store_can_be_closed_after_everything_was_cancelled(path):
    store = SQLiteStore(path)
    await store.open()
    putting = asyncio.create_task(store.inbox.put("k", ANNA, HELLO))
    await asyncio.sleep(0)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.wait([putting])
    await store.close()

    async with store:
        assert (await store.inbox.claim()).key == "k"


def test_a_full_disk_is_reported_and_work_goes_on_when_there_is_room(path, processes):
    error, counts = processes.join(processes.start("full", path))

    assert str(path) in error
    assert "disk" in error
    kept, waiting = counts.split()
    assert kept == waiting


async def test_one_operation_that_fails_does_not_take_the_others_with_it(path):
    async with SQLiteStore(path) as store:
        answers = await asyncio.gather(
            store.inbox.put("before", ANNA, HELLO),
            store.inbox.dead_letters(limit=2**70),  # more than SQLite can count
            store.inbox.put("after", ANNA, HELLO),
            return_exceptions=True,
        )

        assert answers[0::2] == [True, True]
        assert isinstance(answers[1], OverflowError)
        assert (await store.inbox.depth()).waiting == 2


# Growth


async def test_the_log_does_not_grow_without_end(path):
    """However busy the machine is: at FAR_TOO_LONG the writes wait, one transaction may be more."""
    log = path.with_name("whatsapp.db-wal")
    sizes = []
    async with SQLiteStore(path) as store:
        for n in range(80):  # 160 MB and more
            await store.inbox.put(f"k{n}", ANNA, {"text": "x" * 1_000_000})
            await store.inbox.done(await store.inbox.claim())
            sizes.append(log.stat().st_size)

    assert max(sizes) < FAR_TOO_LONG + 3_000_000
    assert path.stat().st_size < 20_000_000


async def test_the_file_stays_as_big_as_what_has_to_be_remembered(path, clock):
    life = Retention(seen=60, ledger=60, dead_letters=60)
    sizes = []
    async with SQLiteStore(path, clock=clock, retention=life) as store:
        for start in range(0, 20_000, 1000):
            await pass_through(store, range(start, start + 1000))
            clock.now += 61
            await store.expire()
            sizes.append(sum(file.stat().st_size for file in path.parent.glob("whatsapp.db*")))

    assert max(sizes) < 25_000_000  # with the log, which is carried over at 16 MiB
    assert path.stat().st_size < 1_000_000


async def pass_through(store, numbers):
    numbers = list(numbers)
    puts = (store.inbox.put(f"k{n}", f"user {n}", {**HELLO, "n": n}) for n in numbers)
    await asyncio.gather(*puts)
    items = await store.inbox.claim_many(len(numbers))
    notes = (
        store.ledger.note_sent(f"wamid.{n}", key="k", recipient_id=ANNA) for n in numbers[:200]
    )
    values = (store.values.set(f"v{n}", n, ttl=60) for n in numbers[:200])
    failures = (store.inbox.dead_letter(item, "reason") for item in items[:100])
    await asyncio.gather(*notes, *values, *failures)
    await asyncio.gather(
        *(store.inbox.done(item, hold=n % 10 == 0) for n, item in enumerate(items))
    )


async def test_what_is_over_goes_away_step_by_step(path, clock):
    async with SQLiteStore(path, clock=clock) as store:
        for start in range(0, 1000, 100):
            await asyncio.gather(*(use_once(store, n) for n in range(start, start + 100)))
        clock.now += 31 * DAY
        await store.inbox.put("young", ANNA, HELLO)
        await store.expire()

    assert rows(path) == {"items": 1, "seen": 1}


async def use_once(store, n):
    await store.inbox.put(f"k{n}", f"user {n}", HELLO)
    await store.inbox.dead_letter(await store.inbox.claim(), "reason")
    await store.ledger.note_sent(f"wamid.{n}", key=f"k{n}", recipient_id=ANNA)
    await store.ledger.note_status(f"early.{n}", "sent")
    await store.values.set(f"v{n}", n, ttl=DAY)
    await store.values.take(Limit(f"bucket {n}", 1, 1))
    await store.outbox.put(f"k{n}", f"user {n}", HELLO)
    await store.outbox.done(await store.outbox.claim(), hold=60)


def rows(path):
    db = sqlite3.connect(path)
    tables = ("items", "seen", "dead_letters", "sent", "small_values", "holds", "buckets")
    counts = {table: db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables}
    db.close()
    return +Counter(counts)


async def test_claiming_looks_at_few_rows_however_many_wait(path):
    """Looks at SQLite's own plan: neither a scan of a table nor a sort."""
    from rasa_whatsapp_channel.store.sqlite import statements as sql

    async with SQLiteStore(path):
        pass
    db = sqlite3.connect(path)
    steps = [
        step
        for statement, values in (
            (sql.NEXT_DUE, ("inbox",)),
            (sql.OLDEST_READY, ("inbox", 2, False, 20)),
            (sql.FIRST, ("inbox", ANNA)),
            (sql.PLACE, ("inbox", ANNA)),
            (sql.GET_HOLD, ("inbox", ANNA)),
            (sql.GO_ON, (0, 0, None, "inbox", ANNA)),
            (sql.END_DUE, ("inbox", 1.0, 100)),
            (sql.TAKE, ("me", 1)),
            (sql.REMOVE_ALL, ("inbox", ANNA)),
            (sql.DISCARD_ALL, ("inbox", ANNA)),
        )
        for *_, step in db.execute(f"EXPLAIN QUERY PLAN {statement}", values)
    ]
    db.close()

    assert steps
    scans = [step for step in steps if step.startswith(("SCAN", "USE TEMP"))]
    assert {*scans} <= {"SCAN CONSTANT ROW"}  # which reads no table


async def test_the_depth_of_a_queue_reads_no_row_for_each_item_that_waits(path):
    """Looks at SQLite's own plan: what is read for many items is in an index."""
    from rasa_whatsapp_channel.store.sqlite import statements as sql

    async with SQLiteStore(path):
        pass
    db = sqlite3.connect(path)
    named = {"queue": "inbox", "now": 0.0}
    plan = [step for *_, step in db.execute(f"EXPLAIN QUERY PLAN {sql.DEPTH}", named)]
    db.close()

    assert "SEARCH items USING COVERING INDEX items_conversation (queue=?)" in plan  # the count
    assert "SEARCH items USING INTEGER PRIMARY KEY (rowid=?)" in plan  # when the oldest was put
    # Claimed and failing items are few.
    assert {step for step in plan if "INDEX" in step and "COVERING" not in step} <= {
        "SEARCH items USING INDEX items_owner (owner>?)",
        "SEARCH items USING INDEX items_failing (queue=? AND failing_since>?)",
    }
    assert not [step for step in plan if step.startswith("SCAN items")]


async def test_a_process_that_starts_with_a_clock_days_ahead_takes_nothing_twice(path, clock):
    async with SQLiteStore(path, clock=clock) as store:
        await store.inbox.put("k", ANNA, HELLO)
        await store.inbox.done(await store.inbox.claim())
    clock.now += 10 * DAY
    async with SQLiteStore(path, clock=clock) as store:
        for _ in range(20):
            await store.ping()  # what the start begins is through by then
    clock.now -= 10 * DAY

    async with SQLiteStore(path, clock=clock) as store:
        assert not await store.inbox.put("k", ANNA, HELLO)


async def test_a_process_that_starts_with_a_wrong_clock_has_the_time_of_those_that_run(path):
    now = time.time()
    async with SQLiteStore(path, clock=SteadyClock()) as sender:
        item = await put_and_claim(sender)
        await sender.outbox.done(item, hold=60.0, cause=status_cause("wamid.1"))
        wrong = SteadyClock(wall=lambda: time.time() + 10 * DAY)
        async with SQLiteStore(path, clock=wrong) as bot:
            await bot.outbox.put("after", ANNA, HELLO)

            assert await sender.outbox.claim() is None  # the hold goes on
            [waiting] = await sender.outbox.waiting()
            assert waiting.state is ItemState.WAITING
            assert waiting.put_at == pytest.approx(now, abs=60)


async def put_and_claim(store: SQLiteStore) -> QueueItem:
    await store.outbox.put("before", ANNA, HELLO)
    item = await store.outbox.claim()
    assert item is not None
    return item


async def test_a_clock_that_was_set_back_before_a_restart_is_followed(path, clock):
    async with SQLiteStore(path, clock=clock) as store:
        await store.inbox.put("k", ANNA, HELLO)
        await store.inbox.retry_later(await store.inbox.claim(), after=60)
    clock.now -= 3600

    async with SQLiteStore(path, clock=clock) as store:
        await store.expire()
        clock.now += 61

        assert (await store.inbox.claim()).key == "k"
