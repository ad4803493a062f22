"""
A person takes a conversation over at every point of a turn, and gives it back.

On the phone stands no word of the bot that WhatsApp did not have before, and nothing is lost: what
the bot did not hear and did not say stands in the episode.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from support import webhooks
from support.cloud_api import PICTURE
from support.crashes import crash_with_next_item
from support.eventually import eventually
from support.webhooks import NUMBER, echo, envelope

from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.conversation.handoffs import EpisodeMessage, Handoffs
from rasa_whatsapp_channel.conversation.owner import Owner
from rasa_whatsapp_channel.outbound.turn_writer import TurnWriter
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.settings.handoff import HandoffSettings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import OUTSIDE
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

PHONE = "4915112345678"


def text(number: int, body: str) -> dict[str, Any]:
    return envelope([webhooks.text(PHONE, f"wamid.in{number}", body)])


class Operator:
    """What somebody does with `rasa-whatsapp handoff` in another process."""

    def __init__(self, url: str) -> None:
        self._url = url

    @asynccontextmanager
    async def handoffs(self) -> AsyncIterator[Handoffs]:
        async with open_store(self._url, retention=OUTSIDE) as store:
            yield Handoffs(store, HandoffSettings())

    async def takes(self) -> None:
        async with self.handoffs() as handoffs:
            await handoffs.apply(PHONE, Owner.HUMAN, by="operator")

    async def gives_back(self) -> None:
        async with self.handoffs() as handoffs:
            assert await handoffs.give_back(PHONE, by="operator")

    async def owner(self) -> Owner:
        async with self.handoffs() as handoffs:
            return (await handoffs.of(PHONE)).owner

    async def episode(self) -> list[EpisodeMessage]:
        async with self.handoffs() as handoffs:
            return list(await handoffs.messages(PHONE, (await handoffs.of(PHONE)).episode))

    async def sees(self, *told: tuple[str, str]) -> None:
        """Wait until the episode holds what was *told*: who, and what."""
        await self.until(lambda found: sorted(found) == sorted(told))

    async def until(self, fact: Callable[[list[tuple[str, str]]], bool]) -> None:
        async def holds() -> bool:
            return fact([(each.speaker, each.text) for each in await self.episode()])

        await eventually(holds)


@pytest.fixture(params=["sqlite", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/whatsapp.db"
    return f"{request.getfixturevalue('redis').url}?name={uuid4().hex}"


@pytest.fixture
def operator(url: str) -> Operator:
    return Operator(url)


class Bot:
    """Says what *says* holds, one after the other, each when it may."""

    def __init__(self, *says: str | dict[str, Any]) -> None:
        self.says: list[str | dict[str, Any]] = list(says) or ["an answer"]
        self.may_say = asyncio.Semaphore(0)
        self.thinks = 0

    def lets(self, count: int = 100) -> None:
        for _ in range(count):
            self.may_say.release()

    async def __call__(self, message: Any) -> None:
        self.thinks += 1
        for each in self.says:
            await self.may_say.acquire()
            response = {"text": each} if isinstance(each, str) else each
            if response.get("fails"):
                raise RuntimeError("the bot cannot answer now")
            await message.output_channel.send_response(message.sender_id, response)


@pytest.fixture
def chat(serve: Any, url: str) -> Any:
    def chat(bot: Bot, *, handoff: dict[str, Any] | None = None, **settings: Any) -> Any:
        return serve(bot, store=url, handoff=handoff or {}, **settings)

    return chat


def words(bodies: list[dict[str, Any]]) -> list[str]:
    return [body.get("text", {}).get("body") or body["type"] for body in bodies]


async def is_idle(running: Any) -> None:
    """Wait until nothing is left to do; the timer of an episode waits for hours."""

    async def idle() -> bool:
        health = await running.health()
        return bool(health["inbox"]["waiting"] <= 1 and not health["outbox"]["waiting"])

    await eventually(idle)


async def test_what_comes_after_the_take_over_is_not_heard_and_not_marked(chat, operator, platform):
    bot = Bot()
    bot.lets()
    async with chat(bot) as running:
        await operator.takes()
        await running.deliver(text(1, "my card is 4711"))
        await operator.sees(("user", "my card is 4711"))
        await is_idle(running)

        assert running.agent.heard == []
    assert platform[0].sent == platform[0].receipts == []


async def test_while_the_bot_thinks(chat, operator, platform):
    bot = Bot()
    async with chat(bot) as running:
        await running.deliver(text(1, "hi"))
        await running.deliver(text(2, "are you there?"))
        await platform[0].eventually(lambda: bot.thinks == 1)

        await operator.takes()
        bot.lets()
        await operator.sees(("user", "hi"), ("user", "are you there?"), ("bot", "an answer"))
        await is_idle(running)

        assert [message.text for message in running.agent.heard] == ["hi"]
    assert platform[0].sent == []


async def test_between_two_answers(chat, operator, platform):
    bot = Bot("one", "two")
    async with chat(bot) as running:
        await running.deliver(text(1, "hi"))
        bot.lets(1)
        await platform[0].sends(1)

        await operator.takes()
        bot.lets()
        await operator.sees(("user", "hi"), ("bot", "two"))
        await is_idle(running)
    assert words(platform[0].sent) == ["one"]


async def test_while_the_first_answer_is_on_its_way_and_the_next_one_waits(
    chat, operator, platform
):
    bot = Bot("one", "two", {"text": "three", "buttons": [{"title": "Yes", "payload": "/yes"}]})
    bot.lets()
    platform[0].gate.clear()
    async with chat(bot, mark_read=False, typing_indicator=False) as running:
        await running.deliver(text(1, "hi"))

        async def waits() -> bool:
            health = await running.health()
            return bool(health["outbox"]["waiting"] == 3 and not health["inbox"]["waiting"])

        await eventually(waits)
        await platform[0].eventually(lambda: platform[0].waiting == 1)

        await operator.takes()
        platform[0].gate.set()
        await operator.sees(("bot", "two"), ("bot", "three"))
        await is_idle(running)
    assert words(platform[0].sent) == ["one"]


async def test_during_an_upload(chat, operator, platform, tmp_path, monkeypatch):
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "lake.jpg").write_bytes(PICTURE)
    monkeypatch.chdir(tmp_path)
    bot = Bot({"text": "The lake", "attachment": {"type": "image", "path": "media/lake.jpg"}})
    bot.lets()
    platform[0].uploads_gate.clear()
    async with chat(bot) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].eventually(lambda: platform[0].uploading == 1)

        await operator.takes()
        platform[0].uploads_gate.set()
        await operator.sees(("bot", "The lake"))
        await is_idle(running)
    assert platform[0].sent == []


async def test_after_the_answer_was_sent(chat, operator, platform):
    bot = Bot()
    bot.lets()
    async with chat(bot) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await is_idle(running)

        await operator.takes()
        await running.deliver(text(2, "thanks"))
        await operator.sees(("user", "thanks"))
    assert words(platform[0].sent) == ["an answer"]


async def test_what_no_turn_asked_for_waits_for_nobody_and_is_not_said(chat, operator, platform):
    async with chat(Bot()) as running:
        output = running.channel.get_output_channel()
        await output.send_text_message(PHONE, "Your table is ready")
        await platform[0].sends(1)

        await operator.takes()
        await output.send_text_message(PHONE, "Your table is still ready")
        await operator.sees(("bot", "Your table is still ready"))
        await is_idle(running)
    assert words(platform[0].sent) == ["Your table is ready"]


async def test_it_is_theirs_through_a_restart_and_the_bots_after_the_return(
    chat, operator, platform
):
    bot = Bot()
    bot.lets()
    async with chat(bot):
        await operator.takes()
    async with chat(bot) as running:
        await running.deliver(text(1, "to the person"))
        await operator.sees(("user", "to the person"))
        await operator.gives_back()
        await running.deliver(text(2, "to the bot"))
        await platform[0].sends(2)
        await is_idle(running)

        heard = [message.text for message in running.agent.heard]
        assert heard == ["to the person", "to the bot"]  # nobody had answered the first
    assert await operator.owner() is Owner.BOT
    assert words(platform[0].sent) == ["an answer"] * 2


async def test_a_late_answer_of_before_the_take_over_is_not_sent_after_the_return(
    chat, operator, platform
):
    bot = Bot()
    async with chat(bot) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].eventually(lambda: bot.thinks == 1)
        await operator.takes()
        await operator.gives_back()
        await running.deliver(text(2, "again"))
        bot.lets(1)
        await platform[0].eventually(lambda: bot.thinks == 2)
        bot.says = ["a new answer"]
        bot.lets(1)
        await platform[0].sends(1)
        await is_idle(running)
    assert len(platform[0].sent) == 1
    assert ("bot", "an answer") in [(each.speaker, each.text) for each in await operator.episode()]


async def half_a_turn(url: str, says: str) -> None:
    """Let a process claim the message, let its bot say something, and kill it."""
    async with open_store(url) as store, open_store(url) as dying:
        item = await crash_with_next_item(store, dying, "inbox")
        written = OutboxWriter(dying, Composer(CLOUD), turn_id=item.key, turn_version=1)
        await TurnWriter(written, dying.values, item.key, wait=60.0).write(PHONE, {"text": says})


async def test_what_the_bot_said_as_its_process_died_is_told_to_who_took_it_since(
    chat, url, operator, platform
):
    async with chat(Bot(), roles=["door"]) as running:
        await running.deliver(text(1, "hi"))
    await half_a_turn(url, "half an answer")
    await operator.takes()

    async with chat(Bot(), combine="turn") as running:
        await operator.sees(("user", "hi"), ("bot", "half an answer"))
        await is_idle(running)

    assert not platform[0].sent


async def test_what_was_sent_before_its_turn_is_repeated_is_not_told_as_not_said(
    chat, url, operator, platform
):
    async with chat(Bot(), roles=["door"]) as running:
        await running.deliver(text(1, "hi"))
    async with open_store(url) as store, open_store(url) as dying:
        item = await crash_with_next_item(store, dying, "inbox")
        written = OutboxWriter(dying, Composer(CLOUD), turn_id=item.key, turn_version=1)
        await written.write(PHONE, {"text": "an answer"})
    bot = Bot()

    async with chat(bot) as running:

        async def is_sent() -> bool:
            return bool(bot.thinks and not (await running.health())["outbox"]["waiting"])

        await eventually(is_sent)
        await operator.takes()
        bot.lets(1)
        await is_idle(running)

    assert words(platform[0].sent) == ["an answer"]
    assert ("bot", "an answer") not in [
        (each.speaker, each.text) for each in await operator.episode()
    ]


async def test_what_the_bot_said_as_its_process_died_is_not_sent_after_the_return(
    chat, url, operator, platform
):
    async with chat(Bot(), roles=["door"]) as running:
        await running.deliver(text(1, "hi"))
    await half_a_turn(url, "half an answer")
    await operator.takes()
    await operator.gives_back()
    bot = Bot("half an answer", "the rest")
    bot.lets()

    async with chat(bot, combine="turn") as running:
        await platform[0].sends(1)
        await is_idle(running)

    assert words(platform[0].sent) == ["the rest"]
    assert ("bot", "half an answer") in [
        (each.speaker, each.text) for each in await operator.episode()
    ]


async def test_without_the_setting_nobody_takes_over(serve, url, operator, platform):
    bot = Bot()
    bot.lets()
    async with serve(bot, store=url) as running:
        await operator.takes()
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await is_idle(running)
        inbox = (await running.health())["inbox"]
    assert words(platform[0].sent) == ["an answer"]
    assert (inbox["waiting"], inbox["dead_letters"]) == (0, 0)  # the timer says nothing, too


# Signs of a person


def standby(**held: Any) -> dict[str, Any]:
    return envelope([{"standby": held}], field="standby")


def handover(kind: str, **roles: str) -> dict[str, Any]:
    whole = envelope([{}], field="messaging_handovers")
    whole["entry"][0]["changes"][0]["value"] = {
        "messaging_product": "whatsapp",
        "recipient": {"display_phone_number": "15550783881", "phone_number_id": NUMBER},
        "sender": {"phone_number": PHONE},
        "timestamp": str(int(time.time())),
        "type": kind,
        kind: roles,
    }
    return whole


@pytest.mark.parametrize("place", ["metadata", "custom"])
async def test_the_bot_asks_for_a_person_and_finishes_its_turn(chat, operator, platform, place):
    asks = {"whatsapp": {"handoff": {"reason": "a refund"}}}
    bot = Bot("I see.", {place: asks, "text": "I fetch somebody."}, "One moment.")
    bot.lets()
    async with chat(bot) as running:
        await running.deliver(text(1, "my money back"))
        await running.deliver(text(2, "hello?"))
        await platform[0].sends(3)
        await operator.sees(("user", "my money back"), ("user", "hello?"))

        assert [message.text for message in running.agent.heard] == ["my money back"]
        assert await operator.owner() is Owner.WAITING
        assert "whatsapp_owner_changes_total" in (await running.get("/metrics"))[1]
    assert words(platform[0].sent) == ["I see.", "I fetch somebody.", "One moment."]


async def test_a_handoff_alone_says_nothing_and_is_no_empty_response(
    chat, operator, platform, caplog
):
    bot = Bot({"custom": {"whatsapp": {"handoff": True}}})
    bot.lets()
    async with chat(bot) as running:
        await running.deliver(text(1, "a person please"))
        await operator.sees(("user", "a person please"))
        await is_idle(running)

        assert await operator.owner() is Owner.WAITING
    assert platform[0].sent == []
    assert "whatsapp.changed" not in caplog.text


async def test_while_somebody_waits_the_bot_may_go_on(chat, operator, platform):
    bot = Bot({"text": "Somebody comes.", "metadata": {"whatsapp": {"handoff": "refund"}}})
    bot.lets()
    async with chat(bot, handoff={"while_waiting": "bot"}) as running:
        await running.deliver(text(1, "a person please"))
        await platform[0].sends(1)
        bot.says = ["Meanwhile: our hours are 9 to 5."]
        await running.deliver(text(2, "when do you open?"))
        await platform[0].sends(2)

        await operator.takes()
        await running.deliver(text(3, "hello"))
        # Whoever comes sees what was said to the bot meanwhile.
        asked = [("user", "a person please"), ("user", "when do you open?")]
        await operator.sees(*asked, ("user", "hello"))
    assert len(platform[0].sent) == 2


async def test_what_the_bot_did_not_get_through_while_somebody_waited_is_told_at_the_return(
    chat, operator, platform
):
    bot = Bot({"text": "Somebody comes.", "metadata": {"whatsapp": {"handoff": "refund"}}})
    bot.lets()
    async with chat(bot, handoff={"while_waiting": "bot", "on_return": "silent"}) as running:
        await running.deliver(text(1, "a person please"))
        await platform[0].sends(1)
        bot.says = [{"text": "An answer", "fails": True}]
        await running.deliver(text(2, "when do you open?"))
        await platform[0].eventually(lambda: bot.thinks >= 2)
        await operator.takes()

        async def is_kept() -> bool:
            found = [each for each in await operator.episode() if each.text == "when do you open?"]
            return bool(found) and not found[0].heard

        await eventually(is_kept)


async def test_who_writes_with_the_app_has_the_conversation(chat, operator, platform):
    bot = Bot("an answer")
    async with chat(bot) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].eventually(lambda: bot.thinks == 1)

        await running.deliver(echo(PHONE, "wamid.echo1", "Eve here, how can I help?"))
        await running.deliver(echo(PHONE, "wamid.echo1", "Eve here, how can I help?"))
        bot.lets()
        await running.deliver(text(2, "a refund"))
        await operator.sees(
            ("user", "hi"),
            ("bot", "an answer"),
            ("human", "Eve here, how can I help?"),
            ("user", "a refund"),
        )
        await is_idle(running)
        assert await operator.owner() is Owner.HUMAN
    assert platform[0].sent == []


async def test_what_another_app_has_is_not_the_bots_until_a_message_comes_to_us(
    chat, operator, platform
):
    bot = Bot()
    bot.lets()
    async with chat(bot) as running:
        await running.deliver(standby(**webhooks.text(PHONE, "wamid.in1", "to the other")))
        sent = {"to": PHONE, "type": "text", "text": {"body": "The other answers"}}
        told = {"id": "wamid.other", "timestamp": str(int(time.time())), "message": sent}
        await running.deliver(standby(message_echoes=[told]))
        await operator.sees(("user", "to the other"), ("app", "The other answers"))
        assert await operator.owner() is Owner.APP
        assert running.agent.heard == []

        await running.deliver(text(2, "to us"))
        await platform[0].sends(1)
        assert await operator.owner() is Owner.BOT
        assert [message.text for message in running.agent.heard] == ["to us"]


async def test_whatsapp_says_who_has_it(chat, operator, platform):
    async with chat(Bot()) as running:
        await running.deliver(handover("control_taken", new_owner_role="escalation"))
        assert await operator.owner() is Owner.APP

        await running.deliver(handover("control_passed", new_owner_role="escalation"))
        assert await operator.owner() is Owner.WAITING

        await running.deliver(handover("control_taken"))
        await running.deliver(handover("control_passed", new_owner_role="customer_service"))

        async def is_the_bots() -> bool:
            return await operator.owner() is Owner.BOT

        await eventually(is_the_bots)


@pytest.mark.parametrize(
    ("waits", "said"), [(True, "Nobody is here."), (False, "I am a robot again.")]
)
async def test_after_its_time_it_is_the_bots_again_and_that_is_said(
    chat, operator, platform, waits, said
):
    settings = {"waiting": 2, "idle": 2, "text_nobody": "Nobody is here."}
    settings["text_return"] = "I am a robot again."
    bot = Bot({"custom": {"whatsapp": {"handoff": True}}})
    bot.lets()
    async with chat(bot, handoff=settings) as running:
        if waits:
            await running.deliver(text(1, "a person please"))
        else:
            await running.deliver(echo(PHONE, "wamid.echo1", "Eve here"))
        await platform[0].sends(1)
        await is_idle(running)
        assert await operator.owner() is Owner.BOT
    assert words(platform[0].sent) == [said]


@pytest.mark.parametrize("also", [(), ("I fetch somebody.",)])
async def test_outside_of_office_hours_one_clear_sentence_comes_at_once(
    chat, operator, platform, also
):
    hours = {"hours": ["Mon 00:00-00:01"], "text_closed": "We are back on Monday at nine."}
    hours |= {"text_waiting": "Somebody comes.", "text_nobody": "Nobody came."}
    bot = Bot({"custom": {"whatsapp": {"handoff": True}}}, *also)
    bot.lets()
    async with chat(bot, handoff=hours) as running:
        await running.deliver(text(1, "a person please"))
        await platform[0].sends(1 + len(also))
        bot.says = ["an answer"]
        await running.deliver(text(2, "then you"))
        await platform[0].sends(2 + len(also))
        await is_idle(running)
        assert await operator.owner() is Owner.BOT
    said = [*also, "We are back on Monday at nine.", "an answer"]
    assert words(platform[0].sent) == said


@pytest.mark.parametrize(
    ("asks", "says"),
    [
        ({"custom": {"whatsapp": {"handoff": True}}}, ["Somebody comes."]),
        ({"text": "One moment.", "metadata": {"whatsapp": {"handoff": True}}}, ["One moment."]),
    ],
)
async def test_where_the_bot_says_nothing_the_person_hears_that_somebody_comes(
    chat, operator, platform, asks, says
):
    bot = Bot(asks)
    bot.lets()
    async with chat(bot, handoff={"text_waiting": "Somebody comes."}) as running:
        await running.deliver(text(1, "a person please"))
        await running.deliver(text(2, "hello?"))
        await operator.sees(("user", "a person please"), ("user", "hello?"))
        await is_idle(running)
    assert words(platform[0].sent) == says


async def test_a_conversation_that_whatsapp_hands_over_is_told_that_somebody_comes(
    chat, operator, platform
):
    async with chat(Bot(), handoff={"text_waiting": "Somebody comes."}) as running:
        for _ in range(2):
            await running.deliver(handover("control_passed", new_owner_role="escalation"))
        await platform[0].sends(1)
        await is_idle(running)
    assert words(platform[0].sent) == ["Somebody comes."]


async def test_metrics_tell_who_waits_for_how_long_and_how_soon_a_person_came(
    chat, operator, platform
):
    bot = Bot({"text": "One moment.", "metadata": {"whatsapp": {"handoff": True}}})
    bot.lets()
    async with chat(bot) as running:
        await running.deliver(text(1, "a person please"))
        await platform[0].sends(1)
        await is_idle(running)
        _, waits = await running.get("/metrics")
        await running.deliver(echo(PHONE, "wamid.echo1", "Eve here"))
        _, came = await running.get("/metrics")

    def value(page: str, series: str) -> float:
        [found] = [line for line in page.splitlines() if line.startswith(f"whatsapp_{series} ")]
        return float(found.rpartition(" ")[2])

    assert value(waits, 'conversations{owner="waiting"}') == 1
    assert value(waits, 'conversations{owner="human"}') == 0
    assert value(waits, "longest_wait_for_a_person_seconds") > 0
    assert value(came, 'conversations{owner="waiting"}') == 0
    assert value(came, 'conversations{owner="human"}') == 1
    assert value(came, "longest_wait_for_a_person_seconds") == 0
    assert value(came, "wait_for_a_person_seconds_count") == 1


async def test_a_word_of_the_person_brings_the_bot_back(chat, operator, platform):
    bot = Bot()
    bot.lets()
    async with chat(bot, handoff={"return_words": ["robot"]}) as running:
        await operator.takes()
        await running.deliver(text(1, "you are no robot"))
        await operator.sees(("user", "you are no robot"))
        await running.deliver(text(2, "Robot!"))
        await platform[0].sends(1)

        assert [message.text for message in running.agent.heard] == ["Robot!"]


async def test_a_colleague_gives_it_back_with_a_word_and_a_simulator_sees_who_answers(
    chat, operator, platform
):
    bot = Bot()
    bot.lets()
    async with chat(bot, handoff={"return_words": ["robot"]}) as running:
        await running.deliver(echo(PHONE, "wamid.echo1", "Eve here"))
        await operator.sees(("human", "Eve here"))
        await running.deliver(echo(PHONE, "wamid.echo2", "Robot"))
        await platform[0].eventually(lambda: len(platform[0].owners) == 2)
        await running.deliver(text(1, "thanks"))
        await platform[0].sends(1)

    assert [message.text for message in running.agent.heard] == ["thanks"]
    assert platform[0].owners == [
        {
            "to": PHONE,
            "number": None,
            "owner": owner,
            "by": "app",
            "reason": "",
            "return_words": ["robot"],
        }
        for owner in ("human", "bot")
    ]


@pytest.mark.parametrize(
    "name", [{"intent_name": "ask_human"}, {"action_name": "action_human"}, {"flow_id": "human"}]
)
async def test_an_intent_an_action_or_a_flow_asks_for_a_person(chat, operator, platform, name):
    bot = Bot()
    bot.lets()
    triggers = ["ask_human", "action_human", "human"]
    async with chat(bot, handoff={"triggers": triggers}) as running:
        before = SimpleNamespace(**name)
        begin = SimpleNamespace(message_id="wamid.in1", intent_name="greet")
        running.agent.saved[PHONE] = SimpleNamespace(events=[before, begin])
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await is_idle(running)
        assert await operator.owner() is Owner.BOT

        begin = SimpleNamespace(message_id="wamid.in2", intent_name="other")
        running.agent.saved[PHONE].events += [begin, SimpleNamespace(**name)]
        await running.deliver(text(2, "a person"))
        await operator.sees(("user", "a person"))
        assert await operator.owner() is Owner.WAITING
    assert len(platform[0].sent) == 2


async def test_a_bot_that_asks_where_nobody_can_take_over_is_told_what_to_write(
    serve, url, platform, caplog
):
    bot = Bot({"text": "I fetch somebody.", "metadata": {"whatsapp": {"handoff": True}}})
    bot.lets()
    async with serve(bot, store=url) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)
        await is_idle(running)
    assert "write `handoff: {}` into the channel's block" in caplog.text


# What a colleague sends, changes and deletes


def echoed(number: int, kind: str, content: dict[str, Any], **more: Any) -> dict[str, Any]:
    sent = {"from": "15550783881", "to": PHONE, "id": f"wamid.echo{number}", "type": kind}
    sent |= {"timestamp": str(int(time.time())), kind: content, **more}
    return envelope([{"message_echoes": [sent]}], field="smb_message_echoes")


async def test_what_a_colleague_sends_is_kept_with_its_file(chat, operator, platform):
    platform[0].files["41"] = (PICTURE, "image/jpeg")
    platform[0].files["42"] = (b"%PDF-1.4 a contract", "application/pdf")
    image = {"id": "41", "mime_type": "image/jpeg", "caption": "So it looks"}
    contract = {"id": "42", "mime_type": "application/pdf", "filename": "contract.pdf"}
    lost = {"id": "43", "mime_type": "image/jpeg"}
    async with chat(Bot()) as running:
        await running.deliver(echoed(1, "image", image))
        await running.deliver(echoed(2, "document", contract))
        await running.deliver(echoed(2, "document", contract))
        await running.deliver(echoed(3, "image", lost))
        await operator.sees(("human", "So it looks"), ("human", ""), ("human", ""))
        assert await operator.owner() is Owner.HUMAN
        picture, document, missing = await operator.episode()

    assert Path(picture.media["path"]).read_bytes() == PICTURE
    assert Path(document.media["path"]).read_bytes() == b"%PDF-1.4 a contract"
    assert missing.media == lost


async def test_files_of_another_app_are_kept(chat, operator, platform):
    platform[0].files["41"] = (PICTURE, "image/jpeg")
    content = webhooks.picture(PHONE, "wamid.in1", "My door", media_id="41", sha256="")
    async with chat(Bot()) as running:
        await running.deliver(standby(**content))
        await operator.sees(("user", "My door"))
        [message] = await operator.episode()

    assert Path(message.media["path"]).read_bytes() == PICTURE


async def test_changes_of_a_colleague_belong_to_the_episode_and_take_no_conversation(
    chat, operator, platform
):
    edit = {
        "original_message_id": "wamid.echo1",
        "message": {"type": "text", "text": {"body": "You get 20"}},
    }
    async with chat(Bot()) as running:
        await running.deliver(echoed(7, "revoke", {"original_message_id": "wamid.out1"}))
        await running.deliver(echoed(8, "edit", edit))
        await running.idle()
        assert await operator.owner() is Owner.BOT

        await running.deliver(echoed(1, "text", {"body": "You get 10"}))
        await running.deliver(echoed(2, "edit", edit))
        await running.deliver(echoed(3, "revoke", {"original_message_id": "wamid.echo1"}))
        await operator.sees(("human", "You get 10"), ("human", "You get 20"), ("human", ""))
        told = await operator.episode()

    assert [each.reply_to for each in told] == ["", "wamid.echo1", "wamid.echo1"]


async def test_an_echo_that_names_us_as_its_recipient_is_to_the_other_one(chat, operator, platform):
    turned = echoed(1, "text", {"body": "Eve here"}, **{"from": PHONE, "to": "15550783881"})
    value = turned["entry"][0]["changes"][0]["value"]
    value["contacts"] = [{"profile": {"name": "Maya"}, "wa_id": PHONE}]
    async with chat(Bot()) as running:
        await running.deliver(turned)
        await operator.sees(("human", "Eve here"))
        assert await operator.owner() is Owner.HUMAN


# Out of order, late and stale


async def test_an_echo_that_comes_after_the_return_takes_nothing(chat, operator, platform):
    bot = Bot()
    bot.lets()
    async with chat(bot, handoff={"return_words": ["robot"]}) as running:
        await running.deliver(echo(PHONE, "wamid.echo1", "Eve here"))
        await running.deliver(text(1, "robot"))
        await platform[0].sends(1)
        late = {"body": "Which one?"}
        await running.deliver(echoed(2, "text", late, timestamp=str(int(time.time()) - 60)))
        await running.deliver(text(2, "hello"))
        await platform[0].sends(2)
        assert await operator.owner() is Owner.BOT


async def test_what_whatsapp_tells_in_the_wrong_order_ends_as_it_was(chat, operator, platform):
    bot = Bot()
    bot.lets()
    taken = handover("control_taken", new_owner_role="escalation")
    taken["entry"][0]["changes"][0]["value"]["timestamp"] = str(int(time.time()) - 60)
    async with chat(bot) as running:
        await running.deliver(handover("control_passed", new_owner_role="escalation"))
        await running.deliver(taken)  # before that
        assert await operator.owner() is Owner.WAITING


async def test_a_return_of_one_owner_returns_nothing_of_the_next(chat, operator, platform):
    bot = Bot()
    async with chat(bot) as running:
        await running.deliver(text(1, "hi"))
        await platform[0].eventually(lambda: bot.thinks == 1)
        await operator.takes()
        await operator.gives_back()  # waits behind the turn
        await running.deliver(handover("control_taken", new_owner_role="escalation"))
        bot.lets()
        await operator.until(lambda found: ("bot", "an answer") in found)
        await is_idle(running)
        assert await operator.owner() is Owner.APP
    assert platform[0].sent == []


async def test_nonsense_where_a_handover_or_an_echo_belongs_changes_nothing(
    chat, operator, platform
):
    bot = Bot()
    bot.lets()
    nonsense: list[Any] = [None, 5, "x", [], [5], {}, {"id": 5}]
    nonsense.append({"message_echoes": [{"to": PHONE}]})
    async with chat(bot) as running:
        for value in nonsense:
            for field in ("messaging_handovers", "standby", "smb_message_echoes"):
                change = {"field": field, "value": value}
                webhook = {"object": "whatsapp_business_account", "entry": [{"changes": [change]}]}
                assert await running.deliver(webhook) == 200
        odd = handover("control_passed", new_owner_role="escalation")
        odd["entry"][0]["changes"][0]["value"] |= {"control_passed": ["escalation"], "type": "gone"}
        assert await running.deliver(odd) == 200
        assert await operator.owner() is Owner.BOT

        await running.deliver(text(1, "hi"))
        await platform[0].sends(1)


async def test_a_reason_without_end_is_cut(chat, operator, platform):
    bot = Bot({"custom": {"whatsapp": {"handoff": "because " * 20_000}}})
    bot.lets()
    async with chat(bot) as running:
        await running.deliver(text(1, "a person please"))
        await operator.sees(("user", "a person please"))
        async with operator.handoffs() as handoffs:
            assert len((await handoffs.of(PHONE)).reason) == 1000


async def test_a_picture_whose_turn_is_broken_off_is_seen_by_the_person(chat, operator, platform):
    platform[0].files["41"] = (PICTURE, "image/jpeg")
    content = webhooks.picture(PHONE, "wamid.in1", "My door", media_id="41", sha256="")
    bot = Bot()
    async with chat(bot) as running:
        await running.deliver(envelope([content]))
        await platform[0].eventually(lambda: bot.thinks == 1)
        await operator.takes()
        bot.lets()
        await operator.sees(("user", "My door"), ("bot", "an answer"))
        [message] = [each for each in await operator.episode() if each.speaker == "user"]

    assert Path(message.media["path"]).read_bytes() == PICTURE


# Which conversation it is


async def test_a_colleague_takes_the_conversation_of_one_number_only(chat, operator, platform):
    second = "206540352242922"

    def at_second(webhook: dict[str, Any]) -> dict[str, Any]:
        value = webhook["entry"][0]["changes"][0]["value"]
        value["metadata"] = {**value["metadata"], "phone_number_id": second}
        return webhook

    bot = Bot()
    bot.lets()
    async with chat(bot, numbers=[{"phone_number_id": second}]) as running:
        await running.deliver(at_second(text(1, "at the second")))
        await running.deliver(text(2, "at the first"))
        await platform[0].sends(2)
        await running.deliver(at_second(echo(PHONE, "wamid.echo1", "Eve here")))
        await running.deliver(at_second(text(3, "to Eve")))
        await running.deliver(text(4, "to the bot"))
        await platform[0].sends(3)
        await is_idle(running)
        heard = [message.text for message in running.agent.heard]
        async with operator.handoffs() as handoffs:
            owners = {name: owner.owner for name, owner in (await handoffs.all()).items()}

    assert heard[2:] == ["to the bot"]
    assert owners == {f"{PHONE}@{second}": Owner.HUMAN}


async def test_an_echo_to_a_user_id_is_to_the_number_that_has_it(chat, operator, platform):
    wrote = webhooks.text(PHONE, "wamid.in1", "hi")
    wrote["contacts"][0]["user_id"] = wrote["messages"][0]["from_user_id"] = "DE.2081978709342942"
    sent = echo(PHONE, "wamid.echo1", "Eve here")
    [told] = sent["entry"][0]["changes"][0]["value"]["message_echoes"]
    del told["to"]
    told["to_user_id"] = "DE.2081978709342942"
    bot = Bot()
    bot.lets()
    async with chat(bot) as running:
        await running.deliver(envelope([wrote]))
        await platform[0].sends(1)
        await running.deliver(sent)
        await operator.sees(("human", "Eve here"))
        assert await operator.owner() is Owner.HUMAN


async def test_somebody_whom_a_colleague_wrote_to_first_is_theirs(chat, operator, platform):
    bot = Bot()
    bot.lets()
    async with chat(bot, handoff={"return_words": ["robot"]}) as running:
        await running.deliver(echo(PHONE, "wamid.echo1", "Hello, Eve here"))
        await running.deliver(text(1, "hello Eve"))
        await operator.sees(("human", "Hello, Eve here"), ("user", "hello Eve"))
        await running.deliver(text(2, "robot"))
        await platform[0].sends(1)
        assert [message.text for message in running.agent.heard] == ["robot"]


async def test_a_reminder_for_somebody_who_waits_is_kept_and_not_said(chat, operator, platform):
    bot = Bot({"text": "One moment.", "metadata": {"whatsapp": {"handoff": True}}})
    bot.lets()
    async with chat(bot) as running:
        await running.deliver(text(1, "a person please"))
        await platform[0].sends(1)
        output = running.channel.get_output_channel()
        await output.send_text_message(PHONE, "Your table is ready")
        await operator.until(lambda found: ("bot", "Your table is ready") in found)
        await is_idle(running)
    assert words(platform[0].sent) == ["One moment."]
