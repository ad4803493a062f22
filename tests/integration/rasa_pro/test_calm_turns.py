"""
CALM, whole turns through the channel: hangup, silence, handoff, the rephraser and its stream.

The flows begin with intents, so the bot needs no model of language; the rephraser's is a server of
this test.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from support.eventually import eventually
from support.webhooks import echo, texts

pytestmark = [
    pytest.mark.needs("rasa.shared.project_structure:validate_mantle_project_structure"),
    pytest.mark.filterwarnings("ignore"),  # what Rasa Pro's own imports warn of
    pytest.mark.slow,
]

PHONE = "4915112345678"
TOKEN = "a-token-of-the-shop"
HANDOFF = "you want to be connected to a human agent"
ELSE = "Is there anything else I can help you with?"
FILES = {
    "config.yml": """
recipe: default.v1
language: en
additional_languages: [de]
assistant_id: without-a-model
pipeline:
- name: WhitespaceTokenizer
- name: KeywordIntentClassifier
- name: NLUCommandAdapter
policies:
- name: FlowPolicy
""",
    "domain.yml": """
version: "3.1"
intents: [greet, bye, person, whatsapp_image]
responses:
  utter_greet:
  - text: "Hello, **you**"
    buttons:
    - {title: Bye, payload: /bye}
    metadata: {rephrase: false, whatsapp: {footer: "Open all day", image: "https://a.example/l.jpg"}}
  utter_bye:
  - text: "See you"
    metadata: {rephrase: false}
  utter_nice:
  - text: "A nice picture"
  utter_news:
  - text: "News for {name}"
    translation: {de: "Neues für {name}"}
    metadata: {rephrase: false}
  utter_gold:
  - text: "For gold only"
    condition: "slots.level = 'gold'"
""",
    "data/nlu.yml": """
version: "3.1"
nlu:
- {intent: greet, examples: "- hello"}
- {intent: bye, examples: "- goodbye"}
- {intent: person, examples: "- person"}
""",
    "data/flows.yml": """
flows:
  greet:
    description: Greet.
    nlu_trigger: [{intent: greet}]
    steps:
    - action: utter_greet
  bye:
    description: Say goodbye.
    nlu_trigger: [{intent: bye}]
    steps:
    - action: utter_bye
    - action: action_hangup
  person:
    description: Ask for a person.
    nlu_trigger: [{intent: person}]
    steps:
    - link: pattern_human_handoff
  photo:
    description: Thank for a photo.
    nlu_trigger: [{intent: whatsapp_image}]
    steps:
    - action: utter_nice
""",
    "endpoints.yml": "",
    "rephrase.yml": """
nlg:
  type: rephrase
  rephrase_all: true
  llm: {model_group: local}
model_groups:
- id: local
  models:
  - provider: self-hosted
    model: a-model
    api_base: URL/v1
""",
}


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the bot, trained once."""
    folder = tmp_path_factory.mktemp("calm")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
        patch.setenv("RASA_TELEMETRY_ENABLED", "false")
        patch.chdir(folder)
        _configure(folder, "endpoints.yml")
        from rasa import model_training

        trained = asyncio.run(
            model_training.train(
                domain="domain.yml",
                config="config.yml",
                training_files=["data"],
                output=str(folder / "models"),
            )
        )
    shutil.move(trained.model, folder / "model.tar.gz")
    return folder


def _configure(folder: Path, endpoints: str) -> Any:
    from rasa.core.config.configuration import Configuration

    Configuration.initialise_endpoints(folder / endpoints)
    Configuration.initialise_sub_agents(None)
    return Configuration.get_instance().endpoints


