"""The page about handoffs: each test that it names is there."""

from __future__ import annotations

import re

from support.processes import PROJECT

PAGE = (PROJECT / "docs" / "how-to" / "handoff.md").read_text()


def test_every_complaint_has_a_test_that_is_there():
    rows = re.findall(r"^\| .* \| `(test_\w+)` \|$", PAGE, re.M)
    found = {
        name
        for file in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^(?:async )?def (test_\w+)", file.read_text(), re.M)
    }

    assert len(rows) > 15
    assert [name for name in rows if name not in found] == []
