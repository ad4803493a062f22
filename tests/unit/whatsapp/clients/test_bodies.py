"""
Bodies as each API documents them, typed in by hand: tests/samples/bodies/<api>.json.

360dialog takes the Cloud API's bodies. What has no body in an API's file, that API does not take.
"""

import json
from pathlib import Path

import pytest
from support.fake_transport import FakeTransport

from rasa_whatsapp_channel.whatsapp.clients import (
    CloudClient,
    Dialog360Client,
    OnPremisesClient,
    TurnClient,
)
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.identity import Address
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
    OrderDetails,
    OrderStatus,
    Parameter,
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
    parse_outgoing,
)

CLIENTS = {
    "cloud": CloudClient(FakeTransport(), phone_number_id="106540352242922", access_token="t"),
    "360dialog": Dialog360Client(FakeTransport(), access_token="t"),
    "on_premises": OnPremisesClient(
        FakeTransport(), base_url="https://wa.example:9090", username="u", password="p"
    ),
    "turn": TurnClient(FakeTransport(), access_token="t"),
}
FILES = {"cloud": "cloud", "360dialog": "cloud", "on_premises": "on_premises", "turn": "turn"}
FOLDER = Path(__file__).parents[3] / "samples" / "bodies"
SAMPLES = {
    api: json.loads((FOLDER / f"{file}.json").read_text(encoding="utf-8"))
    for api, file in FILES.items()
}

OFFER = Media(link="https://shop.example/offer.jpg")
MESSAGES = {
    "text": Text("Hello 👋"),
    "text_with_preview": Text("Look: https://shop.example/offer", preview_url=True),
    "image_by_link": Image(OFFER, caption="Our offer"),
    "image_by_link_with_provider": Image(
        Media(link="https://shop.example/offer.jpg", provider="shop")
    ),
    "image_by_id": Image(Media(id="1037543291543634")),
    "document": Document(
        Media(id="1037543291543635"), caption="Your invoice", filename="invoice.pdf"
    ),
    "audio": Audio(Media(id="1037543291543636")),
    "voice": Audio(Media(id="1037543291543636"), voice=True),
    "video": Video(Media(id="1037543291543637"), caption="How it works"),
    "sticker": Sticker(Media(id="1037543291543638")),
    "location": Location(
        37.44216, -122.16154, "Philz Coffee", "101 Forest Ave, Palo Alto, CA 94301"
    ),
    "contacts": Contacts(
        (
            {
                "name": {"formatted_name": "Ada Lovelace", "first_name": "Ada"},
                "phones": [{"phone": "+441632960961", "type": "WORK", "wa_id": "441632960961"}],
                "birthday": "1815-12-10",
            },
        )
    ),
    "reaction": Reaction(
        "wamid.HBgLMTY0NjcwNDM1OTUVAgASGBQzQTdCNTg5RjY1MEMyRjlGMjRGNgA=", "\N{GRINNING FACE}"
    ),
    "buttons": ReplyButtons(
        "Our offer for today",
        Header("image", media=OFFER),
        "Until Friday",
        buttons=(Button("/buy", "Buy"), Button("/later", "Later")),
    ),
    "list": ListMessage(
        "Which way?",
        Header("text", "Delivery"),
        "You can change it later",
        button="Choose",
        sections=(
            Section((Row("priority", "Priority", "Next day"),), title="Fast"),
            Section((Row("ground", "Ground"),), title="Slow"),
        ),
    ),
    "cta_url": CtaUrl(
        "Tap the button below to see the dates",
        display_text="See dates",
        url="https://shop.example/dates",
    ),
    "location_request": LocationRequest("Where are you?"),
    "request_contact_info": ContactRequest("May we have your number?"),
    "voice_call": VoiceCall(
        "You can call us on WhatsApp now for faster service!",
        parameters={
            "display_text": "Call on WhatsApp",
            "ttl_minutes": 100,
            "payload": "payload data",
        },
    ),
    "call_permission_request": CallPermissionRequest(
        "We would like to call you to help support your query on Order No: ON-12853.",
    ),
    "order_details": OrderDetails(
        "Your order",
        Header("image", media=OFFER),
        "Thank you",
        parameters={
            "reference_id": "order-1",
            "type": "digital-goods",
            "payment_type": "upi",
            "payment_configuration": "my-payment-config-name",
            "currency": "INR",
            "total_amount": {"value": 1100, "offset": 100},
            "order": {
                "status": "pending",
                "items": [
                    {
                        "retailer_id": "1234567",
                        "name": "bread",
                        "amount": {"value": 1500, "offset": 100},
                        "sale_amount": {"value": 1000, "offset": 100},
                        "quantity": 1,
                    }
                ],
                "subtotal": {"value": 1000, "offset": 100},
                "tax": {"value": 100, "offset": 100, "description": "optional text"},
                "shipping": {"value": 100, "offset": 100, "description": "optional text"},
                "discount": {
                    "value": 100,
                    "offset": 100,
                    "description": "optional text",
                    "discount_program_name": "optional text",
                },
            },
        },
    ),
    "order_status": OrderStatus(
        "Your order is on its way",
        parameters={
            "reference_id": "order-1",
            "order": {"status": "shipped", "description": "By road"},
            "payment": {"status": "captured", "timestamp": 1722445231},
        },
    ),
    "flow": Flow(
        "Book a table",
        parameters={
            "flow_message_version": "3",
            "flow_token": "unused",
            "flow_id": "1013",
            "flow_cta": "Book",
            "flow_action": "navigate",
            "flow_action_payload": {"screen": "DATES"},
        },
    ),
    "product": Product(
        "The bouquet", catalog_id="194836987003835", product_retailer_id="di9ozbzfi4"
    ),
    "product_list": ProductList(
        "Which one?",
        Header("text", "Bouquets"),
        catalog_id="194836987003835",
        sections=(ProductSection(("di9ozbzfi4", "nqryix03ez"), title="Roses"),),
    ),
    "catalog": CatalogMessage("All our flowers", thumbnail_product_retailer_id="di9ozbzfi4"),
    "carousel_with_links": MediaCarousel(
        "New today",
        cards=(
            Card(
                Media(link="https://shop.example/a.png"),
                text="Aloe",
                display_text="Buy",
                url="https://shop.example/aloe",
            ),
            Card(
                Media(link="https://shop.example/b.mp4"),
                "video",
                display_text="Buy",
                url="https://shop.example/bonsai",
            ),
        ),
    ),
    "carousel_with_quick_replies": MediaCarousel(
        "New today",
        cards=(
            Card(Media(id="11"), buttons=(CardButton("/aloe", "Take it"),)),
            Card(Media(id="12"), buttons=(CardButton("/bonsai", "Take it"),)),
        ),
    ),
    "carousel_of_products": ProductCarousel(
        "Best sellers",
        catalog_id="194836987003835",
        product_retailer_ids=("di9ozbzfi4", "nqryix03ez"),
    ),
    "template": Template(
        "order_confirmation",
        "en_US",
        (
            Component(
                "header",
                (
                    Parameter(
                        "document", Media(link="https://shop.example/i.pdf"), filename="i.pdf"
                    ),
                ),
            ),
            Component(
                "body",
                (
                    Parameter("text", "Jessica", name="first_name"),
                    Parameter(
                        "currency",
                        {"fallback_value": "$100.99", "code": "USD", "amount_1000": 100990},
                    ),
                ),
            ),
            Component("button", (Parameter("payload", "/confirm"),), "quick_reply", 0),
            Component("button", (Parameter("text", "orders/42"),), "url", 1),
        ),
        namespace="c8ae5f90_307a_ca4c_b8f6_d1e2a2573574",
    ),
}

