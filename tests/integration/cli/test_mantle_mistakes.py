"""Mistakes in a bot for Mantle, planted one by one: each is found, with its file and its remedy."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from support.mantle_project import ENVIRON, write_project

from rasa_whatsapp_channel.cli import main
from rasa_whatsapp_channel.doctor import collect as doctors
from rasa_whatsapp_channel.doctor.checks.versions import VersionFacts, check_versions
from rasa_whatsapp_channel.doctor.results import CheckResult, State
from rasa_whatsapp_channel.doctor.run import run_checks

CHANNEL = "rasa_whatsapp_channel.WhatsAppInput"
VERSIONS = {
    "rasa-pro": "3.21.0",
    "sanic": "25.12.1",
    "redis": "8.0.0",
    "av": "14.2.0",
    "pillow": "11.3.0",
}
RESPONSES = """\
responses:
  utter_room:
  - text: "Which room, {session.order.name}?"
    condition: 'session.order.vip == true'
    metadata: {rephrase: false, whatsapp: {footer: "With breakfast"}}
    buttons:
    - {title: "Lake view", payload: "set:session.order.room=lake"}
    - {title: "Garden"}
  - "Which room?"
  utter_when:
  - text: "When?"
    buttons: {source: find_days}
"""
SKILL = """\
---
name: Order
description: Order breakfast.
---

The guest may hang up. Never say "action: hangup".

:::ordered_block id=main
steps:
  - id: ask
    action: utter_room
    next: END
