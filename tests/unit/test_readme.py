"""The README cannot drift from what it describes. What holds for every page is in test_docs.py."""

from __future__ import annotations

import re

import click
import pytest
from click.testing import CliRunner
from support.documents import ROOT, Block, all_blocks, blocks_of, load

from rasa_whatsapp_channel.cli import main
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

ROWS = re.findall(r"^\| Rasa ((?:Pro )?[\d.]+) \|", README, re.M)
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
PYTHONS = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', PROJECT)
BADGES = {
    "rasa": f"Rasa: {ROWS[0]}, {ROWS[1]} to {ROWS[-1].split()[1]}",
    "python": f"Python: {PYTHONS[0]} to {PYTHONS[-1]}",
    "license": "license: Apache-2.0",
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

    assert "demo" in named
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


@pytest.mark.parametrize("block", all_blocks("sh", "console"), ids=str)
def test_every_option_of_the_command_line_on_a_page_exists(block: Block) -> None:
    for command in block.commands:
        if command.startswith("rasa-whatsapp "):
            options = set(re.findall(r"--[\w-]+", command))
            told = help_of(command.removeprefix("rasa-whatsapp ").split())
            assert options <= set(re.findall(r"--[\w-]+", told)), command


@pytest.mark.parametrize("name", BADGES)
def test_a_badge_says_what_the_table_and_the_package_say(name: str) -> None:
    badge = (ROOT / "docs" / "images" / f"badge-{name}.svg").read_text(encoding="utf-8")
    shown = re.findall(r"<title>(.+)</title>", badge) + re.findall(r"<text [^>]+>([^<]+)", badge)

    assert shown == [BADGES[name], *BADGES[name].split(": ")]
    assert f"![{BADGES[name]}](docs/images/badge-{name}.svg)" in README


def test_a_row_of_the_comparison_has_a_cell_for_each() -> None:
    rows = [line for line in section("Beside the others").splitlines() if line.startswith("|")]

    assert len(rows) > 8
    assert {row.count("|") for row in rows} == {rows[0].count("|")}


@pytest.mark.parametrize("name", RESPONSES)
def test_every_response_in_the_readme_goes_to_whatsapp_as_it_is(name: str) -> None:
    composed = compose({**RESPONSES[name], "utter_action": name}, api=CLOUD)

    assert composed.messages
    assert composed.changes == ()


def test_the_version_has_its_part_of_the_changelog_as_the_release_asks() -> None:
    workflow = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = re.search(r'^version = "(.+)"$', PROJECT, re.M)

    assert version
    assert '"^## ${GITHUB_REF_NAME#v}" CHANGELOG.md' in workflow
    assert re.findall(r"^## (\S+)", changelog, re.M)[:2] == ["Unreleased", version[1]]


def test_every_page_is_reached_from_the_readme() -> None:
    pages = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}

    linked = set(re.findall(r"\]\((docs/[^)#]+\.md)", README))
    assert pages - linked == {"docs/index.md"}  # the entrance of the site


def test_what_it_does_is_told_in_eight_points() -> None:
    assert len(re.findall(r"^- \*\*", section("What it does"), re.M)) == 8
