from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from support.mantle import Bot, Line, Script, copy_bot, load_agent, package

# Something that Rasa Pro imports would ask the internet for prices of models, and wait for them.
_ENVIRONMENT = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "RASA_TELEMETRY_ENABLED": "false",
    "OPENAI_API_KEY": "named-in-a-file-and-never-used",
}


@pytest.fixture(autouse=True)
def _needs_rasa_pro(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rasa", reason="no Rasa in this environment")
    if importlib.util.find_spec("rasa.agents") is None:
        pytest.skip("Rasa Pro is not in this environment")
    for name, value in _ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def mantle_bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bot]:
    """The example for Mantle with some skills more, packaged once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in _ENVIRONMENT.items():
            patch.setenv(name, value)
        folder = copy_bot(tmp_path_factory.mktemp("mantle") / "bot", MORE)
        yield Bot(folder, package(folder))


@pytest.fixture
def mantle(
    mantle_bot: Bot, serve: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Serve the channel with the bot, as an async context manager; *lines* are its model's."""
    monkeypatch.chdir(mantle_bot.folder)

    @asynccontextmanager
    async def mantle(lines: Sequence[Line] = (), **settings: Any) -> AsyncIterator[Any]:
        script = Script(lines)
        agent = load_agent(mantle_bot, script)
        settings = {"wait_for_delivered": "none", **settings}
        async with serve(None, agent=lambda _: agent, **settings) as running:
            running.script = script
            running.tracker = partial(_tracker, running)
            yield running

    return mantle


async def _tracker(running: Any, sender_id: str = "4915112345678") -> Any:
    """Return the tracker as it is when all turns are over: Rasa saves it after it has answered."""
    while (await running.health())["inbox"]["waiting"]:
        await asyncio.sleep(0.02)
    return await running.agent.tracker_store.retrieve(sender_id)


# Skills that no example should have.
_SKILL = """---
name: {name}
description: {name}
---

:::ordered_block id=main
name: {name}
steps:
  - id: only
    {step}
    next: END
:::
"""
MORE = {
    "skills/odd_tool/skill.md": _SKILL.format(name="Odd tool", step="execute_tool: odd"),
    "skills/odd_tool/tools.py": """
from rasa.mantle.tools.decorator import ToolContext, tool
from rasa.mantle.tools.result import ToolResult
from rasa_whatsapp_channel import send


@tool(description="Whatever a test wants.")
async def odd(context: ToolContext = None) -> ToolResult:
    from support.mantle import Odd
    await Odd.act(context, send)
    return ToolResult(llm_response={"done": True})
""",
    "skills/bye/skill.md": _SKILL.format(name="Bye", step="action: hangup"),
}
