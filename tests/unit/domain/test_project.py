"""Which engine a bot's folder is for, by the files in it, as Rasa decides it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_whatsapp_channel.domain.marked import parse
from rasa_whatsapp_channel.domain.project import (
    find_channels_file,
    is_mantle,
    is_off,
    problem_of_layout,
    read_channels,
    read_variables,
)

AGENT, INTEGRATIONS, SKILL = "agent.yml", "integrations.yml", "skills/order/skill.md"


def folder_of(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("names", "mantle", "problem"),
    [
        ((AGENT, INTEGRATIONS, SKILL), True, ""),
        ((AGENT, SKILL), True, ""),
        ((AGENT, INTEGRATIONS), True, "has no skill"),
        ((AGENT, INTEGRATIONS, "skills/_draft/skill.md"), True, "has no skill"),
        ((INTEGRATIONS, SKILL), True, "agent.yml is missing"),
        ((AGENT, INTEGRATIONS, SKILL, "domain.yml"), True, "mixed layout"),
        ((AGENT, INTEGRATIONS, SKILL, "credentials.yml"), True, ""),
        # a folder that serves a model
        ((INTEGRATIONS,), True, ""),
        ((INTEGRATIONS, "endpoints.yml"), True, ""),
        ((INTEGRATIONS, "domain.yml"), False, ""),
        ((INTEGRATIONS, "credentials.yml"), False, ""),
        ((AGENT,), False, ""),
        (("skills/_draft/skill.md", AGENT, "domain.yml"), False, ""),
        (("domain.yml", "credentials.yml", "config.yml"), False, ""),
        ((), False, ""),
    ],
)
def test_two_of_three_files_make_a_project_for_mantle(tmp_path, names, mantle, problem):
    folder = folder_of(tmp_path, *names)

    assert is_mantle(folder) is mantle
    file = INTEGRATIONS if mantle else "credentials.yml"
    assert find_channels_file(folder) == folder / file
    said = problem_of_layout(folder)
    assert problem in said[0] if problem else said is None


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("rest:\nslack: {a: b}\n", ["rest", "slack"]),
        ("model_groups: []\nchannels:\n  rest:\n  slack: {a: b}\n", ["rest", "slack"]),
        ("channels:\n", []),
        ("model_groups: []\n", []),
        ("channels: [rest]\n", ["0"]),
        ("", []),
    ],
)
def test_channels_are_found_in_either_file(text, names):
    assert list(read_channels(parse(text, "x"))) == names


@pytest.mark.parametrize(
    ("block", "off"),
    [
        ("enabled: false", True),
        ("enabled: False", True),
        ('enabled: "no"', True),
        ("enabled: off", True),
        ("enabled: 0", True),
        ("enabled: true", False),
        ("enabled:", False),
        ("api: cloud", False),
    ],
)
def test_a_channel_is_off_as_rasa_reads_it(block, off):
    assert is_off(parse(block, "x")) is off


def test_variables_of_a_file_are_read_as_rasa_loads_them():
    text = (
        "# a comment\nA=1\nexport B = two words \n"
        "C=\"with # inside\"\nD='single'\nE=x # a comment\nF=\nno variable\n"
    )

    assert read_variables(text) == {
        "A": "1",
        "B": "two words",
        "C": "with # inside",
        "D": "single",
        "E": "x",
        "F": "",
    }


def test_a_mark_of_windows_before_the_first_variable_is_no_part_of_its_name() -> None:
    assert read_variables("\ufeffA=1\nB=2\n") == {"A": "1", "B": "2"}
