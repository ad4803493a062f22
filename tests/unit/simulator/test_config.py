"""The block for credentials.yml: who reads it speaks to the simulator, with all its numbers."""

from __future__ import annotations

import yaml

from rasa_whatsapp_channel.settings import CHANNEL, Settings
from rasa_whatsapp_channel.simulator.config import Config, Number, credentials_block


def test_the_block_names_further_numbers():
    more = (Number("206540352242922", "15550002222"), Number("306540352242922", "15550003333"))

    block = yaml.safe_load(credentials_block(Config(more_numbers=more), "http://127.0.0.1:8400"))

    settings = Settings.from_credentials(block[CHANNEL], environ={})
    assert list(settings.by_number()) == ["106540352242922", "206540352242922", "306540352242922"]
    assert {each.access_token for each in settings.by_number().values()} == {"simulator-token"}
