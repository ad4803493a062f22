"""From a response to the outbox, and back: what a person taps or types in answer to it."""

from __future__ import annotations

import logging

import pytest

from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.inbound.worker import InboxWorker
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, ON_PREMISES
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, to_body

PHONE = "4915112345678"
MANY = [{"title": f"Tea {number}", "payload": f"/tea{number}"} for number in range(1, 121)]
LONG = '/order{"items": "' + "tea, " * 60 + '"}'


class Chat:
    """One person and the bot; *answers* are the responses of the bot's next turns."""

    def __init__(self, office):
        self.office = office
        self.heard = []
        self.answers = []
        self._count = 0
        self._worker = InboxWorker(
            office.client, office.store, self._bot, media=None, mark_read=False, typing=False
        )

    async def _bot(self, turn, *, repeated):
        self.heard.append(turn.text)
        for response in self.answers.pop(0) if self.answers else []:
            await self.outbox_writer(turn.message_id).write(PHONE, response)
        await self.office.run()

    def outbox_writer(self, turn_id=None, *, composer=None, **options):
        return OutboxWriter(
            self.office.store,
            composer or Composer(CLOUD),
            turn_id=turn_id,
            clock=self.office.clock,
            **options,
        )

    async def type(self, text, *answers):
        await self.arrive("text", {"body": text}, *answers)

    async def tap(self, button_id, title="Yes"):
        reply = {"type": "button_reply", "button_reply": {"id": button_id, "title": title}}
        await self.arrive("interactive", reply)

    async def arrive(self, kind, content, *answers):
        self._count += 1
        self.answers.append(answers)
        event = InboundMessage(f"wamid.in{self._count}", kind, phone=PHONE, content=content)
        self.last = event
        await self.hear(event)

    async def hear(self, event):
        await self.office.store.inbox.put(f"{event.id}:{len(self.heard)}", PHONE, to_body(event))
        item = await self.office.store.inbox.claim()
        await self._worker.handle(item)
        await self.office.store.inbox.done(item)

    async def bodies(self):
        """Return what stands in the outbox."""
        bodies = []
        while item := await self.office.store.outbox.claim():
            bodies.append(item.body)
            await self.office.store.outbox.done(item)
        return bodies


@pytest.fixture
def chat(office):
    return Chat(office)


# numbers


@pytest.mark.parametrize("typed", ["7", " 7 ", "7.", "7)", "٧", "007"])
async def test_a_number_that_is_typed_after_numbered_options_is_what_it_stands_for(chat, typed):
    await chat.type("menu", {"text": "Which?", "buttons": MANY})
    assert "7. Tea 7" in chat.office.texts()[0]

    await chat.type(typed)

    assert chat.heard[-1] == "/tea7"


@pytest.mark.parametrize("typed", ["121", "0", "-7", "7 please", "tea", "1000000000000"])
async def test_anything_else_is_what_was_typed(chat, typed):
    await chat.type("menu", {"text": "Which?", "buttons": MANY})

    await chat.type(typed)

    assert chat.heard[-1] == typed


async def test_a_number_is_a_number_where_none_were_offered(chat):
    await chat.type("7")

    assert chat.heard == ["7"]


async def test_numbers_are_over_when_the_bot_has_said_something_else(chat):
    await chat.type("menu", {"text": "Which?", "buttons": MANY})
    await chat.type("hello", {"text": "How many?"})

    await chat.type("7")

    assert chat.heard[-1] == "7"


async def test_the_newest_numbers_count(chat):
    few = {"text": "Sure?", "button_type": "numbers", "buttons": MANY[10:12]}
    await chat.type("menu", {"text": "Which?", "buttons": MANY}, {"text": "Take your time"})
    await chat.type("2", few)

    await chat.type("2")
    await chat.type("3")

    assert chat.heard[1:] == ["/tea2", "/tea12", "3"]


async def test_a_turn_that_is_repeated_reads_its_number_as_the_first_time(chat):
    await chat.type("menu", {"text": "Which?", "buttons": MANY})
    await chat.type("2", {"text": "Good choice"})

    chat.answers.append([{"text": "Good choice"}])
    await chat.hear(chat.last)

    assert chat.heard[1:] == ["/tea2", "/tea2"]


async def test_numbers_end_after_a_day(chat, clock):
    await chat.type("menu", {"text": "Which?", "buttons": MANY})
    clock.now += DAY + 1

    await chat.type("2")

    assert chat.heard[-1] == "2"


# payloads


async def test_a_long_payload_comes_back_whole_when_it_is_tapped_weeks_later(chat, clock):
    await chat.type("order", {"text": "Order?", "buttons": [{"title": "Yes", "payload": LONG}]})
    ((_, body),) = chat.office.client.sent
    button = body["interactive"]["action"]["buttons"][0]["reply"]
    clock.now += 30 * DAY

    await chat.tap(button["id"])

    assert len(button["id"]) <= 20
    assert chat.heard[-1] == LONG