@pytest.fixture
def calm(bot: Path, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Serve the channel with the bot, as an async context manager."""
    monkeypatch.chdir(bot)

    @asynccontextmanager
    async def calm(endpoints: str = "endpoints.yml", **settings: Any) -> AsyncIterator[Any]:
        from rasa.core.agent import load_agent

        found = _configure(bot, endpoints)
        agent = await load_agent(str(bot / "model.tar.gz"), endpoints=found)
        settings = {"wait_for_delivered": "none", **settings}
        async with serve(None, agent=lambda _: agent, **settings) as running:
            yield running

    return calm


@pytest.fixture
async def model() -> AsyncIterator[str]:
    """The address of a model of language that puts everything the same way."""

    async def chat(request: web.Request) -> web.StreamResponse:
        asked = await request.json()
        said = "Put **nicely**"
        common = {"id": "1", "created": 1, "model": "a-model"}
        if not asked.get("stream"):
            message = {"role": "assistant", "content": said}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            return web.json_response({**common, "object": "chat.completion", "choices": [choice]})
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        for delta in (*({"content": word} for word in ("Put ", "**nice", "ly**")), {}):
            choice = {"index": 0, "delta": delta, "finish_reason": None if delta else "stop"}
            body = {**common, "object": "chat.completion.chunk", "choices": [choice]}
            await stream.write(f"data: {json.dumps(body)}\n\n".encode())
        await stream.write(b"data: [DONE]\n\n")
        return stream

    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(app)
    await runner.setup()
    sock = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, sock).start()
    yield f"http://127.0.0.1:{sock.getsockname()[1]}"
    await runner.cleanup()


def words(body: dict[str, Any]) -> str:
    part = body[body["type"]]
    return str(part["body"]["text"] if body["type"] == "interactive" else part["body"])


async def notify(running: Any, key: str, response: str = "", **slots: Any) -> Any:
    """Ask for a notification, or without a response how far one came."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Idempotency-Key": key}
    wish = {"to": PHONE, "response": response, "slots": slots}
    url = f"{running.url}/notify"
    async with aiohttp.ClientSession(headers=headers) as shop:
        asked = shop.post(url, json=wish) if response else shop.get(f"{url}/{key}")
        async with asked as answer:
            assert answer.ok, await answer.text()
            return await answer.json()


async def idle(running: Any) -> None:
    while (await running.health())["inbox"]["waiting"]:
        await asyncio.sleep(0.02)


async def test_a_flow_answers_in_order_with_all_that_its_response_has(calm, platform) -> None:
    async with calm() as running:
        await running.deliver(texts("hello"))
        greeting, question = await platform[0].sends(2)

    assert words(greeting) == "Hello, *you*"
    assert greeting["interactive"]["footer"]["text"] == "Open all day"
    assert greeting["interactive"]["header"]["image"] == {"link": "https://a.example/l.jpg"}
    assert words(question) == ELSE


async def test_a_photo_begins_its_flow_as_an_intent(calm, platform) -> None:
    photo = texts("")
    (message,) = photo["entry"][0]["changes"][0]["value"]["messages"]
    message |= {"type": "image", "image": {"id": "1", "mime_type": "image/jpeg"}}
    async with calm() as running:
        await running.deliver(photo)
        nice, _ = await platform[0].sends(2)

    assert words(nice) == "A nice picture"


async def test_after_a_hangup_the_next_message_begins_a_new_conversation(
    calm, platform, caplog
) -> None:
    async with calm() as running:
        await running.deliver(texts("goodbye"))
        await platform[0].sends(1)
        await idle(running)
        assert (await running.agent.tracker_store.retrieve(PHONE)).terminated
        with caplog.at_level(logging.INFO, "rasa_whatsapp_channel"):
            await running.deliver(texts("hello", first=2))
            sent = await platform[0].sends(3)
        old, new = sorted(await running.agent.tracker_store.keys())

    assert [words(body) for body in sent] == ["See you", "Hello, *you*", ELSE]
    assert (old, new.partition("!")[0]) == (PHONE, PHONE)
    assert "whatsapp.conversation_restarted" in caplog.text


