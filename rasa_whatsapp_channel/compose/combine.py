"""
Combiner: the messages of several responses → as few messages as possible.

Only neighbours are joined, so that texts, files and options stay in their order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from rasa_whatsapp_channel.compose.changes import Change, make_change
from rasa_whatsapp_channel.compose.draft import Composed
from rasa_whatsapp_channel.compose.join import NO_TEXT
from rasa_whatsapp_channel.compose.split import has_link
from rasa_whatsapp_channel.compose.text import cut
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import (
    Captioned,
    CtaUrl,
    Flow,
    Header,
    Interactive,
    ListMessage,
    LocationRequest,
    Message,
    OtherInteractive,
    Outgoing,
    ReplyButtons,
    Text,
)

_SHOWN: Final = 80
# Their text is the last thing to read before what can be tapped.
_TAPPED: Final = (ReplyButtons, ListMessage, CtaUrl, LocationRequest, Flow)


@dataclass(frozen=True)
class Joined:
    """
    One message, joined from *count* of them.

    *responses* are the places of the responses that said it, *last* is the place of the last
    message in it among the messages of all responses.
    """

    outgoing: Outgoing
    responses: tuple[int, ...]
    last: int
    count: int = 1

    @property
    def changes(self) -> tuple[Change, ...]:
        if self.count == 1:
            return ()
        return (make_change("WA901", None, {"count": self.count}),)


@dataclass(frozen=True)
class Combined:
    """The messages in order, and what was changed of each response, by its place."""

    messages: tuple[Joined, ...]
    changes: tuple[tuple[Change, ...], ...]


def alone(responses: Sequence[Composed]) -> Combined:
    """Return the messages of *responses* as they are."""
    places = enumerate(
        (place, outgoing)
        for place, response in enumerate(responses)
        for outgoing in response.messages
    )
    messages = tuple(Joined(outgoing, (place,), last) for last, (place, outgoing) in places)
    return Combined(messages, tuple(response.changes for response in responses))


def combine(
    responses: Sequence[Composed],
    *,
    api: Api,
    captions: str = "merge",
    skip: Collection[int] = (),
) -> Combined:
    """
    Return as few messages as *responses* fit into. *api* and *captions* are as for `compose`.

    The responses at the places *skip* are left out if they are texts only, and something else is
    said.
    """
    left_out = _left_out(responses, skip)
    messages: list[Joined] = []
    # From the end, so that a text goes to what follows it: it announces a file, or asks.
    for message in reversed(alone(responses).messages):
        if message.responses[0] in left_out:
            continue
        joined = None
        if messages:
            joined = _join(message, messages[0], responses, api=api, captions=captions)
        messages[:1] = [joined] if joined else [message, *messages[:1]]
    changes = (
        tuple(_changes(place, response, messages, left_out))
        for place, response in enumerate(responses)
    )
    return Combined(tuple(messages), tuple(changes))


def combine_one(response: Composed, *, api: Api, captions: str = "merge") -> Composed:
    """Return *response*, said alone in its turn, with its own messages as few as possible."""
    combined = combine([response], api=api, captions=captions)
    joined = (change for each in combined.messages for change in each.changes)
    messages = tuple(each.outgoing for each in combined.messages)
    return replace(response, messages=messages, changes=(*combined.changes[0], *joined))


def _left_out(responses: Sequence[Composed], skip: Collection[int]) -> set[int]:
    others = (response.messages for place, response in enumerate(responses) if place not in skip)
    return {place for place in skip if _is_text(responses[place])} if any(others) else set()


def _is_text(response: Composed) -> bool:
    texts = all(isinstance(outgoing.message, Text) for outgoing in response.messages)
    return bool(response.messages) and texts and not (response.choices or response.template)


def _changes(
    place: int, response: Composed, messages: Sequence[Joined], left_out: Collection[int]
) -> Iterator[Change]:
    if place in left_out:
        yield make_change("WA902", None, {"text": cut(_first_text(response), _SHOWN)})
        return
    stands_in = any(place in each.responses and _stands_in(each) for each in messages)
    for change in response.changes:
        if change.code != "WA308" or stands_in:  # else another text has taken its place
            yield change


def _first_text(response: Composed) -> str:
    message = response.messages[0].message
    return message.text if isinstance(message, Text) else ""


def _stands_in(joined: Joined) -> bool:
    message = joined.outgoing.message
    return isinstance(message, Interactive) and message.text == NO_TEXT


def _join(
    first: Joined, second: Joined, responses: Sequence[Composed], *, api: Api, captions: str
) -> Joined | None:
    places = tuple(dict.fromkeys((*first.responses, *second.responses)))
    if len(places) > 1:
        # A template stands for one response; the numbers of two would be mistaken.
        if any(responses[place].template for place in places):
            return None
        if sum(bool(responses[place].choices) for place in places) > 1:
            return None
    quoted = first.outgoing.reply_to
    if second.outgoing.reply_to not in (None, quoted):
        return None
    try:
        message = _join_messages(first.outgoing.message, second.outgoing.message, captions)
    except InvalidMessage:  # together they are too long
        return None
    if message is None or (isinstance(message, ListMessage) and _is_long(message, api)):
        return None
    return Joined(Outgoing(message, quoted), places, second.last, first.count + second.count)


def _is_long(message: ListMessage, api: Api) -> bool:
    return len(message.text or "") > api.list_body


def _join_messages(first: Message, second: Message, captions: str) -> Message | None:
    """
    Return both as one message; None where WhatsApp has none, or something would be lost.

    Raises `InvalidMessage` where they are too long together.
    """
    if first.extras or second.extras:
        return None
    if isinstance(first, Text) and isinstance(second, Text):
        return _join_texts(first, second)
    if isinstance(second, Interactive):
        return _above(first, second)
    if isinstance(second, Text) and not second.preview_url:
        return _below(first, second.text, captions)
    if isinstance(first, Text) and isinstance(second, Captioned):
        if first.preview_url or captions != "merge":
            return None
        return replace(second, caption=_paragraphs(first.text, second.caption))
    return None


def _join_texts(first: Text, second: Text) -> Text | None:
    preview = first.preview_url or second.preview_url
    # WhatsApp shows a preview of the first link only.
    if preview and (first.preview_url == second.preview_url):
        return None
    if preview and has_link(first.text) != first.preview_url:
        return None
    return Text(f"{first.text}\n\n{second.text}", preview_url=preview)


def _above(first: Message, second: Interactive) -> Interactive | None:
    """Put *first* into the text or the header of *second*."""
    if isinstance(second, OtherInteractive):
        return None
    if isinstance(first, Text):
        if first.preview_url or (second.header and second.header.type == "text"):
            return None
        return replace(second, text=_paragraphs(first.text, second.text))
    if isinstance(first, Captioned) and second.header is None and first.type in second.headers:
        header = Header(first.type, media=first.media, filename=getattr(first, "filename", None))
        return replace(second, header=header, text=_paragraphs(first.caption, second.text))
    return None


def _below(first: Message, text: str, captions: str) -> Message | None:
    """Put *text* below the text of *first*."""
    if isinstance(first, Captioned) and captions == "merge":
        return replace(first, caption=_paragraphs(first.caption, text))
    if isinstance(first, _TAPPED) and first.footer is None:
        return replace(first, text=_paragraphs(first.text, text))
    return None


def _paragraphs(*texts: str | None) -> str:
    """Return *texts*; what only stands in for one gives way to any other."""
    said = [text for text in texts if text and text != NO_TEXT]
    return "\n\n".join(said) or NO_TEXT
