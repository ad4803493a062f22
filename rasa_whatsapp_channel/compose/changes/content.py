"""What may happen to texts (1) and media (2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from rasa_whatsapp_channel.compose.changes.rule import Rule, lost

CONTENT: Final[Mapping[str, Rule]] = {
    "WA101": Rule(
        "a long text was split",
        "the text has {length} characters and became {count} messages; "
        "WhatsApp takes {limit} where it ends",
        before="{length} characters",
        after="{count} messages",
    ),
    "WA102": Rule("a blank text was skipped", "{field} shows nothing and was skipped"),
    "WA103": Rule("the response is empty", "has nothing that could be sent", before="nothing"),
    "WA104": lost(
        "a text is something else",
        "{field} must be a text, not {kind}; not sent",
        before="{field}: {kind}",
    ),
    "WA105": Rule(
        "values that are not plain JSON",
        "holds {kinds}, which was written out as text",
        before="{kinds}",
        after="text",
    ),
    "WA106": Rule(
        "header or footer became part of the text",
        "the {part} became part of the text, because {reason}",
        before="{part}: {text}",
        after="{text}",
    ),
    "WA107": lost(
        "header or footer has nothing to stand on",
        "the {part} {text!r} has no text or button to go with; not sent",
        before="{part}: {text}",
    ),
    "WA108": lost(
        "a key below `whatsapp` is not used",
        "whatsapp.{key} is not used; {hint}",
        before="whatsapp.{key}",
    ),
    "WA109": Rule(
        "the user's message is not quoted",
        "goes without quoting the user's message: {reason}",
        before="whatsapp.reply_to",
    ),
    "WA110": Rule(
        "a value of a template was put on one line",
        "the template's value {value!r} was put on one line; WhatsApp refuses line breaks, tabs "
        "and five spaces in a row there",
        before="{value}",
        after="{new}",
    ),
    "WA111": lost(
        "a template breaks a rule of WhatsApp",
        "whatsapp.template is not used: {place}: {problem}",
        before="whatsapp.template",
    ),
    "WA112": Rule(
        "the Markdown of a text was not read",
        "the text has {marks} characters that may be Markdown; more than {limit} are not looked "
        "at, so it goes as it was written. Send it in parts, or as a document",
        before="{marks} marks",
        after="as it was written",
    ),
    "WA113": lost(
        "a key of the response is not used",
        "{key} of the response is not used; {hint}",
        before="{key}",
    ),
    "WA114": Rule(
        "a template may be refused",
        "whatsapp.template goes as it is written, but {place}: {problem}",
        before="{place}",
        after="{place}",
    ),
    "WA201": lost(
        "a medium has several sources",
        "{field} needs exactly one of id, link and path, and has {given} together; not sent. "
        "Write only one of them, e.g. {example}",
        before="{field}: {given}",
    ),
    "WA202": lost(
        "a medium has no source",
        "{field} says no source; not sent. Write {example}",
    ),
    "WA203": lost("a medium breaks a rule of WhatsApp", "{field} is not sent: {problem}"),
    "WA204": lost(
        "a medium lies where it cannot be fetched",
        "{field} begins with {scheme}:, which is not fetched; not sent. "
        "Write an http(s) link, or the path of a file beside the bot",
        before="{field}: {scheme}:…",
    ),
    "WA205": Rule(
        "the type of a medium is a guess",
        "{field} goes as {kind}, because {reason}; write type: image, document, audio, "
        "video or sticker to say it",
        after="{kind}",
    ),
    "WA206": Rule(
        "a caption became a text",
        "the caption of {field} goes as text before it, because {reason}",
        before="caption: {text}",
        after="{text}",
    ),
    "WA207": lost(
        "a key of a medium is not used",
        "{field}.{key} is not used; {hint}",
        before="{field}.{key}",
    ),
    "WA208": Rule(
        "a provider was left out",
        "{field}.provider was left out: {reason}",
        before="{field}.provider",
    ),
    "WA209": lost(
        "a medium is something else",
        "{field} must be a map or a text, not {kind}; not sent",
        before="{field}: {kind}",
    ),
    "WA210": Rule(
        "a file name was cut",
        "{field}.filename has more than {limit} characters and was cut",
        before="{name}",
        after="{new}",
    ),
    "WA211": Rule(
        "a file name was left out",
        "{field}.filename is not used: type {kind} has none",
        before="filename: {name}",
    ),
    "WA212": Rule(
        "a link was written as an address",
        "the link of {field} goes as {new!r}: addresses take no blanks and no letters beyond "
        "those of ASCII",
        before="{link}",
        after="{new}",
    ),
}
