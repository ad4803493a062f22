"""A bot of flows, trained, loaded and talked to: Rasa Pro's own agent, trackers and locks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent
from types import SimpleNamespace
from typing import Any

import pytest
from support.webhooks import envelope, reaction, text, texts

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # what Rasa Pro's own imports warn of
    pytest.mark.needs("rasa.agents"),  # before the bot is trained
]

PHONE = "4915112345678"
# Words and payloads start the flows and fill the slot, so no language model is asked.
FILES = {
    "config.yml": """
        recipe: default.v1
        assistant_id: shop
        language: en
        pipeline:
        - name: KeywordIntentClassifier
        - name: NLUCommandAdapter
        policies:
        - name: FlowPolicy
        """,
    "domain.yml": """
        version: "3.1"
        intents: [hello, order, stock]
        actions: [action_stock]
        slots:
          size: {type: categorical, values: [small, large], mappings: [{type: from_llm}]}
        responses:
          utter_welcome:
          - text: "Welcome"
            image: "https://shop.example/lake.jpg"
          utter_ask_size:
          - text: "Which size?"
            buttons:
            - {title: Small, payload: "/SetSlots(size=small)"}
            - {title: Large, payload: "/SetSlots(size=large)"}
          utter_ordered:
          - text: "Elsewhere: a {size} one"
          - text: "On WhatsApp: a {size} one"
            channel: whatsapp
        """,
    "data/nlu.yml": """
        version: "3.1"
        nlu:
        - intent: hello
          examples: "- hello"
        - intent: order
          examples: "- order"
        - intent: stock
          examples: "- stock"
        """,
    "data/flows.yml": """
        flows:
          welcome:
            description: Welcome somebody.
            nlu_trigger: [{intent: hello}]
            steps: [{action: utter_welcome}]
          order:
            description: Order one.
            nlu_trigger: [{intent: order}]
            steps: [{collect: size}, {action: utter_ordered}]
          stock:
            description: Tell what is there.
            nlu_trigger: [{intent: stock}]
            steps: [{action: action_stock}]
          pattern_completed:
            description: Ask for nothing more when a flow has ended.
            steps: [{noop: true, next: END}]
        """,
    "endpoints.yml": """
        tracker_store: {type: SQL, dialect: sqlite, db: trackers.db}
        action_endpoint: {actions_module: shop_of_flows}
        """,
    "shop_of_flows.py": """
        from rasa_sdk import Action


        class Stock(Action):
            def name(self):
                return "action_stock"

            def run(self, dispatcher, tracker, domain):
                dispatcher.utter_message(text="Three are left", img="media/lake.jpg")
                return []
        """,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train the bot once and return its model, which lies in the folder of the bot."""
    from rasa.core.config.configuration import Configuration
    from rasa.model_training import train

    folder = tmp_path_factory.mktemp("bot")
    for name, content in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(dedent(content), encoding="utf-8")
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        here.syspath_prepend(folder)
        here.setenv("RASA_TELEMETRY_ENABLED", "false")
        Configuration.initialise_endpoints(folder / "endpoints.yml")
        Configuration.initialise_sub_agents(None)
        trained = asyncio.run(train("domain.yml", "config.yml", ["data"], output="models"))
    assert trained.model is not None, trained
    return folder / trained.model