async def test_a_paused_conversation_is_silent_until_it_is_resumed(calm, platform, caplog) -> None:
    from rasa.shared.core.events import ConversationPaused, ConversationResumed

    async with calm() as running:
        store = running.agent.tracker_store
        await running.deliver(texts("hello"))
        await platform[0].sends(2)
        await idle(running)
        for event, count in ((ConversationPaused(), 2), (ConversationResumed(), 4)):
            tracker = await store.retrieve(PHONE)
            tracker.update(event)
            await store.save(tracker)
            await running.deliver(texts("hello", first=count))
            await platform[0].sends(count)
            await idle(running)
            assert len(platform[0].sent) == count

    assert "whatsapp.silenced" in caplog.text


async def test_who_asks_for_a_person_hears_what_the_pattern_says(calm, platform) -> None:
    async with calm() as running:
        await running.deliver(texts("person"))
        sent = await platform[0].sends(1)

    assert HANDOFF in words(sent[0])


async def test_what_a_model_rephrases_and_streams_goes_as_one_message(
    calm, bot, model, platform
) -> None:
    (bot / "rephrase-here.yml").write_text(FILES["rephrase.yml"].replace("URL", model))
    async with calm("rephrase-here.yml") as running:
        await running.deliver(texts("hello"))
        sent = await platform[0].sends(2)
        await idle(running)

    assert [words(body) for body in sent] == ["Hello, *you*", "Put *nicely*"]


async def test_a_notification_is_translated_and_rephrased_as_any_response(
    calm, bot, model, platform
) -> None:
    (bot / "rephrase-here.yml").write_text(FILES["rephrase.yml"].replace("URL", model))
    async with calm("rephrase-here.yml", notify_token=TOKEN) as running:
        await notify(running, "a", "utter_news", language="de", name="Maya")
        await platform[0].sends(1)
        await notify(running, "b", "utter_nice", number=4711)
        sent = await platform[0].sends(2)

    assert [words(body) for body in sent] == ["Neues für Maya", "Put *nicely*"]


@pytest.mark.parametrize(
    ("response", "slots", "reason"),
    [
        ("utter_news", {"language": "sv", "name": "Maya"}, "the slot language cannot be 'sv': "),
        ("utter_news", {"language": 5, "name": "Maya"}, "the slot language cannot be 5: "),
        ("utter_gold", {}, "no variation of utter_gold is for whatsapp and these slots"),
    ],
)
async def test_a_notification_without_a_fitting_variation_fails(
    calm, platform, response: str, slots: dict[str, Any], reason: str
) -> None:
    async def failed() -> Any:
        told = await notify(running, "a")
        return told if told["state"] == "failed" else None

    async with calm(notify_token=TOKEN) as running:
        await notify(running, "a", response, **slots)
        told = await eventually(failed)

    assert told["reason"].startswith(reason)
    assert not platform[0].sent


async def test_while_a_person_answers_no_flow_begins_and_none_is_taken_up_afterwards(
    calm, platform
) -> None:
    """A form's counterpart: CALM would ask whether to go on with what the person settled."""
    settings = {"triggers": ["pattern_human_handoff"], "return_words": ["robot"]}
    async with calm(handoff={**settings, "on_return": "silent"}) as running:
        await running.deliver(texts("person"))
        assert HANDOFF in words((await platform[0].sends(1))[0])
        await running.deliver(texts("hello", first=2))
        await running.deliver(echo(PHONE, "wamid.echo1", "Eve here"))
        await running.deliver(texts("goodbye", first=3))
        await running.deliver(texts("robot", first=4))
        await running.deliver(texts("hello", first=5))
        sent = await platform[0].sends(3)
        tracker = await running.agent.tracker_store.retrieve(PHONE)

    assert [words(body) for body in sent[-2:]] == ["Hello, *you*", ELSE]
    assert not tracker.terminated  # nobody said goodbye to the bot
    said = [
        (event.type_name, event.text)
        for event in tracker.events
        if event.type_name in ("user", "bot")
    ]
    start = said.index(("user", "hello"))
    assert said[start : start + 4] == [
        ("user", "hello"),
        ("bot", "Eve here"),
        ("user", "goodbye"),
        ("user", "robot"),
    ]
