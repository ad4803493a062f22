"""Rasa's own tracker store, processor and actions, watched by the channel: both Rasas."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
from typing import Any

import pytest
from support.eventually import eventually
from support.ports import free_port
from support.webhooks import texts

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")

# Rasa imports TensorFlow and SQLAlchemy, which warn of what is to come.
pytestmark = pytest.mark.filterwarnings("ignore")
only_with_rasa_pro = pytest.mark.skipif(
    importlib.util.find_spec("rasa.agents") is None,
    reason="with Rasa 3.6 a whole bot does it, in tests/acceptance/test_outage_of_rasa.py",
)

PHONE = "4915112345678"


def fail_safe(store: Any) -> Any:
    """Return *store* as Rasa's agent wraps it."""
    try:
        from rasa.core.tracker_stores.tracker_store import FailSafeTrackerStore
    except ImportError:
        from rasa.core.tracker_store import FailSafeTrackerStore
    return FailSafeTrackerStore(store)


def in_memory() -> Any:
    from rasa.shared.core.domain import Domain

    try:
        from rasa.core.tracker_stores.tracker_store import InMemoryTrackerStore
    except ImportError:
        from rasa.core.tracker_store import InMemoryTrackerStore
    return InMemoryTrackerStore(Domain.empty())


class Away:
    """A tracker store in memory that can be away, as Redis would be."""

    def __init__(self) -> None:
        self._store = in_memory()
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def retrieve(self, sender_id: str) -> Any:
        self._reach()
        return await self._store.retrieve(sender_id)

    async def save(self, tracker: Any) -> None:
        self._reach()
        await self._store.save(tracker)

    def _reach(self) -> None:
        if self.is_away:
            raise ConnectionRefusedError(111, "Connection refused")


def away(health: dict[str, Any]) -> list[str]:
    return [each["what"] for each in health.get("away", [])]


async def test_a_conversation_that_cannot_be_read_is_not_begun_anew(serve, platform):
    store = Away()

    async def bot(message) -> None:
        tracker = await running.agent.tracker_store.get_or_create_tracker(message.sender_id)
        await message.output_channel.send_response(message.sender_id, {"text": "Hello"})
        await running.agent.tracker_store.save(tracker)

    async with serve(bot) as running:
        running.agent.tracker_store = fail_safe(store)
        store.is_away = True
        await running.deliver(texts("hi", phone=PHONE))

        async def is_noticed() -> bool:
            return away(await running.health()) == ["tracker store"]

        await eventually(is_noticed)
        assert platform[0].sent == []
        assert (await running.health())["status"] == "degraded"

        store.is_away = False
        await platform[0].sends(1)
        health = await running.idle()

    assert len(platform[0].sent) == 1
    assert (health["status"], away(health)) == ("ok", [])
    assert health["inbox"]["dead_letters"] == 0


async def test_what_cannot_be_saved_is_said_once_all_the_same(serve, platform):
    store = Away()

    async def bot(message) -> None:
        tracker = await running.agent.tracker_store.get_or_create_tracker(message.sender_id)
        await message.output_channel.send_response(message.sender_id, {"text": "Hello"})
        store.is_away = len(running.agent.heard) < 3
        await running.agent.tracker_store.save(tracker)

    async with serve(bot) as running:
        running.agent.tracker_store = fail_safe(store)
        await running.deliver(texts("hi", phone=PHONE))

        async def has_tried() -> bool:
            store.is_away = False  # it comes back between two tries
            return len(running.agent.heard) == 3

        await eventually(has_tried)
        await running.idle()

    assert [sent["text"]["body"] for sent in platform[0].sent] == ["Hello"]


