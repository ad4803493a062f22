"""Changes: the table of codes for everything that is changed to fit WhatsApp."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rasa_whatsapp_channel.compose.text import cut

_SHORT: Final = 80  # characters of what is shown as before and after


@dataclass(frozen=True)
class Change:
    """
    A change of a response, or a part of it that cannot be sent, in words for the bot's author.

    *before* is what was written, *after* what it became, both shortened; *after* is "" if it became
    nothing. *lost* is true if a part of the response does not reach the person.
    """

    code: str  # WA101 …, see docs/changes.md
    text: str
    response: str | None = None  # name of the Rasa response, where known
    lost: bool = False
    before: str = ""
    after: str = ""
    as_set: bool = False  # a setting asks for it

    def __str__(self) -> str:
        return f"{self.response or 'a response without a name'}: {self.text} [{self.code}]"


@dataclass(frozen=True)
class Rule:
    """
    What a code stands for.

    *meaning* is for the list of codes. The others are templates for the fields of a `Change`:
    *says* for its text, *before* and *after*.
    """

    meaning: str
    says: str
    before: str = "{field}"
    after: str = ""
    lost: bool = False
    as_set: bool = False


def lost(meaning: str, says: str, before: str = "{field}", after: str = "") -> Rule:
    """Return the rule of a change by which a part of the response does not reach the person."""
    return Rule(meaning, says, before, after, lost=True)


RULES: Final[Mapping[str, Rule]] = {
    # 1: text
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
        "a text is no string",
        "{field} must be a string, not {kind}; not sent",
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
        "the person's message is not quoted",
        "goes without quoting the person's message: {reason}",
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
    "WA115": Rule(
        "the alternative text of a picture in a text was left out",
        "the alternative text {text!r} is left out: the text is the caption of its picture",
        before="{text}",
        as_set=True,
    ),
    "WA116": Rule(
        "a picture in a text was not sent",
        "the picture {address} in the text is not sent, because {reason}",
        before="{address}",
    ),
    # 2: media
    "WA201": lost(
        "a medium has several sources",
        "{field} needs exactly one of id, link and path, and has {given} together; not sent. "
        "Write only one of them, e.g. {example}",
        before="{field}: {given}",
    ),
    "WA202": lost(
        "a medium has no source",
        "{field} has no source; not sent. Write {example}",
    ),
    "WA203": lost("a medium breaks a rule of WhatsApp", "{field} is not sent: {problem}"),
    "WA204": lost(
        "a medium has an address that cannot be fetched",
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
        "a medium is no map and no string",
        "{field} must be a map or a string, not {kind}; not sent",
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
    # 3: buttons
    "WA301": Rule(
        "buttons became a list",
        "{buttons} became a list, because {reason}",
        before="{buttons}",
        after="a list",
    ),
    "WA302": Rule(
        "buttons became several lists",
        "{buttons} became {lists} lists; WhatsApp shows at most {limit} in one",
        before="{buttons}",
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
        "the title {title!r} is duplicated; became {new!r}",
        before="{title}",
        after="{new}",
    ),
    "WA306": Rule(
        "a doubled button was left out",
        "the button {title!r} is duplicated with the same payload; shown once",
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
        "{buttons} became numbered lines of the text, because {reason}; a number that is "
        "typed is understood",
        before="{buttons}",
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
    # 4: elements
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
    # 5: custom
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
        "{field} became {new}, because {who} does not take {kind}",
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
        "a custom message names another recipient",
        "{field} is not sent: its {key} is not the person of the conversation. A "
        "response goes to the person of its conversation only; leave {key} out, or write to "
        "others by their own conversation, such as with trigger_intent",
        before="{field}.{key}",
    ),
    "WA508": Rule(
        "a custom message names a recipient",
        "{field}.{key} addresses nobody: the message goes to the person of the conversation, and "
        "is not sent if {key} is another person; leave it out",
        before="{field}.{key}",
    ),
    # 8: on the way, found out when a message is prepared, or from WhatsApp
    "WA801": lost(
        "a file cannot be sent; what was said with it goes without it",
        "the {kind} is left out, because it cannot be sent; {rest}: {reason}",
        before="{kind}",
    ),
    "WA802": Rule(
        "a file cannot be sent; its link, which anybody can open, goes in its place",
        "the {kind} cannot be sent, so its link stands in the text: {reason}",
        before="{kind}",
        after="link",
    ),
    "WA803": Rule(
        "a carousel became single messages, because a file of its cards cannot be sent",
        "the carousel became {count} messages, one after another, because a file of its cards "
        "cannot be sent, and each card needs one: {reason}",
        before="carousel",
        after="{count} messages",
    ),
    "WA804": Rule(
        "outside of the 24-hour window a message goes by Direct Send",
        "the 24-hour window is closed, so it goes by Direct Send, billed as utility",
        before="message",
        after="Direct Send",
        as_set=True,
    ),
    "WA805": Rule(
        "outside of the 24-hour window the template of the response goes",
        "the 24-hour window is closed, so its template {template} goes{rest}",
        before="message",
        after="template {template}",
        as_set=True,
    ),
    "WA806": Rule(
        "outside of the 24-hour window the text goes in a template",
        "the 24-hour window is closed, so its text goes in the template {template}{rest}",
        before="message",
        after="template {template}",
        as_set=True,
    ),
    "WA807": Rule(
        "outside of the 24-hour window `reengagement_template` asks the person to write",
        "the 24-hour window is closed, so the template {template} asks the person to write; the "
        "message follows when they do",
        before="message",
        after="template {template}",
        as_set=True,
    ),
    "WA808": Rule(
        "outside of the 24-hour window a message waits",
        "the 24-hour window is closed, so it waits for the person to write; nothing is set that "
        "may go instead",
        before="message",
    ),
    # 9: the whole turn, as `combine` asks
    "WA901": Rule(
        "several messages of a turn became one",
        "{count} messages of the turn became one, as `combine` asks",
        before="{count} messages",
        after="one message",
        as_set=True,
    ),
    "WA902": Rule(
        "a response is not sent, because the turn says something else",
        "{text!r} is not sent, because `combine_skip` names it and the turn says something else",
        before="{text}",
        as_set=True,
    ),
}


def make_change(code: str, response: str | None, values: Mapping[str, object]) -> Change:
    """Return the change *code*, its texts filled in with *values*."""
    rule = RULES[code]
    return Change(
        code,
        rule.says.format(**values),
        response,
        rule.lost,
        before=cut(rule.before.format(**values), _SHORT),
        after=cut(rule.after.format(**values), _SHORT),
        as_set=rule.as_set,
    )
