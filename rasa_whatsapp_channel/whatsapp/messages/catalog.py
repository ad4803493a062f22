"""
Catalog messages: products, catalogs and carousels.

https://developers.facebook.com/documentation/business-messaging/whatsapp/catalogs/sell-products-and-services/share-products
https://developers.facebook.com/documentation/business-messaging/whatsapp/messages/interactive-media-carousel-messages
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import checks
from rasa_whatsapp_channel.whatsapp.messages.base import Media
from rasa_whatsapp_channel.whatsapp.messages.interactive import (
    Interactive,
    check_url_button,
    parse_url_action,
    url_action,
)
from rasa_whatsapp_channel.whatsapp.messages.keys import present


@dataclass(frozen=True)
class Product(Interactive):
    """One product of a catalog."""

    kind: ClassVar[str] = "product"
    body_required: ClassVar[bool] = False

    catalog_id: str = ""
    product_retailer_id: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_product(self.catalog_id, self.product_retailer_id)

    def action(self) -> dict[str, Any]:
        return {"catalog_id": self.catalog_id, "product_retailer_id": self.product_retailer_id}

    @classmethod
    def parse_action(cls, action: Mapping[str, Any]) -> dict[str, Any]:
        return {key: action.get(key) for key in ("catalog_id", "product_retailer_id")}


@dataclass(frozen=True)
class ProductSection:
    product_retailer_ids: tuple[str, ...]
    title: str | None = None

    def content(self) -> dict[str, Any]:
        items = [{"product_retailer_id": product} for product in self.product_retailer_ids]
        return present(title=self.title, product_items=items)


@dataclass(frozen=True)
class ProductList(Interactive):
    """Several products in sections; the text header is required."""

    kind: ClassVar[str] = "product_list"
    headers: ClassVar[tuple[str, ...]] = ("text",)

    catalog_id: str = ""
    sections: tuple[ProductSection, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.header is None:
            raise InvalidMessage("interactive.header", "type product_list needs a text header")
        field = "interactive.action.sections"
        checks.check_count(field, self.sections, limits.PRODUCT_SECTIONS)
        for section in self.sections:
            if section.title is not None:
                checks.check_text(f"{field}.title", section.title, limits.SECTION_TITLE)
            elif len(self.sections) > 1:
                raise InvalidMessage(
                    f"{field}.title", "every section needs one when there are several"
                )
        products = [item for section in self.sections for item in section.product_retailer_ids]
        checks.check_count(f"{field}.product_items", products, limits.PRODUCTS)
        for product in products:
            _check_product(self.catalog_id, product)

    def action(self) -> dict[str, Any]:
        sections = [section.content() for section in self.sections]
        return {"catalog_id": self.catalog_id, "sections": sections}

    @classmethod
    def parse_action(cls, action: Mapping[str, Any]) -> dict[str, Any]:
        field = "interactive.action.sections"
        sections = []
        for number, item in enumerate(checks.sequence(field, action.get("sections"))):
            section = checks.mapping(f"{field}[{number}]", item)
            items = checks.sequence(
                f"{field}[{number}].product_items", section.get("product_items")
            )
            products = tuple(
                checks.mapping(f"{field}[{number}].product_items", product).get(
                    "product_retailer_id"
                )
                for product in items
            )
            sections.append(ProductSection(products, title=section.get("title") or None))  # type: ignore[arg-type]  # checked by ProductList
        return {"catalog_id": action.get("catalog_id"), "sections": tuple(sections)}


@dataclass(frozen=True)
class CatalogMessage(Interactive):
    """A button that opens the whole catalog."""

    kind: ClassVar[str] = "catalog_message"

    thumbnail_product_retailer_id: str | None = None

    def action(self) -> dict[str, Any]:
        if self.thumbnail_product_retailer_id is None:
            return {"name": "catalog_message"}
        thumbnail = {"thumbnail_product_retailer_id": self.thumbnail_product_retailer_id}
        return {"name": "catalog_message", "parameters": thumbnail}

    @classmethod
    def parse_action(cls, action: Mapping[str, Any]) -> dict[str, Any]:
        if action.get("name") != "catalog_message":
            raise InvalidMessage("interactive.action.name", "must be catalog_message")
        parameters = checks.mapping("interactive.action.parameters", action.get("parameters") or {})
        return {"thumbnail_product_retailer_id": parameters.get("thumbnail_product_retailer_id")}


@dataclass(frozen=True)
class CardButton:
    """A quick reply on a card."""

    id: str
    title: str

    def __post_init__(self) -> None:
        field = "interactive.action.cards.action.buttons.quick_reply"
        checks.check_text(f"{field}.id", self.id, limits.BUTTON_ID)
        checks.check_text(f"{field}.title", self.title, limits.BUTTON_TITLE)

    def content(self) -> dict[str, Any]:
        return {"type": "quick_reply", "quick_reply": {"id": self.id, "title": self.title}}


@dataclass(frozen=True)
class Card:
    """
    One card of a carousel: an image or video above a text, with either one link or quick replies.

    *header_type* is ``image`` or ``video``.
    """

    media: Media
    header_type: str = "image"
    text: str | None = None
    display_text: str | None = None
    url: str | None = None
    buttons: tuple[CardButton, ...] = ()

    def __post_init__(self) -> None:
        field = "interactive.action.cards"
        if self.header_type not in ("image", "video"):
            raise InvalidMessage(f"{field}.header.type", "must be image or video")
        if self.text is not None:
            checks.check_text(f"{field}.body.text", self.text, limits.CARD_BODY)
            if self.text.count("\n") > limits.CARD_BODY_LINE_BREAKS:
                raise InvalidMessage(
                    f"{field}.body.text",
                    f"takes at most {limits.CARD_BODY_LINE_BREAKS} line breaks",
                    limit=limits.CARD_BODY_LINE_BREAKS,
                )
        if (self.url is not None) == bool(self.buttons):
            raise InvalidMessage(f"{field}.action", "needs either one link or quick replies")
        if self.url is not None:
            check_url_button(f"{field}.action.parameters", self.display_text, self.url)
        else:
            checks.check_count(f"{field}.action.buttons", self.buttons, limits.CARD_BUTTONS)

    def action(self) -> dict[str, Any]:
        if self.url is not None:
            return url_action(self.display_text or "", self.url)
        return {"buttons": [button.content() for button in self.buttons]}

    def content(self, index: int) -> dict[str, Any]:
        return present(
            card_index=index,
            type="cta_url",
            header={"type": self.header_type, self.header_type: self.media.fields()},
            body=None if self.text is None else {"text": self.text},
            action=self.action(),
        )

    @classmethod
    def parse(cls, field: str, value: Mapping[str, Any]) -> Card:
        header = checks.mapping(f"{field}.header", value.get("header"))
        kind = str(header.get("type"))
        if kind not in ("image", "video"):
            raise InvalidMessage(f"{field}.header.type", "must be image or video")
        media = Media.parse(
            f"{field}.header.{kind}", checks.mapping(f"{field}.header.{kind}", header.get(kind))
        )
        action = checks.mapping(f"{field}.action", value.get("action"))
        text = checks.mapping(f"{field}.body", value.get("body") or {}).get("text")
        if "buttons" not in action:
            return cls(media, kind, text, **parse_url_action(f"{field}.action", action))
        buttons = []
        for item in checks.sequence(f"{field}.action.buttons", action["buttons"]):
            reply = checks.mapping(f"{field}.action.buttons", item).get("quick_reply")
            reply = checks.mapping(f"{field}.action.buttons.quick_reply", reply)
            buttons.append(CardButton(reply.get("id") or "", reply.get("title") or ""))
        return cls(media, kind, text, buttons=tuple(buttons))


@dataclass(frozen=True)
class MediaCarousel(Interactive):
    """Cards side by side, all with the same kind and number of buttons."""

    kind: ClassVar[str] = "carousel"
    has_footer: ClassVar[bool] = False

    cards: tuple[Card, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        field = "interactive.action.cards"
        checks.check_count(field, self.cards, limits.CARDS, limits.CARDS_MIN)
        if len({(card.url is not None, len(card.buttons)) for card in self.cards}) > 1:
            raise InvalidMessage(field, "all cards need the same kind and number of buttons")

    def action(self) -> dict[str, Any]:
        return {"cards": [card.content(index) for index, card in enumerate(self.cards)]}


@dataclass(frozen=True)
class ProductCarousel(Interactive):
    """Products of one catalog side by side."""

    kind: ClassVar[str] = "carousel"
    has_footer: ClassVar[bool] = False

    catalog_id: str = ""
    product_retailer_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        field = "interactive.action.cards"
        checks.check_count(field, self.product_retailer_ids, limits.CARDS, limits.CARDS_MIN)
        for product in self.product_retailer_ids:
            _check_product(self.catalog_id, product)

    def action(self) -> dict[str, Any]:
        return {
            "cards": [
                {
                    "card_index": index,
                    "type": "product",
                    "action": {"product_retailer_id": product, "catalog_id": self.catalog_id},
                }
                for index, product in enumerate(self.product_retailer_ids)
            ]
        }


def parse_carousel(common: Mapping[str, Any], action: Mapping[str, Any]) -> Interactive:
    """Read either kind of carousel; the cards' own type tells which."""
    field = "interactive.action.cards"
    cards = [
        checks.mapping(f"{field}[{number}]", card)
        for number, card in enumerate(checks.sequence(field, action.get("cards")))
    ]
    if not any(card.get("type") == "product" for card in cards):
        return MediaCarousel(
            **common,
            cards=tuple(
                Card.parse(f"{field}[{number}]", card) for number, card in enumerate(cards)
            ),
        )
    actions = [checks.mapping(f"{field}.action", card.get("action")) for card in cards]
    catalogs = {
        checks.check_text(f"{field}.action.catalog_id", action.get("catalog_id"))
        for action in actions
    }
    if len(catalogs) != 1:
        raise InvalidMessage(f"{field}.action.catalog_id", "all cards must be of one catalog")
    return ProductCarousel(
        **common,
        catalog_id=catalogs.pop(),
        product_retailer_ids=tuple(action.get("product_retailer_id") or "" for action in actions),
    )


def _check_product(catalog_id: object, product_retailer_id: object) -> None:
    checks.check_text("interactive.action.catalog_id", catalog_id)
    checks.check_text(
        "interactive.action.product_retailer_id", product_retailer_id, limits.PRODUCT_RETAILER_ID
    )
