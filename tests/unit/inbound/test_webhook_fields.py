"""The table in docs/platform.md of what becomes of each webhook field, row by row."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
from support.desk import PHONE, Clock, Desk
from support.documents import ROOT

from rasa_whatsapp_channel.conversation.identity import People

NOW = str(int(Clock().now))
TEXT = {
    "id": "wamid.1",
    "from": PHONE,
    "timestamp": NOW,
    "type": "text",
    "text": {"body": "Hello"},
}
STATUS = {"id": "wamid.out", "status": "sent", "timestamp": NOW, "recipient_id": PHONE}
ECHO = {**TEXT, "from": "15550001111", "to": PHONE}
STANDBY_ECHO = {"id": "wamid.2", "timestamp": NOW, "message": {**TEXT, "from": None, "to": PHONE}}
CALL = {
    "id": "wacid.1",
    "from": PHONE,
    "event": "connect",
    "timestamp": NOW,
    "direction": "USER_INITIATED",
}
HANDOVER = {"type": "control_taken", "timestamp": NOW, "sender": {"phone_number": PHONE}}
NEW_ID = {"user_id": {"previous": "US.1", "current": "US.2"}, "wa_id": PHONE, "timestamp": NOW}
FROM_US_1 = {**TEXT, "from_user_id": "US.1"}

# Field and words of the row → what comes, what is heard, what the tracker keeps, a line of the log,
# and dead letters.
ROWS: dict[tuple[str, str], tuple[list[dict[str, Any]], list[str], list[str], str, int]] = {
    ("messages", "a message"): ([{"messages": [TEXT]}], ["Hello"], [], "", 0),
    ("messages", "a step of the delivery"): ([{"statuses": [STATUS]}], [], [], "", 0),
    ("messages", "failed"): (
        [{"statuses": [{**STATUS, "status": "failed", "errors": [{"code": 131026}]}]}],
        [],
        ["delivery_failed"],
        "failed",
        0,
    ),
    ("messages", "a status with the type payment"): (
        [{"statuses": [{**STATUS, "type": "payment", "status": "captured"}]}],
        ['/whatsapp_payment{"status": "captured"}'],
        [],
        "",
        0,
    ),
    ("messages", "warning, deleted"): (
        [{"statuses": [{**STATUS, "status": word}]} for word in ("warning", "deleted", "orbit")],
        [],
        ["status"] * 3,
        "other_status",
        0,
    ),
    ("messages", "errors beside no message"): (
        [{"errors": [{"code": 130429, "title": "Rate limit hit"}]}],
        [],
        [],
        "platform_notice",
        0,
    ),
    ("messages", "a list of anything else"): (
        [{"messages": [TEXT], "holograms": [{"id": "1"}]}],
        ["Hello"],
        [],
        "not_understood",
        1,
    ),
    ("standby", "a message, an echo"): (
        [{"standby": {"messages": [TEXT]}}, {"standby": {"message_echoes": [STANDBY_ECHO]}}],
        [],
        ["overheard"] * 2,
        "",
        0,
    ),
    ("standby", "a status"): ([{"standby": {"statuses": [STATUS]}}], [], [], "", 0),
    ("messaging_handovers", "control_passed"): ([HANDOVER], [], ["handover"], "handover", 0),
    ("smb_message_echoes", "what a colleague"): (
        [{"message_echoes": [ECHO]}],
        [],
        ["overheard"],
        "",
        0,
    ),
    ("calls", "a call that rings"): ([{"calls": [CALL]}], [], [], "call", 0),
    ("calls", "a call that nobody"): (
        [{"calls": [{**CALL, "event": "terminate"}]}],
        [],
        [],
        "call",
        0,
    ),
    ("calls", "other steps"): (
        [{"calls": [{**CALL, "event": "call_recording_available"}]}],
        [],
        [],
        "call",
        0,
    ),
    ("user_id_update", "a new user id"): (
        [{"user_id_update": [NEW_ID]}],
        [],
        [],
        "user_id_changed",
        0,
    ),
}


def change(field: str, value: dict[str, Any]) -> dict[str, Any]:
    value = {"messaging_product": "whatsapp", "contacts": [{"wa_id": PHONE}], **value}
    return {"entry": [{"changes": [{"field": field, "value": value}]}]}


def test_the_table_in_the_documentation_has_these_rows_and_no_other() -> None:
    page = (ROOT / "docs" / "platform.md").read_text(encoding="utf-8")
    section = page.partition("## Webhook fields")[2].partition("\n## ")[0]
    rows = [
        (field, what.replace("`", ""))
        for field, what in re.findall(r"^\| `(\w+)` \| (.+?) \|", section, re.MULTILINE)
    ]

    assert len(rows) == len(ROWS)
    for (field, what), (named, begins) in zip(rows, ROWS, strict=True):
        assert field == named
        assert what.startswith(begins), what


@pytest.mark.parametrize(("field", "what"), ROWS)
async def test_each_row_is_what_happens(store, clock, caplog, field, what):
    bodies, heard, noted, line, dead = ROWS[field, what]
    desk = Desk(store, clock)
    await store.ledger.note_sent("wamid.out", key="k", recipient_id=PHONE)

    with caplog.at_level(logging.INFO):
        for value in bodies:
            await desk.receives(change(field, value))
        await desk.run()

    assert desk.texts == heard
    assert [event.type for event in desk.noted] == noted
    assert (await store.inbox.depth()).dead_letters == dead
    said = {record.getMessage().partition(":")[0] for record in caplog.records}
    assert said == ({f"whatsapp.{line}"} if line else set())


async def test_after_a_new_user_id_the_conversation_is_the_same(store, clock):
    desk = Desk(store, clock)
    await desk.receives(change("messages", {"messages": [FROM_US_1]}))

    await desk.receives(change("user_id_update", {"user_id_update": [NEW_ID]}))

    assert await People(store.values, clock=clock).conversation_of("US.2") == PHONE
