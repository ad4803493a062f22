"""Variations that are for one channel only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rasa_whatsapp_channel.common import closest
from rasa_whatsapp_channel.lint.finding import Remark, remark

OURS: Final = "whatsapp"
# what `OutputChannel.name()` may be in Rasa 3.6 and Rasa Pro 3.21
CHANNELS: Final = frozenset(
    {
        *("audiocodes", "audiocodes_stream", "botframework", "browser_audio", "callback", "chirp"),
        *("cmdline", "collector", "facebook", "genesys", "hangouts", "inspector", "jambonz"),
        *("jambonz_stream", "json_audio", "mattermost", "queue", "rasa", "rest", "rocketchat"),
        *("signalwire", "slack", "socketio", "telegram", "twilio", "twilio_media_streams"),
        *("twilio_voice", "vier_cvg", "vonage", "webexteams", "websockets_voice"),
    }
)


def is_for_us(channel: Any) -> bool:
    """Return whether Rasa may choose a variation for *channel* on WhatsApp."""
    return channel is None or channel == OURS


def check_channel(channel: Any) -> Iterator[Remark]:
    if not isinstance(channel, str) or channel == OURS or channel in CHANNELS:
        return
    near = closest(channel, (OURS, *sorted(CHANNELS)))
    hint = f"did you mean {near}?" if near else f"this one is called {OURS}"
    yield remark("WA605", ("channel",), channel=channel, hint=hint)


def check_reach(channels: Iterable[Any]) -> Iterator[Remark]:
    """Yield a remark for a response whose variations, if any, are all for other channels."""
    named = list(channels)
    if not named:
        yield remark("WA616", what="no variations")
    elif all(isinstance(channel, str) and channel in CHANNELS for channel in named):
        names = ", ".join(dict.fromkeys(named))
        yield remark("WA616", what=f"variations for {names} only")
