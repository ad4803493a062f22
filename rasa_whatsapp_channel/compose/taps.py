"""What a user can tap, before it is known what stands above it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.messages import (
    Button,
    Card,
    CtaUrl,
    Header,
    ListMessage,
    MediaCarousel,
    Message,
    ReplyButtons,
    Row,
    Section,
)


class Taps(Protocol):
    """
    Goes below a body of at most *body_limit* characters.

    *headers* are the types of header it takes; where it takes none, it has no footer either.
    """

    @property
    def body_limit(self) -> int: ...

    @property
    def headers(self) -> tuple[str, ...]: ...

    def messages(
        self, text: str, *, header: Header | None, footer: str | None
    ) -> list[Message]: ...


@dataclass(frozen=True)
class Buttons:
    buttons: tuple[Button, ...]
    body_limit: int = limits.INTERACTIVE_BODY
    headers: tuple[str, ...] = ReplyButtons.headers

    def messages(self, text: str, *, header: Header | None, footer: str | None) -> list[Message]:
        return [ReplyButtons(text, header, footer, self.buttons)]


@dataclass(frozen=True)
class LinkButton:
    display_text: str
    url: str
    body_limit: int = limits.INTERACTIVE_BODY
    headers: tuple[str, ...] = CtaUrl.headers

    def messages(self, text: str, *, header: Header | None, footer: str | None) -> list[Message]:
        return [CtaUrl(text, header, footer, self.display_text, self.url)]


@dataclass(frozen=True)
class Lists:
    """As many lists as *pages*; header and footer stand on the first and the last of them."""

    pages: tuple[tuple[Row, ...], ...]
    label: str
    body_limit: int
    headers: tuple[str, ...] = ListMessage.headers

    def messages(self, text: str, *, header: Header | None, footer: str | None) -> list[Message]:
        marks = self._marks()
        texts = [f"{text} {marks[0]}".strip(), *marks[1:]]
        last = len(self.pages) - 1
        return [
            ListMessage(
                texts[number],
                header if number == 0 else None,
                footer if number == last else None,
                self.label,
                (Section(rows),),
            )
            for number, rows in enumerate(self.pages)
        ]

    def _marks(self) -> list[str]:
        count = len(self.pages)
        return [f"({number}/{count})" for number in range(1, count + 1)] if count > 1 else [""]


@dataclass(frozen=True)
class Carousel:
    cards: tuple[Card, ...]
    body_limit: int = limits.INTERACTIVE_BODY
    headers: tuple[str, ...] = MediaCarousel.headers

    def messages(self, text: str, *, header: Header | None, footer: str | None) -> list[Message]:
        return [MediaCarousel(text, cards=self.cards)]
