"""Scaffold for Rasa Pro's engine Mantle: the block in integrations.yml, responses, and a skill."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Final

from rasa_whatsapp_channel.domain.marked import YamlDocument, parse
from rasa_whatsapp_channel.domain.project import CHANNELS, INTEGRATIONS, RESPONSES, read_channels
from rasa_whatsapp_channel.scaffold import (
    FileChange,
    append,
    block_of,
    plan_block,
    plan_new,
    plan_surroundings,
)

# Rasa passes over skills in folders with `_` in front.
DRAFT: Final = "skills/_whatsapp/skill.md"
_INDENT: Final = "  "
_RESPONSES: Final = """\
# What the bot says word by word, in a skill. Rasa takes text, buttons, condition and metadata;
# pictures and whatever else WhatsApp has stand in metadata.whatsapp.
# What each becomes: rasa-whatsapp preview . utter_whatsapp_offer
responses:
  utter_whatsapp_offer:             # a picture with a text and two buttons, in one message
  - text: "Our offer for *today*"
    metadata:
      whatsapp: {image: "https://shop.example/offer.jpg", footer: "Until noon"}
    buttons:
    - {title: "I take it"}
    - {title: "Not today"}

  utter_whatsapp_shipped:           # outside of the 24-hour window the template goes instead
  - text: "Your order is on its way"
    metadata:
      whatsapp:
        template: {name: order_shipped, language: en_US, body: ["tomorrow"]}
"""
_SKILL: Final = """\
---
name: Offer of the day
description: Shows today's offer with its picture. Activate when somebody asks for offers.
---

:::ordered_block id=main
name: show_offer
steps:
  - id: show
    action: utter_whatsapp_offer
    next: END
:::
"""


def plan_mantle(
    api: str, files: Mapping[str, str], *, simulator: bool = False
) -> Iterator[FileChange]:
    """
    Yield the changes that a bot for Mantle with *files*, name → text, needs for WhatsApp.

    After these changes another plan changes nothing.
    """
    text = files.get(INTEGRATIONS, "")
    indented = textwrap.indent(block_of(api, simulator=simulator), _INDENT)
    document = parse(text, INTEGRATIONS)
    channels = list(read_channels(document))
    new = _with_channel(text, document, indented)
    yield plan_block(INTEGRATIONS, text, channels, f"{CHANNELS}:\n{indented}", new)
    yield from plan_surroundings(api, files, simulator=simulator)
    yield plan_new(RESPONSES, files, "responses to change", _RESPONSES)
    yield plan_new(DRAFT, files, "the draft of a skill that says one of them", _SKILL)


def _with_channel(text: str, document: YamlDocument, block: str) -> str | None:
    """Return *text* with *block* as its first channel; None where no line can be added."""
    parts = dict(document.items())
    if CHANNELS not in parts:
        return append(text, f"{CHANNELS}:\n{block}")
    lines, head = text.split("\n"), parts[CHANNELS].line
    for _, first in parts[CHANNELS].items():
        if first.line == head:  # written in braces
            return None
        written = lines[first.line - 1]
        margin = written[: len(written) - len(written.lstrip())]
        block = textwrap.indent(textwrap.dedent(block), margin)
        break
    return "\n".join([*lines[:head], block.rstrip("\n"), *lines[head:]])
