"""
Mantle's turns: reads what Rasa Pro's engine keeps of a response, and sends from its tools.

Mantle hands a channel texts and buttons only. A response's metadata stays in the tracker, and a
tool is not told its conversation. Both are reached by the turn that runs now, as Rasa's own tools
reach it: by `current_turn_context`, which is not documented. Only this module uses it; where it is
gone, responses go without what their metadata hold, and the log says so.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from rasa_whatsapp_channel.common import ChannelError
from rasa_whatsapp_channel.compose.content import MEDIA_KEYS, plain
from rasa_whatsapp_channel.compose.custom import split_style

logger = logging.getLogger(__name__)

NAME: Final = "whatsapp"  # of the channel, and of its part of a response's metadata
# Keys with an address, where it is a text.
_ADDRESSES: Final = (
    *("link", "url", "path", "src", "image_url"),
    *("image", "attachment", *MEDIA_KEYS),
)
_BUTTON: Final = {"title", "payload"}  # the keys of a button that Mantle knows


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


async def send(response: Mapping[str, Any] | None = None, **parts: Any) -> None:
    """
    Send a response from a tool of a skill: all that a response in a domain may have.

    ``await send(text="The lake", image="media/lake.jpg")``; keys of `metadata.whatsapp` such as
    ``footer`` may stand beside these. It is kept in the tracker as what `ToolContext.send` says.
    On other channels, such as that of Rasa's end-to-end tests, it is the text with the addresses
    of the files below it. Raises `NoTurn` outside of a turn.
    """
    turn = _current_turn()
    if turn is None:
        raise NoTurn(
            "send() is for tools of Rasa Pro's engine Mantle, while their turn runs; an action of "
            "another engine calls `dispatcher.utter_message`"
        )
    whole: dict[str, Any] = plain({**(response or {}), **parts})
    custom, style = split_style(whole.pop("custom", None))
    whole |= {**({"custom": custom} if custom else {}), **(style or {})}
    text = str(whole.pop("text", None) or "")
    buttons = whole.pop("buttons", None) or []
    words = "\n".join([text] if text else dict.fromkeys(_addresses(whole))) or _named(whole)
    if turn.output_channel.name() != NAME:
        words = "\n".join(dict.fromkeys([words, *_addresses(whole), *_addresses(buttons)]))
        await turn.send(words, buttons=_to_rasa(buttons) or ())
        return
    known = _to_rasa(buttons)
    if known is None:
        whole["buttons"] = buttons
    if not text:
        whole["text"] = ""  # the tracker needs words, the person does not
    metadata = whole.pop("metadata", None) or {}
    facts = {**(metadata.get(NAME) or {}), **whole}
    await turn.send(words, buttons=known or (), variant_metadata={**metadata, NAME: facts})


def _to_rasa(buttons: list[Any]) -> tuple[Any, ...] | None:
    """Return *buttons* as Mantle knows them, None if one of them has more than it knows."""
    from rasa.mantle.content.responses import ResponseButton

    if any(not isinstance(each, Mapping) or each.keys() - _BUTTON for each in buttons):
        return None
    return tuple(ResponseButton(**each) for each in buttons)


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
