"""Custom messages: checks the WhatsApp bodies in `custom`, and replaces what an API lacks."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rasa_whatsapp_channel.compose.content import kind_name, read_json
from rasa_whatsapp_channel.compose.draft import Draft
from rasa_whatsapp_channel.compose.join import Parts, join
from rasa_whatsapp_channel.compose.links import encode_links
from rasa_whatsapp_channel.compose.options import Link, Options, Reply
from rasa_whatsapp_channel.compose.style import Style
from rasa_whatsapp_channel.compose.template import on_one_line, refusal
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.identity import split_number
from rasa_whatsapp_channel.whatsapp.messages import (
    MEDIA_MESSAGES,
    Card,
    CtaUrl,
    Document,
    Header,
    ListMessage,
    MediaCarousel,
    MediaMessage,
    Message,
    Outgoing,
    ReplyButtons,
    check_recipient,
    check_support,
    find_doubts,
    find_unknown,
    parse_outgoing,
)

_WRAPPERS: Final = ("messages", "json_message")
_PHONE: Final = re.compile(r"[+\d\s().-]+")
_SEPARATORS: Final = re.compile(r"[+\s().-]")
_RECIPIENTS: Final = ("to", "recipient")
_ENVELOPE: Final = ("messaging_product", "recipient_type", *_RECIPIENTS)


def fall_back(draft: Draft, message: Message) -> list[Message]:
    """Return what goes in the place of *message*; nothing when there is nothing like it."""
    if isinstance(message, CtaUrl):
        return join(draft, _link_parts(message))
    if isinstance(message, (ReplyButtons, ListMessage)):
        return join(draft, _reply_parts(message))
    if isinstance(message, MediaCarousel):
        cards = (Parts(message.text), *map(_card_parts, message.cards))
        return [part for card in cards for part in join(draft, card)]
    return []


def _link_parts(message: CtaUrl) -> Parts:
    title = message.header.text if message.header else None
    return Parts(
        message.text,
        _files(message.header),
        Options(links=(Link(message.display_text, message.url),)),
        Style(header=title, footer=message.footer),
    )


def _reply_parts(message: ReplyButtons | ListMessage) -> Parts:
    if isinstance(message, ReplyButtons):
        replies = [Reply(button.title, button.id) for button in message.buttons]
    else:
        rows = [row for section in message.sections for row in section.rows]
        replies = [Reply(row.title, row.id, row.description) for row in rows]
    title = message.header.text if message.header else None
    return Parts(
        message.text,
        _files(message.header),
        Options(tuple(replies)),
        Style(header=title, footer=message.footer),
    )


def _card_parts(card: Card) -> Parts:
    link = (Link(card.display_text or card.url, card.url),) if card.url else ()
    replies = tuple(Reply(button.title, button.id) for button in card.buttons)
    return Parts(card.text, (MEDIA_MESSAGES[card.header_type](card.media),), Options(replies, link))


def _files(header: Header | None) -> tuple[MediaMessage, ...]:
    if header is None or header.media is None:
        return ()
    if header.type == "document":
        return (Document(header.media, filename=header.filename),)
    return (MEDIA_MESSAGES[header.type](header.media),)


def split_style(custom: Any) -> tuple[Any, Any]:
    """Return *custom* without its key `whatsapp`, and what stands there."""
    if custom is None or not isinstance(custom, Mapping) or "whatsapp" not in custom:
        return custom, None
    return {key: value for key, value in custom.items() if key != "whatsapp"}, custom["whatsapp"]


def read_custom(draft: Draft, custom: Any) -> list[Outgoing]:
    """Read every WhatsApp body in *custom*; what WhatsApp would refuse becomes a change."""
    if custom is None or custom in ("", {}, []):
        return []
    bodies = list(_unwrap(draft, "custom", custom))
    if not bodies:
        draft.change("WA501", field="custom", kind="an empty list")
    return [message for field, body in bodies for message in _read_body(draft, field, body)]


def _unwrap(draft: Draft, field: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, str):
        value = read_json(value) or value
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unwrap(draft, f"{field}[{number}]", item)
        return
    wrappers = [key for key in _WRAPPERS if isinstance(value, Mapping) and key in value]
    if not wrappers:
        yield field, value
        return
    if not _is_for_us(draft, field, value):
        return
    for key in value:
        if key not in (*_WRAPPERS, *_ENVELOPE):
            draft.change("WA504", field=field, key=key, beside=wrappers[0])
    for key in wrappers:
        yield from _unwrap(draft, f"{field}.{key}", value[key])


def _is_for_us(draft: Draft, field: str, body: Mapping[str, Any]) -> bool:
    """
    Return whether *body* is meant for the person the response goes to.

    What is meant for somebody else, such as the staff, must not be read by the customer.
    """
    for key in _RECIPIENTS:
        named = body.get(key)
        if named in (None, ""):
            continue
        if draft.recipient_id is None:
            draft.change("WA508", field=field, key=key)
        elif _plain(str(named)) != _plain(draft.recipient_id):
            draft.change("WA507", field=field, key=key)
            return False
    return True


def _plain(recipient_id: str) -> str:
    """Return one spelling of *recipient_id*: people write a number in many."""
    name = split_number(recipient_id.strip().removeprefix("whatsapp:"))[0]
    return _SEPARATORS.sub("", name).removeprefix("00") if _PHONE.fullmatch(name) else name


def _read_body(draft: Draft, field: str, body: Any) -> list[Outgoing]:
    if not isinstance(body, Mapping):
        draft.change("WA501", field=field, kind="nothing" if body is None else kind_name(body))
        return []
    if not _is_for_us(draft, field, body):
        return []
    if "template" in body:
        body = {**body, "template": on_one_line(draft, body["template"])}
    try:
        outgoing = parse_outgoing(encode_links(draft, field, body))
    except InvalidMessage as error:
        draft.change("WA502", field=field, place=error.field, problem=error.problem)
        return []
    unknown = list(find_unknown(outgoing.message, draft.api))
    if unknown and draft.strict:
        draft.change("WA502", field=field, place=unknown[0].place, problem=refusal(unknown[0]))
        return []
    for doubt in (*unknown, *find_doubts(outgoing.message)):
        draft.change("WA506", field=field, place=doubt.place, problem=doubt.problem)
    return _supported(draft, field, outgoing)


def _supported(draft: Draft, field: str, outgoing: Outgoing) -> list[Outgoing]:
    """Return *outgoing*, or what the API has instead."""
    message, api = outgoing.message, draft.api
    if outgoing.reply_to and not api.context:
        draft.change("WA503", field=field, reason=f"{api.who} cannot")
        outgoing = Outgoing(message)
    if draft.recipient_id is not None:
        try:
            check_recipient(message, group=api.in_group)
        except InvalidMessage as error:
            draft.change("WA502", field=field, place=error.field, problem=error.problem)
            return []
    try:
        # Where the API takes no links, the file is fetched and uploaded before sending.
        check_support(message, dataclasses.replace(api, link=True))
    except InvalidMessage as error:
        others = fall_back(draft, message)
        if not others:
            draft.change("WA502", field=field, place=error.field, problem=error.problem)
            return []
        kind, new = getattr(message, "kind", message.type), _names(others)
        draft.change("WA505", field=field, kind=kind, who=api.who, new=new)
        return [Outgoing(other) for other in others]
    return [outgoing]


def _names(messages: Sequence[Message]) -> str:
    return ", ".join(str(getattr(message, "kind", message.type)) for message in messages)
