"""The states of an item and what leads from one to the next, as docs/design.md draws them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest
from support.crashes import fall_silent, notice_silence

from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import (
    WINDOW,
    ItemState,
    Queue,
    QueueItem,
    Store,
    status_cause,
)
from rasa_whatsapp_channel.store.heartbeat import LOOKS

ANNA = "491511111111"
WAIT = 60.0


@dataclass
class Scene:
    """One conversation: the item that is looked at, and perhaps one before it."""

    store: Store
    url: str
    clock: Callable[[], float]
    item: QueueItem | None = None

    @property
    def queue(self) -> Queue:
        return self.store.outbox

    async def state(self) -> str:
        for row in await self.queue.waiting():
            if row.key == "item":
                return row.state.value
        dead = {row.key for row in await self.queue.dead_letters()}
        return "dead letter" if "item" in dead else "done"

    async def claim(self) -> QueueItem:
        item = await self.queue.claim()
        assert item is not None
        return item


async def ready(scene: Scene) -> None:
    await scene.queue.put("item", ANNA, {})


async def behind(scene: Scene) -> None:
    await scene.queue.put("before", ANNA, {})
    await scene.queue.put("item", ANNA, {})
    scene.item = await scene.claim()


async def claimed(scene: Scene) -> None:
    await ready(scene)
    scene.item = await scene.claim()


async def waiting_for_window(scene: Scene) -> None:
    await claimed(scene)
    await retry_for_window(scene)


async def waiting_for_status(scene: Scene) -> None:
    await behind(scene)
    await done_with_hold(scene)


async def claimed_by_the_dead(scene: Scene) -> None:
    """Another process claimed it, died, and that was noticed."""
    await ready(scene)
    await crash(scene)


async def nothing(scene: Scene) -> None:
    pass


async def done(scene: Scene) -> None:
    await scene.queue.done(scene.item)


async def done_with_hold(scene: Scene) -> None:
    await scene.queue.done(scene.item, WAIT, cause=status_cause("wamid.1"))


async def retry_now(scene: Scene) -> None:
    await scene.queue.retry_later(scene.item)


async def retry_for_window(scene: Scene) -> None:
    await scene.queue.retry_later(scene.item, WAIT, cause=WINDOW)


async def dead_letter(scene: Scene) -> None:
    await scene.queue.dead_letter(scene.item, "reason")


async def time_passes(scene: Scene) -> None:
    scene.clock.now += WAIT


async def person_writes(scene: Scene) -> None:
    await scene.queue.end_wait(ANNA, WINDOW)


async def status_of_the_message(scene: Scene) -> None:
    await scene.queue.end_wait(ANNA, status_cause("wamid.1"))


async def status_of_another(scene: Scene) -> None:
    await scene.queue.end_wait(ANNA, status_cause("wamid.2"))


async def crash(scene: Scene) -> None:
    async with open_store(scene.url, clock=scene.clock) as dying:
        await dying.outbox.claim()
        fall_silent(dying)
        notice_silence(scene.store)


async def others_look(scene: Scene) -> None:
    async with open_store(scene.url, clock=scene.clock) as other:
        for _ in range(LOOKS + 1):
            scene.store.beat()
            other.beat()


async def erase(scene: Scene) -> None:
    await scene.queue.erase(ANNA)


Step = Callable[[Scene], Awaitable[None]]

TABLE: list[tuple[Step, Step, str]] = [
    (ready, nothing, "ready"),
    (ready, time_passes, "ready"),
    (ready, person_writes, "ready"),
    (ready, crash, "ready"),
    (ready, erase, "done"),
    (behind, nothing, "behind"),
    (behind, time_passes, "behind"),
    (behind, person_writes, "behind"),
    (behind, retry_now, "behind"),
    (behind, retry_for_window, "behind"),
    (behind, done, "ready"),
    (behind, done_with_hold, "waiting"),
    (behind, dead_letter, "ready"),
    (behind, erase, "done"),
    (claimed, nothing, "claimed"),
    (claimed, time_passes, "claimed"),
    (claimed, person_writes, "claimed"),
    (claimed, status_of_the_message, "claimed"),
    (claimed, others_look, "claimed"),
    (claimed, retry_now, "ready"),
    (claimed, retry_for_window, "waiting"),
    (claimed, done, "done"),
    (claimed, done_with_hold, "done"),
    (claimed, dead_letter, "dead letter"),
    (claimed, erase, "done"),
    (waiting_for_window, nothing, "waiting"),
    (waiting_for_window, status_of_the_message, "waiting"),
    (waiting_for_window, others_look, "waiting"),
    (waiting_for_window, person_writes, "ready"),
    (waiting_for_window, time_passes, "ready"),
    (waiting_for_window, erase, "done"),
    (waiting_for_status, person_writes, "waiting"),
    (waiting_for_status, status_of_another, "waiting"),
    (waiting_for_status, status_of_the_message, "ready"),
    (waiting_for_status, time_passes, "ready"),
    (claimed_by_the_dead, nothing, "ready"),
    (claimed_by_the_dead, time_passes, "ready"),
    (claimed_by_the_dead, person_writes, "ready"),
    (claimed_by_the_dead, crash, "ready"),
    (claimed_by_the_dead, erase, "done"),
]
SEVERAL_PROCESSES = {crash, others_look, claimed_by_the_dead}


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        pytest.param(*row, id="-".join(map(str, (row[0].__name__, row[1].__name__))))
        for row in TABLE
    ],
)
async def test_what_happens_leads_from_one_state_to_the_next(
    store, store_url, clock, before, step, after
):
    if store_url == "memory:" and SEVERAL_PROCESSES & {before, step}:
        pytest.skip("a store in memory belongs to one process")
    scene = Scene(store, store_url, clock)
    await before(scene)

    await step(scene)

    assert await scene.state() == after


def test_the_table_reaches_every_state():
    reached = {after for _, _, after in TABLE}

    assert reached == {state.value for state in ItemState} | {"done", "dead letter"}
