"""The project that Rasa's own template for Mantle makes, with our tools, as Rasa sees it then."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rasa_whatsapp_channel.cli import main
from rasa_whatsapp_channel.settings import CHANNEL, Settings

VARIABLES = {
    "OPENAI_API_KEY": "sk-1",
    "WHATSAPP_PHONE_NUMBER_ID": "106540352242922",
    "WHATSAPP_ACCESS_TOKEN": "token-1",
    "WHATSAPP_APP_SECRET": "secret-1",
    "WHATSAPP_VERIFY_TOKEN": "word-1",
}

pytestmark = pytest.mark.filterwarnings("ignore")  # what Rasa Pro's own imports warn of


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    scaffold = pytest.importorskip("rasa.cli.scaffold")
    if not hasattr(scaffold, "ENGINE_MANTLE"):
        pytest.skip("this Rasa Pro has no Mantle")
    for name, value in VARIABLES.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "bot"
    scaffold.create_initial_project(str(folder), engine=scaffold.ENGINE_MANTLE)
    monkeypatch.chdir(folder)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def texts(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def findings(folder: Path) -> list[Any]:
    """Return the codes of what Rasa's own validation finds."""
    from rasa.mantle.validation import collect_project_findings

    return [finding.code for finding in collect_project_findings(folder)]


def channels(folder: Path) -> dict[str, Any]:
    """Return the channels that Rasa loads."""
    from rasa.core.config.channel_loading import resolve_channels_config

    config = resolve_channels_config(project_root=folder)
    assert config is not None
    return dict(config.channels)


def test_rasa_takes_the_project_after_init(project: Path) -> None:
    from rasa.shared.project_structure import resolve_engine_version_from_project
    from rasa.shared.project_structure import validate_mantle_project_structure as validate

    before = findings(project)

    done = run("init")

    assert done.exit_code == 0, done.output
    validate(project)
    assert resolve_engine_version_from_project(project) == "mantle"
    assert findings(project) == before == []
    loaded = channels(project)
    assert list(loaded) == [CHANNEL, "rest", "inspector"]
    assert Settings.from_credentials(loaded[CHANNEL]).access_token == "token-1"


def test_the_draft_of_the_skill_is_one_that_rasa_takes(project: Path) -> None:
    run("init")

    shutil.copytree("skills/_whatsapp", "skills/whatsapp")

    assert findings(project) == []


def test_init_adds_lines_and_changes_none(project: Path) -> None:
    before = texts(project)

    run("init")

    after = texts(project)
    new = {".env.example", "responses.yml", "skills/_whatsapp/skill.md"}
    assert set(after) == {*before, *new}
    assert {name for name in before if before[name] != after[name]} == {"integrations.yml"}
    old, lines = before["integrations.yml"].splitlines(), after["integrations.yml"].splitlines()
    start = lines.index(f"  {CHANNEL}:")
    assert [*lines[:start], *lines[start + len(lines) - len(old) :]] == old

    again = run("init")

    assert texts(project) == after
    assert again.stdout.count("already") == 4
