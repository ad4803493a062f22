"""docs/design.md describes the code as it is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from support.design import described_modules, layers, named_files
from support.documents import ROOT

import rasa_whatsapp_channel

PACKAGE = Path(rasa_whatsapp_channel.__file__).parent
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_picture_of_layers_is_the_contract_that_lint_checks() -> None:
    contract = PYPROJECT.partition('type = "layers"')[2].partition("layers = [")[2]

    assert layers() == re.findall(r'"(.+)"', contract.partition("]")[0])


def test_every_module_of_a_layer_is_described() -> None:
    modules = {name for row in layers() for name in row.split(" | ")}

    assert modules - described_modules() == set()


def test_every_file_and_module_that_the_design_names_exists() -> None:
    modules = [PACKAGE.joinpath(*name.split(".")) for name in described_modules()]

    assert [name for name in named_files() if not (PACKAGE / name).is_file()] == []
    assert [
        str(path) for path in modules if not path.is_dir() and not path.with_suffix(".py").is_file()
    ] == []


def test_every_module_says_what_it_is() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}

    assert [path for path, text in texts.items() if not ast.get_docstring(ast.parse(text))] == []
