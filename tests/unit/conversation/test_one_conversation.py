"""One person, one conversation: whatever they are called, by whom, and in which order."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from support.one_chat import OneChat

from rasa_whatsapp_channel.unix_time import DAY

BUTTONS = {"text": "Shall we call?", "buttons": [{"title": "Yes", "payload": "/affirm"}]}
NUMBERS = {  # more than fit into lists
    "text": "Which day?",
    "buttons": [{"title": f"Day {n}", "payload": f"/day{n}"} for n in range(120)],
}
# dialled, and what WhatsApp answers: Brazil without its 9, Mexico and Argentina with theirs
COUNTRIES = [
    pytest.param("5511987654321", "551187654321", id="Brazil"),
    pytest.param("525512345678", "5215512345678", id="Mexico"),
    pytest.param("541112345678", "5491112345678", id="Argentina"),
]
OLD, NEW = "16505550001", "16505550002"
U_OLD, U_NEW = "IN.2081978709342942", "IN.99999999342942"
P_OLD, P_NEW = "IN.ENT.11815799212886844830", "IN.ENT.22815799212886844830"


def tells(
    number: str | None = None, user_id: str | None = None, *, n: int = 1, **more: Any
) -> dict[str, Any]:
    """Return what a change says when somebody writes; as WhatsApp does since April 2026."""
    contact: dict[str, Any] = {"profile": {"name": "Sheena"}}
    message: dict[str, Any] = {"id": f"wamid.in{n}", "timestamp": str(1_790_000_000 + n)}
    if number:
        contact["wa_id"] = message["from"] = number
    if user_id:
        contact["user_id"] = message["from_user_id"] = user_id
    message |= {"type": "text", "text": {"body": "hi"}, **more}
    return {"contacts": [contact], "messages": [message]}


def taps(number: str | None = None, user_id: str | None = None, *, n: int = 1) -> dict[str, Any]:
    reply = {"type": "button_reply", "button_reply": {"id": "/affirm", "title": "Yes"}}
    return tells(number, user_id, n=n, type="interactive", interactive=reply)


def system(n: int = 50, **system: Any) -> dict[str, Any]:
    sender = {name: system.pop(name) for name in ("from_", "from_user_id") if name in system}
    message = {
        "id": f"wamid.sys{n}",
        "timestamp": str(1_790_000_000 + n),
        "type": "system",
        "system": system,
        **{name.rstrip("_"): value for name, value in sender.items()},
    }
    return {"messages": [message]}


def status(word: str, message_id: str, **more: Any) -> dict[str, Any]:
    return {
        "statuses": [{"id": message_id, "status": word, "timestamp": "1790000001", **more}],
    }


# A number that WhatsApp writes otherwise


@pytest.mark.parametrize(("dialled", "wa_id"), COUNTRIES)
async def test_who_is_written_to_first_taps_in_the_same_conversation(chat: OneChat, dialled, wa_id):
    chat.platform.contacts[dialled] = [{"input": dialled, "wa_id": wa_id}]
    await chat.says(dialled, BUTTONS)

    await chat.webhook(taps(wa_id))

    assert chat.heard == [(dialled, "/affirm")]


@pytest.mark.parametrize(("dialled", "wa_id"), COUNTRIES)
async def test_what_waits_for_the_window_follows_when_they_write(chat: OneChat, dialled, wa_id):
    chat.platform.contacts[dialled] = [{"input": dialled, "wa_id": wa_id}]
    template = {"name": "hello", "language": "en"}
    await chat.says(
        dialled, {"text": "Your order", "metadata": {"whatsapp": {"template": template}}}
    )
    assert [body["type"] for body in chat.sent] == ["template"]

    await chat.webhook(tells(wa_id))

    assert chat.sent[-1]["text"] == {"body": "Your order"}
    assert chat.names == {dialled}


async def test_a_status_is_enough_where_the_answer_names_nobody(chat: OneChat):
    chat.platform.contacts["5511987654321"] = []
    await chat.says("5511987654321", BUTTONS)
    await chat.webhook(status("sent", "wamid.out1", recipient_id="551187654321"))

    await chat.webhook(taps("551187654321"))

    assert chat.heard == [("5511987654321", "/affirm")]


async def test_the_contact_of_a_status_is_a_name_too(chat: OneChat):
    await chat.says(OLD, BUTTONS)
    contact = {"profile": {"name": "Sheena", "username": "@sheena"}, "user_id": U_OLD}
    seen = status("delivered", "wamid.out1", recipient_id=OLD)
    await chat.webhook({"contacts": [contact], **seen})

    await chat.webhook(taps(None, U_OLD))

    assert chat.heard == [(OLD, "/affirm")]


async def test_the_user_id_of_the_answer_is_a_name_too(chat: OneChat):
    chat.platform.contacts[OLD] = [{"input": OLD, "wa_id": OLD, "user_id": U_OLD}]
    await chat.says(OLD, BUTTONS)

    await chat.webhook(taps(None, U_OLD))

    assert chat.heard == [(OLD, "/affirm")]


async def test_a_typed_number_is_what_was_offered_under_it(chat: OneChat):
    chat.platform.contacts["5511987654321"] = [{"input": "5511987654321", "wa_id": "551187654321"}]
    await chat.says("5511987654321", NUMBERS)

    await chat.webhook(tells("551187654321", text={"body": "112"}))

    assert chat.heard == [("5511987654321", "/day111")]


async def test_who_wrote_before_keeps_that_conversation_when_dialled_otherwise(chat: OneChat):
    dialled, wa_id = "5511987654321", "551187654321"
    chat.platform.contacts[dialled] = [{"input": dialled, "wa_id": wa_id}]
    await chat.webhook(tells(wa_id, n=1))
    await chat.says(dialled, BUTTONS)

    await chat.webhook(taps(wa_id, n=2))
    await chat.says(dialled, {"text": "Thanks"})

    assert chat.heard == [(wa_id, "hi"), (wa_id, "/affirm")]


async def test_what_waits_under_the_other_number_goes_as_well(chat: OneChat, clock):
    """The person wrote long ago; what the bot says now waits under the number it dialled."""
    dialled, wa_id = "5511987654321", "551187654321"
    chat.platform.contacts[dialled] = [{"input": dialled, "wa_id": wa_id}]
    await chat.webhook(tells(wa_id, n=1))
    clock.now += 3 * DAY
    template = {"name": "hello", "language": "en"}
    await chat.says(
        dialled, {"text": "Your order", "metadata": {"whatsapp": {"template": template}}}
    )

    await chat.webhook(tells(wa_id, n=int(3 * DAY)))

    assert chat.sent[-1]["text"] == {"body": "Your order"}
    assert chat.names == {wa_id}


async def test_the_answer_about_a_group_names_nobody(chat: OneChat):
    group = "Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD"
    chat.platform.contacts[group] = [{"input": group, "wa_id": OLD}]
    await chat.says(group, {"text": "Hello all"})
    seen = status("read", "wamid.out1", recipient_id=group, recipient_type="group")
    seen["statuses"][0]["recipient_participant_user_id"] = U_OLD
    await chat.webhook({"contacts": [{"wa_id": OLD, "user_id": U_OLD}], **seen})

    await chat.webhook(tells(OLD, U_OLD))

    assert chat.names == {OLD}
    assert chat.addresses == [{"to": group}]


# As bot authors write them


SPELLINGS = [
    "+49 151 12345678",
    "0049 151 12345678",
    "whatsapp:+4915112345678",
    "WhatsApp: +49 151 12345678",
    "%2B4915112345678",
    "%2B49%20151%2012345678",
    "+49 (151) 1234-5678",
    "+49 (0)151 12345678",
    " 4915112345678 ",
    "tel:+49-151-12345678",
    "4915112345678@s.whatsapp.net",
    4915112345678,
]


@pytest.mark.parametrize("written", SPELLINGS)
async def test_a_number_is_one_person_however_it_is_written(chat: OneChat, written):
    await chat.says(written, BUTTONS)

    await chat.webhook(taps("4915112345678"))

    assert chat.addresses == [{"to": "4915112345678"}]
    assert chat.heard == [("4915112345678", "/affirm")]


async def test_a_second_number_of_ours_stays_behind_the_name(chat: OneChat):
    await chat.says("whatsapp:+49 151 12345678@206540352242922", BUTTONS)

    assert chat.addresses == [{"to": "4915112345678"}]
    sent = await chat.store.ledger.get("wamid.out1")
    assert sent.recipient_id == "4915112345678@206540352242922"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "there is no recipient"),
        ("   ", "there is no recipient"),
        (None, "there is no recipient"),
        ("default", "7 characters that are no phone number"),
        ("0151 12345678", "needs its country's code"),
        ("4" * 5000, "no phone number"),
        ("4915112345678\x00", "no phone number"),
        ("Grüße an Ada", "no phone number"),
        ("٤٩١٥١١٢٣٤٥٦٧٨", "no phone number"),
        ("US.ÄÖ", "no phone number"),
        ("\ud83d", "no phone number"),
        (["4915112345678"], "there is no recipient"),
        (True, "there is no recipient"),
        (2**70, "there is no recipient"),
        ("1234", "4 digits are no phone number"),
        ("1234567890123456", "16 digits are no phone number"),
    ],
)
async def test_what_is_said_to_nobody_is_a_dead_letter_with_its_reason(
    chat: OneChat, caplog, written, reason
):
    await chat.says(written, {"text": "Hello", "utter_action": "utter_greet"})
    await chat.says("4915112345678", {"text": "Hello you"})

    (dead,) = await chat.store.outbox.dead_letters()
    assert reason in dead.reason
    assert "Hello" in str(dead.body)
    assert [body["text"]["body"] for body in chat.sent] == ["Hello you"]
    (line,) = [record for record in caplog.records if "recipient_refused" in record.message]
    assert line.levelno == logging.ERROR
    assert "utter_greet" in line.message
    assert reason in line.message


async def test_another_spelling_is_said_in_the_log_without_the_number(chat: OneChat, caplog):
    await chat.says("+49 151 12345678", {"text": "Hello", "utter_action": "utter_greet"})

    (line,) = [each for each in caplog.messages if "recipient_renamed" in each]
    assert "sender_id" in line
    assert "151" not in line


async def test_in_a_turn_the_name_of_the_conversation_stands_as_it_is(chat: OneChat):
    await chat.says("15550002222~1757000000", {"text": "Hello"}, turn="wamid.in1")

    assert chat.addresses == [{"to": "15550002222"}]


async def test_both_ids_are_sent_where_both_are_known(chat: OneChat):
    await chat.webhook(tells(OLD, U_OLD))

    await chat.says(OLD, {"text": "Hello"}, turn="wamid.in1")

    assert chat.addresses == [{"to": OLD, "recipient": U_OLD}]


# Changes

BOTH = {"user_id": U_NEW, "wa_id": NEW}


def update(**more: Any) -> dict[str, Any]:
    return {
        "field": "user_id_update",
        "value": {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": "15550783881",
                "phone_number_id": "106540352242922",
            },
            "contacts": [{"profile": {"name": "Sheena"}}],
            "user_id_update": [
                {
                    "detail": "User id for Sheena has been updated.",
                    "timestamp": "1790000060",
                    **more,
                }
            ],
        },
    }


# Known as (number, user id, parent), the news, then writing as the same three; answered at.
CHANGES = [
    pytest.param(
        (OLD, None, None),
        system(type="user_changed_number", body="…", from_=OLD, wa_id=NEW),
        (NEW, None, None),
        {"to": NEW},
        id="a number",
    ),
    pytest.param(
        (OLD, None, None),
        system(type="user_changed_number", body="…", from_=OLD, new_wa_id=NEW),
        (NEW, None, None),
        {"to": NEW},
        id="a number as on-premises tells",
    ),
    pytest.param(
        (OLD, None, None),
        system(type="customer_changed_number", body="…", customer=OLD, wa_id=NEW),
        (NEW, None, None),
        {"to": NEW},
        id="a number of a customer, without a sender",
    ),
    pytest.param(
        (None, U_OLD, None),
        system(type="user_changed_number", previous_user_id=U_OLD, **BOTH),
        (NEW, U_NEW, None),
        {"to": NEW, "recipient": U_NEW},
        id="a number of somebody known by user id",
    ),
    pytest.param(
        (None, U_OLD, None),
        system(type="user_changed_number", previous_user_id=U_OLD, user_id=U_NEW, wa_id=NEW),
        (NEW, None, None),
        {"to": NEW, "recipient": U_NEW},
        id="a number of somebody known by user id, who then shows only the number",
    ),
    pytest.param(
        (OLD, U_OLD, None),
        system(type="user_changed_number", from_=OLD, previous_user_id=U_OLD, **BOTH),
        (None, U_NEW, None),
        {"to": NEW, "recipient": U_NEW},
        id="both, who then hides the number",
    ),
    pytest.param(
        (None, U_OLD, None),
        system(type="user_changed_user_id", previous_user_id=U_OLD, user_id=U_NEW),
        (None, U_NEW, None),
        {"recipient": U_NEW},
        id="a user id without a sender",
    ),
    pytest.param(
        (None, None, P_OLD),
        system(
            type="user_changed_user_id",
            previous_user_id=U_OLD,
            user_id=U_NEW,
            previous_parent_user_id=P_OLD,
            parent_user_id=P_NEW,
        ),
        (None, U_NEW, None),
        {"recipient": U_NEW},
        id="a user id of somebody known by the parent's",
    ),
    pytest.param(
        (None, U_OLD, P_OLD),
        system(
            type="user_changed_user_id",
            previous_parent_user_id=P_OLD,
            parent_user_id=P_NEW,
        ),
        (None, None, P_NEW),
        {"recipient": P_NEW},
        id="the parent's user id alone",
    ),
    pytest.param(
        (None, U_OLD, None),
        system(
            type="user_changed_user_id",
            body=f"User Sheena changed from {U_OLD} to {U_NEW}",
            user_id=U_NEW,
        ),
        (None, U_NEW, None),
        {"recipient": U_NEW},
        id="a user id whose old one stands in the text",
    ),
    pytest.param(
        (OLD, None, None),
        system(type="user_changed_number", body=f"User Sheena changed from {OLD} to {NEW}"),
        (NEW, None, None),
        {"to": NEW},
        id="a number, in the text alone",
    ),
    pytest.param(
        (OLD, U_OLD, None),
        system(type="user_changed_user_id", body="…", from_=OLD, user_id=U_NEW),
        (None, U_NEW, None),
        {"recipient": U_NEW},
        id="a user id of somebody with a number",
    ),
    pytest.param(
        (OLD, U_OLD, None),
        update(wa_id=OLD, user_id={"previous": U_OLD, "current": U_NEW}),
        (None, U_NEW, None),
        {"to": OLD, "recipient": U_NEW},
        id="a user id in a field of its own",
    ),
    pytest.param(
        (None, None, P_OLD),
        update(
            user_id={"previous": U_OLD, "current": U_NEW},
            parent_user_id={"previous": P_OLD, "current": P_NEW},
        ),
        (None, U_NEW, None),
        {"recipient": U_NEW},
        id="a user id in a field of its own, known by the parent's",
    ),
]


def who(number: str | None, user_id: str | None, parent: str | None, **more: Any) -> dict[str, Any]:
    said = tells(number, user_id, **more)
    if parent:
        said["messages"][0]["from_parent_user_id"] = parent
        said["contacts"][0]["parent_user_id"] = parent
    return said


async def deliver(chat: OneChat, news: dict[str, Any]) -> None:
    if "field" in news:
        await chat.body({"object": "whatsapp_business_account", "entry": [{"changes": [news]}]})
    else:
        await chat.webhook(news)


TAP: dict[str, Any] = {
    "type": "interactive",
    "interactive": {"type": "button_reply", "button_reply": {"id": "/affirm", "title": "Yes"}},
}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(("before", "news", "after", "address"), CHANGES)
async def test_a_conversation_goes_on_under_every_new_id(
    chat: OneChat, before, news, after, address, times
):
    await chat.webhook(who(*before))
    (name,) = chat.names
    await chat.says(name, BUTTONS, turn="wamid.in1")
    for _ in range(times):
        await deliver(chat, news)

    await chat.says(name, {"text": "Still there?"}, turn="wamid.reminder")
    await chat.webhook(who(*after, n=60, **TAP))

    assert chat.addresses[-1] == address
    assert chat.heard == [(name, "hi"), (name, "/affirm")]


@pytest.mark.parametrize(("before", "news", "after", "address"), CHANGES)
async def test_news_that_is_later_than_the_first_message_brings_them_together(
    chat: OneChat, before, news, after, address
):
    await chat.webhook(who(*before))
    (name,) = chat.names
    await chat.webhook(who(*after, n=40))
    await deliver(chat, news)

    await chat.webhook(who(*after, n=60))

    assert chat.heard[-1] == (name, "hi")


@pytest.mark.parametrize(("before", "news", "after", "address"), CHANGES)
async def test_who_was_written_to_and_has_not_answered_is_followed_too(
    chat: OneChat, before, news, after, address
):
    name, *more = filter(None, before)
    contact = dict(zip(("user_id", "parent_user_id"), more, strict=False))
    await chat.says(name, BUTTONS)
    await chat.webhook({"contacts": [contact], **status("sent", "wamid.out1")})
    await deliver(chat, news)

    await chat.webhook(who(*after, n=60, **TAP))

    assert chat.heard == [(name, "/affirm")]


async def test_news_without_user_ids_finds_who_has_written_with_new_ones(chat: OneChat):
    await chat.webhook(tells(OLD, U_OLD, n=1))
    await chat.webhook(tells(NEW, U_NEW, n=2))
    await chat.webhook(system(10, type="user_changed_number", from_=OLD, wa_id=NEW))

    await chat.webhook(tells(NEW, U_NEW, n=20))

    assert chat.heard[-1] == (OLD, "hi")


async def test_the_window_is_open_whichever_conversation_they_wrote_in(chat: OneChat, clock):
    await chat.webhook(tells(OLD, n=1))
    clock.now += 3 * DAY
    later = int(3 * DAY)
    await chat.webhook(tells(NEW, n=later))
    await chat.webhook(system(later, type="user_changed_number", from_=OLD, wa_id=NEW))

    await chat.says(OLD, {"text": "Your order"}, turn=f"wamid.in{later}")

    assert chat.addresses == [{"to": NEW}]


async def test_both_spellings_of_a_number_are_given_up_with_it(chat: OneChat):
    dialled, wa_id = "5511987654321", "551187654321"
    chat.platform.contacts[dialled] = [{"input": dialled, "wa_id": wa_id}]
    await chat.says(dialled, BUTTONS)
    await chat.webhook(taps(wa_id))
    await chat.webhook(system(10, type="user_changed_number", from_=wa_id, wa_id=NEW))

    await chat.webhook(tells(wa_id, "BR.777", n=20))
    await chat.webhook(tells(NEW, n=21))

    assert [name for name, _ in chat.heard] == [dialled, f"{wa_id}~1790000010", dialled]


async def test_a_new_user_id_gives_up_no_spelling_of_the_number(chat: OneChat):
    dialled, wa_id = "5511987654321", "551187654321"
    chat.platform.contacts[dialled] = [{"input": dialled, "wa_id": wa_id, "user_id": U_OLD}]
    await chat.says(dialled, BUTTONS)
    await deliver(chat, update(wa_id=wa_id, user_id={"previous": U_OLD, "current": U_NEW}))

    await chat.says("+55 11 98765-4321", {"text": "Still there?"})
    await chat.webhook(tells(dialled, n=60, **TAP))

    assert chat.addresses[-1] == {"to": wa_id, "recipient": U_NEW}
    assert chat.heard == [(dialled, "/affirm")]


async def test_news_that_is_later_than_a_message_with_the_old_user_id_gives_the_number_up(
    chat: OneChat,
):
    await chat.webhook(tells(OLD, U_OLD, n=1))
    await chat.webhook(tells(NEW, U_OLD, n=2))
    await chat.webhook(system(10, type="user_changed_number", from_=OLD, wa_id=NEW))

    await chat.webhook(tells(OLD, "US.777", n=20))

    assert chat.heard[-1][0] == f"{OLD}~1790000010"


async def test_news_without_a_time_counts(chat: OneChat):
    third = "16505550003"
    await chat.webhook(tells(OLD))
    await chat.webhook(system(10, type="user_changed_number", from_=OLD, wa_id=NEW))
    timeless = system(20, type="user_changed_number", from_=NEW, wa_id=third)
    del timeless["messages"][0]["timestamp"]
    await chat.webhook(timeless)

    await chat.webhook(tells(third, n=30))

    assert chat.names == {OLD}


async def test_old_news_does_not_undo_newer(chat: OneChat):
    third = "16505550003"
    await chat.webhook(tells(OLD))
    first = system(10, type="user_changed_number", from_=OLD, wa_id=NEW)
    await chat.webhook(first)
    await chat.webhook(system(20, type="user_changed_number", from_=NEW, wa_id=third))

    await chat.webhook(first)
    await chat.webhook(tells(third, n=30))
    await chat.says(OLD, {"text": "Hello"}, turn="wamid.in30")

    assert chat.names == {OLD}
    assert chat.addresses[-1] == {"to": third}


async def test_news_twice_does_not_take_the_chat_of_the_next_owner(chat: OneChat):
    await chat.webhook(tells(OLD))
    news = system(10, type="user_changed_number", from_=OLD, wa_id=NEW)
    await chat.webhook(news)
    await chat.webhook(tells(OLD, "US.777", n=20))
    await chat.webhook(news)

    await chat.webhook(tells(OLD, "US.777", n=21))
    await chat.webhook(tells(NEW, n=22))

    stranger = f"{OLD}~1790000010"
    assert [name for name, _ in chat.heard] == [OLD, stranger, stranger, OLD]


async def test_a_late_status_does_not_give_the_number_back(chat: OneChat):
    await chat.webhook(tells(OLD))
    await chat.says(OLD, {"text": "Hello"}, turn="wamid.in1")
    await chat.webhook(system(10, type="user_changed_number", from_=OLD, wa_id=NEW))
    await chat.webhook(status("read", "wamid.out1", recipient_id=OLD))

    await chat.webhook(tells(OLD, "US.777", n=20))

    assert chat.heard[-1][0] != OLD


async def test_a_late_status_does_not_lead_answers_to_the_old_number(chat: OneChat):
    await chat.webhook(tells(OLD, U_OLD))
    await chat.says(OLD, {"text": "Hello"}, turn="wamid.in1")
    await chat.webhook(system(10, type="user_changed_user_id", from_=OLD, user_id=U_NEW))
    await chat.webhook(status("read", "wamid.out1", recipient_id=OLD, recipient_user_id=U_OLD))

    await chat.says(OLD, {"text": "Still there?"}, turn="wamid.in2")

    assert chat.addresses[-1] == {"recipient": U_NEW}


async def test_a_failure_is_heard_in_the_conversation_that_goes_on(chat: OneChat):
    dialled, wa_id = "5511987654321", "551187654321"
    chat.platform.contacts[dialled] = [{"input": dialled, "wa_id": wa_id}]
    await chat.webhook(tells(wa_id, n=1))
    await chat.says(dialled, {"text": "Hello"})
    error = {"code": 131026, "title": "Message undeliverable"}
    await chat.webhook(status("failed", "wamid.out1", recipient_id=wa_id, errors=[error]))

    assert [name for name, _ in chat.heard] == [wa_id, wa_id]


async def test_a_name_cannot_lead_into_the_chat_of_somebody_else(chat: OneChat):
    await chat.webhook(tells(None, "US.1111111111", n=1))
    named = f"x changed from US.1111111111 to {U_NEW}"
    body = f"User {named} changed from {U_OLD} to {U_NEW}"
    await chat.webhook(system(10, type="user_changed_user_id", body=body, user_id=U_NEW))

    await chat.webhook(tells(None, U_NEW, n=20))

    assert chat.heard[-1] == (U_NEW, "hi")


async def test_a_text_that_disagrees_with_what_is_told_beside_it_is_not_followed(chat: OneChat):
    await chat.webhook(tells(None, "US.1111111111", n=1))
    body = "User x changed from US.1111111111 to US.2222222222"
    await chat.webhook(system(10, type="user_changed_user_id", body=body, user_id=U_NEW))

    await chat.webhook(tells(None, U_NEW, n=20))

    assert chat.heard[-1] == (U_NEW, "hi")


async def test_another_phone_of_the_same_person_changes_nothing(chat: OneChat):
    await chat.webhook(tells(OLD))
    await chat.webhook(
        system(
            type="customer_identity_changed",
            body="…",
            identity="sha256",
            customer=OLD,
            wa_id=OLD,
            from_=OLD,
        )
    )

    await chat.webhook(tells(OLD, n=60))

    assert chat.names == {OLD}


async def test_the_next_owner_of_a_number_does_not_bring_the_user_id_of_the_first(chat: OneChat):
    """Both wrote; one gave the number up unsaid. Only the number changes hands."""
    await chat.webhook(tells(OLD, "US.111", n=1))
    await chat.webhook(tells(None, "US.222", n=2))
    await chat.webhook(tells(OLD, "US.222", n=3))

    await chat.webhook(tells(None, "US.111", n=4))
    await chat.webhook(tells(OLD, None, n=5))

    names = [name for name, _ in chat.heard]
    assert names == [OLD, "US.222", "US.222", OLD, "US.222"]

    await chat.says(OLD, {"text": "For the first only"}, turn="wamid.in4")
    assert chat.addresses == [{"recipient": "US.111"}]


async def test_who_had_the_new_number_long_before_stays_somebody_else(chat: OneChat, clock):
    await chat.webhook(tells(NEW, "US.222", n=1))
    clock.now += 2 * DAY
    later = int(2 * DAY)
    await chat.webhook(tells(OLD, "US.111", n=later))
    await chat.webhook(system(later, type="user_changed_number", from_=OLD, wa_id=NEW))

    await chat.webhook(tells(None, "US.222", n=later + 2))
    await chat.webhook(tells(NEW, "US.333", n=later + 3))

    assert [name for name, _ in chat.heard] == [NEW, OLD, NEW, OLD]
    await chat.says(NEW, {"text": "For who had it before"}, turn="wamid.in20")
    assert chat.addresses == [{"recipient": "US.222"}]


# What can be no id

HOSTILE = [
    "4" * 5000,
    "Größe",
    "4915\x00112",
    "\ud83d",
    " ",
    "",
    None,
    True,
    1.5,
    2**80,
    [],
    {"a": 1},
    "a b",
    "US.12 34",
]


@pytest.mark.parametrize("value", HOSTILE)
async def test_odd_ids_of_an_answer_are_left_away(chat: OneChat, value):
    contact = {"input": OLD, "wa_id": value, "user_id": value}
    chat.platform.contacts[OLD] = [contact]
    await chat.says(OLD, BUTTONS)

    await chat.webhook(taps(OLD))

    assert chat.heard == [(OLD, "/affirm")]


@pytest.mark.parametrize("contacts", [None, [], {}, "x", ["x"], [None], [[]], 3])
async def test_an_answer_with_odd_contacts_is_an_answer(chat: OneChat, contacts):
    chat.platform.contacts[OLD] = contacts
    await chat.says(OLD, BUTTONS)

    await chat.webhook(taps(OLD))

    assert chat.heard == [(OLD, "/affirm")]
    assert await chat.store.outbox.dead_letters() == []


@pytest.mark.parametrize("value", HOSTILE)
async def test_odd_ids_of_webhooks_hold_nobody_up(chat: OneChat, caplog, value):
    odd = tells(OLD, U_OLD, n=1)
    odd["messages"][0]["from"] = odd["contacts"][0]["wa_id"] = value
    odd["messages"][0]["from_parent_user_id"] = value
    await chat.says(OLD, {"text": "Hello"})
    await chat.webhook(
        odd,
        status("read", "wamid.out1", recipient_id=value, recipient_user_id=value),
        system(
            2, type="user_changed_number", from_=OLD, wa_id=value, user_id=value, customer=value
        ),
        system(3, type="user_changed_user_id", previous_user_id=value, user_id=U_NEW),
        tells(NEW, n=4),
    )
    await deliver(chat, update(wa_id=value, user_id={"previous": value, "current": value}))

    assert chat.heard == [(U_OLD, "hi"), (NEW, "hi")]
    if value not in (None, ""):
        lines = [line for line in caplog.messages if "odd_id" in line]
        assert lines
        assert not any(str(value) in line for line in lines if len(str(value)) > 4)


@pytest.mark.parametrize("value", [value for value in HOSTILE if value])
async def test_a_message_from_nobody_is_kept_with_its_reason(chat: OneChat, value):
    odd = tells(OLD, n=1)
    odd["messages"][0]["from"] = odd["contacts"][0]["wa_id"] = value
    await chat.webhook(odd, tells(NEW, n=2))

    (dead,) = await chat.store.inbox.dead_letters()
    assert "without a sender" in dead.reason
    assert chat.heard == [(NEW, "hi")]


async def test_ids_as_json_numbers_are_ids(chat: OneChat):
    odd = tells(OLD, n=1)
    odd["messages"][0]["from"] = odd["contacts"][0]["wa_id"] = int(OLD)
    chat.platform.contacts[OLD] = [{"input": OLD, "wa_id": int(NEW)}]
    await chat.webhook(odd)
    await chat.says(OLD, {"text": "Hello"})
    await chat.webhook(tells(NEW, n=2))

    assert chat.heard == [(OLD, "hi"), (OLD, "hi")]


@pytest.mark.parametrize("value", ["4" * 5000, "Größe", "wamid.\x00\n", "\ud83d", 12345, 2**80])
async def test_odd_ids_of_messages_hold_nobody_up(chat: OneChat, value):
    odd = tells(OLD, n=1, context={"id": value, "from": value})
    odd["messages"][0]["id"] = value
    await chat.webhook(odd, status("read", value, recipient_id=OLD), tells(OLD, n=2))

    assert len(chat.heard) + len(await chat.store.inbox.dead_letters()) == 2
    assert chat.heard[-1] == (OLD, "hi")
