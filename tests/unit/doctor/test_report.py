"""How results are shown."""

from __future__ import annotations

import json

import click

from rasa_whatsapp_channel.doctor.results import (
    Lines,
    error,
    ok,
    skipped,
    summary,
    to_json,
    warning,
)

VERDICTS = [
    ok("store.write", "whatsapp.db can be written"),
    error("bot.model", "There is no model in models: every message waits.", "`rasa train`"),
    warning("bot.lock_store", "word " * 40, "do " * 30),
    skipped("webhook", "not called"),
]


def shown(width: int) -> list[str]:
    lines = Lines(width)
    return [click.unstyle(line) for result in VERDICTS for line in lines.of(result)]


def test_each_area_has_a_heading_and_each_mistake_an_arrow():
    assert shown(80)[:6] == [
        "Store",
        "  ✔ write          whatsapp.db can be written",
        "",
        "Bot",
        "  ✘ model          There is no model in models: every message waits.",
        "                   → `rasa train`",
    ]


def test_long_texts_are_wrapped_under_themselves():
    for width in (60, 80, 200):
        lines = shown(width)
        assert max(map(len, lines)) <= min(width, 110)
        assert " ".join(" ".join(lines).split()).count("word") == 40


def test_the_last_line_counts_what_is_to_do():
    assert click.unstyle(summary(VERDICTS)) == "1 to fix, 1 to look at, 1 not tried, 1 OK"


def test_json_says_whether_it_is_healthy_and_all_of_each_check():
    report = json.loads(to_json(VERDICTS))

    assert report["healthy"] is False
    assert report["checks"][1] == {
        "check": "bot.model",
        "state": "error",
        "text": "There is no model in models: every message waits.",
        "remedy": "`rasa train`",
    }
    assert json.loads(to_json(VERDICTS[:1]))["healthy"] is True
