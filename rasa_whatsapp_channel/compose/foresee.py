"""
Foreseeing: how many messages of a response are billed, and what would make them fewer.

Each setting or wording that is told was tried: the response is composed again with it, and the
messages are counted. So what is told depends on this response, API and settings, and is true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import combinations
from typing import Any, Final

from rasa_whatsapp_channel.billing.charges import is_billable
from rasa_whatsapp_channel.compose import Reword, compose
from rasa_whatsapp_channel.compose.closed_window import Outside, choose, to_direct
from rasa_whatsapp_channel.compose.combine import combine, combine_one
from rasa_whatsapp_channel.compose.draft import Composed
from rasa_whatsapp_channel.compose.join import Parts
from rasa_whatsapp_channel.compose.options import AS_LIST, AS_NUMBERS, Options
from rasa_whatsapp_channel.compose.text import cut
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.apis import Api
from rasa_whatsapp_channel.whatsapp.messages import (
    Captioned,
    MediaCarousel,
    Message,
    Template,
)
from rasa_whatsapp_channel.wording import counted

_TOGETHER: Final = 2  # of what is tried
_TOLD: Final = 2  # more would only be long


@dataclass(frozen=True)
class OutgoingSettings:
    """The settings of credentials.yml that decide how many messages there are."""

    captions: str = "merge"
    markdown: bool = True
    markdown_images: str = "all"
    combine: str = "off"
    combine_skip: tuple[str, ...] = ()
    #: which files may be sent, of the group `media`
    access: FileAccess = field(default_factory=FileAccess)
    #: the same, of what goes while the 24-hour window is closed
    direct_send: bool = False
    reengagement_template: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, settings: Settings) -> OutgoingSettings:
        own = {
            each.name: getattr(settings, each.name)
            for each in fields(cls)
            if each.name in vars(settings)
        }
        return cls(**own, access=FileAccess.of(settings.media))

    def ways(self, composed: Composed, response: str | None) -> Sequence[Outside]:
        """Return as what the messages of a response go while the window is closed."""
        template = composed.template.body() if composed.template is not None else None
        nothing = [None] * len(composed.messages)
        direct = to_direct(composed, response) if self.direct_send else nothing
        return [
            choose(
                each.body(),
                direct=body,
                template=template,
                is_own=composed.is_own,
                reengagement=self.reengagement_template,
            )
            for each, body in zip(composed.messages, direct, strict=True)
            if each.message.type != "template"
        ]

    def compose(
        self,
        response: Mapping[str, Any],
        api: Api,
        reword: Reword | None = None,
        *,
        reply_to: str | None = None,
    ) -> Composed:
        """Compose a *response* that the bot says alone in its turn."""
        composed = compose(
            response,
            api=api,
            captions=self.captions,
            markdown=self.markdown,
            reply_to=reply_to,
            images=self.markdown_images,
            access=self.access,
            reword=reword,
        )
        if self.combine != "turn":
            return composed
        return combine_one(composed, api=api, captions=self.captions)


@dataclass(frozen=True)
class Fewer:
    """With any of *changes* there are only so many *messages*."""

    messages: int
    changes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.messages} with {' or '.join(self.changes)}"


@dataclass(frozen=True)
class Foreseen:
    """
    How many *messages* are billed; *templates* of them by their category.

    *free* are sent and never billed, which are reactions. *fewer* has the smallest number last.
    """

    messages: int
    templates: int = 0
    free: int = 0
    fewer: tuple[Fewer, ...] = ()

    def __str__(self) -> str:
        notes = [f"{counted(self.free, 'reaction')} free"] if self.free else []
        if self.templates:
            notes.append("a template is billed by its category")
        note = f" ({'; '.join(notes)})" if notes else ""
        said = counted(self.messages, "billed message") + note
        return ", ".join((said, *map(str, self.fewer)))


@dataclass(frozen=True)
class ForeseenTurn:
    """How many *messages* of *responses* are billed, and with `combine: turn` *combined*."""

    responses: tuple[str, ...]
    messages: int
    combined: int


def foresee(
    response: Mapping[str, Any], *, api: Api, settings: OutgoingSettings | None = None
) -> Foreseen:
    """Return how many messages of *response* are billed where the bot says nothing else."""
    settings = settings or OutgoingSettings()
    answers: list[Parts] = []

    def note(read: Sequence[Parts]) -> Sequence[Parts]:
        answers.extend(read)
        return read

    composed = settings.compose(response, api, note)
    billed = _billed(composed)
    fewer = _fewer(response, api, settings, composed, answers) if billed > 1 else ()
    return Foreseen(
        billed,
        templates=sum(isinstance(each.message, Template) for each in composed.messages),
        free=len(composed.messages) - billed,
        fewer=tuple(fewer),
    )


def foresee_turn(
    responses: Sequence[tuple[str, Mapping[str, Any]]], *, api: Api, settings: OutgoingSettings
) -> ForeseenTurn:
    """Return how many messages are billed where the bot says *responses* in one turn."""
    alone = replace(settings, combine="off")
    composed = [alone.compose(response, api) for _, response in responses]
    skip = [place for place, (name, _) in enumerate(responses) if name in settings.combine_skip]
    combined = combine(composed, api=api, captions=settings.captions, skip=skip)
    return ForeseenTurn(
        tuple(name for name, _ in responses),
        sum(map(_billed, composed)),
        sum(is_billable(each.outgoing.message.type) for each in combined.messages),
    )


def _billed(composed: Composed) -> int:
    return sum(is_billable(each.message.type) for each in composed.messages)


def _lost(composed: Composed) -> int:
    return sum(change.lost for change in composed.changes)


def _fewer(
    response: Mapping[str, Any],
    api: Api,
    settings: OutgoingSettings,
    composed: Composed,
    answers: Sequence[Parts],
) -> Iterator[Fewer]:
    """Yield what makes it fewer, alone or together; more together only where that helps more."""
    least = _billed(composed)
    others = [other for other in _OTHERS if other.changes(settings, answers)]
    for size in range(1, _TOGETHER + 1):
        found: dict[tuple[str, ...], tuple[int, str]] = {}
        for chosen in combinations(others, size):
            parts = tuple(other.part for other in chosen)
            if len(set(parts)) < size:
                continue
            tried = _try(chosen, response, api, settings)
            messages = _billed(tried)
            is_better = messages < least and _lost(tried) <= _lost(composed)
            if is_better and all(other.makes(tried) for other in chosen):
                told = messages, " and ".join(other.words for other in chosen)
                found[parts] = min(found.get(parts, told), told, key=lambda each: each[0])
        if found:
            least = min(messages for messages, _ in found.values())
            words = [words for messages, words in found.values() if messages == least]
            yield Fewer(least, tuple(words[:_TOLD]))


def _try(
    chosen: Sequence[_Other], response: Mapping[str, Any], api: Api, settings: OutgoingSettings
) -> Composed:
    def reword(answers: Sequence[Parts]) -> Sequence[Parts]:
        for other in chosen:
            answers = other.reword(answers)
        return answers

    for other in chosen:
        settings = replace(settings, **other.settings)
    return settings.compose(response, api, reword)


@dataclass(frozen=True)
class _Other:
    """Another setting or wording. Of those about one *part* the first with most effect is told."""

    words: str
    part: str
    reword: Reword = lambda answers: answers
    settings: Mapping[str, Any] = field(default_factory=dict)
    # Otherwise leaving something out would always help.
    makes_a: type[Message] = Message

    def makes(self, composed: Composed) -> bool:
        return any(isinstance(each.message, self.makes_a) for each in composed.messages)

    def changes(self, settings: OutgoingSettings, answers: Sequence[Parts]) -> bool:
        reworded = list(self.reword(answers)) != list(answers)
        return reworded or replace(settings, **self.settings) != settings


def _each(change: Callable[[Parts], Parts]) -> Reword:
    return lambda answers: [change(answer) for answer in answers]


def _with_options(change: Callable[[Options], Options]) -> Reword:
    return _each(lambda parts: replace(parts, options=change(parts.options)))


def _caption_in_text(parts: Parts) -> Parts:
    captions = [getattr(file, "caption", None) for file in parts.media]
    said = [caption for caption in captions if caption]
    if parts.text is None or len(said) != 1:
        return parts
    media = tuple(
        replace(file, caption=None) if isinstance(file, Captioned) else file for file in parts.media
    )
    return replace(parts, text=f"{said[0]}\n\n{parts.text}", media=media)


def _text_in_caption(parts: Parts) -> Parts:
    if parts.text is None or len(parts.text) > limits.CAPTION:
        return parts
    for place, file in enumerate(parts.media):
        if isinstance(file, Captioned) and file.caption is None:
            media = (*parts.media[:place], file.with_caption(parts.text), *parts.media[place + 1 :])
            return replace(parts, text=None, media=media)
    return parts


def _short_text(limit: int) -> Reword:
    return _each(
        lambda parts: replace(parts, text=parts.text[:limit].rstrip()) if parts.text else parts
    )


def _few_replies(most: int) -> Reword:
    return _with_options(lambda options: replace(options, replies=options.replies[:most]))


def _kind(kind: str | None) -> Reword:
    return _with_options(
        lambda options: replace(options, kind=kind) if options.replies else options
    )


def _short_titles(options: Options) -> Options:
    replies = (
        replace(reply, title=cut(reply.title, limits.BUTTON_TITLE)) for reply in options.replies
    )
    return replace(options, replies=tuple(replies))


def _no_descriptions(options: Options) -> Options:
    replies = (replace(reply, description=None) for reply in options.replies)
    return replace(options, replies=tuple(replies))


def _alike(answers: Sequence[Parts]) -> Sequence[Parts]:
    """Leave elements that may be a carousel, with as many buttons as each of them has."""
    own, *cards = answers[: limits.CARDS + 1]
    replies = min((len(card.options.replies) for card in cards), default=0)
    links = 0 if replies else min((len(card.options.links) for card in cards), default=0)
    return [own, *(_card(card, replies, links) for card in cards)]


def _card(card: Parts, replies: int, links: int) -> Parts:
    lines = (card.text or "").split("\n")[: limits.CARD_BODY_LINE_BREAKS + 1]
    text = "\n".join(lines)[: limits.CARD_BODY].rstrip() or None
    options = Options(card.options.replies[:replies], card.options.links[:links])
    return replace(card, text=text, options=options)


# What loses least comes first.
_OTHERS: Final = (
    _Other("`captions: merge`", "captions", settings={"captions": "merge"}),
    _Other("the caption as a part of the text", "caption", _each(_caption_in_text)),
    _Other("the text as a caption", "caption", _each(_text_in_caption)),
    _Other("`combine: turn`", "combine", settings={"combine": "turn"}),
    _Other("`button_type: list`", "kind", _kind(AS_LIST)),
    _Other("no `button_type: list`", "kind", _kind(None)),
    _Other(f"at most {limits.LIST_ROWS} buttons", "buttons", _few_replies(limits.LIST_ROWS)),
    _Other(f"at most {limits.BUTTONS} buttons", "buttons", _few_replies(limits.BUTTONS)),
    _Other(
        f"titles of at most {limits.BUTTON_TITLE} characters",
        "titles",
        _with_options(_short_titles),
    ),
    _Other("no descriptions", "descriptions", _with_options(_no_descriptions)),
    _Other("`button_type: numbers`", "numbers", _kind(AS_NUMBERS)),
    _Other(
        f"a text of at most {limits.TEXT_BODY:,} characters", "text", _short_text(limits.TEXT_BODY)
    ),
    _Other(f"a text of at most {limits.CAPTION:,} characters", "text", _short_text(limits.CAPTION)),
    _Other(
        f"at most {limits.CARDS} elements of at most {limits.CARD_BODY} characters in "
        f"{limits.CARD_BODY_LINE_BREAKS + 1} lines, with equally many buttons of one kind",
        "elements",
        _alike,
        makes_a=MediaCarousel,
    ),
)
