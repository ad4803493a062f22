"""How long a desk is told again, what becomes of it then, and what it is shown of before."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rasa_whatsapp_channel.conversation.handoffs import DESK, HISTORY, Handoffs
from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.desk.delivery import HISTORY_LOOK, HISTORY_WAIT, DeskDelivery
from rasa_whatsapp_channel.desk.endpoint import DeskEndpoint
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import DONE, DeadLetter, QueueItem, Retry, Store
from rasa_whatsapp_channel.tracker_reader import history_of
from rasa_whatsapp_channel.unix_time import DAY, time_of
from rasa_whatsapp_channel.whatsapp.transport import Request, Response

NOW = 1_800_000_000.0
SETTINGS = HandoffSettings.parse(
    {"desk": "webhook", "url": "https://d.example", "secret": "s", "history": 2}
)


class DeskThatIsAway:
    """Takes nothing until it is back."""

    def __init__(self) -> None:
        self.is_back = False
        self.told: list[Any] = []

    async def send(self, request: Request) -> Response:
        if self.is_back:
            assert isinstance(request.body, bytes)
            self.told.append(json.loads(request.body))
        return Response(200 if self.is_back else 503, {}, b"")


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(f"sqlite:///{tmp_path}/whatsapp.db", clock=lambda: NOW) as store:
        yield store


def make(store: Store, desk: Any, history: Any = None) -> DeskDelivery:
    handoffs, people = Handoffs(store, SETTINGS, clock=lambda: NOW), People(store.values)
    says: Any = [None] * 4  # what only answering takes
    asked = DeskEndpoint(handoffs, store, people, "1", lambda: NOW, *says)
    return DeskDelivery(asked, desk, history=history, root=Path())


def item(tries: int = 1, *, lasting: float = 0.0, **facts: Any) -> QueueItem:
    body = {"kind": DESK, "conversation": "4915", "type": "owner.changed", "at": NOW}
    body["facts"] = facts
    since = NOW - lasting if lasting else None
    return QueueItem(f"{DESK}:1", "desk:4915", body, tries, NOW, failing_since=since)


async def test_it_is_told_again_ever_later_for_a_day(store):
    delivery = make(store, DeskThatIsAway())
    waits = [await delivery.handle(item(tries, lasting=tries)) for tries in range(1, 16)]
    seconds = [outcome.after for outcome in waits if isinstance(outcome, Retry)]
    assert seconds[:6] == [1, 2, 4, 8, 16, 32]
    assert (len(seconds), max(seconds)) == (15, 3600)
    outcome = await delivery.handle(item(40, lasting=DAY + 1))
    assert isinstance(outcome, DeadLetter)
    assert "it answers HTTP 503" in outcome.reason


async def test_a_dead_letter_that_is_put_back_has_the_number_it_had(store):
    desk = DeskThatIsAway()
    delivery = make(store, desk)
    await delivery.handle(item())
    desk.is_back = True
    assert await delivery.handle(item(3, lasting=DAY + 1)) == DONE
    assert [(event["sequence"], event["id"]) for event in desk.told] == [(1, desk.told[0]["id"])]


async def test_the_last_messages_of_before_are_shown_once(store):
    said = [{"from": "user", "id": f"wamid.{n}", "text": str(n)} for n in range(3)]

    async def history(conversation: str, before: float, turn_id: str | None) -> Any:
        return said

    desk = DeskThatIsAway()
    desk.is_back = True
    delivery = make(store, desk, history)
    opening = {"opens": True, "to": "waiting", "episode": "e1"}
    asks = {"kind": HISTORY, "conversation": "4915", "at": NOW, "episode": "e1"}
    assert await delivery.handle(item(**opening)) == Retry(HISTORY_LOOK, counted=False)
    assert desk.told == []
    await delivery.look_back(QueueItem(f"{HISTORY}:e1", f"{HISTORY}:4915", asks, 1, NOW))
    assert await delivery.handle(item(**opening)) == DONE
    assert [each["text"] for each in desk.told[0]["history"]] == ["1", "2"]
    body = {"kind": DESK, "conversation": "4915", "type": "message.received", "at": NOW}
    again = {**body, "facts": {"message": {"id": "wamid.2", "text": "2"}}}
    assert await delivery.handle(QueueItem(f"{DESK}:2", "desk:4915", again, 1, NOW)) == DONE
    assert len(desk.told) == 1


async def test_where_no_bot_tells_what_was_said_before_it_is_not_waited_for(store):
    desk = DeskThatIsAway()
    desk.is_back = True
    opening = item(opens=True, to="waiting", episode="e1")
    late = replace(opening, body={**opening.body, "at": NOW - HISTORY_WAIT - 1})
    assert await make(store, desk).handle(late) == DONE
    assert desk.told[0]["history"] == []


async def test_who_and_which_number_stands_in_an_event(store):
    desk = DeskThatIsAway()
    desk.is_back = True
    delivery = make(store, desk)
    for number, (conversation, name) in enumerate(
        [("DE.1349@55", "Ada"), ("DE.1349@55", None), ("4915", None)]
    ):
        facts = {"name": name, "to": "bot"}
        body = {**item().body, "conversation": conversation, "facts": facts}
        await delivery.handle(QueueItem(f"{DESK}:{number}", f"desk:{conversation}", body, 1, NOW))
    ada = {"user_id": "DE.1349", "name": "Ada"}
    assert [each["contact"] for each in desk.told] == [ada, ada, {"phone": "4915", "name": None}]
    assert [each["number"]["phone_number_id"] for each in desk.told] == ["55", "55", "1"]
    assert {each["time"] for each in desk.told} == {time_of(NOW)}


def at(second: int) -> dict[str, str]:
    return {"time": f"1970-01-01T00:00:0{second}+00:00"}


def test_the_history_is_what_rasa_keeps_in_words() -> None:
    events = pytest.importorskip("rasa.shared.core.events", reason="no Rasa in this environment")

    class Tracker:
        def __init__(self, *said: Any) -> None:
            self.events = said

    image = {"type": "image", "id": "wamid.3", "image": {"path": "media/a.jpg", "size": 3}}
    tracker = Tracker(
        events.SessionStarted(timestamp=1.0),
        events.UserUttered("hi", timestamp=2.0, message_id="wamid.1", metadata={}),
        events.BotUttered("Hello", timestamp=3.0),
        events.UserUttered(
            "/buy", timestamp=4.0, message_id="wamid.2", metadata={"button_title": "Buy"}
        ),
        events.UserUttered(
            "/whatsapp_image{}", timestamp=5.0, message_id="wamid.3", metadata={"whatsapp": image}
        ),
        events.UserUttered("later", timestamp=9.0, message_id="wamid.4"),
    )
    assert history_of(tracker, before=8.0) == [
        {"from": "user", "type": "text", "text": "hi", **at(2), "id": "wamid.1"},
        {"from": "bot", "type": "text", "text": "Hello", **at(3)},
        {"from": "user", "type": "text", "text": "Buy", **at(4), "id": "wamid.2"},
        {"from": "user", "type": "image", **at(5), "id": "wamid.3", "media": image["image"]},
    ]
    assert history_of(None, before=8.0) == []
