"""Products, catalogs and carousels."""

import pytest

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import (
    Card,
    CardButton,
    CatalogMessage,
    Header,
    Media,
    MediaCarousel,
    Product,
    ProductCarousel,
    ProductList,
    ProductSection,
    parse,
)

PICTURE = Media(id="1")
TOP = Header("text", "Bouquets")


def linked(**changes):
    return Card(**{"media": PICTURE, "display_text": "Buy", "url": "https://a.b", **changes})


def tapped(count):
    titles = tuple(CardButton(f"/{number}", f"Take {number}") for number in range(count))
    return Card(PICTURE, buttons=titles)


def products(*counts):
    return tuple(ProductSection(("p",) * count, title=f"S{n}") for n, count in enumerate(counts))


def product_list(sections, **changes):
    return ProductList(
        **{
            "text": "Which?",
            "header": TOP,
            "catalog_id": "c",
            "sections": sections,
            **changes,
        }
    )


def carousel(*cards, text="New"):
    action = {"cards": list(cards)}
    return {
        "type": "interactive",
        "interactive": {"type": "carousel", "body": {"text": text}, "action": action},
    }


@pytest.mark.parametrize(
    "make",
    [
        lambda: Product(None, catalog_id="c", product_retailer_id="p" * 100),
        lambda: product_list(products(30)),
        lambda: product_list(products(*[3] * 10)),
        lambda: product_list((ProductSection(("p",)),)),
        lambda: CatalogMessage("All"),
        lambda: MediaCarousel("New", cards=(linked(),) * 2),
        lambda: MediaCarousel("New", cards=(linked(),) * 10),
        lambda: MediaCarousel("New", cards=(tapped(3),) * 2),
        lambda: MediaCarousel("n" * 1024, cards=(linked(),) * 2),
        lambda: linked(text="t" * 160),
        lambda: linked(text="a\nb\nc"),
        lambda: linked(header_type="video"),
        lambda: ProductCarousel("New", catalog_id="c", product_retailer_ids=("p",) * 10),
    ],
)
def test_what_fits_just_so(make):
    make()


@pytest.mark.parametrize(
    ("make", "field", "words"),
    [
        (
            lambda: Product(None, catalog_id="c", product_retailer_id="p" * 101),
            "action.product_retailer_id",
            "at most 100",
        ),
        (
            lambda: Product(None, catalog_id="", product_retailer_id="p"),
            "action.catalog_id",
            "must not be empty",
        ),
        (
            lambda: Product(None, TOP, catalog_id="c", product_retailer_id="p"),
            "header",
            "takes no header",
        ),
        (
            lambda: product_list(products(1), header=None),
            "header",
            "product_list needs a text header",
        ),
        (
            lambda: product_list(products(1), header=Header("image", media=PICTURE)),
            "header",
            "takes text",
        ),
        (lambda: product_list(()), "action.sections", "needs at least 1"),
        (lambda: product_list(products(*[1] * 11)), "action.sections", "takes at most 10"),
        (
            lambda: product_list(products(20, 11)),
            "action.sections.product_items",
            "takes at most 30, has 31",
        ),
        (
            lambda: product_list((ProductSection(()),)),
            "action.sections.product_items",
            "needs at least 1",
        ),
        (
            lambda: product_list((ProductSection(("p",)), ProductSection(("q",), title="Q"))),
            "action.sections.title",
            "every section needs one",
        ),
        (
            lambda: product_list((ProductSection(("p",), title="t" * 25),)),
            "action.sections.title",
            "at most 24",
        ),
        (lambda: CatalogMessage(None), "body.text", "must be a string"),
        (
            lambda: MediaCarousel("New", cards=(linked(),)),
            "action.cards",
            "needs at least 2, has 1",
        ),
        (
            lambda: MediaCarousel("New", cards=(linked(),) * 11),
            "action.cards",
            "takes at most 10, has 11",
        ),
        (
            lambda: MediaCarousel("New", cards=(linked(), tapped(1))),
            "action.cards",
            "the same kind and number of buttons",
        ),
        (
            lambda: MediaCarousel("New", cards=(tapped(2), tapped(1))),
            "action.cards",
            "the same kind and number of buttons",
        ),
        (
            lambda: MediaCarousel("New", TOP, cards=(linked(),) * 2),
            "header",
            "takes no header",
        ),
        (
            lambda: MediaCarousel("New", footer="f", cards=(linked(),) * 2),
            "footer",
            "takes no footer",
        ),
        (lambda: linked(text="t" * 161), "action.cards.body.text", "at most 160"),
        (lambda: linked(text="a\nb\nc\nd"), "action.cards.body.text", "at most 2 line breaks"),
        (lambda: linked(header_type="document"), "action.cards.header.type", "image or video"),
        (lambda: tapped(0), "action.cards.action", "either one link or quick replies"),
        (lambda: tapped(4), "action.cards.action.buttons", "takes at most 3, has 4"),
        (
            lambda: linked(buttons=(CardButton("/a", "A"),)),
            "action.cards.action",
            "either one link or quick replies",
        ),
        (
            lambda: linked(display_text="d" * 21),
            "action.cards.action.parameters.display_text",
            "at most 20",
        ),
        (
            lambda: CardButton("/a", "t" * 21),
            "action.cards.action.buttons.quick_reply.title",
            "at most 20",
        ),
        (
            lambda: ProductCarousel("New", catalog_id="c", product_retailer_ids=("p",)),
            "action.cards",
            "needs at least 2",
        ),
        (
            lambda: ProductCarousel("New", catalog_id="c", product_retailer_ids=("p",) * 11),
            "action.cards",
            "takes at most 10",
        ),
    ],
)
def test_what_is_just_too_much(make, field, words):
    with pytest.raises(InvalidMessage) as caught:
        make()

    assert caught.value.field == f"interactive.{field}"
    assert words in caught.value.problem


@pytest.mark.parametrize(
    ("cards", "field"),
    [
        ([{"type": "product"}, {"type": "product"}], "action.cards.action"),
        ([{"type": "product", "action": {}}] * 2, "action.cards.action.catalog_id"),
        (
            [
                {"type": "product", "action": {"catalog_id": "c", "product_retailer_id": "p"}},
                {"type": "product", "action": {"catalog_id": "d", "product_retailer_id": "p"}},
            ],
            "action.cards.action.catalog_id",
        ),
        (["card", "card"], "action.cards[0]"),
        ([{"header": {"type": "image"}}] * 2, "action.cards[0].header.image"),
        (
            [{"header": {"type": "image", "image": {"id": "1"}}, "action": {"buttons": ["x"]}}],
            "action.cards[0].action.buttons",
        ),
    ],
)
def test_a_carousel_that_is_none_is_refused_at_its_place(cards, field):
    with pytest.raises(InvalidMessage) as caught:
        parse(carousel(*cards))

    assert caught.value.field == f"interactive.{field}"


def test_an_action_of_a_product_keeps_keys_that_are_not_known():
    action = {"catalog_id": "c", "product_retailer_id": "p", "price": 5}
    body = {"type": "interactive", "interactive": {"type": "product", "action": action}}

    assert parse(body).body() == body


def test_a_catalog_opens_without_a_thumbnail_too():
    assert CatalogMessage("All").body()["interactive"]["action"] == {"name": "catalog_message"}