@pytest.fixture
def talk(serve, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Serve the channel with the bot, or what *wrap* makes of it; once more is a restart."""
    from rasa.core.agent import load_agent
    from rasa.core.config.configuration import Configuration

    @asynccontextmanager
    async def talk(wrap: Callable[[Any], Any] = lambda agent: agent) -> AsyncIterator[Any]:
        monkeypatch.chdir(tmp_path)  # where the trackers lie
        monkeypatch.syspath_prepend(model.parents[1])
        endpoints = Configuration.initialise_endpoints(model.parents[1] / "endpoints.yml").endpoints
        Configuration.initialise_sub_agents(None)
        agent = await load_agent(str(model), endpoints=endpoints)
        async with serve(None, agent=lambda _: wrap(agent)) as running:
            yield running

    return talk


def tap(offered: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the webhook of a tap on the first button of what was *offered*."""
    content = text(PHONE, f"wamid.tap{number}", "")
    [message] = content["messages"]
    del message["text"]
    reply = offered["interactive"]["action"]["buttons"][0]["reply"]
    message |= {
        "type": "interactive",
        "interactive": {"type": "button_reply", "button_reply": reply},
    }
    return envelope([content])


async def tracker_of(running: Any) -> Any:
    return await running.agent.tracker_store.retrieve(PHONE)


async def test_a_picture_a_question_and_a_tap_that_answers_it(talk, platform):
    async with talk() as running:
        await running.deliver(texts("hello", "order"))
        welcome, question = await platform[0].sends(2)
        await running.deliver(tap(question, 1))
        ordered = (await platform[0].sends(3))[2]

    assert welcome["image"] == {"link": "https://shop.example/lake.jpg", "caption": "Welcome"}
    assert question["interactive"]["body"]["text"] == "Which size?"
    assert ordered["text"]["body"] == "On WhatsApp: a small one"


async def test_of_what_an_action_says_only_its_own_mistake_is_told(talk, platform, caplog):
    async with talk() as running:
        await running.deliver(texts("stock"))
        [said] = await platform[0].sends(1)

    assert said["text"]["body"] == "Three are left"
    [told] = [each for each in caplog.messages if each.startswith("whatsapp.changed")]
    assert "did you mean image?" in told


async def test_after_a_restart_the_conversation_goes_on_where_it_was(talk, platform):
    async with talk() as running:
        await running.deliver(texts("order"))
        [question] = await platform[0].sends(1)

    async with talk() as running:
        await running.deliver(tap(question, 1))
        ordered = (await platform[0].sends(2))[1]

    assert ordered["text"]["body"] == "On WhatsApp: a small one"


async def test_a_turn_that_was_cut_off_after_it_was_saved_is_not_done_again(talk, platform):
    saved = asyncio.Event()

    def hangs_at_the_end(agent: Any) -> Any:
        async def handle_message(message: Any) -> None:
            await agent.handle_message(message)
            saved.set()
            await asyncio.Event().wait()

        facts = {"tracker_store": agent.tracker_store, "lock_store": agent.lock_store}
        ready = {"is_ready": agent.is_ready, "processor": agent.processor}
        return SimpleNamespace(handle_message=handle_message, **facts, **ready)

    async with talk(hangs_at_the_end) as running:
        await running.deliver(texts("hello"))
        await asyncio.wait_for(saved.wait(), 60)

    async with talk() as running:
        await running.deliver(texts("order", first=2))
        sent = await platform[0].sends(2)
        heard = [
            event.text for event in (await tracker_of(running)).events if event.type_name == "user"
        ]

    assert [body["type"] for body in sent] == ["image", "interactive"]
    assert heard == ["hello", "order"]


async def test_what_rasa_says_again_of_a_message_it_knows_is_the_same_message(talk, platform):
    from rasa.core.channels.channel import UserMessage

    async with talk() as running:
        await running.deliver(texts("order"))
        await platform[0].sends(1)
        [first] = [e for e in (await tracker_of(running)).events if e.type_name == "user"]
        again = UserMessage(
            "order",
            running.channel.get_output_channel(),
            PHONE,
            input_channel="whatsapp",
            message_id=first.message_id,
        )
        await running.agent.handle_message(again)
        question, repeated = await platform[0].sends(2)
        heard = [e for e in (await tracker_of(running)).events if e.type_name == "user"]

    assert repeated["interactive"] == question["interactive"]
    # Rasa Pro knows a message by its id since 3.20.
    assert len(heard) == (1 if hasattr(running.agent.processor, "replay_message") else 2)


async def test_a_reaction_stands_in_the_tracker_and_the_question_stays_open(talk, platform):
    async with talk() as running:
        await running.deliver(texts("order"))
        [question] = await platform[0].sends(1)
        await running.deliver(envelope([reaction(PHONE, "wamid.r1", "👍", "wamid.out1")]))
        await running.deliver(tap(question, 1))
        ordered = (await platform[0].sends(2))[1]
        events = (await tracker_of(running)).events

    assert ordered["text"]["body"] == "On WhatsApp: a small one"
    [kept] = [event for event in events if event.type_name == "export"]
    assert kept.metadata["whatsapp"]["reaction"]["emoji"] == "👍"


def test_rasa_loads_the_channel_from_credentials_yml(tmp_path: Path, monkeypatch) -> None:
    from rasa.core import run
    from rasa.core.config.configuration import Configuration

    from rasa_whatsapp_channel import WhatsAppInput

    (tmp_path / "credentials.yml").write_text(
        dedent("""
            rasa_whatsapp_channel.WhatsAppInput:
              phone_number_id: "106540352242922"
              access_token: ${A_TOKEN}
              app_secret: ${A_SECRET}
              verify_token: word
            """),
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("A_TOKEN", "a-token")
    monkeypatch.setenv("A_SECRET", "a-secret")

    read = Configuration.initialise_credentials(tmp_path / "credentials.yml").credentials
    [channel] = run.create_input_channels(None, read)

    assert isinstance(channel, WhatsAppInput)
    assert channel.settings.access_token == "a-token"
