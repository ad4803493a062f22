"""What a status says about the charge of its message, and when free messages are worth a word."""

from __future__ import annotations

from datetime import datetime, timezone
from zoneinfo import ZoneInfo

import pytest

from rasa_whatsapp_channel.billing.charges import charge_of, end_of_month, is_billed, threshold
from rasa_whatsapp_channel.store.base import Charge
from rasa_whatsapp_channel.whatsapp.events import Status

UTC = timezone.utc
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC).timestamp()


def status(kind: str = "delivered", *, at: float = NOON, **pricing) -> Status:
    return Status(
        message_id="wamid.1",
        status=kind,
        timestamp=int(at),
        recipient_id="4915112345678",
        phone_number_id="106540352242922",
        extra={"pricing": pricing} if pricing else {},
    )


REPLY = {"billable": True, "pricing_model": "PMP", "type": "regular", "category": "service"}


@pytest.mark.parametrize("kind", ["delivered", "read"])
def test_a_reply_that_arrived_counts_among_the_free_ones_of_its_month(kind):
    assert charge_of(status(kind, **REPLY), zone=UTC, now=0.0) == Charge(
        NOON, "106540352242922", "49", "service", "regular", "2026-11"
    )


@pytest.mark.parametrize("kind", ["sent", "failed", "played"])
def test_only_what_arrived_is_charged(kind):
    assert charge_of(status(kind, **REPLY), zone=UTC, now=0.0) is None


@pytest.mark.parametrize(
    ("pricing", "charged"),
    [
        # the shapes of WhatsApp's pages, 2025 and 2026
        ({"type": "free_customer_service"}, ("service", "free_customer_service", "2026-11")),
        (
            {"type": "free_entry_point", "category": "referral_conversion"},
            ("referral_conversion", "free_entry_point", ""),
        ),
        ({"category": "utility"}, ("utility", "regular", "")),
        (
            {"category": "authentication-international"},
            ("authentication_international", "regular", ""),
        ),
        ({"category": "SERVICE"}, ("service", "regular", "2026-11")),
        ({"type": None, "billable": False}, ("service", "free_customer_service", "2026-11")),
        ({"type": None}, ("service", "regular", "2026-11")),
        ({"category": None}, None),
        ({"pricing_model": "CBP", "type": None}, None),
        ({"category": {}}, None),
    ],
)
def test_the_charge_has_whatsapps_words(pricing, charged):
    charge = charge_of(status(**{**REPLY, **pricing}), zone=UTC, now=0.0)

    assert (charge and (charge.category, charge.type, charge.month)) == charged


def test_a_status_without_pricing_tells_of_no_charge():
    assert charge_of(status(), zone=UTC, now=0.0) is None


def test_the_month_is_that_of_the_accounts_time_zone():
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC).timestamp()

    months = {
        zone: charge_of(status(at=late, **REPLY), zone=ZoneInfo(zone), now=0.0).month
        for zone in ("America/Sao_Paulo", "Europe/Berlin")
    }

    assert months == {"America/Sao_Paulo": "2026-11", "Europe/Berlin": "2026-12"}
    begins = datetime(2027, 1, 1, tzinfo=ZoneInfo("Europe/Berlin")).timestamp()
    assert end_of_month(late, ZoneInfo("Europe/Berlin")) == begins


@pytest.mark.parametrize(
    ("nth", "free", "part"),
    [
        *((799, 1000, None), (800, 1000, 0.8), (801, 1000, None)),
        *((999, 1000, None), (1000, 1000, 1.0), (1001, 1000, None)),
        *((2, 3, None), (3, 3, 1.0), (1, 1, 1.0)),
    ],
)
def test_eighty_percent_and_all_of_the_free_messages_are_worth_a_word(nth, free, part):
    assert threshold(nth, free) == part


@pytest.mark.parametrize(
    ("kind", "nth", "billed"),
    [
        ("regular", 1000, False),
        ("regular", 1001, True),
        ("regular", 0, True),  # a template is never among the free ones
        ("free_customer_service", 1001, False),
        ("free_entry_point", 0, False),
    ],
)
def test_a_regular_message_beyond_the_free_ones_costs(kind, nth, billed):
    charge = Charge(NOON, "1", "49", "service", kind, "2026-11" if nth else "", nth)

    assert is_billed(charge, 1000) is billed
