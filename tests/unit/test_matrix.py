"""The versions of Rasa that the pages promise are those that the matrix runs."""

from __future__ import annotations

import re

import yaml
from support.documents import ROOT

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
RECIPES = (ROOT / ".ci" / "environment").read_text(encoding="utf-8")


def matrix() -> list[str]:
    found = re.search(r"^MATRIX \?= ((?:.*\\\n)*.*)$", MAKEFILE, re.M)
    assert found
    return found[1].replace("\\", " ").split()


def rasas() -> set[str]:
    """Return the versions of Rasa that have an environment; the newest is called by its way."""
    pinned = set(re.findall(r"(?<=\s)rasa(?:-pro)?==(\d[\d.]+)", RECIPES))
    return pinned | {
        name.removeprefix("rasa-pro-") for name in matrix() if name.startswith("rasa-pro-")
    }


def rows(page: str) -> list[str]:
    text = (ROOT / page).read_text(encoding="utf-8")
    return re.findall(r"^\| Rasa(?: Pro)? ([\w.]+) \|", text, re.M)


def is_pre_release(version: str) -> bool:
    return re.search("[a-z]", version) is not None


def test_the_table_of_results_has_the_versions_of_the_matrix() -> None:
    table = {"pre" if is_pre_release(row) else row for row in rows("docs/compatibility.md")}

    assert table == rasas()


def test_the_readme_promises_what_the_table_of_results_has() -> None:
    minors = (".".join(row.split(".")[:2]) for row in rows("docs/compatibility.md"))

    assert rows("README.md") == list(dict.fromkeys(minors))


def test_the_workflow_runs_the_matrix() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    jobs = workflow["jobs"]["matrix"]["strategy"]["matrix"]["include"]

    assert [job["environment"] for job in jobs] == matrix()
