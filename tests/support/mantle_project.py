"""A bot for Rasa Pro's engine Mantle, in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rasa_whatsapp_channel.settings import CHANNEL

FILES = {
    "agent.yml": "agent:\n  language: en\n  persona: A hotel.\norchestrator:\n  model_group: m\n",
    "integrations.yml": f"""\
# What is outside of the agent.
model_groups:
  - id: m
    models:
      - provider: openai
        model: gpt-5.2
        api_key: ${{OPENAI_API_KEY}}

channels:  # who may write
  rest:
    enabled: true
  {CHANNEL}:
    enabled: true
    phone_number_id: "106540352242922"
    access_token: ${{WHATSAPP_ACCESS_TOKEN}}
    app_secret: secret
    verify_token: word
""",
    "skills/order/skill.md": "---\nname: Order\ndescription: Order breakfast.\n---\n\nTake it.\n",
}
ENVIRON = {"OPENAI_API_KEY": "sk-1", "WHATSAPP_ACCESS_TOKEN": "token-1"}


def write_project(folder: Path, files: Mapping[str, str] = FILES) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder
