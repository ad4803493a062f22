from __future__ import annotations

import json

import click

from rasa_whatsapp_channel.lint.report import Report, to_github, to_json, to_text
from rasa_whatsapp_channel.lint.rules import Finding, Level

LOST = Finding("WA601", Level.ERROR, "bot/domain.yml", 7, "utter_a", "refuses the key x; y?")
CHANGED = Finding("WA301", Level.WARNING, "bot/domain.yml", 9, "utter_b", "became a list")
TOLD = Finding("WA619", Level.NOTE, "bot/domain.yml", 2, None, "100 % of it: a, b\nc")
REPORT = Report([TOLD, LOST, CHANGED], responses=1234, files=1)
CLEAN = Report([], responses=1, files=2)


def test_people_read_place_level_code_response_and_text() -> None:
    lines = [click.unstyle(line) for line in to_text(REPORT)]

    assert lines == [
        "bot/domain.yml:2: note WA619 100 % of it: a, b\nc",
        "bot/domain.yml:7: error WA601 utter_a: refuses the key x; y?",
        "bot/domain.yml:9: warning WA301 utter_b: became a list",
        "",
        "What is meant as it is: write # whatsapp: ignore WA619 at the end of its line.",
        "1 error, 1 warning, 1 note: 1,234 responses in 1 file",
    ]


def test_nothing_found_is_said_too() -> None:
    assert list(to_text(CLEAN)) == ["Nothing found: 1 response in 2 files"]


def test_programs_read_json() -> None:
    [text] = to_json(REPORT)

    assert json.loads(text) == {
        "findings": [
            {
                "code": "WA619",
                "level": "note",
                "file": "bot/domain.yml",
                "line": 2,
                "response": None,
                "text": "100 % of it: a, b\nc",
            },
            {
                "code": "WA601",
                "level": "error",
                "file": "bot/domain.yml",
                "line": 7,
                "response": "utter_a",
                "text": "refuses the key x; y?",
            },
            {
                "code": "WA301",
                "level": "warning",
                "file": "bot/domain.yml",
                "line": 9,
                "response": "utter_b",
                "text": "became a list",
            },
        ],
        "responses": 1234,
        "files": 1,
        "billed": {"messages": 0, "turns": [], "variations": []},
        "outside_window": [],
    }


def test_github_reads_workflow_commands() -> None:
    assert list(to_github(REPORT)) == [
        "::notice file=bot/domain.yml,line=2,title=WA619::100 %25 of it: a, b%0Ac",
        "::error file=bot/domain.yml,line=7,title=WA601 utter_a::refuses the key x; y?",
        "::warning file=bot/domain.yml,line=9,title=WA301 utter_b::became a list",
    ]
    odd = Finding("WA601", Level.ERROR, "a,b:c.yml", 1, None, "x")
    assert list(to_github(Report([odd], 1, 1))) == [
        "::error file=a%2Cb%3Ac.yml,line=1,title=WA601::x"
    ]


def test_errors_count_and_with_strict_warnings_too() -> None:
    warned = Report([CHANGED, TOLD], 1, 1)

    assert not REPORT.is_clean()
    assert warned.is_clean()
    assert CLEAN.is_clean(strict=True)
    assert not warned.is_clean(strict=True)
    assert Report([TOLD], 1, 1).is_clean(strict=True)
