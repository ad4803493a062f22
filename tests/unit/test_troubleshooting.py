"""The page that people search for a line or a code: it has them all, in the doctor's order."""

from __future__ import annotations

import ast
import re
import time
from pathlib import Path

from support.documents import ROOT
from support.log_calls import PACKAGE

from rasa_whatsapp_channel.compose.changes import RULES
from rasa_whatsapp_channel.doctor.collect import Environment, Project
from rasa_whatsapp_channel.doctor.run import run_checks
from rasa_whatsapp_channel.lint.rules import RULES as LINT_RULES
from rasa_whatsapp_channel.whatsapp.error_codes import ERROR_CODES

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
AREAS = re.findall(r"^\d\. \*\*.*\(`(\w+)`\)", PAGE, re.M)


def part(title: str) -> str:
    return PAGE.partition(f"\n{title}\n")[2].partition("\n#")[0]


def checks_of(area: str) -> set[str]:
    """Return the names of the results that the module of *area* gives."""
    tree = ast.parse((PACKAGE / "doctor" / "checks" / f"{area}.py").read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    return {text for text in texts if re.fullmatch(rf"{area}\.\w+", str(text))}


async def test_the_questions_come_in_the_order_of_the_doctor(tmp_path: Path) -> None:
    project = Project(
        tmp_path / "credentials.yml", tmp_path / "endpoints.yml", tmp_path / "models", offline=True
    )
    environment = Environment({}, {}, "3.10.13", lambda _root: None, time.time)

    areas = [result.area async for result in run_checks(project, environment)]

    assert list(dict.fromkeys(areas)) == AREAS


def test_every_line_of_the_doctor_has_its_question() -> None:
    for area in AREAS:
        rows = re.findall(r"^\| (`.*`) \|", part(f"### {area}"), re.M)
        told = [name for row in rows for name in re.findall(r"`([\w.]+)`", row)]
        assert sorted(told) == sorted(checks_of(area)), area


def test_every_error_code_has_its_line() -> None:
    rows = re.findall(r"^\| (\d+) \|", part("## Error codes"), re.M)

    assert [int(row) for row in rows] == sorted(ERROR_CODES)


def test_every_code_of_a_change_and_of_the_linter_has_its_line() -> None:
    rows = re.findall(r"^\| (WA\d+) \|", part("## Codes of changes and of the linter"), re.M)

    assert rows == sorted({*RULES, *LINT_RULES})
