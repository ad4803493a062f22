"""Every change composing can make, by code: 1 text, 2 media, 3 buttons, 4 elements, 5 custom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from rasa_whatsapp_channel.outbound.compose.plan import Change


@dataclass(frozen=True)
class Rule:
    """*meaning* is for the list of codes, *says* becomes the text of the change."""

    meaning: str
    says: str
    lost: bool = False


RULES: Final[Mapping[str, Rule]] = MappingProxyType(
    {
        "WA101": Rule(
            "a long text was split",
            "the text has {length} characters and became {count} messages; "
            "WhatsApp takes {limit} where it ends",
        ),
        "WA102": Rule("a blank text was skipped", "{field} shows nothing and was skipped"),
        "WA103": Rule("the response is empty", "has nothing that could be sent"),
        "WA104": Rule(
            "a text is something else", "{field} must be a text, not {kind}; not sent", lost=True
        ),
        "WA105": Rule(
            "values that are not plain JSON", "holds {kinds}, which was written out as text"
        ),
        "WA106": Rule(
            "header or footer became part of the text",
            "the {part} became part of the text, because {reason}",
        ),
        "WA107": Rule(
            "header or footer has nothing to stand on",
            "the {part} {text!r} has no text or button to go with; not sent",
            lost=True,
        ),
        "WA108": Rule(
            "a key below `whatsapp` is not used", "whatsapp.{key} is not used; {hint}", lost=True
        ),
        "WA201": Rule(
            "a medium has several sources",
            "{field} needs exactly one of id, link and path, and has {given} together; not sent. "
            "Write only one of them, e.g. {example}",
            lost=True,
        ),
        "WA202": Rule(
            "a medium has no source",
            "{field} says no source; not sent. Write {example}",
            lost=True,
        ),
        "WA203": Rule(
            "a medium breaks a rule of WhatsApp", "{field} is not sent: {problem}", lost=True
        ),
        "WA204": Rule(
            "a medium lies where it cannot be fetched",
            "{field} begins with {scheme}:, which is not fetched; not sent. "
            "Write an http(s) link, or the path of a file beside the bot",
            lost=True,
        ),
        "WA205": Rule(
            "the type of a medium is a guess",
            "{field} goes as {kind}, because {reason}; write type: image, document, audio, "
            "video or sticker to say it",
        ),
        "WA206": Rule(
            "a caption became a text",
            "the caption of {field} goes as text before it, because {reason}",
        ),
        "WA207": Rule(
            "a key of a medium is not used", "{field}.{key} is not used; {hint}", lost=True
        ),
        "WA208": Rule(
            "a provider was left out",
            "{field}.provider was left out: {reason}",
        ),
        "WA209": Rule(
            "a medium is something else",
            "{field} must be a map or a text, not {kind}; not sent",
            lost=True,
        ),
        "WA210": Rule(
            "a file name was cut", "{field}.filename has more than {limit} characters and was cut"
        ),
        "WA211": Rule(
            "a file name was left out", "{field}.filename is not used: type {kind} has none"
        ),
        "WA301": Rule("buttons became a list", "{count} buttons became a list, because {reason}"),
        "WA302": Rule(
            "buttons became several lists",
            "{count} buttons became {lists} lists; WhatsApp shows at most {limit} in one",
        ),
        "WA303": Rule(
            "a title was cut, the whole stands beside it",
            "the title {title!r} is longer than {limit} and goes in full into the description",
        ),
        "WA304": Rule(
            "a text on a button was cut",
            "the {part} {text!r} is longer than {limit} and was cut",
            lost=True,
        ),
        "WA305": Rule(
            "equal titles were numbered", "the title {title!r} stands there twice; became {new!r}"
        ),
        "WA306": Rule(
            "a doubled button was left out",
            "the button {title!r} stands there twice with the same payload; shown once",
        ),
        "WA307": Rule(
            "a button is something else",
            "{field} must be a map with title and payload, not {kind}; not sent",
            lost=True,
        ),
        "WA308": Rule(
            "buttons without a text",
            "has buttons but no text; WhatsApp wants one, so {text!r} was written",
        ),
        "WA309": Rule(
            "a payload is kept here",
            "the payload of {title!r} {reason}; it is kept here and WhatsApp gets a short id",
        ),
        "WA310": Rule(
            "a link or number became a line of text",
            "the link {title!r} became a line of the text, because {reason}",
        ),
        "WA311": Rule(
            "a button has no title", "{field} has no title; its payload {title!r} is shown"
        ),
        "WA401": Rule(
            "an element is something else", "{field} must be a map, not {kind}; not sent", lost=True
        ),
        "WA402": Rule(
            "elements became single cards",
            "{count} elements go one after another, each as a message of its own",
        ),
        "WA403": Rule(
            "a key of an element is not used", "{field}.{key} is not used; {hint}", lost=True
        ),
        "WA501": Rule(
            "custom is not WhatsApp's shape",
            "{field} must be a WhatsApp message, a list of them or messages: […], not {kind}; "
            "not sent",
            lost=True,
        ),
        "WA502": Rule(
            "a custom message breaks a rule of WhatsApp",
            "{field} is not sent: {place}: {problem}",
            lost=True,
        ),
        "WA503": Rule(
            "a quote was left out", "{field} goes without quoting a message: {reason}", lost=True
        ),
        "WA504": Rule(
            "a key beside messages is not used",
            "{field}.{key} beside {beside} is not used",
            lost=True,
        ),
    }
)


def make_change(code: str, response: str | None, values: Mapping[str, object]) -> Change:
    rule = RULES[code]
    return Change(code, rule.says.format(**values), response, rule.lost)
