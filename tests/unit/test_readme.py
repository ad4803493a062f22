"""The README cannot drift from what it describes."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from rasa_whatsapp_channel.cli import COMMANDS, main
from rasa_whatsapp_channel.inbound.turn import INTENTS
from rasa_whatsapp_channel.outbound.compose import compose
from rasa_whatsapp_channel.settings import CHANNEL, MediaSettings, Settings
from rasa_whatsapp_channel.whatsapp.apis import APIS, CLOUD

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def code_blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


def load(text: str) -> Any:
    return yaml.safe_load(text)


def section(title: str) -> str:
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#|\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def names(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


YAML_BLOCKS = [load(block) for block in code_blocks("yaml")]
CREDENTIALS = [block[CHANNEL] for block in YAML_BLOCKS if CHANNEL in block]
RESPONSES = {
    name: variation
    for block in YAML_BLOCKS
    for name, variations in block.get("responses", {}).items()
    for variation in variations
}


def test_every_make_command_in_the_readme_exists() -> None:
    named = {
        name for block in code_blocks("sh") for name in re.findall(r"^make (\w+)", block, re.M)
    }

    assert named == {"demo", "test"}
    assert named <= set(re.findall(r"^(\w+):", MAKEFILE, re.M))


def test_every_command_of_make_is_in_its_menu() -> None:
    phony = re.search(r"^\.PHONY: (.*)$", MAKEFILE, re.M)

    assert phony
    assert phony[1].split() == re.findall(r"^([\w-]+):.*## ", MAKEFILE, re.M)


def help_of(words: list[str]) -> str:
    """Return what the command at the beginning of *words* tells, or the one of a group."""
    command, *rest = words
    path = [command]
    group = main.get_command(click.Context(main), command)
    while isinstance(group, click.Group) and rest:
        assert rest[0] in group.commands, words
        group = group.commands[rest[0]]
        path.append(rest.pop(0))
    shown = CliRunner().invoke(main, [*path, "--help"])
    assert shown.exit_code == 0, shown.output
    return shown.output


def test_every_option_of_the_command_line_in_the_readme_exists() -> None:
    lines = re.findall(r"^rasa-whatsapp (.*?)(?: +#.*)?$", "\n".join(code_blocks("sh")), re.M)

    assert lines
    for line in lines:
        options = set(re.findall(r"--[\w-]+", line))
        assert options <= set(re.findall(r"--[\w-]+", help_of(line.split()))), line


def test_the_table_of_commands_names_every_command_and_no_other() -> None:
    rows = re.findall(r"^\| `rasa-whatsapp (\w+)", section("Command line"), re.M)

    assert sorted(rows) == sorted(COMMANDS)


def test_the_table_of_commands_names_everything_a_group_can_do() -> None:
    for name, does in re.findall(
        r"^\| `rasa-whatsapp (\w+)` \| (.*) \|$", section("Command line"), re.M
    ):
        group = main.get_command(click.Context(main), name)
        if isinstance(group, click.Group):
            assert set(group.commands) == set(names(does))


def test_there_is_a_credentials_block_for_every_api() -> None:
    assert {block["api"] for block in CREDENTIALS} == set(APIS)


@pytest.mark.parametrize("block", CREDENTIALS, ids=lambda block: block["api"])
def test_every_credentials_block_is_accepted(block: dict[str, Any]) -> None:
    filled = {key: re.sub(r"\$\{\w+\}", "secret", str(value)) for key, value in block.items()}

    assert Settings.from_credentials(filled, environ={}).api == block["api"]


def test_the_settings_table_names_every_key_and_no_other() -> None:
    rows = re.findall(r"^\| (`.*?) \|", section("Settings"), re.M)

    assert sorted(key for row in rows for key in names(row)) == sorted(
        field.name for field in dataclasses.fields(Settings)
    )


def test_the_settings_table_says_for_which_api_each_key_is() -> None:
    rows = re.findall(r"^\| (`.*?) \| (.*?) \|", section("Settings"), re.M)
    told = {key: apis for keys, apis in rows for key in names(keys)}

    for field in dataclasses.fields(Settings):
        meant = set(field.metadata["apis"])
        said = set(APIS) if told[field.name] == "all" else set(told[field.name].split(", "))
        assert said == meant, field.name


def test_the_media_row_names_every_key_of_the_group() -> None:
    row = re.search(r"^\| `media` .*$", section("Settings"), re.M)

    assert row
    assert {field.name for field in dataclasses.fields(MediaSettings)} <= set(names(row[0]))


@pytest.mark.parametrize("name", RESPONSES)
def test_every_response_in_the_readme_goes_to_whatsapp_as_it_is(name: str) -> None:
    composed = compose({**RESPONSES[name], "utter_action": name}, api=CLOUD)

    assert composed.messages
    assert composed.changes == ()


def test_the_readme_names_every_intent_the_channel_can_say() -> None:
    named = re.findall(r"`/(whatsapp_\w+)\{…\}`", section("What Rasa hears"))

    assert sorted(named) == sorted(INTENTS)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([\w./-]+)\)", README))))
def test_every_link_of_the_readme_leads_to_a_file(link: str) -> None:
    assert (ROOT / link).exists()
