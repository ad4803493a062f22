"""A bot of Rasa Pro's engine Mantle, with a script in the place of its language model."""

from __future__ import annotations

import shutil
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[2] / "examples"

# One line of a script: what the model says, the tools it calls, or what makes one of these.
Line = Any


@dataclass(frozen=True)
class Bot:
    """The folder of a bot, and its packaged model."""

    folder: Path
    model: str


class Odd:
    """What the tool `odd` of the tests does: *act* is called with its context and `send`."""

    act: Callable[[Any, Any], Awaitable[None]]


def activate(skill: str) -> Line:
    """Return what the model says to begin *skill*."""
    return [("activate", {"target_id": skill})]


class Script:
    """Answers each call with the next of *lines*, and keeps the prompts."""

    def __init__(self, lines: Sequence[Line] = ()) -> None:
        self.lines = list(lines)
        self.prompts: list[list[dict[str, Any]]] = []

    async def acompletion(
        self, messages: Any, tools: Any = None, model_settings: Any = None
    ) -> Any:
        from rasa.shared.providers.llm.llm_response import LLMResponse, LLMToolCall

        self.prompts.append(list(messages))
        line = self.lines.pop(0) if self.lines else "(the script has ended)"
        if callable(line):
            line = await line()
        calls = [] if isinstance(line, str) else line
        return LLMResponse(
            id="scripted",
            choices=[line if isinstance(line, str) else ""],
            created=int(time.time()),
            tool_calls=[
                LLMToolCall(id=f"call-{number}", tool_name=name, tool_args=arguments)
                for number, (name, arguments) in enumerate(calls)
            ]
            or None,
            latency_ms=1.0,
        )

    def heard(self) -> list[str]:
        """Return what people said, as the model was told last."""
        return [str(each["content"]) for each in self.prompts[-1] if each["role"] == "user"]


def copy_bot(folder: Path, more: Mapping[str, str] | None = None) -> Path:
    """Copy the example with its media to *folder*, and add the files *more*."""
    ignored = shutil.ignore_patterns("media", "models", "*.db*", ".rasa", "__pycache__")
    shutil.copytree(EXAMPLES / "mantle", folder, ignore=ignored)
    shutil.copytree(EXAMPLES / "quickstart" / "media", folder / "media")
    for name, content in (more or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def package(folder: Path) -> str:
    """Validate and package the bot as `rasa train` does; return the path of the model."""
    from rasa.mantle.model_archive.snapshot import package_model_archive

    return str(package_model_archive(str(folder / "agent.yml"), str(folder / "models")).model)


def load_agent(bot: Bot, script: Script, **options: Any) -> Any:
    """Load the model as `rasa run` does, with *script* where the language model would be."""
    from rasa.core.agent import Agent
    from rasa.core.config.configuration import Configuration
    from rasa.mantle.llm.client import LLMClient

    Configuration.initialise_endpoints(bot.folder / "endpoints.yml", project_root=bot.folder)
    LLMClient.from_bootstrap = classmethod(lambda cls, bootstrap: LLMClient(script))
    return Agent.load(bot.model, **options)
