"""Which market of WhatsApp's rate card a recipient is in."""

from __future__ import annotations

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


def test_the_codes_are_few_enough_for_a_label():
    assert len(CALLING_CODES) < 160
