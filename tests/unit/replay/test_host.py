"""The files a bot is started with for a test."""

from __future__ import annotations

import pytest
import yaml

from rasa_whatsapp_channel.replay.host import (
    link_folder,
    own_credentials,
    own_endpoints,
    own_integrations,
)
from rasa_whatsapp_channel.settings import CHANNEL, Settings
from rasa_whatsapp_channel.simulator.config import Config, credentials_block
from rasa_whatsapp_channel.simulator.problems import SimulatorError

THEIRS = f"""
rest:
{CHANNEL}:
  phone_number_id: "1999"
  access_token: a real one
  app_secret: a real one
  allowed_networks: ["173.252.64.0/18"]
  store: sqlite:////srv/bot/whatsapp.db
  captions: separate
  media: {{folders: [media, invoices], store: /srv/kept, convert: false}}
"""


def channel(theirs: str) -> dict[str, object]:
    block = credentials_block(Config(), "http://127.0.0.1:8400")
    text = own_credentials(block, theirs, store="sqlite:///own.db", media_store="/own/media")
    keys = yaml.safe_load(text)[CHANNEL]
    Settings.from_credentials(keys, environ={})  # is a block that Rasa starts with
    return keys


def test_a_test_goes_by_the_settings_of_the_bot():
    keys = channel(THEIRS)

    assert keys["captions"] == "separate"
    assert keys["media"]["folders"] == ["media", "invoices"]
    assert keys["media"]["convert"] is False


def test_a_test_reaches_nothing_of_the_bot_itself():
    keys = channel(THEIRS)

    assert (keys["store"], keys["media"]["store"]) == ("sqlite:///own.db", "/own/media")
    assert keys["base_url"] == "http://127.0.0.1:8400"
    assert "a real one" not in str(keys)
    assert "1999" not in str(keys)
    assert "allowed_networks" not in keys


@pytest.mark.parametrize("theirs", ["", "rest:", f"{CHANNEL}:", f"{CHANNEL}: {{media: }}"])
def test_a_bot_without_settings_of_its_own_is_started_as_well(theirs):
    assert channel(theirs)["media"] == {"store": "/own/media"}


def test_a_test_leaves_nothing_in_the_stores_of_the_bot():
    endpoints = own_endpoints(
        "action_endpoint: {url: 'http://127.0.0.1:5055/${PATH}'}\n"
        "tracker_store: {type: SQL}\nevent_broker: {type: pika}\nlock_store: {type: redis}\n"
        "nlg: {type: rephrase}\n"
    )

    assert yaml.safe_load(endpoints) == {
        "action_endpoint": {"url": "http://127.0.0.1:5055/${PATH}"},
        "nlg": {"type": "rephrase"},
    }


@pytest.mark.parametrize("text", ["a: [", "- a list"])
def test_endpoints_that_cannot_be_read_are_named(text):
    with pytest.raises(SimulatorError, match=r"endpoints\.yml of the bot"):
        own_endpoints(text)


def test_a_bot_for_mantle_keeps_its_models_and_has_one_channel_and_no_stores():
    block = credentials_block(Config(), "http://127.0.0.1:8400")
    theirs = (
        "model_groups: [{id: m, models: [{provider: openai, api_key: '${KEY}'}]}]\n"
        "tracker_store: {type: SQL}\n"
        f"channels:\n  rest:\n  {CHANNEL}:\n    captions: separate\n    access_token: real\n"
    )

    text = own_integrations(block, theirs, store="sqlite:///own.db", media_store="/own/media")

    read = yaml.safe_load(text)
    assert set(read) == {"model_groups", "channels"}
    assert read["model_groups"][0]["models"][0]["api_key"] == "${KEY}"
    assert "'${KEY}'" not in text  # in quotes Rasa would leave it
    [(name, keys)] = read["channels"].items()
    assert name == CHANNEL
    assert keys["captions"] == "separate"
    assert keys["store"] == "sqlite:///own.db"
    assert "real" not in str(keys)


def test_a_bot_for_mantle_runs_in_a_folder_with_the_files_of_its_own(tmp_path):
    bot = tmp_path / "bot"
    (bot / "skills" / "order").mkdir(parents=True)
    (bot / "skills" / "order" / "skill.md").write_text("an order")
    (bot / "integrations.yml").write_text("of the bot")
    (tmp_path / "own.yml").write_text("of the test")

    folder = link_folder(bot, tmp_path / "copy", tmp_path / "own.yml")

    assert (folder / "skills" / "order" / "skill.md").read_text() == "an order"
    assert (folder / "integrations.yml").read_text() == "of the test"
    assert (bot / "integrations.yml").read_text() == "of the bot"
