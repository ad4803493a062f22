"""The options of ``rasa-whatsapp send`` → the message they describe."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Final

import click

from rasa_whatsapp_channel.cli.vcards import read_vcards
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.template import read_template
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage, MediaError
from rasa_whatsapp_channel.whatsapp.messages import (
    Button,
    Contacts,
    CtaUrl,
    Header,
    ListMessage,
    Location,
    LocationRequest,
    Media,
    Message,
    Outgoing,
    Reaction,
    ReplyButtons,
    Row,
    Section,
    Text,
    parse_outgoing,
)
from rasa_whatsapp_channel.whatsapp.messages.interactive import HEADER_MEDIA
from rasa_whatsapp_channel.whatsapp.messages.media import parse_media_message

Options = Mapping[str, Any]
FILES: Final = ("image", "video", "audio", "voice", "document", "sticker")
# What makes a message of its own. A text and a file may also be parts of another one.
CONTENTS: Final = (
    *("text", *FILES, "location", "contact", "button", "row", "url", "request_location"),
    *("reaction", "template", "json"),
)
_TAPPED: Final = ("button", "row", "url", "request_location")
_HEADED: Final = ("button", "url")  # these may have a file above them
# Which content each further option goes with.
_GOES_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "caption": FILES,
    "filename": ("document",),
    "preview_url": ("text",),
    "name": ("location",),
    "address": ("location",),
    "header": ("button", "row", "url", "template"),
    "footer": ("button", "row", "url"),
    "list_button": ("row",),
    "param": ("template",),
    "named_param": ("template",),
    "button_param": ("template",),
    "language": ("template",),
}


def read_contents(options: Options) -> Outgoing:
    """
    Return the message that *options* ask for.

    Raises `click.UsageError` where they do not go together, and `InvalidMessage` or `MediaError`
    where WhatsApp would refuse what they say.
    """
    kind = find_kind(options)
    outgoing = _outgoing(kind, options)
    quoted = options["reply_to"]
    return Outgoing(outgoing.message, quoted) if quoted and kind != "reaction" else outgoing


def find_kind(options: Options) -> str:
    """Return which of `CONTENTS` the message is, by the options that were given."""
    given = [name for name in CONTENTS if options[name] not in (None, (), False)]
    whole = [name for name in given if name in (*_TAPPED, "template")] or given
    [kind] = whole if len(whole) == 1 else [""]
    parts = set(given) - {kind}
    files = parts & set(FILES)
    allowed = {"text"} if kind in _TAPPED else set()
    if kind in (*_HEADED, "template") and len(files) == 1:
        allowed |= files & set(HEADER_MEDIA)
    if not kind or parts - allowed:
        raise click.UsageError(f"Give exactly one of {_names(CONTENTS)}; see --help.")
    for name, kinds in _GOES_WITH.items():
        if options[name] not in (None, (), False) and kind not in kinds:
            what = "a file" if kinds == FILES else _names(kinds)
            raise click.UsageError(f"{_names([name])} goes with {what}, not with {_names([kind])}.")
    return kind


def _outgoing(kind: str, options: Options) -> Outgoing:
    if kind == "json":
        return _read_json(options["json"])
    if kind in FILES:
        return Outgoing(_file(kind, options))
    if kind in _TAPPED:
        return Outgoing(_tapped(kind, options))
    simple = {
        "text": _text,
        "location": _location,
        "contact": _contacts,
        "reaction": _reaction,
        "template": _template,
    }
    return Outgoing(simple[kind](options))


def _text(options: Options) -> Message:
    return Text(options["text"], preview_url=options["preview_url"])


def _file(kind: str, options: Options) -> Message:
    source = read_source(options[kind])
    extra = {key: options[key] for key in ("caption", "filename") if options[key]}
    if kind == "voice":
        kind, extra = "audio", {**extra, "voice": True}
    return parse_media_message(kind, {**source, **extra})


def _location(options: Options) -> Message:
    latitude, _, longitude = options["location"].partition(",")
    try:
        place = (float(latitude), float(longitude))
    except ValueError:
        raise InvalidMessage("--location", "is written 52.5163,13.3777") from None
    return Location(*place, name=options["name"], address=options["address"])


def _contacts(options: Options) -> Message:
    found: list[Any] = []
    for file in options["contact"]:
        try:
            text = file.read()
        except ValueError as error:
            raise InvalidMessage("--contact", f"is no text in UTF-8: {error}") from error
        if not text.lstrip().startswith(("{", "[")):
            found += read_vcards(text)
            continue
        value = _load(text, "--contact")
        inner = value.get("contacts", value) if isinstance(value, dict) else value
        found += inner if isinstance(inner, list) else [inner]
    return Contacts(tuple(found))


def _reaction(options: Options) -> Message:
    if not options["reply_to"]:
        raise click.UsageError("--reaction needs --reply-to, the id of the message it is put on.")
    return Reaction(options["reply_to"], options["reaction"])


def _tapped(kind: str, options: Options) -> Message:
    text, footer, header = options["text"], options["footer"], _header(options)
    if kind == "request_location":
        return LocationRequest(text)
    if kind == "button":
        buttons = tuple(Button(payload, title) for title, payload in options["button"])
        return ReplyButtons(text, header, footer, buttons=buttons)
    if kind == "row":
        rows = tuple(_row(title, payload) for title, payload in options["row"])
        label = options["list_button"] or "Choose"
        return ListMessage(text, header, footer, button=label, sections=(Section(rows),))
    if len(options["url"]) > 1:
        raise click.UsageError("--url goes once in a message; WhatsApp shows one.")
    [(title, url)] = options["url"]
    return CtaUrl(text, header, footer, display_text=title, url=url)


def _row(title: str, payload: str) -> Row:
    shown, _, description = title.partition("|")
    return Row(payload, shown.strip(), description.strip() or None)


def _header(options: Options) -> Header | None:
    kind = next((kind for kind in HEADER_MEDIA if options[kind]), None)
    if kind and options["header"]:
        raise click.UsageError(f"Give either --header or --{kind}.")
    if kind:
        return Header(kind, media=Media.parse(kind, read_source(options[kind])))
    return Header("text", text=options["header"]) if options["header"] else None


def _template(options: Options) -> Message:
    """A template as it is written in a domain, see `metadata.whatsapp.template`."""
    if options["param"] and options["named_param"]:
        raise click.UsageError("Give either --param or --named-param; a template has one kind.")
    kind = next((kind for kind in HEADER_MEDIA if options[kind]), None)
    header = {"type": kind, **read_source(options[kind])} if kind else options["header"]
    draft = Draft(CLOUD)
    template = read_template(
        draft,
        {
            "name": options["template"],
            "language": options["language"] or "en_US",
            "header": header,
            "body": dict(options["named_param"]) or list(options["param"]),
            "buttons": list(options["button_param"]),
        },
    )
    if template is None:
        raise InvalidMessage("--template", "; ".join(change.text for change in draft.changes))
    return template


def _read_json(file: IO[str]) -> Outgoing:
    try:
        text = file.read()
    except ValueError as error:
        raise InvalidMessage("--json", f"is no text in UTF-8: {error}") from error
    return parse_outgoing(_load(text, "--json"))


def _load(text: str, option: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidMessage(option, f"is not JSON: {error}") from error


def read_source(value: str) -> dict[str, str]:
    """Return the media object for a link, the path of a file, or an id."""
    if value.startswith(("http://", "https://")):
        return {"link": value}
    if value.startswith("data:") or "://" in value or Path(value).is_file():
        return {"path": value}
    if any(mark in value for mark in "./\\"):  # no id has one
        raise MediaError(f"{value}: there is no such file")
    return {"id": value}


def _names(options: Sequence[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in options)
