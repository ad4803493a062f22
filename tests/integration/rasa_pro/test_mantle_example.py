"""examples/mantle, as Rasa Pro's own readers and validators see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.mantle import Bot, copy_bot

pytestmark = [
    pytest.mark.filterwarnings("ignore"),  # what Rasa Pro's own imports warn of
    pytest.mark.needs("rasa.shared.project_structure:validate_mantle_project_structure"),
]


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    return copy_bot(tmp_path / "bot")


def problems(bot: Path) -> list[str]:
    from rasa.mantle.validation import collect_project_findings

    return [finding.code for finding in collect_project_findings(bot)]


def test_rasa_pro_finds_nothing_wrong(bot: Path) -> None:
    assert problems(bot) == []


@pytest.mark.parametrize(
    ("file", "right", "wrong"),
    [
        ("responses.yml", "metadata:", "metadatas:"),
        ("responses.yml", "book_room.room=single", "book_room.rooms=single"),
        ("skills/book_room/skill.md", "action: utter_booked", "action: utter_boked"),
        ("skills/book_room/skill.md", "execute_tool: show_room", "execute_tool: show_rooms"),
    ],
)
def test_rasa_pro_would_find_a_mistake(bot: Path, file: str, right: str, wrong: str) -> None:
    text = (bot / file).read_text()
    assert right in text
    (bot / file).write_text(text.replace(right, wrong))

    assert problems(bot) != []


def test_rasa_pro_loads_the_channel_from_integrations(mantle_bot: Bot) -> None:
    from rasa.core.config.configuration import Configuration
    from rasa.core.run import create_input_channels

    Configuration.initialise_endpoints(
        mantle_bot.folder / "endpoints.yml", project_root=mantle_bot.folder
    )
    found = Configuration.initialise_credentials(
        mantle_bot.folder / "credentials.yml", project_root=mantle_bot.folder
    )
    (channel,) = create_input_channels(None, found.credentials)

    assert channel.settings.base_url == "http://127.0.0.1:8400"
    assert channel.settings.media_text is None


def test_what_mantle_cannot_do_is_refused_when_rasa_starts(
    mantle_bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rasa.shared.exceptions import InvalidConfigException

    from rasa_whatsapp_channel import WhatsAppInput

    settings = {
        "phone_number_id": "106540352242922",
        "access_token": "a-token",
        "app_secret": "a-secret",
        "verify_token": "a-verify-token",
        "failure_intent": "message_failed",
    }
    assert WhatsAppInput.from_credentials(settings)  # elsewhere
    monkeypatch.chdir(mantle_bot.folder)

    with pytest.raises(InvalidConfigException, match="'failure_intent' is for engines with inten"):
        WhatsAppInput.from_credentials(settings)
