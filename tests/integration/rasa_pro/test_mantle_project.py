"""The project that Rasa's own template for Mantle makes, with our tools, as Rasa sees it then."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from rasa_whatsapp_channel.cli import main
from rasa_whatsapp_channel.domain.marked import parse
from rasa_whatsapp_channel.domain.project import is_off, read_channels
from rasa_whatsapp_channel.settings import CHANNEL, Settings

VARIABLES = {
    "OPENAI_API_KEY": "sk-1",
    "WHATSAPP_PHONE_NUMBER_ID": "106540352242922",
    "WHATSAPP_ACCESS_TOKEN": "token-1",
    "WHATSAPP_APP_SECRET": "secret-1",
    "WHATSAPP_VERIFY_TOKEN": "word-1",
}

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # what Rasa Pro's own imports warn of
    pytest.mark.needs("rasa.shared.project_structure:validate_mantle_project_structure"),
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from rasa.cli import scaffold

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
    new = {".env.example", ".gitignore", "responses.yml", "skills/_whatsapp/skill.md"}
    assert set(after) == {*before, *new}
    assert {name for name in before if before[name] != after[name]} == {"integrations.yml"}
    old, lines = before["integrations.yml"].splitlines(), after["integrations.yml"].splitlines()
    start = lines.index(f"  {CHANNEL}:")
    assert [*lines[:start], *lines[start + len(lines) - len(old) :]] == old

    again = run("init")

    assert texts(project) == after
    assert again.stdout.count("already") == 5


def test_the_doctor_finds_only_that_the_project_is_not_trained(project: Path) -> None:
    run("init")

    done = run("doctor", "--offline", "--json")

    wrong = [c for c in json.loads(done.stdout)["checks"] if c["state"] in ("error", "warning")]
    assert [check["check"] for check in wrong] == ["bot.model"], wrong


def test_the_linter_finds_nothing(project: Path) -> None:
    assert run("lint", ".", "--strict").output == "Nothing found: 0 responses in 0 files\n"

    run("init")

    assert run("lint", ".", "--strict").exit_code == 0


REFUSED = {
    'image: "media/lake.jpg"': "WA622",
    "channel: whatsapp": "WA622",
    "condition: 7": "WA603",
    "buttons: yes": "WA603",
    "buttons: [{payload: a}]": "WA603",
    'buttons: [{title: "Yes", payload: ""}]': "WA603",
    'buttons: [{title: "Yes", url: "https://a.example"}]': "WA622",
    'buttons: [{title: "Yes", payload: "set:order.room=lake"}]': "WA624",
    'buttons: [{title: "Yes", payload: "set:session.order.room="}]': "WA624",
    'text: " "': "WA623",
}
TAKEN = (
    "metadata: {rephrase: true, whatsapp: {footer: Soon}}",
    "buttons: []",
    'buttons: [{title: "Yes"}, {title: "No", payload: "no, thanks"}]',
)


def test_the_linter_refuses_what_rasa_refuses(project: Path) -> None:
    from rasa.mantle.validation import collect_project_findings

    names = {f"utter_{number}": line for number, line in enumerate([*REFUSED, *TAKEN])}
    written = ["responses:"]
    for name, line in names.items():
        lines = [line] if line.startswith("text") else ['text: "Which room?"', line]
        written += [f"  {name}:", "  - " + "\n    ".join(lines)]
    Path("responses.yml").write_text("\n".join(written))

    told = json.loads(run("lint", ".", "--format", "json").stdout)["findings"]
    rasas = " ".join(finding.message for finding in collect_project_findings(project))

    errors = {f["response"]: f["code"] for f in reversed(told) if f["level"] == "error"}
    assert {names[name]: code for name, code in errors.items()} == REFUSED
    assert {line for name, line in names.items() if re.search(rf"{name}\b", rasas)} == set(REFUSED)


def test_a_variable_that_is_not_set_stops_rasa_and_the_doctor_names_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rasa.shared.exceptions import RasaException

    run("init")
    monkeypatch.delenv("OPENAI_API_KEY")

    with pytest.raises(RasaException):
        channels(project)

    checks = json.loads(run("doctor", "--offline", "--json").stdout)["checks"]
    [unset] = [
        check for check in checks if check["state"] == "error" and "API_KEY" in check["text"]
    ]
    assert unset["check"] == "credentials.variables"
    assert "OPENAI_API_KEY is not set" in unset["text"]


@pytest.mark.parametrize("enabled", ["false", "no", '"off"', "0", "true", "yes"])
def test_a_channel_is_switched_off_as_rasa_reads_it(project: Path, enabled: str) -> None:
    run("init")
    path = project / "integrations.yml"
    path.write_text(path.read_text().replace(f"{CHANNEL}:", f"{CHANNEL}:\n    enabled: {enabled}"))

    block = read_channels(parse(path.read_text(), path.name))[CHANNEL]
    assert (CHANNEL in channels(project)) is not is_off(block)


def test_a_mistake_at_the_start_names_the_file_it_is_in(project: Path) -> None:
    from rasa.shared.exceptions import InvalidConfigException

    from rasa_whatsapp_channel import WhatsAppInput

    run("init")
    path = project / "integrations.yml"
    path.write_text(path.read_text().replace("verify_token", "verfy_token"))

    with pytest.raises(
        InvalidConfigException, match=r"integrations\.yml: unknown key 'verfy_token'"
    ):
        WhatsAppInput.from_credentials(channels(project)[CHANNEL])
