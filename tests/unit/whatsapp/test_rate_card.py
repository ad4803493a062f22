"""Meta's CSV of rates, read as it is downloaded. The rates are typed in from the card of 2026."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from rasa_whatsapp_channel.whatsapp.rate_card import RateCardError, read_rate_card

CARD = (Path(__file__).parents[2] / "support" / "rate_card.csv").read_bytes()
BRL = """\
"Cost per message in BRL",,,,,
Market,Currency,Marketing,Utility,Authentication,"Authentication-
International",Service
Brazil,BRL,0.3217,0.0350,0.0350,n/a,n/a
"""


@pytest.mark.parametrize(
    ("country", "category", "rate"),
    [
        ("55", "service", "0.0068"),
        ("55", "marketing", "0.0625"),
        ("55", "marketing_lite", "0.0625"),
        ("55", "authentication_international", "0.0068"),  # n/a: the national rate
        ("52", "service", "0.0085"),  # n/a: the rate of utility
        ("1", "utility", "0.0034"),
        ("1809", "service", "0.0113"),  # the Dominican Republic, in its region
        ("49", "service", "0.0064"),  # no Germany on this card
        ("", "group_service", "0.0064"),
        ("55", "general_purpose_ai", None),
        ("55", "a category of tomorrow", None),
    ],
)
def test_a_rate_is_that_of_market_and_category(country, category, rate):
    card = read_rate_card(CARD)

    assert card.currency == "USD"
    assert card.rate(country, category) == (None if rate is None else Decimal(rate))


def test_a_region_is_found_however_its_name_is_written():
    row = "Rest of Central and Eastern Europe,BRL,0.4,0.1,0.1,n/a,0.1"

    assert read_rate_card(f"{BRL}{row}".encode()).rate("420", "service") == Decimal("0.1")


def test_a_file_with_two_currencies_needs_a_choice():
    both = BRL + "Argentina,ARS,90.1,37.9,37.9,n/a,37.9\n"

    assert read_rate_card(both.encode(), "ARS").rate("54", "service") == Decimal("37.9")
    assert read_rate_card(BRL.encode()).rate("54", "service") is None
    with pytest.raises(RateCardError, match="rates in BRL, ARS; choose one with `currency`"):
        read_rate_card(both.encode())


@pytest.mark.parametrize(
    ("text", "currency", "problem"),
    [
        ("", None, "no line that begins with Market"),
        ("%PDF-1.7\n", None, "no line that begins with Market"),
        ("Market,Currency,Utility\n", None, "it has no rates"),
        (BRL, "EUR", "it has no rates in EUR"),
        (BRL.replace("0.3217", "cheap"), None, "Brazil: 'cheap' in the column marketing"),
        (BRL.replace("0.3217", "-1"), None, "Brazil: '-1' in the column marketing"),
        (BRL.replace("0.3217", "NaN"), None, "Brazil: 'NaN' in the column marketing"),
        (BRL.replace("0.3217", "1e999999"), None, "Brazil: '1e999999' in the column marketing"),
        (BRL.replace("0.3217", '"0,3217"'), None, "'0,3217' in the column marketing.*spreadsheet"),
        (BRL.replace(",", ";").replace(".", ","), None, "Market and a comma.*spreadsheet"),
        ("Mercado,Moeda,Utilidade\nBrasil,BRL,0.1\n", None, "no line that begins with Market"),
        ("Market,Utility\nBrazil,0.1\n", None, "it has no column Currency"),
        ("Market,Currency,Tier\nBrazil,BRL,0\n", None, "it has no column Utility"),
        (f"{BRL}\0", None, "it is no CSV"),
        pytest.param("x" * 5_000_000, None, "it is no CSV", id="garbage"),
    ],
)
def test_what_is_no_card_says_where(text, currency, problem):
    with pytest.raises(RateCardError, match=problem):
        read_rate_card(text.encode(), currency)


def test_a_card_may_begin_with_the_mark_of_utf_8_and_is_no_other_file():
    assert read_rate_card(BRL.encode("utf-8-sig")).currency == "BRL"
    for content in (BRL.encode("utf-16"), b"PK\x03\x04\xff"):
        with pytest.raises(RateCardError, match="give Meta's CSV of rates"):
            read_rate_card(content)
