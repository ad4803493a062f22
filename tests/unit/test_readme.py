"""The README cannot drift from what it describes. What holds for every page is in test_docs.py."""

from __future__ import annotations

import re

import click
import pytest
from click.testing import CliRunner
from support.documents import ROOT, Block, all_blocks, blocks_of, load

from rasa_whatsapp_channel.cli import COMMANDS, main
from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")

RESPONSES = {
    name: variation
    for block in blocks_of(ROOT / "README.md", "yaml")
    for name, variations in load(block).get("responses", {}).items()
    for variation in variations
}


def section(title: str) -> str:
    found = re.search(rf"^#+ {title}\n(.*?)(?=^#|\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def test_every_make_command_on_a_page_exists() -> None:
    named = {
        command.split()[1]
        for block in all_blocks("sh")
        for command in block.commands
        if command.startswith("make ")
    }

    assert {"demo", "test"} <= named
    assert named <= set(re.findall(r"^([\w-]+):", MAKEFILE, re.M))


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


@pytest.mark.parametrize("block", all_blocks("sh"), ids=str)
def test_every_option_of_the_command_line_on_a_page_exists(block: Block) -> None:
    for command in block.commands:
        if command.startswith("rasa-whatsapp "):
            options = set(re.findall(r"--[\w-]+", command))
            told = help_of(command.removeprefix("rasa-whatsapp ").split())
            assert options <= set(re.findall(r"--[\w-]+", told)), command


def test_the_table_of_commands_names_every_command_and_no_other() -> None:
    rows = re.findall(r"^\| `rasa-whatsapp (\w+)", section("Command line"), re.M)

    assert sorted(rows) == sorted(COMMANDS)


def test_the_table_of_commands_names_everything_a_group_can_do() -> None:
    for name, does in re.findall(
        r"^\| `rasa-whatsapp (\w+)` \| (.*) \|$", section("Command line"), re.M
    ):
        group = main.get_command(click.Context(main), name)
        if isinstance(group, click.Group):
            assert set(group.commands) == set(re.findall(r"`(\w+)`", does))


@pytest.mark.parametrize("name", RESPONSES)
def test_every_response_in_the_readme_goes_to_whatsapp_as_it_is(name: str) -> None:
    composed = compose({**RESPONSES[name], "utter_action": name}, api=CLOUD)

    assert composed.messages
    assert composed.changes == ()
