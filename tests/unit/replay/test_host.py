"""The files a bot is started with for a test."""

from __future__ import annotations

from dataclasses import fields

import pytest
import yaml
from support.mantle_project import write_project

from rasa_whatsapp_channel.replay.host import (
    CONNECTIONS,
    DESK,
    Rasa,
    link_folder,
    own_credentials,
    own_endpoints,
    own_integrations,
)
from rasa_whatsapp_channel.settings import CHANNEL, HandoffSettings, Settings
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
  combine: turn
  markdown_images: none
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
    assert (keys["combine"], keys["markdown_images"]) == ("turn", "none")
    assert keys["media"]["folders"] == ["media", "invoices"]
    assert keys["media"]["convert"] is False


def test_a_test_hands_over_to_a_person_as_the_bot_does_and_reaches_no_desk():
    keys = channel(
        f"{CHANNEL}:\n"
        "  wait_for_action_server: true\n"
        "  calls: {answer: ignore}\n"
        "  handoff: {triggers: [ask_for_human], text_waiting: Somebody comes, desk: webhook, "
        "url: 'https://desk.example', secret: a real one}\n"
    )

    assert keys["handoff"] == {"triggers": ["ask_for_human"], "text_waiting": "Somebody comes"}
    assert (keys["wait_for_action_server"], keys["calls"]) == (True, {"answer": "ignore"})


def test_every_secret_stays_out_of_a_test():
    secrets = {
        settings: {each.name for each in fields(settings) if each.metadata["secret"]}
        for settings in (Settings, HandoffSettings)
    }

    assert secrets[Settings] - CONNECTIONS == set()
    assert secrets[HandoffSettings] - DESK == set()


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
        "timer_store: {type: redis}\nnlg: {type: rephrase}\n"
    )

    assert yaml.safe_load(endpoints) == {
        "action_endpoint": {"url": "http://127.0.0.1:5055/${PATH}"},
        "nlg": {"type": "rephrase"},
    }


def test_variables_of_the_endpoints_stay_without_quotes():
    written = (
        "action_endpoint:\n  url: http://${HOST}/x\nlock_store:\n  type: redis\nnlg: {type: a}\n"
    )

    kept = own_endpoints(written)

    assert "\n  url: http://${HOST}/x\n" in kept
    assert set(yaml.safe_load(kept)) == {"action_endpoint", "nlg"}


@pytest.mark.parametrize("text", ["a: [", "- a list"])
def test_endpoints_that_cannot_be_read_are_named(text):
    with pytest.raises(SimulatorError, match=r"endpoints\.yml of the bot"):
        own_endpoints(text)


def test_a_bot_for_mantle_keeps_its_models_and_has_one_channel_and_no_stores():
    block = credentials_block(Config(), "http://127.0.0.1:8400")
    theirs = (
        "model_groups:  # ours\n- id: m\n  token: ${KEY}\n"
        "tracker_store:\n  type: SQL\n"
        f"channels:\n  rest:\n  {CHANNEL}:\n    captions: separate\n    access_token: real\n"
        "    enabled: false\n"
    )

    text = own_integrations(block, theirs, store="sqlite:///own.db", media_store="/own/media")

    read = yaml.safe_load(text)
    assert set(read) == {"model_groups", "channels"}
    assert text.startswith("model_groups:  # ours\n- id: m\n  token: ${KEY}\n")
    [(name, keys)] = read["channels"].items()
    assert name == CHANNEL
    assert keys["captions"] == "separate"
    assert keys["store"] == "sqlite:///own.db"
    assert "real" not in str(keys)
    assert "enabled" not in keys


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


@pytest.mark.parametrize("mantle", [True, False])
async def test_rasa_is_started_with_the_files_that_its_engine_reads(tmp_path, mantle):
    bot = tmp_path / "bot"
    if mantle:
        write_project(bot)
    else:
        bot.mkdir()
    python = tmp_path / "python"
    python.write_text('#!/bin/sh\ncat integrations.yml\nls\necho "args: $@"\n')
    python.chmod(0o755)
    rasa = Rasa(bot, port=5999, python=str(python), args=["--model", "models/a.tar.gz"])

    try:
        with pytest.raises(SimulatorError, match="ended before it was ready") as failed:
            await rasa.start(Config(), "http://127.0.0.1:8400")
    finally:
        rasa.stop()

    [args] = [line for line in str(failed.value).splitlines() if line.startswith("args: ")]
    assert args.endswith("--model models/a.tar.gz")
    assert ("--credentials" in args) is not mantle
    assert ("--endpoints" in args) is not mantle
    if mantle:
        assert "\nagent.yml\nintegrations.yml\nskills\n" in str(failed.value)
        assert "base_url: http://127.0.0.1:8400" in str(failed.value)
