"""What Rasa Pro makes of an event without a turn: it keeps it, and its language model sees none."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from support.eventually import eventually
from support.webhooks import envelope, reaction

pytestmark = pytest.mark.filterwarnings("ignore")  # what Rasa Pro's own imports warn of

PHONE = "4915112345678"
FACTS = {"type": "reaction", "id": "wamid.r1", "reaction": {"message_id": "wamid.out1"}}


def tracker_of(*more: Any) -> Any:
    from rasa.shared.core.events import ActionExecuted, BotUttered, SessionStarted, UserUttered
    from rasa.shared.core.trackers import DialogueStateTracker

    events = [
        ActionExecuted("action_session_start"),
        SessionStarted(),
        ActionExecuted("action_listen"),
        UserUttered("I want a room", metadata={"whatsapp": {"id": "wamid.in1"}}),
        ActionExecuted("flow_book"),
        BotUttered("Which room?"),
        ActionExecuted("action_listen"),
    ]
    return DialogueStateTracker.from_events(PHONE, [*events, *more])


def kept() -> Any:
    from rasa.shared.core.events import StoryExported

    return StoryExported(metadata={"whatsapp": FACTS})


def test_the_transcript_for_the_model_is_what_was_said() -> None:
    from rasa.shared.utils.llm import tracker_as_readable_transcript

    said = tracker_as_readable_transcript(tracker_of())

    assert tracker_as_readable_transcript(tracker_of(kept())) == said
    assert "Which room?" in said


def test_the_flow_goes_on_where_it_was() -> None:
    before, after = tracker_of(), tracker_of(kept())

    assert after.stack.as_dict() == before.stack.as_dict()
    assert after.latest_message.text == "I want a room"
    assert after.latest_action_name == before.latest_action_name == "action_listen"
    for state in ("terminated", "inactive"):  # Rasa Pro has them since 3.16
        assert not getattr(after, state, False)


@pytest.mark.needs("rasa.shared.core.trackers:DialogueStateTracker.is_session_time_expired")
def test_the_session_does_not_last_longer_for_it() -> None:
    """Rasa Pro goes by what was said last; before 3.16 as Rasa 3.6 does."""
    before, after = tracker_of(), tracker_of(kept())

    assert after.is_session_time_expired(60) == before.is_session_time_expired(60)


def test_it_is_read_again_from_what_is_stored() -> None:
    from rasa.shared.core.events import Event
    from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity

    state = tracker_of(kept()).current_state(EventVerbosity.ALL)
    again = DialogueStateTracker.from_dict(PHONE, state["events"])

    assert again.events[-1].metadata["whatsapp"] == FACTS
    assert Event.from_parameters(state["events"][-1]).metadata["whatsapp"] == FACTS


@pytest.mark.needs("rasa.core.tracker_stores.tracker_store:serialise_event")
def test_the_contract_for_brokers_lets_it_out() -> None:
    """Rasa Pro's newer engine writes events in a form of its own, and leaves others as they are."""
    from rasa.core.tracker_stores.tracker_store import serialise_event

    for use_proto_json in (False, True):
        body = serialise_event(kept(), PHONE, None, use_proto_json)
        assert body["metadata"]["whatsapp"] == FACTS


@pytest.mark.needs("rasa.shared.core.events:ConversationInactive")  # since then they end
async def test_a_conversation_that_has_ended_keeps_no_more(serve, caplog) -> None:
    from rasa.core.lock_store import InMemoryLockStore
    from rasa.core.tracker_stores.tracker_store import InMemoryTrackerStore
    from rasa.shared.core.domain import Domain
    from rasa.shared.core.events import SessionEnded

    async def silent(message: Any) -> None: ...

    async with serve(silent) as running:
        agent = running.agent
        agent.domain = Domain.empty()
        agent.lock_store = InMemoryLockStore()
        agent.tracker_store = InMemoryTrackerStore(agent.domain)
        await agent.tracker_store.save(tracker_of(SessionEnded()))

        with caplog.at_level(logging.INFO, "rasa_whatsapp_channel"):
            await running.deliver(envelope([reaction(PHONE, "wamid.r1", "👍", "wamid.out1")]))
            await eventually(lambda: "whatsapp.event_not_kept: reaction wamid.r1" in caplog.text)
        _, page = await running.get("/metrics")
        tracker = await agent.tracker_store.retrieve(PHONE)

    assert type(tracker.events[-1]) is SessionEnded
    assert 'whatsapp_tracker_events_total{type="reaction"}' not in page
