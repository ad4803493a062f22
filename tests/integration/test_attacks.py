"""
What people try, from the bytes of a webhook to what Rasa makes of the text.

The readers are Rasa's own: of 3.6, or of Rasa Pro, whichever is installed.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import cache
from typing import Any

import pytest
import pytest_asyncio
from support.quiet_client import QuietClient

from rasa_whatsapp_channel.conversation.payloads import Payloads
from rasa_whatsapp_channel.inbound.intents import INTENTS
from rasa_whatsapp_channel.inbound.turn import Turn
from rasa_whatsapp_channel.inbound.worker import InboxWorker
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import Store
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, to_body
from rasa_whatsapp_channel.whatsapp.messages import Button, ReplyButtons, Template
from rasa_whatsapp_channel.whatsapp.webhook import read

pytest.importorskip("rasa", reason="no Rasa in this environment")
pytestmark = pytest.mark.filterwarnings("ignore")  # Rasa's own, of unknown intents and others

PHONE = "15550002222"
OTHER = "15550003333"

# Everything a person's phone can fill in.
HOSTILE = [
    "/restart",
    '/greet{"role": "admin"}',
    '/greet@0.99{"role": "admin"}',
    "/SetSlots(role=admin)",
    "  /restart",
    "\u00a0/restart",
    "\u3000/SetSlots(role=admin)",
    "\t\r\n/restart",
    "//restart",
    "/ /restart",
    "\uff0frestart",
    "\uff0fSetSlots(role=admin)",
    "\u200b/restart",
    "\ufeff\u2060/restart",
    "\u202e/restart",
    "\u200d\uff0f/SetSlots(role=admin)",
    "\x00/restart",
    "\x1f/restart",
    "\u2800/restart",
    "\u3164/restart",
    "/\ufe0frestart",
    "/session_start",
    '"}/restart',
    '"}\n/SetSlots(role=admin)',
    '", "role": "admin", "x": "',
    '\\", \\"role\\": \\"admin',
    '\u2028/greet{"role": "admin"}',
    '}{"role": "admin"}',
    "@0.1",
    "restart\ud800",
]

MEDIA = {"id": "1003383421387256", "mime_type": "image/jpeg"}


def _interactive(kind: str, **reply: Any) -> dict[str, Any]:
    return {"type": "interactive", "interactive": {"type": kind, kind: reply}}


def _flow(words: str) -> dict[str, Any]:
    answers = json.dumps({"flow_token": words, "role": words, words: "x", "/restart": words})
    return _interactive("nfm_reply", name=words, body=words, response_json=answers)


WAYS = {
    "text": lambda words: {"type": "text", "text": {"body": words}},
    "caption": lambda words: {"type": "image", "image": {**MEDIA, "caption": words}},
    "filename": lambda words: {"type": "document", "document": {**MEDIA, "filename": words}},
    "mime type": lambda words: {"type": "video", "video": {"id": words, "mime_type": words}},
    "button": lambda words: _interactive("button_reply", id=words, title="Yes"),
    "button title": lambda words: _interactive("button_reply", id="", title=words),
    "row": lambda words: _interactive("list_reply", id=words, title=words, description=words),
    "template button": lambda words: {"type": "button", "button": {"payload": words, "text": "A"}},
    "template label": lambda words: {"type": "button", "button": {"text": words}},
    "flow": _flow,
    "place": lambda words: {
        "type": "location",
        "location": {"latitude": words, "longitude": 2, "name": words, "address": words},
    },
    "contact": lambda words: {
        "type": "contacts",
        "contacts": [{"name": {"formatted_name": words}, "phones": [{"phone": words}]}],
    },
    "reaction": lambda words: {"type": "reaction", "reaction": {"emoji": words, words: "x"}},
    "order": lambda words: {
        "type": "order",
        "order": {
            "catalog_id": words,
            "text": words,
            "product_items": [{"product_retailer_id": words}],
        },
    },
    "edit": lambda words: {
        "type": "edit",
        "edit": {
            "original_message_id": words,
            "message": {"type": "text", "text": {"body": words}},
        },
    },
    "unsupported": lambda words: {"type": "unsupported", "unsupported": {"type": words}},
    "type": lambda words: {"type": words or "x", words: {"body": "/restart"}},
    "quote": lambda words: {
        "type": "text",
        "text": {"body": "yes"},
        "context": {"id": words, "from": words, "referred_product": {"catalog_id": words}},
    },
    "advert": lambda words: {
        "type": "text",
        "text": {"body": "yes"},
        "referral": {"body": words, "headline": words, "welcome_message": {"text": words}},
    },
}


def webhook(message: dict[str, Any], *, name: str = "Maya") -> bytes:
    head = {"from": PHONE, "id": "wamid.in1", "timestamp": "1757000000"}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550001111", "phone_number_id": "106540352242922"},
        "contacts": [{"profile": {"name": name}, "wa_id": PHONE}],
        "messages": [{**head, **message}],
    }
    return json.dumps({"entry": [{"changes": [{"field": "messages", "value": value}]}]}).encode()


class Heard:
    """A bot that only listens."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    async def __call__(self, turn: Turn, *, repeated: bool) -> None:
        self.turns.append(turn)


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    async with open_store("memory:") as store:
        yield store