async def test_a_short_id_that_is_typed_is_only_a_text(chat):
    await chat.type("order", {"text": "Order?", "buttons": [{"title": "Yes", "payload": LONG}]})
    ((_, body),) = chat.office.client.sent
    short = body["interactive"]["action"]["buttons"][0]["reply"]["id"]

    await chat.type(short)
    await chat.type("/tea1")

    assert chat.heard[1:] == [short, "tea1"]


# quotes, templates, changes


async def test_the_first_message_quotes_the_user_on_request(chat):
    response = {"text": "Yes", "metadata": {"whatsapp": {"reply_to": True}}}

    await chat.outbox_writer("wamid.in1").write(PHONE, response)

    (body,) = await chat.bodies()
    assert body["message"]["context"] == {"message_id": "wamid.in1"}


@pytest.mark.parametrize("turn_id", [None, "failed:4:131026"])
async def test_what_answers_no_message_quotes_none(chat, turn_id):
    response = {"text": "Yes", "metadata": {"whatsapp": {"reply_to": True}}}

    await chat.outbox_writer(turn_id).write(PHONE, response)

    (body,) = await chat.bodies()
    assert "context" not in body["message"]


async def test_all_messages_of_a_response_share_the_template_for_a_closed_window(chat):
    template = {"name": "we_shipped", "language": "en", "body": ["Ada"]}
    response = {
        "text": "It is on its way",
        "attachment": {"type": "audio", "id": "1"},
        "metadata": {"whatsapp": {"template": template}},
    }

    await chat.outbox_writer("wamid.in1").write(PHONE, response)

    text, audio = await chat.bodies()
    assert text["template"] == {
        "type": "template",
        "template": {
            "name": "we_shipped",
            "language": {"code": "en"},
            "components": [{"type": "body", "parameters": [{"type": "text", "text": "Ada"}]}],
        },
    }
    assert audio["template"] == text["template"]
    assert audio["template_key"] == text["template_key"]


async def test_a_response_that_is_only_a_template_goes_at_any_time(chat):
    response = {"custom": {"whatsapp": {"template": {"name": "hello", "language": "en"}}}}

    await chat.outbox_writer().write(PHONE, response)

    (body,) = await chat.bodies()
    assert body["message"]["template"]["name"] == "hello"
    assert "template" not in body


async def test_markdown_can_be_switched_off(chat):
    await chat.outbox_writer(composer=Composer(CLOUD, markdown=False)).write(
        PHONE, {"text": "**a**"}
    )
    await chat.outbox_writer().write(PHONE, {"text": "**b**"})

    assert [body["message"]["text"]["body"] for body in await chat.bodies()] == ["**a**", "*b*"]


async def test_each_change_is_a_line_of_the_log_with_the_name_of_the_response(chat, caplog):
    link = {"type": "web_url", "title": "Open", "url": "https://a.example"}
    response = {"utter_action": "utter_shop", "text": "Look", "buttons": [link]}

    await chat.outbox_writer(composer=Composer(ON_PREMISES)).write(PHONE, response)

    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == (
        "whatsapp.changed: utter_shop: the link 'Open' became a line of the text, because "
        "api on_premises has no button for it [WA310]"
    )


@pytest.mark.parametrize(
    ("more", "called"),
    [
        ({}, "message 2 of the turn of wamid.in1"),
        (
            {"utter_source": "action_offer"},
            "a response of action_offer (message 2 of the turn of wamid.in1)",
        ),
    ],
    ids=["Rasa 3.6", "Rasa Pro"],
)
async def test_what_an_action_said_in_its_own_words_is_named_so_that_it_is_found(
    chat, caplog, more, called
):
    writer = chat.outbox_writer("wamid.in1")
    await writer.write(PHONE, {"text": "Look"})

    await writer.write(PHONE, {"text": "", **more})

    (line,) = caplog.messages
    assert line.startswith(f"whatsapp.changed: {called}: ")


# what a simulator is told


@pytest.mark.parametrize("notes", [True, False])
async def test_only_for_a_simulator_an_entry_keeps_what_was_changed(chat, notes):
    response = {
        "utter_action": "utter_long",
        "text": "word " * 1000,
        "image": "https://a.example/b",
    }

    await chat.outbox_writer("wamid.in1", notes=notes).write(PHONE, response)

    bodies = await chat.bodies()
    assert len(bodies) > 1
    for body in bodies:
        assert body["response"] == "utter_long"
        assert ("changes" in body) is notes
        assert not notes or {change["code"] for change in body["changes"]}


async def test_a_simulator_is_told_of_a_response_of_which_nothing_is_left(chat):
    response = {"utter_action": "utter_x", "custom": {"type": "no_such_type"}}
    told = []

    async def tell(dead_letter):
        told.append(dead_letter)

    await chat.outbox_writer("wamid.in1", tell_dead_letter=tell).write(PHONE, response)
    await chat.outbox_writer("wamid.in2", tell_dead_letter=tell).write(PHONE, {"text": "Hello"})

    (lost,) = told
    assert (lost["to"], lost["number"], lost["response"]) == (PHONE, None, "utter_x")
    assert "no_such_type" in lost["reason"]
