"""What may happen to buttons (3), elements (4) and custom (5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rasa_whatsapp_channel.compose.changes.rule import Rule, lost

CHOICES: Final[Mapping[str, Rule]] = {
    "WA301": Rule(
        "buttons became a list",
        "{count} buttons became a list, because {reason}",
        before="{count} buttons",
        after="a list",
    ),
    "WA302": Rule(
        "buttons became several lists",
        "{count} buttons became {lists} lists; WhatsApp shows at most {limit} in one",
        before="{count} buttons",
        after="{lists} lists",
    ),
    "WA303": Rule(
        "a title was cut, the whole stands beside it",
        "the title {title!r} is longer than {limit} and goes in full into the description",
        before="{title}",
        after="{new}",
    ),
    "WA304": lost(
        "a text on a button was cut",
        "the {part} {text!r} is longer than {limit} and was cut",
        before="{text}",
        after="{new}",
    ),
    "WA305": Rule(
        "equal titles were numbered",
        "the title {title!r} stands there twice; became {new!r}",
        before="{title}",
        after="{new}",
    ),
    "WA306": Rule(
        "a doubled button was left out",
        "the button {title!r} stands there twice with the same payload; shown once",
        before="{title}, twice",
        after="{title}",
    ),
    "WA307": lost(
        "a button is something else",
        "{field} must be a map with title and payload, not {kind}; not sent",
        before="{field}: {kind}",
    ),
    "WA308": Rule(
        "buttons without a text",
        "has something to tap but no text; WhatsApp wants one, so {text!r} was written",
        before="no text",
        after="{text}",
    ),
    "WA309": Rule(
        "a payload is kept here",
        "the payload of {title!r} {reason}; it is kept here and WhatsApp gets a short id",
        before="{payload}",
        after="{short}",
    ),
    "WA310": Rule(
        "a link or number became a line of text",
        "the link {title!r} became a line of the text, because {reason}",
        before="{title}",
        after="{line}",
    ),
    "WA311": Rule(
        "a button has no title",
        "{field} has no title; its payload {title!r} is shown",
        before="{field} without a title",
        after="{title}",
    ),
    "WA312": Rule(
        "buttons became numbered lines",
        "{count} buttons became numbered lines of the text, because {reason}; a number that is "
        "typed is understood",
        before="{count} buttons",
        after="numbered lines",
    ),
    "WA313": Rule(
        "a button_type is not known",
        "button_type {kind!r} is not known; {hint}",
        before="button_type: {kind}",
    ),
    "WA314": Rule(
        "a link was written as an address",
        "the link of {title!r} goes as {new!r}: addresses take no blanks and no letters beyond "
        "those of ASCII",
        before="{link}",
        after="{new}",
    ),
    "WA401": lost(
        "an element is something else",
        "{field} must be a map, not {kind}; not sent",
        before="{field}: {kind}",
    ),
    "WA402": Rule(
        "elements became single cards",
        "{count} elements go one after another, each as a message of its own, because {reason}",
        before="{count} elements",
        after="single cards",
    ),
    "WA403": lost(
        "a key of an element is not used",
        "{field}.{key} is not used; {hint}",
        before="{field}.{key}",
    ),
    "WA501": lost(
        "custom is not WhatsApp's shape",
        "{field} must be a WhatsApp message, a list of them or messages: […], not {kind}; not sent",
        before="{field}: {kind}",
    ),
    "WA502": lost(
        "a custom message breaks a rule of WhatsApp",
        "{field} is not sent: {place}: {problem}",
    ),
    "WA503": lost(
        "a quote was left out",
        "{field} goes without quoting a message: {reason}",
        before="{field}.context",
    ),
    "WA504": lost(
        "a key beside messages is not used",
        "{field}.{key} beside {beside} is not used",
        before="{field}.{key}",
    ),
    "WA505": Rule(
        "a custom message became what the API has",
        "{field} became {new}, because api {api} does not take {kind}",
        before="{kind}",
        after="{new}",
    ),
    "WA506": Rule(
        "a custom message may be refused",
        "{field} goes as it is written, but {place}: {problem}",
        before="{place}",
        after="{place}",
    ),
    "WA507": lost(
        "a custom message is meant for somebody else",
        "{field} is not sent: its {key} names somebody else than the person it would go to. A "
        "response goes to the person of its conversation only; leave {key} out, or write to "
        "others by their own conversation, such as with trigger_intent",
        before="{field}.{key}",
    ),
    "WA508": Rule(
        "a custom message names a recipient",
        "{field}.{key} addresses nobody: the message goes to the person of the conversation, and "
        "is not sent where {key} names somebody else; leave it out",
        before="{field}.{key}",
    ),
}
