"""The bots of examples/ are what the channel and the simulator want. The quickstart has its own."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from support.mantle import copy_bot

from rasa_whatsapp_channel.cli import main
from rasa_whatsapp_channel.inbound.intents import INTENTS
from rasa_whatsapp_channel.settings import CHANNEL, Settings
from rasa_whatsapp_channel.simulator.config import Config

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(params=["calm", "photo-form"])
def bot(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The folder of a bot, with the files it sends."""
    folder = tmp_path / "bot"
    shutil.copytree(EXAMPLES / request.param, folder, ignore=shutil.ignore_patterns("media"))
    shutil.copytree(EXAMPLES / "quickstart" / "media", folder / "media")
    return folder


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_the_linter_finds_nothing_in_the_bot(bot: Path) -> None:
    told = CliRunner().invoke(main, ["lint", str(bot), "--strict"])

    assert told.exit_code == 0, told.output
    assert "Nothing found" in told.output


def test_the_domain_lists_every_intent_the_channel_can_say(bot: Path) -> None:
    assert set(INTENTS) <= set(load(bot / "domain.yml")["intents"])


def test_the_credentials_fit_the_simulator(bot: Path) -> None:
    simulator = Config()

    settings = Settings.from_credentials(load(bot / "credentials.yml")[CHANNEL], environ={})

    assert settings.base_url == f"http://{simulator.host}:{simulator.port}"
    assert settings.phone_number_id == simulator.number.phone_number_id
    assert settings.access_token == simulator.access_token
    assert settings.app_secret == (simulator.app_secret,)
    assert settings.verify_token == simulator.verify_token


# the bot for Mantle; tests/integration/rasa_pro talks to it


def test_the_linter_finds_no_mistake_in_the_bot_for_mantle(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["lint", str(copy_bot(tmp_path / "bot")), "--strict"])

    assert told.exit_code == 0, told.output


def test_the_channel_of_the_bot_for_mantle_fits_the_simulator() -> None:
    simulator = Config()

    block = load(EXAMPLES / "mantle" / "integrations.yml")["channels"][CHANNEL]
    settings = Settings.from_credentials(block, environ={})

    assert settings.base_url == f"http://{simulator.host}:{simulator.port}"
    assert settings.access_token == simulator.access_token
    assert settings.app_secret == (simulator.app_secret,)
