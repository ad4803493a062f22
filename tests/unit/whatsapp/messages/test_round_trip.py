"""`Message.body` and `parse` are inverse to each other, for every message there can be."""

import json

from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.whatsapp.messages import (
    Audio,
    Button,
    CallPermissionRequest,
    Card,
    CardButton,
    CatalogMessage,
    Component,
    ContactRequest,
    Contacts,
    CtaUrl,
    Document,
    Flow,
    Header,
    Image,
    ListMessage,
    Location,
    LocationRequest,
    Media,
    MediaCarousel,
    OrderStatus,
    Parameter,
    Pin,
    Product,
    ProductCarousel,
    ProductList,
    ProductSection,
    Reaction,
    ReplyButtons,
    Row,
    Section,
    Sticker,
    Template,
    Text,
    Video,
    VoiceCall,
    parse,
)


def words(most, least=1):
    return st.text(min_size=least, max_size=most).filter(str.strip)


ids = st.from_regex(r"[A-Za-z0-9_/=.-]{1,20}", fullmatch=True)
links = st.from_regex(r"https?://[a-z]{1,9}\.example(/[a-z0-9.]{0,9})?", fullmatch=True)
providers = st.none() | st.from_regex(r"[A-Za-z_-]{1,9}", fullmatch=True)
media = (
    st.builds(Media, id=ids)
    | st.builds(Media, path=ids)
    | st.builds(Media, link=links, provider=providers)
)
captions = st.none() | words(30)
headers = st.builds(Header, st.just("text"), words(60)) | st.one_of(
    st.builds(Header, st.sampled_from(["image", "video"]), media=media),
    st.builds(Header, st.just("document"), media=media, filename=st.none() | words(20)),
)
text_headers = st.builds(Header, st.just("text"), words(60))
footers = st.none() | words(60)


def distinct(strategy, key, most, least=1):
    return st.lists(strategy, min_size=least, max_size=most, unique_by=key).map(tuple)


buttons = st.builds(Button, ids, words(20))
rows = st.builds(Row, ids, words(24), st.none() | words(72))
sections = distinct(rows, lambda row: row.id, 4).map(lambda found: (Section(found),)) | distinct(
    rows, lambda row: row.id, 5, 2
).map(lambda found: tuple(Section((row,), title=f"Part {n}") for n, row in enumerate(found)))
contact = st.fixed_dictionaries(
    {"name": st.fixed_dictionaries({"formatted_name": words(20), "first_name": words(20)})},
    optional={"birthday": st.just("1815-12-10"), "phones": st.just([{"phone": "+44"}])},
)
parameters = st.one_of(
    st.builds(Parameter, st.just("payload"), words(20), name=st.none() | st.just("first_name")),
    st.builds(Parameter, st.just("image"), media),
    st.builds(Parameter, st.just("document"), media, filename=st.none() | words(20)),
    st.builds(Parameter, st.just("currency"), st.just({"code": "USD", "amount_1000": 5})),
)
components = st.one_of(
    st.builds(
        Component,
        st.sampled_from(["header", "body"]),
        st.lists(parameters, max_size=3).map(tuple),
    ),
    st.builds(
        Component,
        st.just("button"),
        st.lists(parameters, max_size=1).map(tuple),
        st.just("url"),
        st.integers(0, 9),
    ),
)
carousels = st.builds(
    lambda cards: Component("carousel", cards=tuple(cards)),
    st.lists(st.lists(components, min_size=1, max_size=2).map(tuple), min_size=1, max_size=3),
)
cards = st.builds(
    Card,
    media,
    st.sampled_from(["image", "video"]),
    st.none() | st.just("Aloe"),
    display_text=words(20),
    url=links,
) | st.builds(Card, media, buttons=st.builds(CardButton, ids, words(20)).map(lambda one: (one,)))
messages = st.one_of(
    st.builds(Text, words(50), st.booleans()),
    st.builds(Image, media, captions),
    st.builds(Video, media, captions),
    st.builds(Document, media, captions, st.none() | words(20)),
    st.builds(Audio, media, st.booleans()),
    st.builds(Sticker, media),
    st.builds(
        Location,
        st.floats(-90, 90),
        st.floats(-180, 180),
        st.none() | words(20),
        st.none() | words(20),
    ),
    st.builds(Contacts, st.lists(contact, min_size=1, max_size=3).map(tuple)),
    st.builds(Pin, ids, st.none() | st.integers(1, 30)),
    st.builds(Reaction, ids, st.sampled_from(["", "👍", "❤️"])),
    st.builds(
        ReplyButtons,
        words(50),
        st.none() | headers,
        footers,
        distinct(buttons, lambda button: button.title, 3).filter(
            lambda found: len({button.id for button in found}) == len(found)
        ),
    ),
    st.builds(ListMessage, words(50), st.none() | text_headers, footers, words(20), sections),
    st.builds(CtaUrl, words(50), st.none() | headers, footers, words(20), links),
    st.builds(LocationRequest, words(50)),
    st.builds(
        Flow,
        words(50),
        st.none() | headers,
        footers,
        st.just({"flow_message_version": "3", "flow_id": "1", "flow_cta": "Book"}),
    ),
    st.builds(ContactRequest, words(50)),
    st.builds(
        VoiceCall,
        words(50),
        parameters=st.none() | st.just({"display_text": "Call", "payload": "1"}),
    ),
    st.builds(CallPermissionRequest, st.none() | words(50)),
    st.builds(
        OrderStatus,
        words(50),
        st.none() | headers,
        footers,
        parameters=st.just({"reference_id": "order-1", "order": {"status": "shipped"}}),
    ),
    st.builds(Product, st.none() | words(50), st.none(), footers, ids, ids),
    st.builds(
        ProductList,
        words(50),
        text_headers,
        footers,
        ids,
        st.lists(ids, min_size=1, max_size=5).map(lambda found: (ProductSection(tuple(found)),)),
    ),
    st.builds(CatalogMessage, words(50), st.none(), footers, st.none() | ids),
    st.lists(cards, min_size=2, max_size=4)
    .filter(lambda found: len({card.url is None for card in found}) == 1)
    .map(lambda found: MediaCarousel("New", cards=tuple(found))),
    st.builds(
        ProductCarousel,
        words(50),
        st.none(),
        st.none(),
        ids,
        st.lists(ids, min_size=2, max_size=5).map(tuple),
    ),
    st.builds(
        Template,
        st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True),
        st.sampled_from(["en", "en_US", "pt_BR"]),
        st.lists(components | carousels, max_size=3).map(tuple),
        st.none() | words(20),
    ),
)


@given(messages)
def test_every_message_is_read_back_from_its_body(message):
    body = json.loads(json.dumps(message.body()))

    assert parse(body) == message
