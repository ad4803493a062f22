"""
Closed window: as what a message goes to a person who has not written for a day. Decides only.

In this order: Direct Send, the template of its response, its text as the variable of the
reengagement template, the reengagement template as it is. Otherwise it waits until they write.

https://developers.facebook.com/documentation/business-messaging/whatsapp/direct-send/overview
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from rasa_whatsapp_channel.compose.draft import Composed
from rasa_whatsapp_channel.compose.text import cut, one_line
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.account_events import template_subject
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.json_values import object_of
from rasa_whatsapp_channel.whatsapp.messages import (
    CtaUrl,
    Message,
    ReplyButtons,
    Text,
    parse_outgoing,
)

#: stands for the text of the message in the reengagement template
PLACEHOLDER: Final = "{text}"
#: characters of a text in a template, which has words of its own
TEXT: Final = limits.INTERACTIVE_BODY - 124
UTILITY: Final = "utility"
_ODD: Final = re.compile(r"[^a-z0-9_]+")


class Way(str, Enum):
    """How a message leaves a closed window; the value is the code of the change."""

    DIRECT_SEND = "WA804"
    TEMPLATE = "WA805"
    TEXT = "WA806"
    REENGAGEMENT = "WA807"
    WAIT = "WA808"

    def __str__(self) -> str:
        return _WORDS[self]


_WORDS: Final[Mapping[Way, str]] = {
    Way.DIRECT_SEND: "by Direct Send, billed as utility",
    Way.TEMPLATE: "its template goes, billed by its category",
    Way.TEXT: "its text goes in `reengagement_template`, billed by its category",
    Way.REENGAGEMENT: "`reengagement_template` goes, billed by its category",
    Way.WAIT: "nothing goes; it waits until the person writes",
}


@dataclass(frozen=True)
class Outside:
    """*body* is what goes, if anything; the message itself waits unless it *replaces* it."""

    way: Way
    body: Mapping[str, Any] | None = None
    replaces: bool = False

    @property
    def subject(self) -> str | None:
        """Return the template that goes, as account events name it; None if none does."""
        return subject_of(self.body or {})


WAIT: Final = Outside(Way.WAIT)


def choose(
    message: Mapping[str, Any],
    *,
    direct: Mapping[str, Any] | None = None,
    template: Mapping[str, Any] | None = None,
    is_own: bool = False,
    reengagement: Mapping[str, Any] | None = None,
    refused: Collection[Way] = (),
) -> Outside:
    """
    Return as what the body *message* goes.

    *direct* is its body for Direct Send, *template* that of its response's template, which *is_own*
    if it says all of it; a way is not taken where it was *refused*.
    """
    if direct is not None and Way.DIRECT_SEND not in refused:
        return Outside(Way.DIRECT_SEND, direct, replaces=True)
    if template is not None and Way.TEMPLATE not in refused:
        return Outside(Way.TEMPLATE, template, replaces=is_own)
    if reengagement is None or Way.TEXT in refused:
        return WAIT
    if not takes_text(reengagement):
        return Outside(Way.REENGAGEMENT, reengagement)
    text = one_line(words_of(message))
    if not text:
        return WAIT
    short = cut(text, TEXT)
    is_all = message.get("type") == "text" and short == text
    return Outside(Way.TEXT, _fill(reengagement, short), replaces=is_all)


def takes_text(template: Mapping[str, Any]) -> bool:
    """Return whether the reengagement template is to carry the text of the message."""
    return bool(_fill(template, "") != template)


def _fill(value: Any, text: str) -> Any:
    if isinstance(value, str):
        return value.replace(PLACEHOLDER, text)
    if isinstance(value, Mapping):
        return {key: _fill(part, text) for key, part in value.items()}
    return [_fill(part, text) for part in value] if isinstance(value, list | tuple) else value


def subject_of(message: Mapping[str, Any]) -> str | None:
    """Return the template that the body *message* is, as account events name it, if it is one."""
    if message.get("type") != "template":
        return None
    template = object_of(message.get("template"))
    language = object_of(template.get("language"))
    return template_subject(str(template.get("name", "")), str(language.get("code", "")))


def words_of(message: Mapping[str, Any]) -> str:
    """Return what a person would read of the body *message*, as far as it is text."""
    part = object_of(message.get(str(message.get("type"))))
    inner = object_of(part.get("body")).get("text")
    return str(part.get("caption") or inner or part.get("body") or part.get("name") or "")


def to_direct(composed: Composed, response: str | None) -> Sequence[Mapping[str, Any] | None]:
    """
    Return the body for Direct Send of each message of *composed*; None where there is none.

    A response with a template goes as a whole or not at all: the template stands for all of it.
    """
    template = composed.template
    is_utility = template is None or str(template.category or UTILITY).lower() == UTILITY
    if not (composed.direct_send and is_utility):
        return [None] * len(composed.messages)
    name = _ODD.sub("_", (response or "").lower()).strip("_")
    if template is not None and name:
        name = f"{name}_direct"  # a name is that of one template only
    bodies = [
        _direct_body(each.message, f"{name}_{place}" if place > 1 else name)
        for place, each in enumerate(composed.messages, 1)
    ]
    return [None] * len(bodies) if template and None in bodies else bodies


def _direct_body(message: Message, name: str) -> Mapping[str, Any] | None:
    if message.extras or not isinstance(message, Text | ReplyButtons | CtaUrl):
        return None
    if len(words_of(message.body())) > limits.INTERACTIVE_BODY:
        return None
    header = getattr(message, "header", None)
    if header is not None and header.type != "text":  # files need an agreement with Meta
        return None
    body = Text(message.text).body() if isinstance(message, Text) else message.body()
    config = {"direct_send_config": {"template_name": name}} if name else {}
    body = {**body, "category": UTILITY, **config}
    try:
        parse_outgoing(body)
    except InvalidMessage:
        return None
    return body
