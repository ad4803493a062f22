"""
What a bot is started with for a test: its own settings, at a simulator, without its own stores.

A conversation that is played must go as it does with the bot, and must leave nothing behind in what
the bot remembers of real people.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from rasa_whatsapp_channel.settings import CHANNEL
from rasa_whatsapp_channel.whatsapp.errors import SimulatorError

# How the bot is connected is the simulator's to say, and where it keeps things is the test's.
BEHAVIOUR: Final = (
    *("sender_id", "commands", "inbound", "debounce", "transcribe", "mark_read"),
    *("typing_indicator", "turn_timeout", "captions", "markdown", "wait_for_delivered"),
    *("delivered_timeout", "reengagement_template", "wait_for_window", "failure_intent", "media"),
)
# Keys of endpoints.yml under which Rasa writes down what was said.
STORES: Final = ("tracker_store", "event_broker", "lock_store")


def own_credentials(block: str, theirs: str, *, store: str, media_store: str) -> str:
    """
    Return credentials.yml: the *block* of a simulator, with how the channel behaves in *theirs*.

    Raises `SimulatorError` where that cannot be read.
    """
    keys = _read(block, "the simulator's block")[CHANNEL]
    channel = _read(theirs, "credentials.yml").get(CHANNEL)
    given = channel if isinstance(channel, dict) else {}
    kept = {key: given[key] for key in BEHAVIOUR if key in given}
    media = kept["media"] if isinstance(kept.get("media"), dict) else {}
    own = {"store": store, "media": {**media, "store": media_store}}
    return _write({CHANNEL: {**kept, **keys, **own}})


def own_endpoints(theirs: str) -> str:
    """Return endpoints.yml without `STORES`. Raises `SimulatorError` where it cannot be read."""
    read = _read(theirs, "endpoints.yml")
    return _write({key: value for key, value in read.items() if key not in STORES})


def _read(text: str, what: str) -> dict[str, Any]:
    try:
        read = YAML(typ="safe", pure=True).load(text)
    except YAMLError as error:
        raise SimulatorError(f"{what} of the bot cannot be read: {error}") from error
    if read is None:
        return {}
    if not isinstance(read, dict):
        raise SimulatorError(f"{what} of the bot must hold keys, not {type(read).__name__}")
    return read


def _write(value: Mapping[str, Any]) -> str:
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(value, stream)
    return stream.getvalue()
