"""The platform could be published by itself: it knows nothing of the bot that uses it."""

import re
from pathlib import Path

import pytest

import rasa_whatsapp_channel

FOLDER = Path(rasa_whatsapp_channel.__file__).parent / "whatsapp"
MODULES = sorted(FOLDER.rglob("*.py"))
# The package's own name is no word about Rasa.
BOT = re.compile(
    r"\brasa\b(?!_)|credentials\.yml|tracker|x-rasa|docs/\w"
    r"|turn_timeout|webhook_(?:token|secret|username|password)|allowed_networks",
    re.IGNORECASE,
)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_no_module_of_the_platform_speaks_of_the_bot(module: Path):
    text = module.read_text().replace("rasa-whatsapp-channel", "").replace("rasa_whatsapp", "_")
    text = re.sub(r"https?://\S+", "", text)

    assert [line for line in text.splitlines() if BOT.search(line)] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_it_imports_nothing_but_itself_and_what_is_common_to_all(module: Path):
    imported = re.findall(r"^from rasa_whatsapp_channel\.(\w+)", module.read_text(), re.MULTILINE)

    assert set(imported) <= {"whatsapp", "distribution", "errors", "unix_time", "wording"}
