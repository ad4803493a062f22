"""Which market of WhatsApp's rate card a recipient is in."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from rasa_whatsapp_channel.whatsapp.markets import CALLING_CODES, calling_code, markets_of


@pytest.mark.parametrize(
    ("phone", "code", "markets"),
    [
        ("4915112345678", "49", ("Germany", "Other")),
        ("15550002222", "1", ("North America", "Other")),
        ("18095550100", "1809", ("Rest of Latin America", "Other")),
        ("79161234567", "7", ("Russia", "Other")),
        ("77011234567", "77", ("Kazakhstan", "Other")),
        ("380501234567", "380", ("Ukraine", "Rest of Central & Eastern Europe", "Other")),
        ("254712345678", "254", ("Rest of Africa", "Other")),
        ("3545551234", "", ("Other",)),  # Iceland is in no market
        ("Y2FwaV9ncm91cDo", "", ("Other",)),
        (None, "", ("Other",)),
    ],
)
def test_the_calling_code_decides_the_market(phone, code, markets):
    assert calling_code(phone) == code
    assert markets_of(code) == markets


@pytest.mark.parametrize(
    ("user_id", "code"),
    [
        *(("US.13491208655302741918", "1"), ("CA.ENT.1", "1"), ("BR.1", "55")),
        *(("DO.1", "1809"), ("KZ.1", "76"), ("XX.1", "")),
    ],
)
def test_who_hides_the_number_is_counted_by_the_country_of_the_user_id(user_id, code):
    assert calling_code(None, user_id) == code


# From "Updates to rate cards" on Meta's page: these have left their region by October 2026.
LEFT = {
    *("Bangladesh", "Hong Kong", "Hungary", "Iraq", "Kuwait", "Morocco", "Nepal", "Oman"),
    *("Poland", "Qatar", "Romania", "Singapore", "Sri Lanka", "Ukraine"),
}


def test_each_line_of_metas_table_is_the_market_of_its_calling_code():
    file = Path(__file__).parents[2] / "samples" / "markets.csv"
    table = list(csv.DictReader(file.read_text().splitlines()))

    for line in table:
        code, market, country = line["calling code"], line["market"], line["country"]
        own = (country,) if country in LEFT else ()
        assert markets_of(code) == (*own, market, "Other"), country
        assert calling_code(f"{code}5550100") == code, country
    # Kazakhstan has a market and shares Russia's code: its numbers go on with 6 or 7.
    assert {line["calling code"] for line in table} == CALLING_CODES - {"76", "77"}


def test_the_codes_are_few_enough_for_a_label():
    assert len(CALLING_CODES) < 160
