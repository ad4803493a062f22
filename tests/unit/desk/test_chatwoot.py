"""What of Chatwoot's webhooks is an agent's word, with bodies as Chatwoot documents them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from rasa_whatsapp_channel.desk.chatwoot import Exchange, look, read_message, read_webhook, tell
from rasa_whatsapp_channel.desk.contract import Say
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.whatsapp.transport import Request

SETTINGS = HandoffSettings.parse(
    {
        "desk": "chatwoot",
        "url": "https://chat.example",
        "token": "t",
        "secret": "s",
        "account": 1,
        "inbox": 5,
    }
)
MESSAGE: dict[str, Any] = {
    "event": "message_created",
    "id": 1234,
    "content": "Hello, Eve here",
    "content_type": "text",
    "message_type": "outgoing",
    "private": False,
    "content_attributes": {},
    "additional_attributes": {},
    "source_id": None,
    "created_at": "2026-11-29T10:00:00Z",
    "sender": {"id": 3, "name": "Eve", "type": "user"},
    "inbox": {"id": 5, "name": "WhatsApp"},
    "account": {"id": 1, "name": "Shop"},
    "conversation": {
        "id": 42,
        "inbox_id": 5,
        "status": "open",
        "channel": "Channel::Api",
        "contact_inbox": {"source_id": "4915112345678", "hmac_verified": False},
        "meta": {"assignee": {"id": 3, "type": "user"}, "team": None},
        "updated_at": 1796022726.4,
    },
}


def test_an_agents_message_is_said() -> None:
    said = Say("1234", "Hello, Eve here", agent="Eve")
    assert read_webhook(MESSAGE, SETTINGS) == (42, said)


@pytest.mark.parametrize(
    "changes",
    [
        {"private": True},
        {"message_type": "incoming"},
        {"message_type": "template"},
        {"message_type": "activity"},
        {"source_id": "evt_1"},
        {"sender": None},
        {"sender": {"id": 1, "type": "agent_bot"}},
        {"sender": {"id": 9, "type": "contact"}},
        {"content_attributes": {"deleted": True}},
        {"content": None},
        {"content": "  "},
        {"id": None},
        {"event": "message_updated"},
        {"event": "webwidget_triggered"},
    ],
)
def test_nothing_else_is(changes: dict[str, Any]) -> None:
    _, said = read_webhook({**MESSAGE, **changes}, SETTINGS)
    assert said is None


@pytest.mark.parametrize("changes", [{"inbox_id": 6}, {"id": None}, {"id": "42"}])
def test_of_another_inbox_and_without_a_number_nothing_is_heard(changes: dict[str, Any]) -> None:
    other = {**MESSAGE, "conversation": {**MESSAGE["conversation"], **changes}}
    assert read_webhook(other, SETTINGS) == (0, None)
    nothing = {"event": "message_created", "conversation": "no"}
    assert read_webhook(nothing, SETTINGS) == read_webhook({}, SETTINGS) == (0, None)


@pytest.mark.parametrize(
    ("status", "is_over"),
    [("resolved", True), ("open", False), ("snoozed", False), ("pending", False)],
)
def test_a_look_finds_what_was_said_and_whether_the_conversation_is_resolved(
    status: str, is_over: bool
) -> None:
    talk = look({"conversation": 42}, SETTINGS, after=1000)
    assert next(talk).url == "https://chat.example/api/v1/accounts/1/conversations/42"
    asked = talk.send((200, {**MESSAGE["conversation"], "status": status}))
    assert asked.url.endswith("/conversations/42/messages?after=1000")
    with pytest.raises(StopIteration) as end:
        talk.send((200, {"payload": [{**MESSAGE, "message_type": 1}]}))
    assert end.value.value == ([Say("1234", "Hello, Eve here", agent="Eve")], 1234, is_over)


OWNER: dict[str, Any] = {"type": "owner.changed", "id": "evt_1", "episode": "e1"}


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"to": "waiting", "by": "bot", "history": []}, "open"),
        ({"to": "human", "by": "desk", "history": []}, "open"),  # it was the bot's
        ({"to": "human", "by": "operator"}, "open"),
        ({"to": "bot", "by": "time"}, "resolved"),
        # The agents know, and a late "open" would undo what they resolved meanwhile.
        ({"to": "human", "by": "desk"}, None),
        ({"to": "bot", "by": "desk"}, None),
    ],
)
def test_what_agents_did_is_not_done_again(change: dict[str, Any], status: str | None) -> None:
    talk = tell({**OWNER, **change}, {"conversation": 42}, SETTINGS)
    asked = list(_answered(talk))

    changes = [each.body for each in asked if each.url.endswith("/42/toggle_status")]
    assert changes == ([] if status is None else [f'{{"status": "{status}"}}'.encode()])


def _answered(talk: Exchange) -> Iterator[Request]:
    """Yield the requests of *talk*; each is answered with a message."""
    with suppress(StopIteration):
        request = next(talk)
        while True:
            yield request
            request = talk.send((200, {"id": 1}))


@pytest.mark.parametrize("event", ["conversation_status_changed", "conversation_updated"])
def test_any_other_webhook_names_the_conversation_to_look_at(event: str) -> None:
    assert read_webhook({"event": event, **MESSAGE["conversation"]}, SETTINGS) == (42, None)


def test_in_the_answers_of_the_api_the_type_is_a_number_and_files_are_links() -> None:
    found = [
        {"id": 1, "file_type": "image", "data_url": "https://c.example/rails/lake.jpg"},
        {"id": 2, "file_type": "file", "data_url": "https://c.example/rails/my%20bill.pdf"},
        {"id": 3, "file_type": "location", "coordinates_lat": 1.0},
        {"id": 4, "file_type": "image", "data_url": "file:///etc/passwd"},
    ]
    said = read_message({**MESSAGE, "message_type": 1, "content": None, "attachments": found})
    assert said is not None
    assert said.files == (
        {"type": "image", "link": "https://c.example/rails/lake.jpg"},
        {
            "type": "document",
            "link": "https://c.example/rails/my%20bill.pdf",
            "filename": "my bill.pdf",
        },
    )
    assert read_message({**MESSAGE, "message_type": 0}) is None
