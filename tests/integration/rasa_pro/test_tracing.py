"""Rasa Pro's own spans and ours in one trace. Its engine takes a licence; its agent does not."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.documents import all_blocks, load
from support.spans import Spans, listening, told, trace_id
from support.webhooks import envelope, status, texts

PHONE = "4915112345678"

pytestmark = pytest.mark.filterwarnings("ignore")  # what Rasa Pro's own imports warn of


class Processor:
    """Rasa's message processor, as far as the agent needs it, with a bot in the engine's place."""

    model_filename = "model.tar.gz"
    model_metadata = SimpleNamespace(model_id="a-model")

    def __init__(self, bot: Callable[[Any], Awaitable[None]]) -> None:
        self.handle_message = bot

    async def get_tracker(self, sender_id: str, _user_id: str | None) -> Any:
        from rasa.shared.core.trackers import DialogueStateTracker

        return DialogueStateTracker(sender_id, slots=[])

    def is_duplicate_message(self, *_: Any) -> bool:
        return False

    def register_cancellation_token(self, *_: Any) -> None: ...

    def unregister_cancellation_token(self, *_: Any) -> None: ...


def traced_agent(spans: Spans) -> Callable[..., Any]:
    """Return what makes Rasa Pro's agent, instrumented by Rasa Pro's own code."""
    from rasa.core.agent import Agent
    from rasa.tracing.instrumentation.instrumentation import instrument

    class RasaAgent(Agent):
        """Of its own for this test: instrumenting changes the class."""

    instrument(spans.provider, agent_class=RasaAgent)

    def make(bot: Callable[[Any], Awaitable[None]]) -> RasaAgent:
        agent = RasaAgent()
        agent.processor = Processor(bot)  # type: ignore[assignment]
        return agent

    return make


async def test_rasa_pros_spans_are_part_of_the_trace_and_ours_go_on_below_them(serve, platform):
    async def bot(message: Any) -> None:
        response = {"text": "Hello", "utter_action": "utter_greet"}
        await message.output_channel.send_response(message.sender_id, response)

    with listening() as spans:
        async with serve(bot, agent=traced_agent(spans)) as running:
            await running.deliver(texts("hi"))
            (sent,) = await platform[0].sends(1)
            data = sent["biz_opaque_callback_data"]
            read = status("wamid.out1", "read", PHONE, biz_opaque_callback_data=data)
            await running.deliver(envelope([read]))
            await platform[0].eventually(lambda: "process outbox" in spans.names)

    rasas = spans.named("RasaAgent.handle_message")
    assert spans.path(rasas).endswith(
        "send inbox > process inbox > turn > RasaAgent.handle_message"
    )
    assert spans.parent_of(spans.named("compose")) == "RasaAgent.handle_message"
    assert trace_id(spans.named("send whatsapp")) == trace_id(rasas)
    assert trace_id(spans.named("status read")) == trace_id(rasas)
    assert told(rasas)["sender_id"] == PHONE  # as docs/monitoring.md warns


@pytest.mark.needs("rasa.utils.endpoints:read_backend_tracing_configuration")
def test_rasa_pro_reads_the_block_that_switches_tracing_on(tmp_path: Path) -> None:
    from rasa.utils.endpoints import read_backend_tracing_configuration

    (block,) = (block for block in all_blocks("yaml") if "tracing" in load(block))
    (tmp_path / "endpoints.yml").write_text(block.text, encoding="utf-8")

    read = read_backend_tracing_configuration(str(tmp_path / "endpoints.yml"), "tracing")

    assert read is not None
    assert read.type == "otlp"
    assert {"endpoint", "insecure", "service_name"} <= set(read.kwargs)
