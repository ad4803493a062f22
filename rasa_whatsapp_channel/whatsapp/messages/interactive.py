"""
Interactive messages: reply buttons, lists and links.

https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-reply-buttons-messages
and its neighbours, one page per class.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import checks
from rasa_whatsapp_channel.whatsapp.messages.base import Media, Message
from rasa_whatsapp_channel.whatsapp.messages.keys import present

HEADER_MEDIA: Final = ("image", "video", "document")


@dataclass(frozen=True)
class Header:
    """The top of an interactive message: *text*, or *media* of *type* image, video or document."""

    type: str
    text: str | None = None
    media: Media | None = None
    filename: str | None = None

    def __post_init__(self) -> None:
        field = "interactive.header"
        if self.type == "text":
            checks.check_text(f"{field}.text", self.text, limits.HEADER_TEXT)
        elif self.type not in HEADER_MEDIA:
            raise InvalidMessage(f"{field}.type", f"must be text, {', '.join(HEADER_MEDIA)}")
        elif self.media is None:
            raise InvalidMessage(f"{field}.{self.type}", "is missing")
        if self.filename is not None:
            checks.check_text(f"{field}.{self.type}.filename", self.filename, limits.FILENAME)
            if self.type != "document":
                raise InvalidMessage(f"{field}.{self.type}", "only a document has a filename")

    def content(self) -> dict[str, Any]:
        if self.media is None:
            return {"type": "text", "text": self.text}
        media = present(**self.media.fields(), filename=self.filename)
        return {"type": self.type, self.type: media}

    @classmethod
    def parse(cls, value: Mapping[str, Any]) -> Header:
        kind = str(value.get("type"))
        field = f"interactive.header.{kind}"
        if kind not in HEADER_MEDIA:
            return cls(kind, text=value.get("text"))
        media = checks.mapping(field, value.get(kind))
        return cls(kind, media=Media.parse(field, media), filename=media.get("filename"))


@dataclass(frozen=True)
class Interactive(Message):
    """What all interactive messages share. *kind* is WhatsApp's ``interactive.type``."""

    type: ClassVar[str] = "interactive"
    kind: ClassVar[str]
    headers: ClassVar[tuple[str, ...]] = ()  # types of header this kind takes
    has_footer: ClassVar[bool] = True
    body_limit: ClassVar[int] = limits.INTERACTIVE_BODY
    body_required: ClassVar[bool] = True

    text: str | None
    header: Header | None = None
    footer: str | None = None

    def __post_init__(self) -> None:
        if self.text is not None or self.body_required:
            checks.check_text("interactive.body.text", self.text, self.body_limit)
        if self.header is not None and self.header.type not in self.headers:
            takes = f"takes {' or '.join(self.headers)}" if self.headers else "takes no header"
            raise InvalidMessage("interactive.header", f"type {self.kind} {takes}")
        if self.footer is not None:
            if not self.has_footer:
                raise InvalidMessage("interactive.footer", f"type {self.kind} takes no footer")
            checks.check_text("interactive.footer.text", self.footer, limits.FOOTER)

    def action(self) -> dict[str, Any]:
        raise NotImplementedError

    def content(self) -> dict[str, Any]:
        return present(
            type=self.kind,
            header=None if self.header is None else self.header.content(),
            body=None if self.text is None else {"text": self.text},
            footer=None if self.footer is None else {"text": self.footer},
            action=self.action(),
        )


@dataclass(frozen=True)
class Button:
    """A reply button; *id* comes back when it is tapped."""

    id: str
    title: str

    def __post_init__(self) -> None:
        field = "interactive.action.buttons.reply"
        checks.check_text(f"{field}.id", self.id, limits.BUTTON_ID)
        if self.id != self.id.strip():
            raise InvalidMessage(f"{field}.id", "must not begin or end with a space")
        checks.check_text(f"{field}.title", self.title, limits.BUTTON_TITLE)

    def content(self) -> dict[str, Any]:
        return {"type": "reply", "reply": {"id": self.id, "title": self.title}}