GIVEN = [(api, name) for api, samples in SAMPLES.items() for name in samples]
REFUSED = [
    (api, name) for api, samples in SAMPLES.items() for name in MESSAGES if name not in samples
]


@pytest.mark.parametrize(("api", "name"), GIVEN)
def test_a_body_is_as_the_api_documents_it(api, name):
    assert CLIENTS[api].body("16505551234", MESSAGES[name]) == SAMPLES[api][name]


@pytest.mark.parametrize(("api", "name"), GIVEN)
def test_a_documented_body_is_read_as_the_message_it_is(api, name):
    message = parse(SAMPLES[api][name])

    assert CLIENTS[api].body("16505551234", message) == SAMPLES[api][name]


# What an API may have learnt since it was documented: sent, with a warning.
PASSED_ON = {
    "request_contact_info",
    "voice_call",
    "call_permission_request",
    "order_details",
    "order_status",
}


@pytest.mark.parametrize(("api", "name"), [case for case in REFUSED if case[1] not in PASSED_ON])
def test_what_an_api_does_not_take_is_refused_before_it_is_sent(api, name):
    with pytest.raises(InvalidMessage):
        CLIENTS[api].body("16505551234", MESSAGES[name])


def test_each_api_is_known_for_what_it_does_not_take():
    refused = {api: {name for each, name in REFUSED if each == api} for api in CLIENTS}

    assert refused["cloud"] == refused["360dialog"] == {"image_by_link_with_provider"}
    assert refused["on_premises"] - PASSED_ON == {
        "reaction",
        "cta_url",
        "carousel_with_links",
        "carousel_with_quick_replies",
        "carousel_of_products",
    }
    assert refused["turn"] == refused["on_premises"] - {"cta_url"} | {
        "image_by_link",
        "image_by_link_with_provider",
    }