async def a_turn_with_an_action(message: Any) -> None:
    """Say something, run an action whose server is not there, say something: as Rasa Pro does."""
    from rasa.core import processor as processors
    from rasa.core.actions.action import RemoteAction
    from rasa.core.policies.policy import PolicyPrediction
    from rasa.shared.core.domain import Domain
    from rasa.shared.core.trackers import DialogueStateTracker
    from rasa.utils.endpoints import EndpointConfig
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.INFO)  # as `rasa run` does it
    # Since 3.20 there is one for each engine. No model, which would need a licence.
    of_flows = getattr(processors, "CalmMessageProcessor", processors.MessageProcessor)
    processor = object.__new__(of_flows)
    processor.domain, processor.is_calm_assistant = Domain.empty(), False
    processor.timer_manager = None
    action = RemoteAction("action_order", EndpointConfig(f"http://127.0.0.1:{free_port()}/webhook"))
    tracker = DialogueStateTracker.from_events(message.sender_id, [])
    prediction = PolicyPrediction.for_action_name(processor.domain, "action_listen")
    output = message.output_channel
    await output.send_response(message.sender_id, {"text": "One moment"})
    await processor._run_action(action, tracker, output, None, prediction)
    await output.send_response(message.sender_id, {"text": "Done"})


@only_with_rasa_pro
async def test_an_action_that_rasa_does_not_reach_is_noticed(serve, platform):
    async with serve(a_turn_with_an_action) as running:
        await running.deliver(texts("order", phone=PHONE))
        await platform[0].sends(2)

        async def is_noticed() -> bool:
            return away(await running.health()) == ["action server"]

        await eventually(is_noticed)
        _, page = await running.get("/metrics")

    assert 'whatsapp_actions_failed_total{reason="away"} 1.0' in page
    assert 'whatsapp_bot_away{what="action_server"} 1.0' in page


@only_with_rasa_pro
async def test_a_turn_that_waits_for_the_action_server_does_not_go_on_without_it(serve, platform):
    async with serve(a_turn_with_an_action, wait_for_action_server=True) as running:
        await running.deliver(texts("order", phone=PHONE))

        async def has_tried_twice() -> bool:
            return len(running.agent.heard) >= 2

        await eventually(has_tried_twice)
        health = await running.health()

    assert [sent["text"]["body"] for sent in platform[0].sent] == ["One moment"]
    assert away(health) == ["action server"]
    assert health["inbox"] == {**health["inbox"], "waiting": 1, "dead_letters": 0}


async def test_a_conversation_that_is_paused_keeps_its_grey_ticks(serve, platform):
    from rasa.shared.core.events import ConversationPaused

    store = fail_safe(in_memory())
    tracker = await store.get_or_create_tracker(PHONE)
    tracker.update(ConversationPaused())
    await store.save(tracker)

    async def says_nothing(message) -> None:
        pass

    async with serve(says_nothing) as running:
        running.agent.tracker_store = store
        await running.deliver(texts("hello?", phone=PHONE))

        async def is_counted() -> bool:
            _, page = await running.get("/metrics")
            return 'whatsapp_turns_silenced_total{reason="paused"} 1.0' in page

        await eventually(is_counted)
        await asyncio.sleep(1.2)

    assert platform[0].receipts == []


@pytest.mark.needs("rasa.shared.core.events:ConversationInactive")  # since then they end
async def test_a_conversation_that_rasa_pro_has_ended_keeps_its_grey_ticks(serve, platform):
    from rasa.shared.core.events import SessionEnded

    store = fail_safe(in_memory())
    tracker = await store.get_or_create_tracker(PHONE)
    tracker.update(SessionEnded())
    await store.save(tracker)

    async def ignored(message) -> None:
        pass

    async with serve(ignored, on_hangup="silence") as running:
        running.agent.tracker_store = store
        await running.deliver(texts("hello?", phone=PHONE))

        async def is_counted() -> bool:
            _, page = await running.get("/metrics")
            return 'whatsapp_turns_silenced_total{reason="terminated"} 1.0' in page

        await eventually(is_counted)
        await asyncio.sleep(1.2)

    assert platform[0].receipts == []
