"""Every command finds the channel's block in a project for Mantle, as in any other bot."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from support.mantle_project import ENVIRON, write_project

from rasa_whatsapp_channel.cli import COMMANDS, main
from rasa_whatsapp_channel.cli.open import read_settings, read_store


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return write_project(tmp_path)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def edit(old: str, new: str) -> None:
    path = Path("integrations.yml")
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def commands(group: click.Command) -> list[click.Command]:
    below = [each for sub in getattr(group, "commands", {}).values() for each in commands(sub)]
    return [group, *below]


def test_every_command_that_reads_a_block_takes_either_name_of_the_option():
    modules = [import_module(f"rasa_whatsapp_channel.cli.commands.{name}") for name in COMMANDS]
    options = [
        option
        for module in modules
        for command in commands(module.command)
        for option in command.params
        if "--credentials" in option.opts
    ]

    assert len(options) > 20
    assert all("--integrations" in option.opts for option in options)


def test_the_settings_are_those_of_integrations(project):
    settings = read_settings(Path("integrations.yml"))

    assert settings.access_token == "token-1"
    assert settings.phone_number_id == "106540352242922"


def test_a_command_looks_there_without_being_told(project):
    edit("app_secret", "store: sqlite:///elsewhere.db\n    app_secret")

    done = run("queue", "list")

    assert "no store at" in done.output
    assert "elsewhere.db" in done.output


def test_another_file_is_named_by_the_option_of_rasa(project):
    Path("integrations.yml").rename("production.yml")
    edited = Path("production.yml")
    text = edited.read_text().replace("app_secret", "store: sqlite:///theirs.db\n    app_secret")
    edited.write_text(text)

    assert "theirs.db" in run("queue", "list", "--integrations", "production.yml").output


def test_a_channel_without_keys_is_an_empty_block(project):
    Path("integrations.yml").write_text(
        "channels:\n  rasa_whatsapp_channel.WhatsAppInput:\n    enabled: true\n"
    )

    assert read_store(Path("integrations.yml")) == "sqlite:///whatsapp.db"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "WhatsAppInput:\n    enabled: true",
            "WhatsAppInput:\n    enabled: false",
            "take `enabled: false` away",
        ),
        ("rasa_whatsapp_channel.WhatsAppInput", "slack", "`rasa-whatsapp init` writes one"),
        ("${WHATSAPP_ACCESS_TOKEN}", "${NOWHERE}", "access_token: ${NOWHERE}: not set here"),
        ("access_token:", "acces_token:", "integrations.yml: unknown key 'acces_token'"),
    ],
)
def test_what_is_wrong_is_told_with_the_file_and_the_remedy(project, old, new, said):
    edit(old, new)

    done = run("send", "--to", "+49 151 12345678", "--text", "Hi")

    assert done.exit_code == 1
    assert done.stderr.startswith("Error: integrations.yml: ")
    assert said in done.stderr


def test_variables_come_from_the_file_that_rasa_loads(project, monkeypatch):
    monkeypatch.delenv("WHATSAPP_ACCESS_TOKEN")
    monkeypatch.setenv("OPENAI_API_KEY", "of the shell")
    Path(".env").write_text("WHATSAPP_ACCESS_TOKEN=of-the-file\nOPENAI_API_KEY=of-the-file\n")
    edit("app_secret: secret", "app_secret: ${OPENAI_API_KEY}")

    settings = read_settings(Path("integrations.yml"))

    assert settings.access_token == "of-the-file"
    assert settings.app_secret == ("of the shell",)


def test_rasa_pro_leaves_the_variable_of_an_api_key_to_the_channel(project):
    edit(
        "app_secret: secret",
        "app_secret: secret\n    transcribe:\n      url: https://stt.example\n      model: m\n"
        '      api_key: "${OPENAI_API_KEY}"',
    )

    assert read_settings(Path("integrations.yml")).transcribe.api_key == "sk-1"


def test_a_response_is_shown_as_the_channel_of_the_bot_sends_it(project):
    responses = (
        "responses:\n  utter_house:\n  - text: Hello, {session.order.name}\n"
        "    metadata: {whatsapp: {image: media/lake.jpg, footer: Soon}}\n"
        "    channel: whatsapp\n"
    )
    Path("responses.yml").write_text(responses)
    edit("app_secret", "captions: separate\n    app_secret")

    slot = ("--slot", "session.order.name=Ada")
    done = run("preview", ".", "utter_house", *slot, "--format", "drawing")

    assert "Hello, Ada" in done.output
    assert "‹media/lake.jpg›" in done.output
    assert "2 billed messages" in done.output
    assert "WA622 Rasa refuses channel in a bot for Mantle" in done.output


def test_a_text_alone_is_a_variation_for_mantle(project):
    Path("responses.yml").write_text('responses:\n  utter_hi:\n  - "Hello"\n  - 7\n')

    assert "Hello" in run("preview", ".", "utter_hi", "--format", "drawing").output
    assert run("lint", ".", "--strict").output.startswith("Nothing found: 1 response in 1 file\n")
