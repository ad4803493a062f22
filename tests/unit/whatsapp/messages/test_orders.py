"""Orders: their amounts add up, or the message says which do not."""

import copy

import pytest

from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import find_unknown, parse


def amount(value):
    return {"value": value, "offset": 100}


# payments/payments-in: a reduced price, and every amount there is
ORDER = {
    "reference_id": "unique-reference-id",
    "type": "digital-goods",
    "payment_type": "upi",
    "payment_configuration": "my-payment-config-name",
    "currency": "INR",
    "total_amount": amount(4100),
    "order": {
        "status": "pending",
        "items": [
            {
                "retailer_id": "1234567",
                "name": "bread",
                "amount": amount(1500),
                "sale_amount": amount(1000),
                "quantity": 3,
            },
            {"retailer_id": "1234568", "name": "milk", "amount": amount(1000), "quantity": 1},
        ],
        "subtotal": amount(4000),
        "tax": amount(100),
        "shipping": amount(200),
        "discount": amount(200),
    },
}
STATUS = {"reference_id": "order-1", "order": {"status": "shipped", "description": "By road"}}


def changed(value, **changes):
    """Return *value* with each ``a__b`` of *changes* in its place."""
    value = copy.deepcopy(value)
    for path, new in changes.items():
        *steps, last = path.split("__")
        inner = value
        for step in steps:
            inner = inner[int(step) if step.isdecimal() else step]
        inner[last] = new
    return value


def details(parameters):
    return {
        "type": "interactive",
        "interactive": {
            "type": "order_details",
            "body": {"text": "Your order"},
            "action": {"name": "review_and_pay", "parameters": parameters},
        },
    }


def status(parameters):
    return {
        "type": "interactive",
        "interactive": {
            "type": "order_status",
            "body": {"text": "Your order"},
            "action": {"name": "review_order", "parameters": parameters},
        },
    }


def in_template(order):
    button = {
        "type": "button",
        "sub_type": "order_details",
        "index": "0",
        "parameters": [{"type": "action", "action": {"order_details": order}}],
    }
    content = {"name": "order_update", "language": {"code": "en"}, "components": [button]}
    return {"type": "template", "template": content}


@pytest.mark.parametrize(
    "body",
    [
        details(ORDER),
        details(changed(ORDER, reference_id="r" * 35)),
        details({**ORDER, "payment_settings": [{"type": "boleto", "boleto": {}}]}),
        # payments/payments-br/offsite-pix: with just the total amount
        details({key: value for key, value in ORDER.items() if key != "order"}),
        in_template(ORDER),
        # a template may say only what is due
        in_template({**ORDER, "order": {"status": "pending"}}),
        status(STATUS),
        status({**STATUS, "payment": {"status": "captured", "timestamp": 1722445231}}),
        # payments/payments-br/orders: without the order object
        status({"reference_id": "order-1", "payment": {"status": "captured"}}),
    ],
)
def test_an_order_that_adds_up_goes_as_it_is(body):
    assert parse(body).body() == body


P = "interactive.action.parameters"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (
            details(changed(ORDER, total_amount=amount(5000))),
            f"{P}.total_amount: is 50.00, but subtotal 40.00 + tax 1.00 + shipping 2.00 "
            "- discount 2.00 is 41.00",
        ),
        (
            details(changed(ORDER, order__subtotal=amount(5500))),
            f"{P}.order.subtotal: is 55.00, but the items cost 30.00 + 10.00 = 40.00",
        ),
        (
            details(changed(ORDER, order__items=[ORDER["order"]["items"][1]])),
            f"{P}.order.subtotal: is 40.00, but the item costs 10.00",
        ),
        (
            in_template(changed(ORDER, total_amount=amount(1))),
            "template.components.parameters.action.order_details.total_amount: is 0.01, but",
        ),
        (
            details(changed(ORDER, total_amount__offset=1000)),
            f"{P}.total_amount.offset: must be 100: a value of 1250 is 12.50",
        ),
        (
            details(changed(ORDER, order__tax__value="100")),
            f"{P}.order.tax.value: must be a whole number from 0 to 1000000000000, not a string",
        ),
        (details(changed(ORDER, order__tax__value=-1)), f"{P}.order.tax.value: must be a whole"),
        (details(changed(ORDER, order__tax__value=0.5)), f"{P}.order.tax.value: must be a whole"),
        (
            details(changed(ORDER, order__items__0__quantity=0)),
            f"{P}.order.items[0].quantity: must be a whole number from 1",
        ),
        (details(changed(ORDER, order__items=[])), f"{P}.order.items: needs at least 1"),
        (
            details({**ORDER, "order": {"items": ORDER["order"]["items"]}}),
            f"{P}.order.subtotal: must be an object, not nothing",
        ),
        (details({**ORDER, "order": "Cake"}), f"{P}.order: must be an object, not a string"),
        (
            details({key: value for key, value in ORDER.items() if key != "total_amount"}),
            f"{P}.total_amount: must be an object, not nothing",
        ),
        (details(changed(ORDER, reference_id="r" * 36)), f"{P}.reference_id: has 36"),
        (details(changed(ORDER, reference_id="no 1")), f"{P}.reference_id: takes letters"),
        (details(None), f"{P}: must be an object"),
        (
            details({"refrence_id": "order-1"}),
            "there is interactive.action.parameters.refrence_id: did you mean 'reference_id'?",
        ),
        (status({**STATUS, "order": {}}), f"{P}.order.status: must be a string, not nothing"),
        (
            status(changed(STATUS, order__description="d" * 121)),
            f"{P}.order.description: has 121 characters; WhatsApp takes at most 120",
        ),
        (status({**STATUS, "payment": "paid"}), f"{P}.payment: must be an object, not a string"),
    ],
)
def test_what_does_not_add_up_is_said_with_both_sums(body, problem):
    with pytest.raises(InvalidMessage) as caught:
        parse(body)

    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (details({**ORDER, "type": "goods"}), f"{P}.type"),
        (status(changed(STATUS, order__status="complete")), f"{P}.order.status"),
        (status({**STATUS, "payment": {"status": "paid"}}), f"{P}.payment.status"),
    ],
)
def test_a_word_that_is_not_known_goes_with_a_warning(body, place):
    message = parse(body)

    assert message.body() == body
    assert [doubt.place for doubt in find_unknown(message, CLOUD)] == [place]
