"""Contact cards as phones export them, each typed in from what its program writes."""

import pytest

from rasa_whatsapp_channel.cli.vcards import read_vcards
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import Contacts

IPHONE = """BEGIN:VCARD\r
VERSION:3.0\r
PRODID:-//Apple Inc.//iPhone OS 17.0//EN\r
N:Lovelace;Ada;King;Dr.;\r
FN:Dr. Ada King Lovelace\r
ORG:Analytical Engines\\, Ltd.;Notes;\r
TITLE:Programmer\r
item1.EMAIL;type=INTERNET;type=WORK;type=pref:ada@engines.exam\r
 ple\r
TEL;type=CELL;type=VOICE;type=pref:+44 20 7946 0958\r
item2.ADR;type=HOME;type=pref:;;12 St James\\; Square;London;;SW1Y;United Kingdom\r
URL;type=WORK:https://engines.example/ada\r
BDAY:1815-12-10\r
END:VCARD\r
"""
ANDROID = """BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg M=C3=
=BCller
TEL;CELL:0151 12345678
TEL;HOME:030 123
END:VCARD
"""
VERSION_4 = """BEGIN:VCARD
VERSION:4.0
FN:Ada
TEL;VALUE=uri;TYPE="cell":tel:+44-20-7946-0958
EMAIL:ada@engines.example
END:VCARD
"""


def test_a_card_of_an_iphone():
    assert read_vcards(IPHONE) == [
        {
            "name": {
                "last_name": "Lovelace",
                "first_name": "Ada",
                "middle_name": "King",
                "prefix": "Dr.",
                "formatted_name": "Dr. Ada King Lovelace",
            },
            "org": {
                "company": "Analytical Engines, Ltd.",
                "department": "Notes",
                "title": "Programmer",
            },
            "emails": [{"email": "ada@engines.example", "type": "WORK"}],
            "phones": [{"phone": "+44 20 7946 0958", "type": "CELL"}],
            "addresses": [
                {
                    "street": "12 St James; Square",
                    "city": "London",
                    "zip": "SW1Y",
                    "country": "United Kingdom",
                    "type": "HOME",
                }
            ],
            "urls": [{"url": "https://engines.example/ada", "type": "WORK"}],
            "birthday": "1815-12-10",
        }
    ]


def test_a_card_of_an_older_android():
    [contact] = read_vcards(ANDROID)

    assert contact["name"] == {
        "last_name": "Müller",
        "first_name": "Jörg",
        "formatted_name": "Jörg Müller",
    }
    assert contact["phones"] == [
        {"phone": "0151 12345678", "type": "CELL"},
        {"phone": "030 123", "type": "HOME"},
    ]


def test_a_card_of_version_4():
    [contact] = read_vcards(VERSION_4)

    assert contact["phones"] == [{"phone": "+44-20-7946-0958", "type": "CELL"}]
    assert contact["name"] == {"formatted_name": "Ada", "first_name": "Ada"}


@pytest.mark.parametrize("text", [IPHONE, ANDROID, VERSION_4, IPHONE + ANDROID])
def test_whatsapp_takes_what_was_read(text):
    Contacts(tuple(read_vcards(text)))


@pytest.mark.parametrize("text", ["", "hello", "FN:Ada"])
def test_what_is_no_card_is_said(text):
    with pytest.raises(InvalidMessage, match="has no BEGIN:VCARD"):
        read_vcards(text)


def test_a_company_is_a_contact_too():
    [contact] = read_vcards("BEGIN:VCARD\nVERSION:3.0\nORG:Engines;\nN:;;;;\nEND:VCARD")

    assert contact["name"] == {"formatted_name": "Engines", "first_name": "Engines"}
