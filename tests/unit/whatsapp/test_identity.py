from __future__ import annotations

import pytest

from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.identity import (
    Address,
    at_number,
    is_group_id,
    is_user_id,
    read_id,
    split_number,
    to_recipient,
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


@pytest.mark.parametrize(
    "value",
    ["Y2FwaV9ncm91cDox", "15550001111-1530000000@g.us", "15550001111-1530000000"],
)
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


GROUP = "Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD"


@pytest.mark.parametrize(
    "value",
    [
        "4915112345678",
        "US.13491208655302741918",
        "US.ENT.11815799212886844830",
        GROUP,
        "15550001111-1530000000",
        "15550001111-1530000000@g.us",
        "15550002222~1757000000",
        f"{GROUP}@206540352242922",
        "US.1349@206540352242922",
        "4915112345678@206540352242922",
    ],
)
def test_what_is_an_id_already_stays_what_it_is(value: str) -> None:
    assert to_recipient(value) == value


@pytest.mark.parametrize(
    ("written", "recipient"),
    [
        ("+49 151 1234 5678", "4915112345678"),
        ("+49\u00a0151\u201112345678", "4915112345678"),  # as word processors write it
        ("(+49) 151/12345678", "4915112345678"),
        ("0049-151-12345678", "4915112345678"),
        ("+52 1 55 1234 5678", "5215512345678"),
        ("whatsapp:US.1349", "US.1349"),
        ("US%2E1349", "US.1349"),
        (f" {GROUP} ", GROUP),
        ("+49 151 12345678@206540352242922", "4915112345678@206540352242922"),
    ],
)
def test_a_recipient_may_be_written_as_people_do(written: str, recipient: str) -> None:
    assert to_recipient(written) == recipient


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "+", "%", "@", "@123", "whatsapp:", "+49 151 abc", "us.1349", "DE.", "+0151123"),
        *("%252B4915112345678", "4915112345678 x22", "4915112345678@hotmail.com", "a b" * 9),
        "4915112345678@" + "2" * 40,
    ],
)
def test_what_can_be_no_recipient_is_refused_with_the_remedy(value: str) -> None:
    with pytest.raises(InvalidMessage) as caught:
        to_recipient(value)

    assert caught.value.field == "to"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("15550002222", "15550002222"),
        ("+1 555 000 2222", "15550002222"),
        (15550002222, "15550002222"),
        ("US.1349", "US.1349"),
        ("whatsapp-id", "whatsapp-id"),  # whatever it is, it can be answered
        ("", None),
        (None, None),
    ],
)
def test_an_id_that_whatsapp_tells_is_taken_as_it_is(value: object, told: str | None) -> None:
    assert read_id(value) == told


@pytest.mark.parametrize("value", ["4" * 21, "x" * 141, "Größe", "a b", "a\n", True, 1.5, [], {}])
def test_what_can_be_no_id_is_none(value: object) -> None:
    assert read_id(value) is None


def test_the_first_id_of_an_address_is_the_number():
    assert Address("15550002222", "US.1349").first == "15550002222"
    assert Address.of("US.1349") == Address(user_id="US.1349")
    assert Address.of(GROUP) == Address(GROUP)
