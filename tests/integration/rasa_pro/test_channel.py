"""What Rasa Pro asks of a channel and Rasa 3.6 does not, seen on the wire."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from support.webhooks import texts

PHONE = "4915112345678"
BUTTONS = [{"title": "Yes", "payload": "/yes"}, {"title": "No", "payload": "/no"}]


async def test_buttons_after_a_text_that_was_sent_before(serve, platform):
    async def bot(message) -> None:
        await message.output_channel.send_text_message(message.sender_id, "Shall I?")
        await message.output_channel.send_buttons(message.sender_id, BUTTONS)

    async with serve(bot) as running:
        await running.deliver(texts("hi"))
        text, buttons = await platform[0].sends(2)

    assert text["text"]["body"] == "Shall I?"
    titles = [each["reply"]["title"] for each in buttons["interactive"]["action"]["buttons"]]
    assert titles == ["Yes", "No"]
    assert buttons["interactive"]["body"]["text"]  # WhatsApp refuses an empty one


@pytest.mark.needs("rasa.core.channels.channel:OutputChannel.send_response_chunk")
async def test_rasa_streams_nothing_and_hands_over_the_whole_text(serve, platform):
    streams = []

    async def bot(message) -> None:
        output = message.output_channel
        streams.append(output.supports_streaming)
        # An engine that streams all the same hands over the whole text afterwards.
        await output.send_response_chunk_start(message.sender_id)
        await output.send_response_chunk(message.sender_id, "Hel")
        await output.send_response_chunk(message.sender_id, "lo")
        await output.send_response_chunk_end(message.sender_id)
        await output.send_response(message.sender_id, {"text": "Hello"})

    async with serve(bot) as running:
        await running.deliver(texts("hi"))
        await platform[0].sends(1)
        await asyncio.sleep(0.2)

    assert streams == [False]
    assert [sent["text"]["body"] for sent in platform[0].sent] == ["Hello"]


async def test_what_an_engine_calls_around_a_turn_does_no_harm(serve, platform):
    async def bot(message) -> None:
        output = message.output_channel
        assert output.wants_tracker_state is False
        await call(output, "notify_message_processing_started")
        # From 3.17 on Rasa would look for more events in anything else than None.
        assert await output.send_response(message.sender_id, {"text": "Hello"}) is None
        await call(output, "record_turn_outcome", None)
        await call(output, "interrupt_response")
        await call(output, "resume_response")
        await call(output, "notify_message_processing_completed")
        await call(output, "hangup", message.sender_id)

    async with serve(bot) as running:
        await running.deliver(texts("hi"))
        (sent,) = await platform[0].sends(1)

    assert sent["text"]["body"] == "Hello"


async def call(output: Any, method: str, *arguments: Any) -> None:
    """Call a method that only a newer Rasa Pro knows, and calls."""
    if hasattr(output, method):
        await getattr(output, method)(*arguments)


class Processor:
    """Rasa's message processor, where a task has ended that a conversation waited for."""

    async def deliver_pending_async_update(
        self, conversation_id, output_channel, input_channel
    ) -> bool:
        assert input_channel == "whatsapp"  # what `latest` finds for this conversation
        await output_channel.send_response(conversation_id, {"text": "Your report is ready"})
        return True


@pytest.mark.needs("rasa.core.channels.channel:InputChannel.on_async_task_update")
async def test_the_result_of_a_task_that_ends_later_reaches_its_conversation(serve, platform):
    async def silent(message) -> None: ...

    async with serve(silent) as running:
        await running.deliver(texts("make a report"))
        await platform[0].eventually(lambda: running.agent.heard)

        delivered = await running.channel.on_async_task_update(
            conversation_id=PHONE, task_id="report", processor=Processor()
        )
        (sent,) = await platform[0].sends(1)

    assert delivered is True
    assert (sent["to"], sent["text"]["body"]) == (PHONE, "Your report is ready")


async def test_behind_the_inspector_the_webhook_stays_where_it_is(serve, platform):
    from rasa.core.channels.development_inspector import DevelopmentInspectProxy

    async def bot(message) -> None:
        await message.output_channel.send_response(message.sender_id, {"text": "Hello"})

    async with serve(bot, behind=DevelopmentInspectProxy) as running:
        assert await running.deliver(texts("hi")) == 200
        (sent,) = await platform[0].sends(1)
        page, _ = await running.get("/inspect.html")
        health = await running.health()

    assert sent["text"]["body"] == "Hello"
    assert page == 200
    assert health["status"] == "ok"