@pytest.mark.parametrize("api", ["cloud", "360dialog"])
def test_a_reply_quotes_the_message_it_answers(api):
    body = CLIENTS[api].body("16505551234", Text("Yes"), reply_to="wamid.HBgL")

    assert body["context"] == {"message_id": "wamid.HBgL"}
    assert parse_outgoing(body).reply_to == "wamid.HBgL"


def test_a_reaction_quotes_nothing_since_it_names_its_message():
    body = CLIENTS["cloud"].body("1", Reaction("wamid.1", "👍"), reply_to="wamid.2")

    assert "context" not in body


@pytest.mark.parametrize("api", ["on_premises", "turn"])
def test_the_older_apis_cannot_quote(api):
    assert "context" not in CLIENTS[api].body("1", Text("Yes"), reply_to="ABGGFlA5FpafAgo6t")


@pytest.mark.parametrize("api", ["cloud", "360dialog"])
def test_what_comes_back_in_statuses_stands_beside_the_message(api):
    body = CLIENTS[api].body("1", Text("Yes"), callback_data="wamid.in:0")

    assert body["biz_opaque_callback_data"] == "wamid.in:0"
    too_long = CLIENTS[api].body("1", Text("Yes"), callback_data="x" * 513)
    assert "biz_opaque_callback_data" not in too_long


@pytest.mark.parametrize("api", ["on_premises", "turn"])
def test_the_older_apis_have_no_callback_data(api):
    body = CLIENTS[api].body("4915112345678", Text("Yes"), callback_data="wamid.in:0")

    assert "biz_opaque_callback_data" not in body


@pytest.mark.parametrize("api", ["cloud", "360dialog", "turn"])
@pytest.mark.parametrize(
    "user_id", ["US.13491208655302741918", "US.ENT.11815799212886844830", "DE.abcXYZ"]
)
def test_a_user_id_goes_into_recipient_without_to(api, user_id):
    body = CLIENTS[api].body(user_id, Text("Hello"))

    assert body["recipient"] == user_id
    assert "to" not in body


@pytest.mark.parametrize(
    ("api", "recipient"),
    [
        ("cloud", {"to": "15550002222", "recipient": "US.1349"}),
        ("360dialog", {"to": "15550002222", "recipient": "US.1349"}),
        ("turn", {"to": "15550002222"}),
        ("on_premises", {"to": "15550002222"}),
    ],
)
def test_number_and_user_id_go_together_where_the_api_takes_both(api, recipient):
    body = CLIENTS[api].body(Address("15550002222", "US.1349"), Text("Hello"))

    assert {key: body[key] for key in ("to", "recipient") if key in body} == recipient


def test_on_premises_writes_to_phone_numbers_only():
    with pytest.raises(InvalidMessage, match="to: api on_premises writes to phone numbers only"):
        CLIENTS["on_premises"].body("US.13491208655302741918", Text("Hello"))


@pytest.mark.parametrize("api", ["on_premises", "turn"])
@pytest.mark.parametrize(
    ("recipient_id", "to"),
    [
        ("+1 (650) 555-1234", "16505551234"),
        ("16505551234", "16505551234"),
        ("4915112345678-1415111222", "4915112345678-1415111222"),  # a group of former times
    ],
)
def test_older_apis_get_the_digits_of_an_international_number(api, recipient_id, to):
    assert CLIENTS[api].body(recipient_id, Text("Hello"))["to"] == to


@pytest.mark.parametrize("api", ["cloud", "360dialog"])
def test_the_cloud_gets_a_number_as_it_is(api):
    assert CLIENTS[api].body("+1 650 555 1234", Text("Hello"))["to"] == "+1 650 555 1234"


@pytest.mark.parametrize("api", CLIENTS)
@pytest.mark.parametrize(
    "message",
    [
        Image(Media(path="media/offer.jpg")),
        ReplyButtons(
            "Take it?",
            Header("image", media=Media(path="media/offer.jpg")),
            buttons=(Button("y", "Yes"),),
        ),
        Template(
            "offer",
            "en",
            (Component("header", (Parameter("image", Media(path="media/offer.jpg")),)),),
        ),
    ],
    ids=["image", "header", "template"],
)
def test_a_file_beside_the_bot_must_be_uploaded_before(api, message):
    with pytest.raises(InvalidMessage, match=r"media/offer\.jpg must be uploaded first"):
        CLIENTS[api].body("16505551234", message)


def test_what_this_package_does_not_know_is_handed_on_as_written():
    ask = {
        "type": "address_message",
        "body": {"text": "Where to?"},
        "action": {"name": "address_message", "parameters": {"country": "IN"}},
    }

    body = CLIENTS["cloud"].body("16505551234", parse({"type": "interactive", "interactive": ask}))

    assert body["interactive"] == ask
