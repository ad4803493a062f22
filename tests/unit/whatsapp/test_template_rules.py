"""What WhatsApp would refuse of a template is known before it is asked: one mistake a row."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp_channel.whatsapp.template_definitions import TemplateDefinition
from rasa_whatsapp_channel.whatsapp.template_rules import find_doubled, find_flaws

BODY = {
    "type": "BODY",
    "text": "Hi {{1}}, your table for {{2}} is booked.",
    "example": {"body_text": [["Ana", "4"]]},
}
TEMPLATE: dict[str, Any] = {
    "name": "reservation",
    "language": "en_US",
    "category": "UTILITY",
    "components": [
        {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::aW1h"]}},
        BODY,
        {"type": "FOOTER", "text": "Reply STOP to opt out"},
        {
            "type": "BUTTONS",
            "buttons": [
                {
                    "type": "URL",
                    "text": "Change",
                    "url": "https://example.com/r/{{1}}",
                    "example": ["https://example.com/r/42"],
                },
                {"type": "PHONE_NUMBER", "text": "Call us", "phone_number": "+15550051310"},
                {"type": "QUICK_REPLY", "text": "Cancel"},
            ],
        },
    ],
}
NAMED = {
    "parameter_format": "NAMED",
    "components": [
        {
            "type": "BODY",
            "text": "Hi {{first_name}}, your table is booked.",
            "example": {"body_text_named_params": [{"param_name": "first_name", "example": "Ana"}]},
        }
    ],
}
LOGIN = {
    "category": "AUTHENTICATION",
    "components": [
        {"type": "BODY", "add_security_recommendation": True},
        {"type": "FOOTER", "code_expiration_minutes": 10},
        {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}]},
    ],
}
OFFER = {
    "category": "MARKETING",
    "components": [
        {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "Ends soon"}},
        {"type": "BODY", "text": "Two nights for one."},
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "COPY_CODE", "example": "250FF"},
                {"type": "URL", "text": "Book", "url": "https://example.com/book"},
            ],
        },
    ],
}


def login(*parts: dict[str, Any], minutes: int = 10, **button: Any) -> dict[str, Any]:
    """LOGIN with *parts* before its own, and with other values of its button."""
    otp = {"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy", **button}
    components = [
        *parts,
        {"type": "BODY"},
        {"type": "FOOTER", "code_expiration_minutes": minutes},
        {"type": "BUTTONS", "buttons": [otp]},
    ]
    return {**LOGIN, "components": components}


def app(signature_hash: str = "x" * 11) -> dict[str, Any]:
    return {"package_name": "com.example.shop", "signature_hash": signature_hash}


def card(*buttons: dict[str, Any], text: str = "A chair") -> dict[str, Any]:
    return {
        "components": [
            {"type": "HEADER", "format": "IMAGE", "example": {"header_handle": ["4::a"]}},
            {"type": "BODY", "text": text},
            {"type": "BUTTONS", "buttons": list(buttons or (reply("Buy"),))},
        ]
    }


def reply(text: str) -> dict[str, Any]:
    return {"type": "QUICK_REPLY", "text": text}


def cards(*given: dict[str, Any]) -> dict[str, Any]:
    return {
        "category": "MARKETING",
        "components": [
            {"type": "BODY", "text": "Our chairs"},
            {"type": "CAROUSEL", "cards": list(given)},
        ],
    }


def flaws(**changes: Any) -> list[str]:
    template = TemplateDefinition.parse({**TEMPLATE, **changes})
    return [f"{flaw.place} {flaw.problem}" for flaw in find_flaws(template)]


def only(*parts: dict[str, Any]) -> dict[str, Any]:
    kinds = [part["type"] for part in parts]
    rest = [] if "BODY" in kinds else [{"type": "BODY", "text": "Your table is booked."}]
    return {"components": [*rest, *parts]}


def body(text: str, *samples: str) -> dict[str, Any]:
    example = {"example": {"body_text": [list(samples)]}} if samples else {}
    return only({"type": "BODY", "text": text, **example})


def buttons(*given: dict[str, Any]) -> dict[str, Any]:
    return only({"type": "BUTTONS", "buttons": list(given)})


def url(address: str, **more: Any) -> dict[str, Any]:
    return {"type": "URL", "text": "Open", "url": address, **more}


@pytest.mark.parametrize("right", [{}, NAMED, LOGIN, OFFER, cards(card(), card())])
def test_a_template_that_is_right_has_no_flaws(right):
    assert flaws(**right) == []


MISTAKES = [
    ({"name": "Order-Shipped"}, "name takes a-z, 0-9 and _"),
    ({"name": "a" * 513}, "name takes a-z, 0-9 and _, at most 512"),
    ({"language": "english"}, "language 'english' is none"),
    ({"category": "TRANSACTIONAL"}, "category is one of UTILITY"),
    ({"components": [{"type": "FOOTER", "text": "x"}]}, "body is missing"),
    (only({"type": "TITLE", "text": "x"}), "components has the type TITLE"),
    (only(BODY, BODY), "components has BODY more than once"),
    (body("  "), "body.text is empty"),
    (body("x" * 1025), "body.text has 1,025 characters; 1,024 are the most"),
    (body("{{1}}, your table is booked", "Ana"), "body.text begins with a variable"),
    (body("Your table is booked, {{1}}!", "Ana"), "body.text ends with a variable"),
    (body("Dear {{1}} {{2}}, your table is booked", "A", "B"), "body.text has two variables side"),
    (body("Hi {{1}} and {{2}} and", "A", "B"), "body.text has 2 variables and only 3 words"),
    (body("Hi {{1}}, your table is booked"), "body.example lacks a sample value for 1 of 1"),
    (body("Hi {{1}}, table {{3}} is booked", "A", "B"), "body.text has numbers that do not count"),
    (body("Hi {{name}}, your table is booked", "A"), "body.text has the variable {{name}}"),
    (body("Hi {{1}, your table is booked", "A"), "body.text has braces that are no variable"),
    (body("Hi\t there"), "body.text takes no tab"),
    (
        {
            **NAMED,
            "components": [
                {
                    "type": "BODY",
                    "text": "Hi {{First}}, your table is booked",
                    "example": {
                        "body_text_named_params": [{"param_name": "First", "example": "A"}]
                    },
                }
            ],
        },
        "body.text has the variable {{First}}",
    ),
    (only({"type": "HEADER", "format": "AUDIO"}), "header.format is one of TEXT"),
    (only({"type": "HEADER", "format": "VIDEO"}), "header needs a sample file for its VIDEO"),
    (only({"type": "HEADER", "text": "x" * 61}), "header.text has 61 characters; 60"),
    (only({"type": "HEADER", "text": "*Hello*"}), "header.text takes no formatting"),
    (
        only(
            {
                "type": "HEADER",
                "text": "Hi {{1}} of {{2}}",
                "example": {"header_text": ["a", "b"]},
            }
        ),
        "header.text has one variable at most",
    ),
    (only({"type": "HEADER", "text": "Hi {{1}}"}), "header.example lacks a sample value"),
    (only({"type": "FOOTER", "text": "x" * 61}), "footer.text has 61 characters; 60"),
    (only({"type": "FOOTER", "text": "Yours, {{1}}"}), "footer.text takes no variable"),
    (buttons(), "buttons are 1 to 10, not 0"),
    (buttons(*(reply(f"No {n}") for n in range(11))), "buttons are 1 to 10, not 11"),
    (buttons(reply("x" * 26)), "buttons[0].text has 26 characters; 25"),
    (buttons(reply("Yes"), reply("Yes")), "buttons have the label 'Yes' twice"),
    (buttons({"type": "CALL", "text": "x"}), "buttons have the type CALL"),
    (
        buttons(*(url("https://a.example", text=f"No {n}") for n in range(3))),
        "buttons have 3 of type URL; 2 are the most",
    ),
    (
        buttons(reply("A"), url("https://a.example"), reply("B")),
        "buttons have quick replies in two places",
    ),
    (buttons(url("www.example.com")), "buttons[0].url is no address"),
    (buttons(url("https://a.example/" + "x" * 2000)), "buttons[0].url has 2,018 characters"),
    (
        buttons(url("https://a.example/{{1}}/x", example=["https://a.example/1/x"])),
        "buttons[0].url takes one variable, at its end",
    ),
    (buttons(url("https://a.example/{{1}}")), "buttons[0].example lacks a whole address"),
    (
        buttons({"type": "PHONE_NUMBER", "text": "Call", "phone_number": "call me"}),
        "buttons[0].phone_number is no number",
    ),
    (
        {
            **OFFER,
            **only({"type": "BUTTONS", "buttons": [{"type": "COPY_CODE", "example": "x" * 21}]}),
        },
        "buttons[0].example is a sample code of 1 to 20",
    ),
    (buttons({"type": "COPY_CODE", "example": "250FF"}), "category is MARKETING for a template"),
    (
        {**OFFER, "components": [*OFFER["components"], {"type": "FOOTER", "text": "x"}]},
        "footer a template with a limited time offer has none",
    ),
    (
        {
            **OFFER,
            "components": [
                {"type": "LIMITED_TIME_OFFER", "limited_time_offer": {"text": "x" * 17}},
                *OFFER["components"][1:],
            ],
        },
        "limited_time_offer.text has 17 characters; 16",
    ),
    ({**LOGIN, "components": LOGIN["components"][:2]}, "buttons of an authentication template"),
    (
        {
            **LOGIN,
            "components": [{"type": "BODY", "text": "Code {{1}} it is"}, *LOGIN["components"][2:]],
        },
        "body WhatsApp writes the text",
    ),
    (login({"type": "HEADER", "text": "Hi"}), "header an authentication template has none"),
    (login(minutes=0), "footer.code_expiration_minutes is 1 to 90"),
    (login(minutes=91), "footer.code_expiration_minutes is 1 to 90"),
    (login(otp_type="MAGIC"), "buttons[0].otp_type is one of COPY_CODE, ONE_TAP, ZERO_TAP"),
    (login(text="x" * 26), "buttons[0].text has 26 characters; 25"),
    (login(otp_type="ONE_TAP"), "buttons[0].supported_apps are 1 to 5"),
    (login(otp_type="ONE_TAP", supported_apps=[app("x" * 10)]), "buttons[0].supported_apps are 1"),
    (login(otp_type="ONE_TAP", supported_apps=[app()] * 6), "buttons[0].supported_apps are 1 to 5"),
    (
        login(otp_type="ZERO_TAP", supported_apps=[app()]),
        "buttons[0].zero_tap_terms_accepted must be true",
    ),
    (cards(card()), "carousel has 2 to 10 cards, not 1"),
    (cards(card(), card(reply("A"), reply("B"))), "carousel needs the same components"),
    (cards(card(), card(text="x" * 161)), "cards[1].body.text has 161 characters; 160"),
]


@pytest.mark.parametrize(("changes", "told"), MISTAKES)
def test_a_mistake_is_told_alone_with_its_place(changes, told):
    (flaw,) = flaws(**changes)

    assert flaw.startswith(told)


def test_two_templates_of_one_name_and_language_are_one_too_many():
    one = TemplateDefinition.parse(TEMPLATE)
    other = TemplateDefinition.parse({**TEMPLATE, "language": "de"})

    assert list(find_doubled([one, other, one])) == [("reservation", "en_US")]


def test_the_same_template_in_another_spelling_says_the_same():
    spelt = {
        **TEMPLATE,
        "category": "utility",
        "components": [
            {**each, "type": each["type"].lower()} for each in reversed(TEMPLATE["components"])
        ],
    }
    listed = TemplateDefinition.parse(spelt)
    other = TemplateDefinition.parse({**spelt, **body("Hi {{1}}, your table is free", "Ana")})

    assert listed.content() == TemplateDefinition.parse(TEMPLATE).content()
    assert listed.content() != other.content()
