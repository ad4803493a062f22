"""
Mantle's turns: reads what Rasa Pro's engine keeps of a response, and sends from its tools.

Mantle hands a channel texts and buttons only. A response's metadata stays in the tracker, and a
tool is not told its conversation. Both are reached by the turn that runs now, as Rasa's own tools
reach it: by `current_turn_context`, which is not documented. Only this module uses it; where it is
gone, responses go without what their metadata hold, and the log says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Set
from functools import cache
from typing import Any, Final

from rasa_whatsapp_channel.compose.content import MEDIA_KEYS, plain
from rasa_whatsapp_channel.compose.custom import split_style
from rasa_whatsapp_channel.errors import ChannelError

logger = logging.getLogger(__name__)

NAME: Final = "whatsapp"  # of the channel, and of its part of a response's metadata
# Keys with an address, where it is a text.
_ADDRESSES: Final = (
    *("link", "url", "path", "src", "image_url"),
    *("image", "attachment", *MEDIA_KEYS),
)
_BUTTON: Final = {"title", "payload"}  # the keys of a button that Mantle knows
_ROW: Final = _BUTTON | {"description"}  # those of one that it knows in part


class NoTurn(ChannelError):
    """Raised where a tool wants to send and no turn of Mantle runs."""


def complete(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Return *response* with the metadata that Rasa keeps of it, and its name.

    It is the last event of the tracker while the channel is called. A response that Rasa sends
    again, for a message it has answered before, brings its metadata itself.
    """
    metadata = response.get("metadata") or _metadata_of(response.get("text"))
    if not isinstance(metadata, Mapping):
        return response
    return {"utter_action": metadata.get("utter_action"), **response, "metadata": metadata}


async def send(response: Mapping[str, Any] | str | None = None, **parts: Any) -> None:
    """
    Send a response from a tool of a skill: all that a response in a domain may have.

    ``await send("The lake", image="media/lake.jpg")``; keys of `metadata.whatsapp` such as
    ``footer`` may stand beside these. What cannot be sent is left out, and the log says so. The
    response is kept in the tracker as what `ToolContext.send` says.
    On other channels, such as that of Rasa's end-to-end tests, it is the text with the addresses
    of the files below it. Raises `NoTurn` outside of a turn.
    """
    turn = _current_turn()
    if turn is None:
        raise NoTurn(
            "send() is for tools of Rasa Pro's engine Mantle, while their turn runs; an action of "
            "another engine calls `dispatcher.utter_message`"
        )
    given = {"text": response} if isinstance(response, str) else response
    whole: dict[str, Any] = plain({**(given or {}), **parts})
    custom, style = split_style(whole.pop("custom", None))
    whole |= {"custom": custom} if custom else {}
    whole |= style if isinstance(style, Mapping) else {}
    text, buttons = _take(whole, "text", str) or "", whole.pop("buttons", None) or []
    if not isinstance(buttons, list):
        buttons = [buttons]
    known = _to_rasa(buttons)
    words = "\n".join([text] if text else dict.fromkeys(_addresses(whole))) or _named(whole)
    if turn.output_channel.name() != NAME:
        words = "\n".join(dict.fromkeys([words, *_addresses(whole), *_addresses(buttons)]))
        await turn.send(words, buttons=known)
        return
    # Mantle has to know of a button that writes its memory, or it refuses the tap.
    if more := [each for each in buttons if not _is_known(each, _BUTTON)]:
        whole["buttons"] = more
    if not text:
        whole.setdefault("text", "")  # the tracker needs words, the person does not
    metadata = _take(whole, "metadata", Mapping) or {}
    facts = {**(_take(metadata, NAME, Mapping) or {}), **whole}
    await turn.send(words, buttons=known, variant_metadata={**metadata, NAME: facts})


def _take(parts: dict[str, Any], key: str, kind: type) -> Any:
    """Take *key* out of *parts* if it is of *kind*; else it stays, where it is complained of."""
    return parts.pop(key) if isinstance(parts.get(key), kind) else None


def _to_rasa(buttons: list[Any]) -> tuple[Any, ...]:
    """Return as much of *buttons* as Mantle knows."""
    from rasa.mantle.content.responses import ResponseButton

    return tuple(
        ResponseButton(title=each["title"], payload=each.get("payload"))
        for each in buttons
        if _is_known(each, _ROW)
    )


def _is_known(button: Any, keys: Set[str]) -> bool:
    """Return whether *button* has but *keys*, and a title and payload that Mantle takes."""
    if not isinstance(button, Mapping) or button.keys() - keys:
        return False
    written = (button.get("title"), button.get("payload", "…"))
    return all(isinstance(each, str) and each.strip() for each in written)


def _addresses(value: Any) -> Iterator[str]:
    """Yield the links and paths in parts of a response."""
    if isinstance(value, list):
        for item in value:
            yield from _addresses(item)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, str) and key in _ADDRESSES:
                yield item
            elif not isinstance(item, str):
                yield from _addresses(item)


def _named(parts: Mapping[str, Any]) -> str:
    return f"[{', '.join(parts) or 'nothing'}]"


def _metadata_of(text: Any) -> Any:
    """Return the metadata of the response that Rasa is sending, if its text is *text*."""
    turn = _current_turn()
    if turn is None:
        return None
    try:
        last = turn.tracker_handle.tracker.events[-1]
        return last.metadata if last.type_name == "bot" and last.text == text else None
    except (AttributeError, IndexError) as error:
        _say_closed(repr(error))
        return None


def _current_turn() -> Any:
    """Return the turn of Mantle that runs now, if any."""
    try:
        from rasa.mantle.orchestration.turn_context import current_turn_context
    except ImportError as error:
        _say_closed(str(error))
        return None
    try:
        return current_turn_context()
    except LookupError:
        return None


@cache  # once
def _say_closed(reason: str) -> None:
    logger.error(
        "whatsapp.mantle_closed: this version of Rasa Pro does not tell what its turns hold, so "
        "responses go without `metadata.whatsapp` and tools cannot send media: %s",
        reason,
    )
