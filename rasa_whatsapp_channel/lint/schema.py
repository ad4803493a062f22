"""Schema: keys, types and channels of a variation that Rasa refuses or never selects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.domain.marked import Path
from rasa_whatsapp_channel.lint.rules import Remark, kind_of, nearest, remark, write_path
from rasa_whatsapp_channel.wording import closest

_TEXTS: Final = ("id", "text", "image", "button_type", "channel")
_MAPS: Final = ("custom", "attachment", "translation")
_LISTS: Final = ("buttons", "quick_replies", "elements")
# Only Rasa Pro knows translations and interruptions; a domain does not tell which Rasa it is for.
_OTHERS: Final = ("metadata", "condition", "allow_interruptions")
KEYS: Final = (*_TEXTS, *_MAPS, *_LISTS, *_OTHERS)
_BUTTONS: Final = ("buttons", "quick_replies")
_MEDIA: Final = {
    **{kind: kind for kind in ("document", "video", "audio", "sticker")},
    **{"voice": "audio", "file": "document", "gif": "video"},
}
_BODIES: Final = ("location", "contacts", "template", "interactive", "reaction", "pin")
OURS: Final = "whatsapp"
# Values of `OutputChannel.name()` in Rasa 3.6 and Rasa Pro 3.21.
CHANNELS: Final = frozenset(
    {
        *("audiocodes", "audiocodes_stream", "botframework", "browser_audio", "callback", "chirp"),
        *("cmdline", "collector", "facebook", "genesys", "hangouts", "inspector", "jambonz"),
        *("jambonz_stream", "json_audio", "mattermost", "queue", "rasa", "rest", "rocketchat"),
        *("signalwire", "slack", "socketio", "telegram", "twilio", "twilio_media_streams"),
        *("twilio_voice", "vier_cvg", "vonage", "webexteams", "websockets_voice"),
    }
)


def check_schema(variation: Mapping[str, Any]) -> Iterator[Remark]:
    """Yield what Rasa 3.6 and Rasa Pro refuse in *variation*."""
    for key, value in variation.items():
        if key not in KEYS:
            yield remark("WA601", (key,), key=key, hint=_hint(str(key)))
        elif value is not None:
            yield from _check_kind(key, value)
    if variation.get("text") is None and not variation.get("custom"):
        yield remark("WA602")


def _check_kind(key: str, value: Any) -> Iterator[Remark]:
    if key in _TEXTS and not isinstance(value, str):
        yield _wrong((key,), "a string", value, _text_hint(key, value))
    elif key in _MAPS and not isinstance(value, Mapping):
        yield _wrong((key,), "a map", value, _map_hint(key, value))
    elif key in _LISTS and not isinstance(value, list):
        yield _wrong((key,), "a list of maps", value)
    elif key == "allow_interruptions" and not isinstance(value, bool):
        yield _wrong((key,), "true or false", value)
    elif key == "translation":
        for language, text in value.items():
            yield from _check_text((key, language), text)
    elif key in _BUTTONS:
        for number, button in enumerate(value):
            yield from _check_button(key, number, button)


def _check_button(key: str, number: int, button: Any) -> Iterator[Remark]:
    if not isinstance(button, Mapping):
        yield _wrong((key, number), "a map", button, f"; write {{title: {button}, payload: …}}")
        return
    yield from _check_titles((key, number), button)
    if key == "buttons" and "translation" in button:
        yield from _check_translations((key, number, "translation"), button["translation"])


def _check_translations(path: Path, translation: Any) -> Iterator[Remark]:
    """Yield what Rasa Pro refuses in the translation of a button."""
    if not isinstance(translation, Mapping):
        yield _wrong(path, "a map", translation)
        return
    for language, titles in translation.items():
        if isinstance(titles, Mapping):
            yield from _check_titles((*path, language), titles)
        else:
            yield _wrong((*path, language), "a map with title and payload", titles)


def _check_titles(path: Path, button: Mapping[str, Any]) -> Iterator[Remark]:
    for part in ("title", "payload"):
        yield from _check_text((*path, part), button.get(part))


def _check_text(path: Path, value: Any) -> Iterator[Remark]:
    if value is not None and not isinstance(value, str):
        yield _wrong(path, "a string", value, _text_hint(str(path[-1]), value))


def _wrong(path: Path, wanted: str, value: Any, hint: str = "") -> Remark:
    field = write_path(path)
    return remark("WA603", path, field=field, wanted=wanted, kind=kind_of(value), hint=hint)


def _hint(key: str) -> str:
    if key in _MEDIA:
        return f"write attachment: {{type: {_MEDIA[key]}, link: …}}"
    if key in _BODIES:
        return f"write custom: {{type: {key}, {key}: …}}"
    return nearest(key, KEYS)


def _text_hint(key: str, value: Any) -> str:
    if isinstance(value, (Mapping, list)):
        several = "; several go into custom: {messages: […]}"
        return several if key == "image" and isinstance(value, list) else ""
    return f'; put it in quotes: {key}: "{str(value).lower() if value is True else value}"'


def _map_hint(key: str, value: Any) -> str:
    if key == "custom":
        return "; write custom: {messages: […]}" if isinstance(value, list) else ""
    if not isinstance(value, str):
        return ""
    return f"; write attachment: {{{'link' if '://' in value else 'path'}: …}}"


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