:::
"""


@dataclass(frozen=True)
class Project:
    root: Path

    def replace(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text()
        assert old in text, (old, text)
        path.write_text(text.replace(old, new, 1))

    def write(self, file: str, text: str = "") -> None:
        (self.root / file).parent.mkdir(exist_ok=True)
        (self.root / file).write_text(text)

    def set(self, line: str) -> None:
        self.replace("integrations.yml", "app_secret:", f"{line}\n    app_secret:")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    write_project(tmp_path)
    (tmp_path / "responses.yml").write_text(RESPONSES)
    (tmp_path / "skills" / "order" / "skill.md").write_text(SKILL)
    (tmp_path / "models").mkdir()
    for path in tmp_path.rglob("*"):
        os.utime(path, (0, 0))
    (tmp_path / "models" / "today.tar.gz").touch()
    os.utime(tmp_path / "models" / "today.tar.gz", (1, 1))
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


def lint() -> list[str]:
    """Return the findings, as a person reads them."""
    done = CliRunner().invoke(main, ["lint", "."])
    found = [line for line in done.output.splitlines() if re.search(r": (error|warning) ", line)]
    assert done.exit_code == any(": error " in line for line in found), done.output
    return found


def doctor() -> list[str]:
    """Return what the doctor wants to be fixed or looked at."""
    file = Path("integrations.yml")
    bot = doctors.Project(file, file, Path("models"), offline=True)
    here = doctors.Environment(os.environ, VERSIONS, "3.11.9", lambda _root: None, time.time)

    async def results() -> list[CheckResult]:
        return [result async for result in run_checks(bot, here)]

    return [
        f"{result.check}: {result.text} {result.remedy}"
        for result in asyncio.run(results())
        if result.state in (State.ERROR, State.WARNING)
    ]


def test_a_bot_without_a_mistake_gets_no_word(project):
    assert lint() == []
    assert doctor() == []


Plant = Callable[[Project], None]
IMAGE = 'text: "When?"\n    image: "media/lake.jpg"'
BUTTONS = "\n".join(
    f'    - {{title: "Day {n}", payload: "set:session.order.day={n}"}}' for n in range(11)
)
MISTAKES: list[tuple[str, Callable[[], list[str]], Plant, tuple[str, ...]]] = [
    (
        "a picture beside the text",
        lint,
        lambda p: p.replace("responses.yml", 'text: "When?"', IMAGE),
        ("responses.yml:12: error WA622 utter_when", "metadata: {whatsapp: {image: …}}"),
    ),
    (
        "a response for one channel",
        lint,
        lambda p: p.replace("responses.yml", "    condition:", "    channel: sms\n    condition:"),
        ("responses.yml:4: error WA622 utter_room", "a response is for every channel"),
    ),
    (
        "a button with a link",
        lint,
        lambda p: p.replace("responses.yml", '"Garden"', '"Garden", url: "https://a.example"'),
        ("responses.yml:8: error WA622 utter_room", "buttons[1].url", "title and payload only"),
    ),
    (
        "a response without a text",
        lint,
        lambda p: p.replace("responses.yml", 'text: "When?"', 'text: ""'),
        ("responses.yml:11: error WA623 utter_when", "write the caption there"),
    ),
    (
        "a payload that sets nothing",
        lint,
        lambda p: p.replace("responses.yml", "set:session.order.room", "set:order.room"),
        ("responses.yml:7: error WA624 utter_room", "write set:session.SKILL.FIELD=VALUE"),
    ),
    (
        "more buttons than a list has rows",
        lint,
        lambda p: p.replace("responses.yml", '    - {title: "Garden"}', BUTTONS),
        ("responses.yml:6: warning WA302 utter_room", "12 buttons became 2 lists"),
    ),
    (
        "a title that is too long",
        lint,
        lambda p: p.replace("responses.yml", "Lake view", "A room with a view of the lake"),
        ("responses.yml:7: warning WA303 utter_room",),
    ),
    (
        "a key that metadata.whatsapp has not",
        lint,
        lambda p: p.replace("responses.yml", "{footer:", "{fotter:"),
        ("responses.yml:5: error WA108 utter_room", "did you mean footer?"),
    ),
    (
        "a slot in metadata, where Rasa fills none in",
        lint,
        lambda p: p.replace("responses.yml", "With breakfast", "{session.order.price}"),
        ("responses.yml:5: error WA604 utter_room", "fills nothing into metadata.whatsapp.footer"),
    ),
    (
        "a file beside the skill",
        lint,
        lambda p: p.replace("responses.yml", "{footer:", '{image: "media/lake.jpg", footer:'),
        ("responses.yml:5: error WA701 utter_room", "media/lake.jpg"),
    ),
    (
        "a skill that hangs up",
        lint,
        lambda p: p.replace("skills/order/skill.md", "action: utter_room", "action: hangup"),
        ("skills/order/skill.md:11: warning WA626", "on_hangup", "write next: END"),
    ),
    (
        "an intent that cannot be triggered",
        lint,
        lambda p: p.set("failure_intent: not_sent"),
        ("integrations.yml:16: error WA627", "Mantle has no intents", "take it away"),
    ),
    (
        "credentials that Rasa does not read",
        lint,
        lambda p: p.write("credentials.yml", f"{CHANNEL}:\n  api: cloud\n"),
        ("credentials.yml:1: warning WA629", "move what counts to integrations.yml"),
    ),
    (
        "a domain beside the skills",
        lint,
        lambda p: p.write("domain.yml", "intents: []\n"),
        (".:1: error WA628", "domain.yml", "mixed layout", "Take domain.yml away"),
    ),
    (
        "a domain beside the skills, for the doctor",
        doctor,
        lambda p: p.write("domain.yml", "intents: []\n"),
        ("bot.layout: ", "domain.yml", "mixed layout", "Take domain.yml away"),
    ),
    (
        "no skill",
        doctor,
        lambda p: (p.root / "skills" / "order").rename(p.root / "skills" / "_order") and None,
        ("bot.layout: ", "skills", "Write skills/NAME/skill.md"),
    ),
    (
        "an intent that cannot be triggered, for the doctor",
        doctor,
        lambda p: p.set("failure_intent: not_sent"),
        ("bot.failure_intent: ", "Mantle has no intents", "Take it away"),
    ),
    (
        "endpoints that Rasa does not read",
        doctor,
        lambda p: p.write("endpoints.yml", "tracker_store: {type: SQL}\n"),
        ("bot.unread: endpoints.yml", "Move what counts to integrations.yml"),
    ),
    (
        "a variable of a model that is not set",
        doctor,
        lambda p: p.replace("integrations.yml", "${OPENAI_API_KEY}", "${NO_KEY}"),
        (
            "credentials.variables: model_groups.0.models.0.api_key: NO_KEY is not set",
            "without it Rasa loads none of the channels",
            "export NO_KEY=…",
        ),
    ),
    (
        "a variable in quotes",
        doctor,
        lambda p: p.replace("integrations.yml", "app_secret: secret", 'app_secret: "${SECRET}"'),
        ("credentials.settings: 'app_secret' is the text", "without quotes"),
    ),
    (
        "a channel that is switched off",
        doctor,
        lambda p: p.replace("integrations.yml", "true\n    phone", "no\n    phone"),
        ("credentials.enabled: Line 12", "Take `enabled: false` away"),
    ),
    (
        "the channel at the top, as in credentials.yml",
        doctor,
        lambda p: p.replace("integrations.yml", f"  {CHANNEL}:\n    enabled: true", f"{CHANNEL}:"),
        ("credentials.block: There is no block", "there are rest", "`rasa-whatsapp init`"),
    ),
    (
        "a misspelt key",
        doctor,
        lambda p: p.replace("integrations.yml", "verify_token", "verfy_token"),
        ("credentials.settings: unknown key 'verfy_token'", "'verify_token'?"),
    ),
    (
        "several servers whose locks are each for itself",
        doctor,
        lambda p: p.set("store: redis://127.0.0.1:1"),
        ("bot.lock_store: ", "Write into integrations.yml `lock_store"),
    ),
    (
        "a skill that is newer than the model",
        doctor,
        lambda p: os.utime(p.root / "skills" / "order" / "skill.md"),
        ("bot.model: skills/order/skill.md is newer than the model", "rasa train"),
    ),
    (
        "a tool in a folder of its own that is newer than the model",
        doctor,
        lambda p: p.write("skills/order/tools/show.py"),
        ("bot.model: skills/order/tools/show.py is newer than the model", "rasa train"),
    ),
    (
        "a hook that is newer than the model",
        doctor,
        lambda p: p.write("hooks/ours.py"),
        ("bot.model: hooks/ours.py is newer than the model", "rasa train"),
    ),
]


@pytest.mark.parametrize(
    ("command", "plant", "said"),
    [row[1:] for row in MISTAKES],
    ids=[row[0] for row in MISTAKES],
)
def test_every_mistake_is_told_with_its_file_and_its_remedy(project, command, plant, said):
    plant(project)

    told = command()

    matching = [line for line in told if all(part in line for part in said)]
    assert len(matching) == 1, told


def test_a_tap_on_a_button_that_sets_memory_is_explained_once(project):
    project.replace(
        "responses.yml", 'title: "Garden"', 'title: "Hut", payload: "set:session.order.room=h"'
    )

    done = CliRunner().invoke(main, ["lint", "."])

    assert done.output.count("WA625") == 2  # the finding, and how to ignore it
    assert done.output.startswith("responses.yml:6: note WA625 utter_room: ")
    assert "only while this is the bot's last message" in done.output


def test_what_is_meant_is_ignored_by_a_comment_in_a_skill_too(project):
    project.replace(
        "skills/order/skill.md", "action: utter_room", "action: hangup  # whatsapp: ignore WA626"
    )

    assert lint() == []


def test_a_version_without_the_engine_is_told():
    def told(name: str, version: str) -> list[str]:
        facts = VersionFacts("3.11.9", {name: version, "sanic": "25.12.0"}, is_mantle=True)
        return [r.text + r.remedy for r in check_versions(facts) if r.check == "versions.mantle"]

    assert told("rasa-pro", "3.21.0") == told("rasa-pro", "3.22.0.dev1") == []
    [old], [other] = told("rasa-pro", "3.20.5"), told("rasa", "3.6.21")
    assert "here is rasa-pro 3.20.5" in old
    assert "here is rasa 3.6.21" in other
    assert 'pip install "rasa-pro>=3.21"' in old