@dataclass(frozen=True)
class ReplyButtons(Interactive):
    kind: ClassVar[str] = "button"
    headers: ClassVar[tuple[str, ...]] = ("text", *HEADER_MEDIA)

    buttons: tuple[Button, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        field = "interactive.action.buttons"
        checks.check_count(field, self.buttons, limits.BUTTONS)
        checks.check_unique(f"{field}.reply.title", (button.title for button in self.buttons))
        checks.check_unique(f"{field}.reply.id", (button.id for button in self.buttons))

    def action(self) -> dict[str, Any]:
        return {"buttons": [button.content() for button in self.buttons]}

    @classmethod
    def parse_action(cls, action: Mapping[str, Any]) -> dict[str, Any]:
        field = "interactive.action.buttons"
        buttons = []
        for number, item in enumerate(checks.sequence(field, action.get("buttons"))):
            button = checks.mapping(f"{field}[{number}]", item)
            if button.get("type", "reply") != "reply":
                raise InvalidMessage(
                    f"{field}[{number}].type", "must be reply; others go only with a category"
                )
            buttons.append(_reply(f"{field}[{number}]", button))
        return {"buttons": tuple(buttons)}


def _reply(field: str, button: Mapping[str, Any]) -> Button:
    reply = checks.mapping(f"{field}.reply", button.get("reply"))
    return Button(_id(reply.get("id")), reply.get("title") or "")


@dataclass(frozen=True)
class UrlButton:
    """A button of Direct Send that opens a URL."""

    display_text: str
    url: str

    def __post_init__(self) -> None:
        check_url_button("interactive.action.buttons.cta_url", self.display_text, self.url)

    def content(self) -> dict[str, Any]:
        cta = {"display_text": self.display_text, "url": self.url}
        return {"type": "cta_url", "cta_url": cta}


@dataclass(frozen=True)
class DirectButtons(Interactive):
    """Buttons of Direct Send: those that open a URL stand before the replies."""

    kind: ClassVar[str] = "button"
    headers: ClassVar[tuple[str, ...]] = ("text", *HEADER_MEDIA)

    buttons: tuple[Button | UrlButton, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        field = "interactive.action.buttons"
        checks.check_count(field, self.buttons, limits.DIRECT_BUTTONS)
        urls = [isinstance(button, UrlButton) for button in self.buttons]
        if sum(urls) > limits.DIRECT_URL_BUTTONS:
            most = limits.DIRECT_URL_BUTTONS
            raise InvalidMessage(field, f"takes at most {most} of type cta_url", limit=most)
        if not all(urls[: sum(urls)]):
            raise InvalidMessage(field, "must begin with those of type cta_url")

    def action(self) -> dict[str, Any]:
        return {"buttons": [button.content() for button in self.buttons]}

    @classmethod
    def parse_action(cls, action: Mapping[str, Any]) -> dict[str, Any]:
        field = "interactive.action.buttons"
        buttons: list[Button | UrlButton] = []
        for number, item in enumerate(checks.sequence(field, action.get("buttons"))):
            button = checks.mapping(f"{field}[{number}]", item)
            if button.get("type") == "cta_url":
                cta = checks.mapping(f"{field}[{number}].cta_url", button.get("cta_url"))
                buttons.append(UrlButton(cta.get("display_text") or "", cta.get("url") or ""))
            else:
                buttons.append(_reply(f"{field}[{number}]", button))
        return {"buttons": tuple(buttons)}


@dataclass(frozen=True)
class Row:
    """One line of a list; *id* comes back when it is chosen."""

    id: str
    title: str
    description: str | None = None

    def __post_init__(self) -> None:
        field = "interactive.action.sections.rows"
        checks.check_text(f"{field}.id", self.id, limits.ROW_ID)
        checks.check_text(f"{field}.title", self.title, limits.ROW_TITLE)
        checks.optional_text(f"{field}.description", self.description, limits.ROW_DESCRIPTION)

    def content(self) -> dict[str, Any]:
        return present(id=self.id, title=self.title, description=self.description)


@dataclass(frozen=True)
class Section:
    rows: tuple[Row, ...]
    title: str | None = None

    def __post_init__(self) -> None:
        field = "interactive.action.sections"
        checks.check_count(f"{field}.rows", self.rows, limits.LIST_ROWS)
        checks.optional_text(f"{field}.title", self.title, limits.SECTION_TITLE)

    def content(self) -> dict[str, Any]:
        return present(title=self.title, rows=[row.content() for row in self.rows])


@dataclass(frozen=True)
class ListMessage(Interactive):
    """A button that opens a sheet of rows. *button* is its label."""

    kind: ClassVar[str] = "list"
    headers: ClassVar[tuple[str, ...]] = ("text",)
    body_limit: ClassVar[int] = limits.LIST_BODY

    button: str = ""
    sections: tuple[Section, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        checks.check_text("interactive.action.button", self.button, limits.LIST_BUTTON)
        field = "interactive.action.sections"
        checks.check_count(field, self.sections, limits.LIST_SECTIONS)
        if len(self.sections) > 1 and any(section.title is None for section in self.sections):
            raise InvalidMessage(f"{field}.title", "every section needs one when there are several")
        rows = [row for section in self.sections for row in section.rows]
        checks.check_count(f"{field}.rows", rows, limits.LIST_ROWS)
        checks.check_unique(f"{field}.rows.id", (row.id for row in rows))

    def action(self) -> dict[str, Any]:
        return {"button": self.button, "sections": [section.content() for section in self.sections]}

    @classmethod
    def parse_action(cls, action: Mapping[str, Any]) -> dict[str, Any]:
        field = "interactive.action.sections"
        sections = []
        for number, item in enumerate(checks.sequence(field, action.get("sections"))):
            section = checks.mapping(f"{field}[{number}]", item)
            rows = [
                checks.mapping(f"{field}[{number}].rows", row)
                for row in checks.sequence(f"{field}[{number}].rows", section.get("rows"))
            ]
            sections.append(
                Section(
                    tuple(
                        Row(
                            _id(row.get("id")),
                            row.get("title") or "",
                            row.get("description") or None,
                        )
                        for row in rows
                    ),
                    title=section.get("title") or None,
                )
            )
        return {"button": action.get("button"), "sections": tuple(sections)}


@dataclass(frozen=True)
class CtaUrl(Interactive):
    """One button that opens a URL. Cloud shape only; no webhook reports the tap."""

    kind: ClassVar[str] = "cta_url"
    headers: ClassVar[tuple[str, ...]] = ("text", *HEADER_MEDIA)

    display_text: str = ""
    url: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_url_button("interactive.action.parameters", self.display_text, self.url)

    def action(self) -> dict[str, Any]:
        return url_action(self.display_text, self.url)

    @classmethod
    def parse_action(cls, action: Mapping[str, Any]) -> dict[str, Any]:
        return parse_url_action("interactive.action", action)


@dataclass(frozen=True)
class OtherInteractive(Interactive):
    """An interactive type that this package does not know; its content is sent as written."""

    kind: ClassVar[str] = ""
    body_required: ClassVar[bool] = False

    value: Mapping[str, Any] | None = None

    def content(self) -> dict[str, Any]:
        return dict(self.value or {})


def check_url_button(field: str, display_text: object, url: object) -> None:
    checks.check_text(f"{field}.display_text", display_text, limits.CTA_DISPLAY_TEXT)
    checks.check_text(f"{field}.url", checks.check_link(f"{field}.url", url), limits.URL)


def url_action(display_text: str, url: str) -> dict[str, Any]:
    return {"name": "cta_url", "parameters": {"display_text": display_text, "url": url}}


def parse_url_action(field: str, action: Mapping[str, Any]) -> dict[str, Any]:
    if action.get("name") != "cta_url":
        raise InvalidMessage(f"{field}.name", "must be cta_url")
    parameters = checks.mapping(f"{field}.parameters", action.get("parameters"))
    return {"display_text": parameters.get("display_text"), "url": parameters.get("url")}


def _id(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value or ""  # type: ignore[return-value]  # checked by Button and Row
