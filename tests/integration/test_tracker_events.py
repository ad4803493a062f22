"""Messages and failures without a turn, in Rasa's own trackers, stores and locks: both Rasas."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import Any

import pytest
from support import webhooks
from support.eventually import eventually
from support.webhooks import echo, envelope, status, texts

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")

# Rasa imports TensorFlow and SQLAlchemy, which warn of what is to come.
pytestmark = pytest.mark.filterwarnings("ignore")

PHONE = "4915112345678"


def reaction(number: int = 1, emoji: str = "👍") -> dict[str, Any]:
    return envelope([webhooks.reaction(PHONE, f"wamid.reaction{number}", emoji, "wamid.out1")])


def failed() -> dict[str, Any]:
    error = {
        "code": 131026,
        "title": "Message undeliverable",
        "message": "Message undeliverable",
        "error_data": {"details": "Message Undeliverable."},
    }
    return envelope([status("wamid.out1", "failed", PHONE, errors=[error])])


class Locks:
    """Rasa's lock store, and who holds a lock now."""

    def __init__(self) -> None:
        from rasa.core.lock_store import InMemoryLockStore

        self._store = InMemoryLockStore()
        self.held: set[str] = set()

    @asynccontextmanager
    async def lock(self, conversation_id: str, **options: Any) -> Any:
        async with self._store.lock(conversation_id, **options) as lock:
            self.held.add(conversation_id)
            try:
                yield lock
            finally:
                self.held.discard(conversation_id)


class Trackers:
    """Rasa's tracker store in SQL."""

    def __init__(self, locks: Locks) -> None:
        from rasa.shared.core.domain import Domain

        try:
            from rasa.core.tracker_stores.sql_tracker_store import SQLTrackerStore
        except ImportError:
            from rasa.core.tracker_store import SQLTrackerStore
        self.domain = Domain.from_dict({"intents": ["say"]})  # Rasa Pro counts without one
        self._store = SQLTrackerStore(self.domain, dialect="sqlite", db="")
        self._locks = locks
        self.unlocked_saves = 0
        self.fails_after_saving = 0

    async def retrieve(self, sender_id: str) -> Any:
        return await self._store.retrieve(sender_id)

    async def save(self, tracker: Any) -> None:
        self.unlocked_saves += tracker.sender_id not in self._locks.held
        await self._store.save(tracker)
        if self.fails_after_saving:
            self.fails_after_saving -= 1
            raise ConnectionResetError("cut off after it was saved")

    async def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Return what an action would read in `tracker.events`."""
        from rasa.shared.core.trackers import EventVerbosity

        tracker = await self.retrieve(PHONE)
        found = tracker.current_state(EventVerbosity.ALL)["events"] if tracker else []
        return [event for event in found if kind in (None, event["event"])]


class Agent:
    """Rasa's agent as far as a turn goes: it locks, adds events, sends a question, and saves."""

    def __init__(self, bot: Any) -> None:
        self.bot = bot
        self.heard: list[str] = []
        self.lock_store = Locks()
        self.tracker_store = Trackers(self.lock_store)
        self.domain = self.tracker_store.domain
        self.processor = None

    def is_ready(self) -> bool:
        return True

    async def handle_message(self, message: Any) -> None:
        from rasa.shared.core.events import ActionExecuted, BotUttered, UserUttered
        from rasa.shared.core.trackers import DialogueStateTracker

        self.heard.append(message.text)
        async with self.lock_store.lock(message.sender_id):
            tracker = await self.tracker_store.retrieve(message.sender_id)
            if tracker is None:
                tracker = DialogueStateTracker(message.sender_id, self.domain.slots)
            said = UserUttered(
                message.text,
                intent={"name": "say"},
                input_channel=message.input_channel,
                message_id=message.message_id,
                metadata=message.metadata,
            )
            answer = BotUttered("Your name?", metadata={"utter_action": "utter_ask_name"})
            for event in (said, ActionExecuted("utter_ask_name"), answer):
                tracker.update(event, self.domain)
            await message.output_channel.send_response(
                message.sender_id, {"text": "Your name?", "utter_action": "utter_ask_name"}
            )
            tracker.update(ActionExecuted("action_listen"), self.domain)
            await self.tracker_store.save(tracker)


@pytest.fixture
def talk(serve, platform):
    """Serve the channel to somebody who was asked a question, the bot's first message."""

    @asynccontextmanager
    async def talk(**settings: Any) -> Any:
        async with serve(None, agent=Agent, **settings) as running:
            await running.deliver(texts("hi", phone=PHONE))
            await platform[0].sends(1)

            async def is_saved() -> bool:
                return bool(await running.agent.tracker_store.events("action"))

            await eventually(is_saved)
            yield running

    return talk


