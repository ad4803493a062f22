"""A domain with forty mistakes: each line says which code belongs to it."""

from __future__ import annotations

import re
from pathlib import Path

from rasa_whatsapp_channel.domain.read import read_domains
from rasa_whatsapp_channel.lint.check import Linter
from rasa_whatsapp_channel.lint.rules import Finding
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

FILE = Path(__file__).parents[2] / "samples" / "domains" / "mistakes.yml"
LINES = FILE.read_text(encoding="utf-8").splitlines()
PLANTED = [
    (number, code)
    for number, line in enumerate(LINES, start=1)
    for code in re.findall(r"# expect (WA\d+)", line)
]


def findings() -> list[Finding]:
    [domain] = read_domains([FILE])
    return Linter(domain, [CLOUD]).findings()


def test_all_forty_are_found_in_their_lines_and_nothing_else() -> None:
    assert len(PLANTED) == 40
    assert [(finding.line, finding.code) for finding in findings()] == PLANTED


def test_every_finding_names_its_response() -> None:
    for finding in findings():
        about_the_file = finding.code in ("WA618", "WA619")
        above = "\n".join(LINES[: finding.line])
        name = re.findall(r"^  (\w+):", above, re.MULTILINE)[-1:]
        assert [finding.response] == ([None] if about_the_file else name)