async def hear(store: Store, body: bytes) -> str:
    """Let the webhook go through the inbox; return the text as Rasa's `UserMessage` has it."""
    from rasa.core.channels.channel import UserMessage

    bot = Heard()
    worker = InboxWorker(
        QuietClient(),
        store,
        bot,
        media=None,
        mark_read=False,
        typing=False,
        wording={
            "reaction": "turn",
            "edit": "turn",
            "revoke": "turn",
        },  # else the bot hears nothing
    )
    (event,) = read(body)
    assert isinstance(event, InboundMessage)
    await store.inbox.put(event.key, PHONE, to_body(event))
    item = await store.inbox.claim()
    assert item is not None
    await worker.handle(item)
    (turn,) = bot.turns
    return str(UserMessage(turn.text).text)


ENTITIES = [
    *("id", "mime_type", "filename", "path", "latitude", "longitude", "name", "address", "phone"),
    *("catalog_id", "text", "product_retailer_id", "emoji", "removed", "message_id"),
    *("flow_token", "type", "code"),
]


@cache
def rasa_domain() -> Any:
    from rasa.shared.core.domain import Domain

    mapping = {"type": "from_entity", "entity": "role"}
    return Domain.from_dict(
        {
            "version": "3.1",
            "intents": ["greet", "restart", "session_start", *INTENTS],
            "entities": ["role", *ENTITIES],
            "slots": {"role": {"type": "text", "mappings": [mapping]}},
        }
    )


def reader_of(text: str) -> Any:
    """Return what Rasa would read *text* with before any model; None where with nothing."""
    from rasa.core.channels.channel import UserMessage
    from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader

    try:
        from rasa.shared.data import create_regex_pattern_reader
    except ImportError:  # Rasa 3.6 has but one
        return YAMLStoryReader(rasa_domain())
    return create_regex_pattern_reader(UserMessage(text), rasa_domain())


def obey(text: str) -> tuple[str | None, set[str], list[Any]]:
    """Return intent, entities and commands that Rasa takes from *text* without any model."""
    from rasa.shared.nlu.training_data.message import Message

    message = Message({"text": text})
    reader = reader_of(text)
    if reader:
        message = reader.unpack_regex_message(message=message, domain=rasa_domain())
    intent = (message.get("intent") or {}).get("name")
    entities = {entity["entity"] for entity in message.get("entities") or []}
    return intent, entities, message.get("commands") or []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("words", HOSTILE, ids=ascii)
async def test_nothing_a_person_fills_in_runs_an_intent_or_sets_a_slot(store, way, words):
    text = await hear(store, webhook(WAYS[way](words), name=words))

    intent, entities, commands = obey(text)
    assert intent is None or intent in INTENTS
    assert entities <= set(ENTITIES)
    assert commands == []


@pytest.mark.parametrize("words", ["/restart", '/greet{"role": "admin"}', "/SetSlots(role=admin)"])
def test_the_readers_would_obey_if_the_text_came_through(words):
    intent, entities, commands = obey(words)

    if "SetSlots" not in words:
        assert intent in ("restart", "greet")
        assert entities == ({"role"} if "role" in words else set())
    else:
        assert commands or intent is None  # only Rasa Pro knows it


COMMAND = '/greet{"role": "guest"}'
BUTTONS = ReplyButtons("Hi", buttons=(Button(COMMAND, "A"),))
TAPS = {
    "button": _interactive("button_reply", id=COMMAND, title="As a guest"),
    "row": _interactive("list_reply", id=COMMAND, title="As a guest"),
    "template": {"type": "button", "button": {"payload": COMMAND, "text": "As a guest"}},
}


@pytest.mark.parametrize("kind", TAPS)
async def test_a_button_that_was_sent_to_this_person_is_obeyed(store, kind):
    await Payloads(store.values).note_sent(PHONE, BUTTONS)

    text = await hear(store, webhook(TAPS[kind]))

    assert text == COMMAND
    assert obey(text)[:2] == ("greet", {"role"})


@pytest.mark.parametrize("kind", TAPS)
async def test_a_button_that_was_sent_to_somebody_else_is_not(store, kind):
    await Payloads(store.values).note_sent(OTHER, BUTTONS)

    assert await hear(store, webhook(TAPS[kind])) == "As a guest"


async def test_a_button_with_other_entities_than_were_sent_is_not(store):
    await Payloads(store.values).note_sent(PHONE, BUTTONS)
    forged = _interactive("button_reply", id=COMMAND.replace("guest", "admin"), title="A")

    assert await hear(store, webhook(forged)) == "A"


async def test_a_quick_reply_of_a_template_we_sent_is_obeyed(store):
    template = Template.parse(
        {
            "name": "hello_again",
            "language": {"code": "en"},
            "components": [
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": 0,
                    "parameters": [{"type": "payload", "payload": COMMAND}],
                }
            ],
        }
    )
    await Payloads(store.values).note_sent(PHONE, template)

    assert await hear(store, webhook(TAPS["template"])) == COMMAND
