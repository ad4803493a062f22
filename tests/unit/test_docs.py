"""What the pages show can be copied: settings, responses, code, series, links."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
import runpy
import shutil
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from support.documents import PAGES, ROOT, Block, all_blocks, load

from rasa_whatsapp_channel.cli import COMMANDS, main
from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.compose.changes import RULES
from rasa_whatsapp_channel.domain.marked import parse
from rasa_whatsapp_channel.domain.project import read_channels
from rasa_whatsapp_channel.inbound.intents import INTENTS
from rasa_whatsapp_channel.inbound.metadata import metadata_of
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.settings import CHANNEL, Settings
from rasa_whatsapp_channel.simulator.templates import load_folder
from rasa_whatsapp_channel.transcript.steps import parse_transcript
from rasa_whatsapp_channel.whatsapp.apis import APIS, CLOUD
from rasa_whatsapp_channel.whatsapp.events import InboundMessage

MADE = runpy.run_path(str(ROOT / "docs" / "pages.py"))["PAGES"]
MEDIA = ROOT / "examples" / "quickstart" / "media"
# What a bot's files may have at the top; Rasa itself reads them in the test of the tutorial.
RASA = {"version", "intents", "entities", "slots", "responses", "nlu", "rules"}
# A block of settings that names its api is whole; to others these are added.
REST = {
    "phone_number_id": "106540352242922",
    "access_token": "token",
    "app_secret": "secret",
    "verify_token": "word",
}
KEYS = {field.name for field in dataclasses.fields(Settings)}

YAML = all_blocks("yaml")
SETTINGS = [block for block in YAML if CHANNEL in load(block) or set(load(block)) <= KEYS]
DOMAINS = [block for block in YAML if {"responses", "slots"} & set(load(block))]
TRAINING = [block for block in YAML if {"nlu", "rules", "recipe"} & set(load(block))]
SCRAPED = [block for block in YAML if "scrape_configs" in load(block)]
TRANSCRIPTS = [block for block in YAML if "chat" in load(block)]
HOOKS = [block for block in YAML if "repos" in load(block)]
INTEGRATIONS = [block for block in YAML if "channels" in load(block)]
TEMPLATES = [block for block in YAML if "components" in load(block)]
TRACED = [block for block in YAML if "tracing" in load(block)]  # by Rasa Pro, in its own tests


def test_every_block_of_yaml_is_of_a_kind_that_a_test_loads():
    loaded = [
        *SETTINGS,
        *DOMAINS,
        *TRAINING,
        *SCRAPED,
        *TRANSCRIPTS,
        *HOOKS,
        *TRACED,
        *INTEGRATIONS,
        *TEMPLATES,
    ]

    assert [str(block) for block in YAML if block not in loaded] == []


def fill(text: str) -> str:
    """Fill in the variables: ids are numbers."""
    return re.sub(r"\$\{\w+\}", "filled-in-by-a-test", re.sub(r"\$\{\w+_ID\}", "'1065'", text))


@pytest.mark.parametrize("block", SETTINGS, ids=str)
def test_every_block_of_settings_is_accepted(block: Block) -> None:
    text = fill(block.text)
    read = yaml.safe_load(text)
    keys = read.get(CHANNEL, read)

    settings = Settings.from_credentials(keys if "api" in keys else REST | keys, environ={})

    assert settings.api == keys.get("api", CLOUD.name)


@pytest.mark.parametrize("block", INTEGRATIONS, ids=str)
def test_every_channel_of_a_bot_for_mantle_is_accepted(block: Block) -> None:
    filled = fill(block.text)
    [channel] = [part for _, part in read_channels(parse(filled, str(block))).items()]

    keys = {key: value for key, value in channel.value.items() if key != "enabled"}
    assert Settings.from_credentials(keys, environ={}).api == CLOUD.name


def test_there_is_a_whole_block_of_settings_for_every_api() -> None:
    blocks = [load(block).get(CHANNEL, {}) for block in SETTINGS]

    assert {block["api"] for block in blocks if "api" in block} == set(APIS)


@pytest.mark.parametrize("block", DOMAINS, ids=str)
def test_every_domain_passes_the_linter(block: Block, tmp_path: Path) -> None:
    shutil.copytree(MEDIA, tmp_path / "media")
    shutil.copy(MEDIA / "chime.ogg", tmp_path / "media" / "song.ogg")
    domain = tmp_path / "domain.yml"
    domain.write_text(block.text, encoding="utf-8")

    told = CliRunner().invoke(main, ["lint", str(domain), "--bot", str(tmp_path)])

    assert told.exit_code == 0, told.output


@pytest.mark.parametrize("block", DOMAINS, ids=str)
def test_nothing_of_a_response_on_a_page_is_lost(block: Block) -> None:
    for response, variations in load(block).get("responses", {}).items():
        for variation in variations:
            composed = compose({**variation, "utter_action": response}, api=CLOUD)

            assert composed.messages, response
            assert [c for c in composed.changes if RULES[c.code].lost] == [], response


@pytest.mark.parametrize("block", TRAINING, ids=str)
def test_every_file_of_training_has_only_keys_of_rasa(block: Block) -> None:
    read = load(block)

    assert set(read) <= RASA or read["recipe"] == "default.v1"
    for rule in read.get("rules", []):
        assert all({"intent", "action"} & set(step) for step in rule["steps"]), rule


@pytest.mark.parametrize("block", TRANSCRIPTS, ids=str)
def test_every_transcript_can_be_played(block: Block) -> None:
    assert parse_transcript(block.text, name=str(block)).steps


@pytest.mark.parametrize("block", TEMPLATES, ids=str)
def test_every_template_is_read_by_the_simulator(block: Block, tmp_path: Path) -> None:
    (tmp_path / "shown.yml").write_text(block.text, encoding="utf-8")

    assert load(block)["name"] in {each.name for each in load_folder(tmp_path)}


@pytest.mark.parametrize("block", all_blocks("json"), ids=str)
def test_json_on_a_page_is_json(block: Block) -> None:
    assert json.loads(block.text)


def test_every_block_is_in_a_language_that_a_test_reads() -> None:
    """Text is what programs print, and a console what people type with its answers."""
    tested = {"sh", "console", "yaml", "python", "json", "promql", "text"}
    written = {
        language
        for page in PAGES
        for language in re.findall(r"^ *```(\w+)", page.read_text(encoding="utf-8"), re.M)
    }

    assert written - tested == set()


@pytest.mark.parametrize("block", SCRAPED, ids=str)
def test_prometheus_is_sent_to_the_page_of_metrics(block: Block) -> None:
    paths = [job["metrics_path"] for job in load(block)["scrape_configs"]]

    assert paths == ["/webhooks/whatsapp/metrics"]


@pytest.mark.parametrize("block", HOOKS, ids=str)
def test_every_hook_of_pre_commit_is_there(block: Block) -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

    named = {hook["id"] for repo in load(block)["repos"] for hook in repo["hooks"]}
    assert named <= {hook["id"] for hook in hooks}


@pytest.mark.filterwarnings("ignore")  # Rasa's own
@pytest.mark.parametrize("block", all_blocks("python"), ids=str)
def test_python_on_a_page_defines_what_it_shows(block: Block) -> None:
    tree = ast.parse(block.text, str(block))
    defined = (ast.Import, ast.ImportFrom, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    tree.body = [node for node in tree.body if isinstance(node, defined)]  # what runs, asks servers
    code = compile(tree, str(block), "exec")
    try:
        exec(code, {"__name__": "shown"})
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("rasa", "rasa_sdk", "sanic"):
            raise
        pytest.skip(f"no {missing.name} in this environment")


def test_the_dashboard_and_the_alarms_ask_for_series_that_exist() -> None:
    dashboard = (ROOT / "docs" / "how-to" / "grafana-dashboard.json").read_text(encoding="utf-8")
    asked = [t["expr"] for panel in json.loads(dashboard)["panels"] for t in panel["targets"]]
    asked += [block.text for block in all_blocks("promql")]

    assert asked
    named = set(re.findall(r"whatsapp_\w+", "\n".join(asked)))
    known = {family.name for family in Metrics().registry.collect()}
    assert {re.sub(r"_(total|bucket)$", "", one) for one in named} <= known


def test_the_dashboard_shows_every_series() -> None:
    dashboard = (ROOT / "docs" / "how-to" / "grafana-dashboard.json").read_text(encoding="utf-8")

    for family in Metrics().registry.collect():
        assert re.search(rf"{family.name}(_total|_bucket)?\b", dashboard), family.name


@pytest.mark.parametrize("name", MADE)
def test_a_page_that_is_made_from_code_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") == MADE[name](), (
        "write it anew: PYTHONPATH=. .venv-lint/bin/python docs/pages.py"
    )


def test_the_page_of_settings_names_every_key_with_its_default_and_its_apis() -> None:
    page = MADE["settings"]()

    assert "| `delivered_timeout` | a number of seconds, 0 or more<br>default: `3` |" in page
    assert re.search(r"^\| `api_version` .*\*For `cloud` only\.\*", page, re.M)
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.M)) >= KEYS


def test_the_page_of_commands_has_a_part_for_each_with_its_options() -> None:
    page = MADE["command-line"]()

    parts = re.findall(r"^## rasa-whatsapp (\w+)$", page, re.M)
    assert sorted(parts) == sorted(COMMANDS)
    assert "### rasa-whatsapp queue erase" in page
    assert "| `--port INTEGER` | Default: `8400`. |" in page


def test_the_table_of_metadata_names_everything_that_is_always_there() -> None:
    page = (ROOT / "docs" / "inbound.md").read_text(encoding="utf-8")
    table = page.partition("## The metadata")[2].partition("\n## ")[0]
    event = InboundMessage(id="m1", type="text", phone="15550002222", content={"body": "hi"})

    facts = metadata_of(event)

    named = set(re.findall(r"`(\w+)`", table))
    assert set(facts) - {"text"} <= named


def test_the_page_of_what_the_bot_hears_names_every_intent() -> None:
    page = (ROOT / "docs" / "inbound.md").read_text(encoding="utf-8")

    assert set(INTENTS) <= set(re.findall(r"`(whatsapp_\w+)`", page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    made_when_built = {"changelog.md"}
    text = page.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```$|`[^`\n]+`", "", text, flags=re.S | re.M)
    for link in re.findall(r"\]\(([^):#\s]+)(?:#[\w-]+)?\)", text):
        assert link in made_when_built or (page.parent / link).exists(), link


def test_few_shell_blocks_are_not_run_and_each_says_why() -> None:
    left_out = [block for block in all_blocks("sh") if block.reason]

    assert len(left_out) <= 23
    assert all(len(str(block.reason)) > 15 for block in left_out)


def test_there_is_one_wording_for_installing() -> None:
    """The channel from the clone, and an extra for a channel that is installed, from wherever."""
    first = {'pip install "./rasa-whatsapp-channel[convert]"'}  # what else is in the line is Rasa
    first |= {"pip install rasa==3.6.21 ./rasa-whatsapp-channel"}
    pages = [*PAGES, *(ROOT / "rasa_whatsapp_channel").rglob("*.py")]
    written = [
        (path.name, line)
        for path in pages
        for line in re.findall(r"pip install [^`\n]*", path.read_text(encoding="utf-8"))
        if "rasa-whatsapp-channel" in line
    ]

    assert {line for _, line in written} >= first
    for name, line in written:
        extra = re.search(r'pip install "rasa-whatsapp-channel\[[a-z]+\]"', line)
        assert line.strip() in first or extra, f"{name}: {line}"
