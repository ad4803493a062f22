"""Processes that die with items in hand, as a store sees them, without a process for each."""

from __future__ import annotations

from rasa_whatsapp_channel.store.base import Queue, QueueItem, Store
from rasa_whatsapp_channel.store.heartbeat import LOOKS


def fall_silent(store: Store) -> None:
    """End the process behind *store* as SIGKILL does: no more beats, and nothing given back."""
    heartbeat = store._heartbeat  # type: ignore[attr-defined]
    if heartbeat.is_started:
        heartbeat.stop()


def notice_silence(store: Store) -> None:
    """Let *store* look at the other processes as often as it takes to hold one for dead."""
    for _ in range(LOOKS + 1):
        store.beat()


async def crash_with_next_item(store: Store, dying: Store, queue: str) -> QueueItem:
    """Let the process behind *dying* claim the next item of *queue* and die; *store* notices."""
    claimed: Queue = getattr(dying, queue)
    item = await claimed.claim() or await claimed.claim_suspect()
    assert item is not None
    fall_silent(dying)
    notice_silence(store)
    return item
