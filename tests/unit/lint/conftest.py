from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rasa_whatsapp_channel.compose.foresee import OutgoingSettings
from rasa_whatsapp_channel.domain.read import read_domains
from rasa_whatsapp_channel.lint.check import Linter
from rasa_whatsapp_channel.lint.media import LinkAnswer
from rasa_whatsapp_channel.lint.rules import Finding
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.whatsapp.apis import APIS

Lint = Callable[..., list[Finding]]


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    """The folder of a bot."""
    (tmp_path / "config.yml").write_text("language: en\n")
    (tmp_path / "media").mkdir()
    return tmp_path


@pytest.fixture
def lint(bot: Path) -> Lint:
    """Lint the text of a domain file."""

    def lint(
        text: str,
        *apis: str,
        answers: dict[str, LinkAnswer] | None = None,
        access: FileAccess | None = None,
        outgoing: OutgoingSettings | None = None,
    ) -> list[Finding]:
        path = bot / "domain.yml"
        path.write_text(text, encoding="utf-8")
        [domain] = read_domains([path])
        linter = Linter(
            domain,
            [APIS[api] for api in apis or ("cloud",)],
            answers or {},
            outgoing=outgoing or OutgoingSettings(access=access or FileAccess()),
        )
        return linter.findings()

    return lint
