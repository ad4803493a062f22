"""`rasa-whatsapp init` in bots of several shapes: what is added, and that nothing else changes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result
from support.mantle_project import FILES, write_project

from rasa_whatsapp_channel.cli import main
from rasa_whatsapp_channel.domain.read import read_domains
from rasa_whatsapp_channel.inbound.intents import INTENTS
from rasa_whatsapp_channel.settings import CHANNEL, Settings
from rasa_whatsapp_channel.whatsapp.apis import APIS

SAMPLES = Path(__file__).parents[2] / "samples" / "domains"
# As `rasa init` writes it.
CREDENTIALS = """\
# This file contains the credentials for the voice & chat platforms
# which your bot is using.
# https://rasa.com/docs/rasa/messaging-and-voice-channels

rest:
#  # you don't need to provide anything here

#facebook:
#  verify: "<verify>"

# This entry is needed if you are using Rasa Enterprise.
rasa:
  url: "http://localhost:5002/api"
"""


def init(folder: Path, *options: str) -> Result:
    done = CliRunner().invoke(main, ["init", str(folder), *options])
    assert done.exit_code == 0, done.output
    return done


def texts(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def only_adds(before: str, after: str) -> bool:
    """Return whether all lines of *before* are in *after*, in their order."""
    rest = iter(after.splitlines())
    return all(line in rest for line in before.rstrip().splitlines())


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    shutil.copy(SAMPLES / "moodbot.yml", tmp_path / "domain.yml")
    (tmp_path / "credentials.yml").write_text(CREDENTIALS)
    return tmp_path


@pytest.fixture
def calm(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLES / "calm", tmp_path, dirs_exist_ok=True)
    return tmp_path


def test_a_bot_gets_the_block_the_variables_the_intents_and_examples(bot):
    before = texts(bot)

    done = init(bot)

    after = texts(bot)
    assert set(after) == {*before, ".env.example", ".gitignore", "whatsapp-examples.yml"}
    for name, text in before.items():
        assert only_adds(text, after[name]), name
    assert f"{CHANNEL}:\n  api: cloud\n" in after["credentials.yml"]
    assert "\n  combine: turn " in after["credentials.yml"]
    assert "WHATSAPP_ACCESS_TOKEN=\n" in after[".env.example"]
    [domain] = read_domains([bot])
    assert set(INTENTS) | {"greet", "feeling_well"} <= (domain.intents or set())
    assert f"{len(INTENTS)} intents" in done.stdout
    assert "rasa-whatsapp doctor --url" in done.stdout


def test_a_second_run_changes_nothing(bot):
    init(bot)
    once = texts(bot)

    done = init(bot)

    assert texts(bot) == once
    assert done.stdout.count("already") == 5


def test_where_there_is_no_bot_it_says_how_to_make_one(tmp_path):
    assert "there is no bot yet: make one with `rasa init`" in init(tmp_path).stdout
    (tmp_path / "config.yml").write_text("recipe: default.v1\n")
    assert "there is no bot yet" not in init(tmp_path).stdout


def test_a_file_that_cannot_be_written_is_not_called_written(tmp_path):
    (tmp_path / "credentials.yml").symlink_to(tmp_path / "gone" / "credentials.yml")

    done = CliRunner().invoke(main, ["init", str(tmp_path)])

    assert done.exit_code == 1
    assert "credentials.yml: cannot be written: No such file or directory" in done.output
    assert "✔ credentials.yml" not in done.output


def test_git_leaves_out_what_is_secret_and_what_the_bot_stores(bot):
    (bot / ".gitignore").write_text("models/\n.env\n")

    init(bot)

    assert (bot / ".gitignore").read_text() == "models/\n.env\n\nwhatsapp.db*\nwhatsapp_media/\n"


@pytest.mark.parametrize("api", APIS)
def test_for_the_simulator_the_block_is_complete_as_it_is(bot, api):
    done = init(bot, "--simulator", "--api", api)

    block = yaml.safe_load((bot / "credentials.yml").read_text())[CHANNEL]
    assert block["base_url"] == "http://127.0.0.1:8400"
    assert Settings.from_credentials(block, environ={}).api == api
    assert not (bot / ".env.example").exists()
    assert "rasa-whatsapp simulate, in a second terminal" in done.stdout
    assert "doctor" not in done.stdout


def test_a_dry_run_shows_the_lines_and_writes_nothing(bot):
    before = texts(bot)

    done = init(bot, "--dry-run")

    assert texts(bot) == before
    assert f"+ {CHANNEL}:" in done.stdout
    assert "+ - whatsapp_image" in done.stdout or "+   - whatsapp_image" in done.stdout
    assert "- feeling_well" not in done.stdout  # only what is new
    assert "Nothing was written." in done.stdout


@pytest.mark.parametrize("api", APIS)
def test_the_block_is_complete_once_its_variables_are_set(tmp_path, api):
    init(tmp_path, "--api", api)

    block = yaml.safe_load((tmp_path / "credentials.yml").read_text())[CHANNEL]
    example = (tmp_path / ".env.example").read_text()
    names = re.findall(r"^(\w+)=", example, re.MULTILINE)
    assert names
    assert {value.strip("${}") for key, value in block.items() if value.startswith("$")} == set(
        names
    )
    known = {"phone_number_id": "106540352242922"}
    filled = {
        key: known.get(key, "https://x") if "$" in value else value for key, value in block.items()
    }
    assert Settings.from_credentials(filled, environ={}).api == api


def test_a_folder_of_domain_files_gets_one_more(calm):
    before = texts(calm)

    assert "rasa train --domain domain\n" in init(calm).stdout

    after = texts(calm)
    assert {name: after[name] for name in before} == before
    assert "- whatsapp_image\n" in after["domain/whatsapp.yml"]
    [domain] = read_domains([calm])
    assert set(INTENTS) <= (domain.intents or set())
    once = texts(calm)
    init(calm)
    assert texts(calm) == once


@pytest.mark.parametrize(
    "written",
    [
        "intents:\n- greet\n- bye  # the last\n\nresponses: {}\n",
        "intents:\n  - greet\n  - ask:\n      use_entities: []\nslots: {}\n",
        "intents:\nslots: {}\n",
        "slots: {}\n",
        "intents:\n- greet",
    ],
)
def test_intents_are_put_behind_lists_of_any_shape(tmp_path, written):
    (tmp_path / "domain.yml").write_text(written)

    init(tmp_path)

    after = (tmp_path / "domain.yml").read_text()
    assert only_adds(written, after)
    listed = yaml.safe_load(after)["intents"]
    assert listed[-len(INTENTS) :] == list(INTENTS)


def test_a_list_in_brackets_is_left_to_a_person(tmp_path):
    (tmp_path / "domain.yml").write_text("intents: [greet, bye]\n")

    done = init(tmp_path)

    assert (tmp_path / "domain.yml").read_text() == "intents: [greet, bye]\n"
    assert "      - whatsapp_image" in done.stdout
    assert "add what is shown above to domain.yml" in done.stdout


def test_the_block_of_another_connector_is_left_to_a_person(bot):
    path = bot / "credentials.yml"
    path.write_text("whatsapp.WhatsAppInput:\n  auth_token: x\n")

    done = init(bot)

    assert path.read_text() == "whatsapp.WhatsAppInput:\n  auth_token: x\n"
    assert "has a block whatsapp.WhatsAppInput; write in its place" in done.stdout
    assert f"      {CHANNEL}:" in done.stdout


def test_a_file_of_windows_keeps_its_line_ends(bot):
    path = bot / "credentials.yml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    before = path.read_bytes()

    init(bot)

    after = path.read_bytes()
    assert after.startswith(before.rstrip())
    assert CHANNEL.encode() in after
    assert after.count(b"\n") == after.count(b"\r\n")


def test_a_file_that_is_no_yaml_stops_it_before_anything_is_written(bot):
    (bot / "credentials.yml").write_text("rest: [\n")
    before = texts(bot)

    done = CliRunner().invoke(main, ["init", str(bot)])

    assert done.exit_code == 1
    assert "credentials.yml:" in done.stderr
    assert "is not YAML" in done.stderr
    assert "nothing was written" in done.stderr
    assert texts(bot) == before


def test_variables_are_added_to_an_example_that_is_there(bot):
    (bot / ".env.example").write_text("# ours\nOPENAI_API_KEY=\nWHATSAPP_ACCESS_TOKEN=\n")

    init(bot)

    after = (bot / ".env.example").read_text()
    assert after.startswith("# ours\nOPENAI_API_KEY=\nWHATSAPP_ACCESS_TOKEN=\n")
    assert after.count("WHATSAPP_ACCESS_TOKEN=") == 1
    assert "WHATSAPP_VERIFY_TOKEN=\n" in after


def test_the_examples_go_to_whatsapp_as_they_are(tmp_path):
    init(tmp_path)

    done = CliRunner().invoke(main, ["lint", str(tmp_path / "whatsapp-examples.yml")])

    assert done.exit_code == 0, done.output
    assert "error" not in done.output


@pytest.mark.filterwarnings("ignore")  # Rasa's own
@pytest.mark.parametrize("kind", ["bot", "calm"])
def test_rasa_takes_the_domain_afterwards(kind, request):
    domains = pytest.importorskip("rasa.shared.core.domain", reason="no Rasa here")
    folder = request.getfixturevalue(kind)

    init(folder)

    if kind == "calm" and not hasattr(
        pytest.importorskip("rasa.shared.constants"), "DEFAULT_DOMAIN_PATHS"
    ):
        pytest.skip("Rasa 3.6 knows no flows")
    path = folder / ("domain.yml" if kind == "bot" else "domain")
    domain = domains.Domain.load(str(path))
    assert set(INTENTS) <= set(domain.intents)


@pytest.fixture
def mantle(tmp_path: Path) -> Path:
    head, _, _ = FILES["integrations.yml"].partition(f"  {CHANNEL}:")
    return write_project(tmp_path, {**FILES, "integrations.yml": head})


def test_a_bot_for_mantle_gets_its_block_below_the_channels_and_no_domain(mantle):
    before = texts(mantle)

    done = init(mantle)

    after = texts(mantle)
    assert set(after) - set(before) == {
        ".env.example",
        ".gitignore",
        "responses.yml",
        "skills/_whatsapp/skill.md",
    }
    assert only_adds(before["integrations.yml"], after["integrations.yml"])
    block = yaml.safe_load(after["integrations.yml"])["channels"][CHANNEL]
    assert block["access_token"] == "${WHATSAPP_ACCESS_TOKEN}"
    assert "cp .env.example .env, and fill it in: Rasa loads it" in done.stdout
    assert "--credentials" not in done.stdout
    once = texts(mantle)
    assert init(mantle).stdout.count("already") == 5
    assert texts(mantle) == once


@pytest.mark.parametrize(
    "written",
    [
        "channels:\n",
        "channels:  # nobody yet\nmodel_groups: []\n",
        "channels:\n    # the page\n    rest:\n        enabled: true\n    slack: {a: b}\n",
        "model_groups: []",
        "",
    ],
)
def test_the_block_is_put_below_channels_of_any_shape(mantle, written):
    (mantle / "integrations.yml").write_text(written)

    init(mantle)

    after = (mantle / "integrations.yml").read_text()
    assert only_adds(written, after)
    channels = yaml.safe_load(after)["channels"]
    assert set(channels) == {CHANNEL, *((yaml.safe_load(written) or {}).get("channels") or {})}
    assert channels[CHANNEL]["api"] == "cloud"


@pytest.mark.parametrize(
    "written", ["channels: {rest: {}}\n", "channels: {}\n", "channels:\n  whatsapp:\n    a: b\n"]
)
def test_channels_written_in_another_way_are_left_to_a_person(mantle, written):
    (mantle / "integrations.yml").write_text(written)

    done = init(mantle)

    assert (mantle / "integrations.yml").read_text() == written
    assert f"      channels:\n        {CHANNEL}:\n          api: cloud\n" in done.stdout
    assert "add what is shown above to integrations.yml" in done.stdout


def test_a_file_of_variables_that_is_there_is_added_to(mantle):
    (mantle / ".env").write_text("RASA_LICENSE=x\n")

    assert "cat .env.example >> .env" in init(mantle).stdout
    assert (mantle / ".env").read_text() == "RASA_LICENSE=x\n"


def test_files_of_both_engines_stop_it_before_anything_is_written(mantle):
    (mantle / "domain.yml").write_text("intents: [greet]\n")
    before = texts(mantle)

    done = CliRunner().invoke(main, ["init", str(mantle)])

    assert done.exit_code == 1
    assert "domain.yml is of another engine" in done.stderr
    assert "Take domain.yml away" in done.stderr
    assert "nothing was written" in done.stderr
    assert texts(mantle) == before
