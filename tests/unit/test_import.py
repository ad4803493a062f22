"""The package is light until Rasa asks for one of its two classes."""

from __future__ import annotations

import subprocess
import sys


def modules_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_the_package_imports_neither_rasa_nor_sanic_nor_an_http_client():
    loaded = modules_after("import rasa_whatsapp_channel")

    assert not loaded & {"rasa", "sanic", "aiohttp", "rasa_whatsapp_channel.channel"}


def test_composing_parsing_and_settings_do_without_rasa_sanic_and_an_http_client():
    loaded = modules_after(
        "import rasa_whatsapp_channel.settings, rasa_whatsapp_channel.compose, "
        "rasa_whatsapp_channel.inbound.turn, rasa_whatsapp_channel.whatsapp.webhook"
    )

    assert not loaded & {"rasa", "sanic", "aiohttp"}


def test_sending_from_a_tool_is_imported_without_rasa_and_sanic():
    loaded = modules_after("from rasa_whatsapp_channel import send")

    assert not loaded & {"rasa", "sanic", "aiohttp"}


def test_a_name_the_package_does_not_have_is_an_attribute_error():
    done = subprocess.run(
        [sys.executable, "-c", "from rasa_whatsapp_channel import WhatsappInput"],
        capture_output=True,
        text=True,
    )

    assert "cannot import name 'WhatsappInput'" in done.stderr


def test_the_pytest_plugin_costs_other_peoples_runs_nothing():
    loaded = modules_after("import rasa_whatsapp_channel.testing.plugin")

    ours = {name for name in loaded if name.startswith("rasa_whatsapp_channel")}
    assert ours == {
        "rasa_whatsapp_channel",
        "rasa_whatsapp_channel.testing",
        "rasa_whatsapp_channel.testing.plugin",
    }
    assert not loaded & {"rasa", "sanic", "aiohttp", "pytest_asyncio"}


def test_playing_transcripts_does_without_pytest():
    loaded = modules_after(
        "import rasa_whatsapp_channel.cli.commands.test, rasa_whatsapp_channel.replay.host"
    )

    assert "pytest" not in loaded
