"""Whole domains: those people start with, and any that a YAML file can hold."""

from __future__ import annotations

import importlib.util
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rasa_whatsapp_channel.domain.read import read_domains
from rasa_whatsapp_channel.lint.check import Linter
from rasa_whatsapp_channel.lint.report import Report, to_github, to_json, to_text
from rasa_whatsapp_channel.lint.schema import KEYS
from rasa_whatsapp_channel.whatsapp.apis import APIS

SAMPLES = Path(__file__).parents[2] / "samples" / "domains"
QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart"
MISSING_INTENTS = {"WA619": 1}


def lint(path: Path) -> Report:
    """Lint for every API, and write every kind of report."""
    domains = read_domains([path])
    findings = [
        finding for domain in domains for finding in Linter(domain, list(APIS.values())).findings()
    ]
    report = Report(findings, sum(len(domain.responses) for domain in domains), len(domains))
    for write in (to_text, to_json, to_github):
        assert list(write(report)) or not findings
    return report


def rasa_starters() -> list[Path]:
    """The bots `rasa init` makes, in whichever Rasa is installed."""
    found = importlib.util.find_spec("rasa")
    if found is None or found.origin is None:
        return []
    folder = Path(found.origin).parent / "cli"
    templates = sorted((folder / "project_templates").glob("*/domain*"))
    bots = [folder / "initial_project", *(domain.parent for domain in templates)]
    return [bot for bot in bots if bot.is_dir()]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("moodbot.yml", MISSING_INTENTS),
        ("form_bot.yml", MISSING_INTENTS),
        ("languages.yml", {"WA301": 1, "WA303": 1}),
        ("calm", {}),
    ],
)
def test_bots_as_people_write_them_get_no_false_alarm(name: str, codes: dict[str, int]) -> None:
    assert Counter(finding.code for finding in lint(SAMPLES / name).findings) == codes


def test_a_shop_is_linted_for_every_api() -> None:
    report = lint(SAMPLES / "shop.yml")

    assert report.responses == 7
    assert report.is_clean()


@pytest.mark.parametrize("bot", rasa_starters(), ids=lambda bot: bot.name)
def test_the_bots_rasa_starts_people_with_are_linted(bot: Path) -> None:
    report = lint(bot)

    assert report.responses > 0
    assert report.is_clean()


def test_the_quickstart_is_clean() -> None:
    assert lint(QUICKSTART).findings == []


TEXTS = st.one_of(
    st.sampled_from(
        [
            *("", " ", "Hi", "{name}", "{nme}", "${name}", "{{name}}", "{", "}", "{}", "x" * 30),
            *('/a{"b": "c"}', "https://a.example/b.jpg", "http://[", "a.jpg", "../a", "\u200b"),
            *("{size}" * 5, "word " * 1000, "a\x00b", "file:///a", "image", "audio", "template"),
        ]
    ),
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=40),
)
KEY = st.one_of(
    st.sampled_from(
        [
            *(*KEYS, "type", "link", "path", "url", "title", "payload", "whatsapp", "messages"),
            *("footer", "name", "document", "voice", "latitude", "body", "template", "de"),
        ]
    ),
    st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=10),
    st.integers(-5, 5),
)
SCALARS = st.one_of(TEXTS, st.integers(-(10**12), 10**12), st.booleans(), st.none(), st.floats())
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEY, inner, max_size=4),
    max_leaves=12,
)
SLOTS = {
    "name": {"type": "text"},
    "size": {"type": "categorical", "values": ["S", "very very large indeed"]},
}


@pytest.mark.slow
@settings(suppress_health_check=list(HealthCheck))
@given(st.lists(st.dictionaries(KEY, VALUES, max_size=6) | VALUES, max_size=2))
def test_whatever_a_domain_holds_is_linted_without_a_crash(
    tmp_path_factory: pytest.TempPathFactory, variations: list[Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "domain.yml"
    responses = {"utter_it": variations}
    text = f"# é\nslots: {write(SLOTS)}\nresponses: {write(responses)}\n"
    path.write_text(text, encoding="utf-8")

    lint(path)


def write(value: object) -> str:
    """Write *value* as JSON, which YAML can be; keys may be numbers there."""
    if isinstance(value, dict):
        pairs = (f"{write(key)}: {write(part)}" for key, part in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(write, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
