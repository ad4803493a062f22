"""Style of a response: the keys of `metadata.whatsapp` and `custom.whatsapp`, such as `footer`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from rasa_whatsapp_channel.compose.content import PARTS, kind_name, read_text
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.text import cut, one_line
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.messages import Outgoing, Reaction, Template
from rasa_whatsapp_channel.wording import suggest

LIST_BUTTON: Final = "Choose"
KEYS: Final = (
    *("direct_send", "footer", "handoff", "header", "list_button", "preview_url", "reply_to"),
    "template",
)
_NEVER_QUOTE = (Reaction, Template)  # WhatsApp refuses the first and shows nothing on the second


@dataclass(frozen=True)
class Style:
    """
    *reply_to* is True for the person's message, or the id of another; *template* is as written.

    *handoff* is the reason for a handoff to a person, empty if none is given; None: no handoff.
    *direct_send*: it may go by Direct Send while the 24-hour window is closed.
    """

    header: str | None = None
    footer: str | None = None
    list_button: str = LIST_BUTTON
    preview_url: bool = False
    reply_to: bool | str = False
    template: Any = None
    handoff: str | None = None
    direct_send: bool = True


NO_STYLE: Final = Style()


def style_of(response: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of `whatsapp` in *response* as they are written; those of `custom` win."""
    parts = [object_of(response.get(place)) for place in ("metadata", "custom")]
    return {key: value for part in parts for key, value in object_of(part.get("whatsapp")).items()}


def read_style(draft: Draft, *sources: Any) -> Style:
    """Read the keys of all *sources*; what stands in a later one wins."""
    given: dict[str, Any] = {}
    for source in sources:
        if source is None:
            continue
        if isinstance(source, Mapping):
            given |= source
        elif source:
            draft.change("WA104", field="whatsapp", kind=kind_name(source))
    if not given:
        return NO_STYLE
    for key in given:
        if key not in KEYS:
            draft.change("WA108", key=key, hint=suggest(key, (*KEYS, *PARTS)))
    return Style(
        header=_line(draft, "header", given),
        footer=_line(draft, "footer", given),
        list_button=_list_button(draft, given),
        preview_url=_is_true(given.get("preview_url")),
        reply_to=_reply_to(draft, given.get("reply_to")),
        template=given.get("template"),
        handoff=_handoff(draft, given.get("handoff")),
        direct_send=given.get("direct_send") not in (False, "false"),
    )


def _line(draft: Draft, key: str, given: Mapping[str, Any]) -> str | None:
    text = read_text(draft, f"whatsapp.{key}", given.get(key))
    return one_line(text) if text else None


def _handoff(draft: Draft, value: Any) -> str | None:
    if value in (None, "", False, "false"):
        return None
    reason = value.get("reason", "") if isinstance(value, Mapping) else value
    return "" if _is_true(reason) else read_text(draft, "whatsapp.handoff", reason) or ""


def _is_true(value: Any) -> bool:
    return value in (True, "true")  # slots fill in texts


def _reply_to(draft: Draft, value: Any) -> bool | str:
    # Any other id would make WhatsApp refuse the message.
    if isinstance(value, str) and value.startswith("wamid."):
        return value
    if value not in (None, "", True, False, "true", "false"):
        draft.change("WA109", reason="whatsapp.reply_to must be true, or the id of a message")
    return _is_true(value)


def _list_button(draft: Draft, given: Mapping[str, Any]) -> str:
    label = _line(draft, "list_button", given) or LIST_BUTTON
    new = cut(label, limits.LIST_BUTTON)
    if new != label:
        draft.change("WA304", part="list_button", text=label, limit=limits.LIST_BUTTON, new=new)
    return new


def quote(
    draft: Draft, messages: Sequence[Outgoing], wanted: bool | str, reply_to: str | None
) -> list[Outgoing]:
    """Let the first message that can quote what is *wanted*: the person's message, or one by id."""
    messages = list(messages)
    if not wanted or not messages:
        return messages
    quoted = wanted if isinstance(wanted, str) else reply_to
    able = [
        number
        for number, outgoing in enumerate(messages)
        if not isinstance(outgoing.message, _NEVER_QUOTE)
    ]
    reason = ""
    if not draft.api.context:
        reason = f"{draft.api.who} cannot"
    elif quoted is None:
        reason = "the bot does not answer one"
    elif not able:
        reason = "a message of this kind cannot"
    if reason:
        draft.change("WA109", reason=reason)
    elif messages[able[0]].reply_to is None:
        messages[able[0]] = dataclasses.replace(messages[able[0]], reply_to=quoted)
    return messages
