"""What the tests take for an installed program, on machines that are set up in odd ways."""

from __future__ import annotations

import os
from pathlib import Path

from support.tools import find_tool

# What pyenv puts on the PATH: it refuses where no chosen version of Python holds the program.
SHIM = """#!/bin/sh
echo "pyenv: tool: command not found" >&2
exit 127
"""
WORKS = "#!/bin/sh\necho tool 1.0\n"


def program(folder: Path, text: str, name: str = "tool") -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_a_shim_that_does_not_run_is_no_tool(tmp_path):
    program(tmp_path / "shims", SHIM)

    assert find_tool("tool", path=str(tmp_path / "shims")) is None


def test_behind_a_shim_that_does_not_run_the_next_one_on_the_path_is_taken(tmp_path):
    program(tmp_path / "shims", SHIM)
    real = program(tmp_path / "bin", WORKS)
    path = os.pathsep.join([str(tmp_path / "shims"), "", str(tmp_path / "bin")])

    assert find_tool("tool", path=path) == str(real)


def test_where_none_on_the_path_runs_our_own_is_taken_if_that_runs(tmp_path):
    program(tmp_path / "shims", SHIM)
    own = program(tmp_path / "own", WORKS)
    missing = tmp_path / "nowhere" / "tool"

    path = str(tmp_path / "shims")
    assert find_tool("tool", path=path, beside=[missing, own]) == str(own)
    assert find_tool("tool", path=path, beside=[missing]) is None


def test_of_several_names_any_that_runs_is_enough(tmp_path):
    program(tmp_path / "bin", SHIM, "tool")
    other = program(tmp_path / "bin", WORKS, "tool-browser")

    assert find_tool("tool", "tool-browser", path=str(tmp_path / "bin")) == str(other)


def test_a_program_without_the_subcommand_that_is_asked_for_is_no_tool(tmp_path):
    some = program(tmp_path / "bin", '#!/bin/sh\n[ "$1" = --version ]\n')

    path = str(tmp_path / "bin")
    assert find_tool("tool", path=path) == str(some)
    assert find_tool("tool", path=path, asked=["compose", "version"]) is None


def test_what_is_no_program_is_no_tool(tmp_path):
    folder = tmp_path / "bin"
    program(folder, WORKS).chmod(0o644)
    program(folder, "no line that says what runs it", "text")
    (folder / "folder").mkdir()

    assert find_tool("tool", "text", "folder", path=str(folder)) is None
