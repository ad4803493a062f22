from __future__ import annotations

import pytest

from rasa_whatsapp_channel.whatsapp.identity import (
    at_number,
    is_group_id,
    is_user_id,
    split_number,
)


@pytest.mark.parametrize(
    "value",
    ["US.13491208655302741918", "US.ENT.11815799212886844830", "BR.a", "DE." + "Z9" * 64],
)
def test_a_business_scoped_user_id_is_told_by_its_shape(value: str) -> None:
    assert is_user_id(value)


@pytest.mark.parametrize(
    "value",
    [
        "15550002222",
        "+15550002222",
        "",
        "US.",
        "us.1349",
        "USA.1349",
        "US.1349\n",
        "US.13 49",
        "US.ÄÖ",
        "DE." + "x" * 129,
        "Y2FwaV9ncm91cDox",
    ],
)
def test_other_ids_are_none(value: str) -> None:
    assert not is_user_id(value)


@pytest.mark.parametrize("value", ["Y2FwaV9ncm91cDox", "15550001111-1530000000@g.us"])
def test_what_is_no_phone_number_and_no_user_id_is_a_group(value: str) -> None:
    assert is_group_id(value)


@pytest.mark.parametrize("value", ["15550002222", "+1 (555) 000-2222", "US.13491208655302741918"])
def test_a_person_is_no_group(value: str) -> None:
    assert not is_group_id(value)


@pytest.mark.parametrize(
    "name", ["15550002222", "US.1349", "Y2FwaV9ncm91cDox", "15550002222~1757000000"]
)
def test_a_name_and_the_number_it_talks_to_come_apart_again(name: str) -> None:
    assert split_number(name) == (name, None)
    assert split_number(at_number(name, "206540352242922")) == (name, "206540352242922")


def test_an_old_group_is_no_number() -> None:
    group = "15550001111-1530000000@g.us"

    assert split_number(group) == (group, None)
