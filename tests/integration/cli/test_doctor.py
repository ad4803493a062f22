"""`rasa-whatsapp doctor` as it is typed: the report, JSON, and how it ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart"


def copy_bot(folder: Path) -> None:
    for name in ("domain.yml", "config.yml", "credentials.yml"):
        shutil.copy(QUICKSTART / name, folder / name)
    shutil.copytree(QUICKSTART / "media", folder / "media")


async def test_the_report_names_each_area_and_ends_with_1_when_something_is_to_mend(
    rasa_whatsapp, tmp_path
):
    copy_bot(tmp_path)

    done = await rasa_whatsapp("doctor", "--offline")

    lines = done.stdout.splitlines()
    assert done.exit_code == 1
    for area in ("Credentials", "Account", "Webhook", "Store", "Bot", "Versions"):
        assert area in lines
    assert any("✘ model" in line for line in lines)
    assert "→ `rasa train`" in done.stdout
    assert " to fix, " in lines[-1]
    assert "\x1b" not in done.stdout  # no colours where nobody sees them
    assert max(map(len, lines)) <= 80


async def test_json_is_one_document_with_every_check(rasa_whatsapp, tmp_path):
    copy_bot(tmp_path)

    done = await rasa_whatsapp("doctor", "--offline", "--json")

    report = json.loads(done.stdout)
    states = {each["check"]: each["state"] for each in report["checks"]}
    assert report["healthy"] is False
    assert states["credentials.settings"] == "ok"
    assert states["account"] == "skipped"
    assert states["bot.model"] == "error"
