"""
Orders of WhatsApp's payments in India and Brazil: whether their amounts add up.

https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-in/pg
https://developers.facebook.com/documentation/business-messaging/whatsapp/payments/payments-br/orders
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import checks
from rasa_whatsapp_channel.whatsapp.messages.keys import short
from rasa_whatsapp_channel.wording import suggest

_REFERENCE: Final = re.compile(r"[A-Za-z0-9_.-]+")
_MOST: Final = 10**12  # no limit of WhatsApp's; what is more is a slip
_SHIPPED: Final = ("processing", "partially_shipped", "shipped", "completed", "canceled")
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "type": ("digital-goods", "physical-goods"),
    "order.status": ("pending", *_SHIPPED),
    "payment.status": ("captured", "pending", "failed"),
}
# What is added to the subtotal, or taken from it.
_TO_SUBTOTAL: Final[Mapping[str, int]] = {"tax": 1, "shipping": 1, "discount": -1}
_SIGNS: Final[Mapping[int, str]] = {1: "+", -1: "-"}


def check_order(field: str, value: object) -> None:
    """
    Raise `InvalidMessage` unless the amounts of an order add up.

    In Brazil and in templates the total may stand alone.
    """
    parameters = checks.mapping(field, value)
    _check_reference(field, parameters)
    checks.check_text(f"{field}.currency", parameters.get("currency"))
    total = _amount(f"{field}.total_amount", parameters.get("total_amount"))
    order = checks.mapping(f"{field}.order", parameters.get("order") or {})
    if "items" in order:
        _check_items(f"{field}.order", order)
    if "subtotal" not in order:
        return
    subtotal = _amount(f"{field}.order.subtotal", order.get("subtotal"))
    parts = {
        name: sign * _amount(f"{field}.order.{name}", order[name])
        for name, sign in _TO_SUBTOTAL.items()
        if order.get(name) is not None
    }
    due = subtotal + sum(parts.values())
    if total != due:
        sums = [f"subtotal {_money(subtotal)}"]
        sums += [f"{_SIGNS[_TO_SUBTOTAL[n]]} {n} {_money(abs(each))}" for n, each in parts.items()]
        raise InvalidMessage(
            f"{field}.total_amount", f"is {_money(total)}, but {' '.join(sums)} is {_money(due)}"
        )


def check_order_status(field: str, value: object) -> None:
    parameters = checks.mapping(field, value)
    _check_reference(field, parameters)
    # In Brazil it may tell of the payment only.
    order = checks.mapping(f"{field}.order", parameters.get("order") or {})
    if order or "payment" not in parameters:
        checks.check_text(f"{field}.order.status", order.get("status"))
    if order.get("description") is not None:
        limit = limits.ORDER_DESCRIPTION
        checks.check_text(f"{field}.order.description", order["description"], limit)
    if parameters.get("payment") is not None:
        checks.mapping(f"{field}.payment", parameters["payment"])


def find_unknown_words(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the place and the problem of each word that is none of WhatsApp's."""
    for place, known in _WORDS.items():
        value: Any = parameters
        for step in place.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is not None and value not in known:
            hint = suggest(value, known, form="{!r}", otherwise="known are")
            yield place, f"no {short(value)!r} is known; {hint}"


def _check_reference(field: str, parameters: Mapping[str, Any]) -> None:
    field = f"{field}.reference_id"
    reference = checks.check_text(field, parameters.get("reference_id"), limits.ORDER_REFERENCE)
    if not _REFERENCE.fullmatch(reference):
        raise InvalidMessage(field, "takes letters, digits, _, . and - only")


def _check_items(field: str, order: Mapping[str, Any]) -> None:
    items = checks.sequence(f"{field}.items", order.get("items"))
    checks.check_count(f"{field}.items", items, _MOST)
    lines = [_line(f"{field}.items[{number}]", item) for number, item in enumerate(items)]
    subtotal = _amount(f"{field}.subtotal", order.get("subtotal"))
    if subtotal != sum(lines):
        counted = " + ".join(map(_money, lines))
        raise InvalidMessage(
            f"{field}.subtotal",
            f"is {_money(subtotal)}, but the items cost {counted} = {_money(sum(lines))}"
            if len(lines) > 1
            else f"is {_money(subtotal)}, but the item costs {counted}",
        )


def _line(field: str, value: object) -> int:
    """Return what an item costs, in its quantity and at its reduced price where it has one."""
    item = checks.mapping(field, value)
    checks.check_text(f"{field}.name", item.get("name"))
    quantity = checks.check_whole(f"{field}.quantity", item.get("quantity"), 1, _MOST)
    price = _amount(f"{field}.amount", item.get("amount"))
    if item.get("sale_amount") is not None:
        price = _amount(f"{field}.sale_amount", item["sale_amount"])
    return price * quantity


def _amount(field: str, value: object) -> int:
    """Return an amount in hundredths of its currency, as WhatsApp counts."""
    amount = checks.mapping(field, value)
    if amount.get("offset") != limits.ORDER_OFFSET:
        raise InvalidMessage(
            f"{field}.offset",
            f"must be {limits.ORDER_OFFSET}: a value of 1250 is 12.50 of the currency",
        )
    return checks.check_whole(f"{field}.value", amount.get("value"), 0, _MOST)


def _money(value: int) -> str:
    whole, rest = divmod(abs(value), limits.ORDER_OFFSET)
    return f"{'-' if value < 0 else ''}{whole}.{rest:02}"
