"""What the documentation shows of transcripts can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rasa_whatsapp_channel.transcript.expect import NAMES
from rasa_whatsapp_channel.transcript.steps import parse_transcript

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [
    block
    for text in (PAGE, README)
    for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    if "chat:" in block
]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_transcript_shown_can_be_read(block):
    assert parse_transcript(block, name="shown").steps


def test_the_page_names_everything_a_test_can_expect():
    table = PAGE.split("### What a person gets")[1].split("###")[0]

    assert set(NAMES) - {"message"} <= set(re.findall(r"`(\w+)`", table))