async def test_a_reaction_stands_in_the_tracker_and_nobody_is_asked(talk, platform):
    async with talk() as running:
        trackers = running.agent.tracker_store
        before = await trackers.retrieve(PHONE)

        await running.deliver(reaction())
        (event,) = await eventually(lambda: trackers.events("export"))
        after = await trackers.retrieve(PHONE)

    facts = event["metadata"]["whatsapp"]
    assert (facts["type"], facts["id"]) == ("reaction", "wamid.reaction1")
    assert facts["reaction"] == {
        "message_id": "wamid.out1",
        "emoji": "👍",
        "response": "utter_ask_name",
    }
    assert running.agent.heard == ["hi"]
    assert len(platform[0].sent) == 1
    # What forms, policies and flows go by is what it was.
    assert after.latest_message.text == before.latest_message.text == "hi"
    assert after.latest_action_name == before.latest_action_name == "action_listen"
    assert list(after.past_states(running.agent.domain)) == list(
        before.past_states(running.agent.domain)
    )
    assert trackers.unlocked_saves == 0


async def test_a_failure_stands_in_the_tracker_with_what_failed_and_why(talk, platform):
    async with talk() as running:
        await running.deliver(failed())
        (event,) = await eventually(lambda: running.agent.tracker_store.events("export"))

    assert event["metadata"]["whatsapp"] == {
        "type": "delivery_failed",
        "id": event["metadata"]["whatsapp"]["id"],
        "code": 131026,
        "title": "Message undeliverable",
        "reason": "131026 Message undeliverable: Message Undeliverable.",
        "response": "utter_ask_name",
    }
    assert running.agent.heard == ["hi"]


async def test_a_failure_is_a_turn_where_the_bot_asked_for_one(talk):
    async with talk(failure_intent="message_failed") as running:
        await running.deliver(failed())

        async def is_heard() -> bool:
            return len(running.agent.heard) == 2

        await eventually(is_heard)
        assert await running.agent.tracker_store.events("export") == []

    assert running.agent.heard[1].startswith('/message_failed{"code": 131026')


async def test_an_event_that_is_tried_again_after_it_was_saved_stands_there_once(talk):
    async with talk() as running:
        trackers = running.agent.tracker_store
        trackers.fails_after_saving = 1
        await running.deliver(reaction(1))
        await running.deliver(reaction(2, "🎉"))

        async def are_both() -> bool:
            return len(await trackers.events("export")) >= 2

        await eventually(are_both)
        await running.idle()
        events = await trackers.events("export")

    emojis = [event["metadata"]["whatsapp"]["reaction"]["emoji"] for event in events]
    assert emojis == ["👍", "🎉"]


async def test_an_event_waits_for_whoever_holds_the_lock(talk):
    async with talk() as running:
        agent = running.agent
        async with agent.lock_store.lock(PHONE):  # a reminder, or `trigger_intent`
            tracker = await agent.tracker_store.retrieve(PHONE)
            await running.deliver(reaction())
            await asyncio.sleep(0.3)
            await agent.tracker_store.save(tracker)
        await eventually(lambda: agent.tracker_store.events("export"))

    assert agent.tracker_store.unlocked_saves == 0


async def test_a_reaction_begins_no_conversation(serve, platform):
    """Its first message would be taken for one within a session, and begin none."""
    async with serve(None, agent=Agent) as running:
        await running.deliver(reaction())
        await running.idle()

        assert await running.agent.tracker_store.retrieve(PHONE) is None
    assert running.agent.heard == []
    assert platform[0].receipts == []


async def test_what_a_colleague_writes_and_a_handover_stand_there_and_are_not_heard(talk):
    echo = {
        "from": "15550783881",
        "to": PHONE,
        "id": "wamid.echo",
        "timestamp": "1739321024",
        "type": "text",
        "text": {"body": "Ana here"},
    }
    handover = {"type": "control_taken", "timestamp": "1739321025"}
    changes = [
        {"field": "smb_message_echoes", "value": {"message_echoes": [echo]}},
        {
            "field": "messaging_handovers",
            "value": {**handover, "sender": {"phone_number": PHONE}},
        },
    ]
    async with talk() as running:
        before = list(running.agent.heard)
        await running.deliver({"entry": [{"id": "1", "changes": changes}]})

        async def are_both() -> bool:
            return len(await running.agent.tracker_store.events("export")) == 2

        await eventually(are_both)
        events = await running.agent.tracker_store.events("export")

        assert running.agent.heard == before
    told = [event["metadata"]["whatsapp"] for event in events]
    assert told[0]["message"]["text"] == {"body": "Ana here"}
    assert told[1]["event"] == "control_taken"


# A person answered meanwhile


def lines(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (event["event"], event["text"]) for event in events if event["event"] in ("user", "bot")
    ]


@asynccontextmanager
async def taken(talk: Any, **handoff: Any) -> Any:
    """The bot has asked the question of a form; then a colleague writes with the app."""
    from rasa.shared.core.events import ActiveLoop

    async with talk(handoff={"return_words": ["robot"], **handoff}) as running:
        trackers = running.agent.tracker_store
        async with running.agent.lock_store.lock(PHONE):
            tracker = await trackers.retrieve(PHONE)
            tracker.update(ActiveLoop("name_form"), running.agent.domain)
            await trackers.save(tracker)
        await running.deliver(echo(PHONE, "wamid.echo1", "Eve here"))
        yield running


async def test_the_bot_hears_the_episode_before_the_next_message(talk, platform):
    async with taken(talk) as running:
        trackers = running.agent.tracker_store
        await running.deliver(texts("/restart", phone=PHONE, first=3))
        await running.deliver(texts("robot", phone=PHONE, first=4))
        await platform[0].sends(2)

        async def is_saved() -> bool:
            return lines(await trackers.events())[-1] == ("bot", "Your name?")

        await eventually(is_saved)
        events = await trackers.events()
        tracker = await trackers.retrieve(PHONE)
        [note] = await trackers.events("export")

    assert lines(events) == [  # of the new session; the form had the one before
        ("bot", "Eve here"),
        ("user", "/restart"),
        ("user", "robot"),
        ("bot", "Your name?"),
    ]
    assert running.agent.heard == ["hi", "robot"]
    assert tracker.active_loop_name is None
    facts = note["metadata"]["whatsapp"]
    assert (facts["type"], facts["by"], facts["not_said"]) == ("handoff", "user", [])
    assert facts["since"] <= facts["until"]
    times = {event.get("text") or event["event"]: event["timestamp"] for event in events}
    assert times["Eve here"] < times["/restart"] < times["export"] < times["robot"]
    assert trackers.unlocked_saves == 0


@pytest.mark.parametrize(
    ("on_return", "heard", "cut_off"),
    [
        ({"on_return": "answer"}, ["and my other order?"], 0),
        ({"on_return": "answer"}, ["and my other order?"], 1),
        (
            {"on_return": "/handoff_over"},
            ['/handoff_over{"unanswered": "and my other order?"}'],
            0,
        ),
        ({"on_return": "silent"}, [], 0),
    ],
    ids=["answer", "cut off after it was saved", "ask", "silent"],
)
async def test_what_nobody_answered_is_the_bots_as_the_setting_says(
    talk, on_return, heard, cut_off
):
    asked = ("user", "and my other order?")
    async with taken(talk, idle=3, **on_return) as running:
        trackers = running.agent.tracker_store
        trackers.fails_after_saving = cut_off
        await running.deliver(texts("and my other order?", phone=PHONE, first=3))
        [note] = await eventually(lambda: trackers.events("export"))

        async def is_over() -> bool:
            # A turn is heard before it is saved.
            if running.agent.heard[1:] != heard or asked not in lines(await trackers.events()):
                return False
            # The timer of the episode looks once more, after a minute.
            return bool((await running.health())["inbox"]["waiting"] <= 1)

        await eventually(is_over)
        said = lines(await trackers.events())

    assert note["metadata"]["whatsapp"]["by"] == "clock"
    assert said.count(asked) == 1
    assert said.count(("bot", "Eve here")) == 1
    assert said[0] == ("bot", "Eve here")


async def test_the_bot_hears_what_a_colleague_wrote_last_and_nothing_that_was_deleted(
    talk, platform
):
    def changed(number: int, kind: str, content: dict[str, Any]) -> dict[str, Any]:
        told = echo(PHONE, f"wamid.echo{number}", "")
        [sent] = told["entry"][0]["changes"][0]["value"]["message_echoes"]
        del sent["text"]
        sent |= {"type": kind, kind: content}
        return told

    new = {"type": "text", "text": {"body": "You get 20"}}
    async with taken(talk) as running:
        await running.deliver(echo(PHONE, "wamid.echo2", "You get 10"))
        await running.deliver(echo(PHONE, "wamid.echo3", "Wrong chat"))
        edit = {"original_message_id": "wamid.echo2", "message": new}
        await running.deliver(changed(4, "edit", edit))
        await running.deliver(changed(5, "revoke", {"original_message_id": "wamid.echo3"}))
        await running.deliver(texts("robot", phone=PHONE, first=3))
        await platform[0].sends(2)
        trackers = running.agent.tracker_store
        await eventually(lambda: trackers.events("export"))
        said = lines(await trackers.events())

    assert said[:3] == [("bot", "Eve here"), ("bot", "You get 20"), ("user", "robot")]
