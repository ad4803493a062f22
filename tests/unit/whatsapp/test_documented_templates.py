"""Templates as Meta's pages show them have no flaw, and those it lists can be created again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from support.documented_templates import BY_NAME, DOCUMENTED

from rasa_whatsapp_channel.whatsapp.template_definitions import TemplateDefinition
from rasa_whatsapp_channel.whatsapp.template_rules import find_flaws


@pytest.mark.parametrize("page", DOCUMENTED, ids=lambda page: page["name"])
def test_a_template_of_a_page_has_no_flaw_and_stays_what_it_is(page):
    template = TemplateDefinition.parse(page)

    assert list(find_flaws(template)) == []
    assert TemplateDefinition.parse(template.body()) == template


@pytest.mark.parametrize("key", ["sub_category", "display_format", "message_send_ttl_seconds"])
def test_what_is_written_beside_the_components_is_sent(key):
    pages = [page for page in DOCUMENTED if key in page]

    bodies = [TemplateDefinition.parse(page).body() for page in pages]
    assert pages
    assert [body[key] for body in bodies] == [page[key] for page in pages]


def listed_otp(kind: str, *query: str) -> dict[str, Any]:
    """Return an authentication template as the API lists it: with texts, and a button of a link."""
    link = "&".join((f"https://www.whatsapp.com/otp/code/?otp_type={kind}", *query, "code=otp"))
    return {
        "id": "1261130995521319",
        "name": f"{kind.lower()}_auth_template",
        "language": "en_US",
        "status": "APPROVED",
        "category": "AUTHENTICATION",
        "parameter_format": "POSITIONAL",
        "sub_category": "CUSTOM",
        "components": [
            {
                "type": "BODY",
                "text": "*{{1}}* is your verification code. For your security, do not share it.",
                "add_security_recommendation": True,
                "example": {"body_text": [["123456"]]},
            },
            {"type": "FOOTER", "text": "This code expires in 5 minutes."},
            {
                "type": "BUTTONS",
                "buttons": [
                    {
                        "type": "URL",
                        "text": "Copy Code",
                        "url": f"{link}{{{{1}}}}",
                        "example": [f"{link}123456"],
                    }
                ],
            },
        ],
    }


COPY_CODE = listed_otp("COPY_CODE", "code_expiration_minutes=5")
ZERO_TAP = listed_otp(
    "ZERO_TAP",
    "cta_display_name=Autofill",
    "package_name=com.example.luckyshrub",
    "signature_hash=K8a%2FAINcGX7",
    "code_expiration_minutes=5",
)


@pytest.mark.parametrize(
    ("listed", "page"), [(COPY_CODE, "login_code"), (ZERO_TAP, "zero_tap_auth_template")]
)
def test_a_listed_authentication_template_is_read_as_it_is_created(listed, page):
    template, written = TemplateDefinition.parse(listed), TemplateDefinition.parse(BY_NAME[page])

    assert template.components == written.components
    assert template.content() == written.content()
    assert list(find_flaws(template)) == []
    assert "sub_category" not in template.body()


def test_a_listed_button_without_a_label_has_none():
    (button,) = COPY_CODE["components"][2]["buttons"]
    bare = {key: value for key, value in button.items() if key != "text"}
    parts = [*COPY_CODE["components"][:2], {"type": "BUTTONS", "buttons": [bare]}]

    template = TemplateDefinition.parse({**COPY_CODE, "components": parts})

    assert template.components[2]["buttons"] == [{"type": "OTP", "otp_type": "COPY_CODE"}]


@pytest.mark.parametrize(
    ("page", "key", "value", "told"),
    [
        ("your_order_changed", "parametr_format", "NAMED", "did you mean parameter_format?"),
        ("your_order_changed", "parameter_format", "NUMBERED", "is one of POSITIONAL, NAMED"),
        ("your_order_changed", "message_send_ttl_seconds", 43_201, "is 30 to 43,200"),
        ("login_code", "message_send_ttl_seconds", 901, "is 30 to 900"),
        ("call_us", "message_send_ttl_seconds", 120, "is 43,200 to 2,592,000"),
    ],
)
def test_a_mistake_beside_the_components_is_told(page, key, value, told):
    (flaw,) = find_flaws(TemplateDefinition.parse({**BY_NAME[page], key: value}))

    assert flaw.place == key
    assert told in flaw.problem


def test_keys_that_are_new_at_whatsapp_are_passed_on():
    page = {**BY_NAME["your_order_changed"], "made_up_by_meta": {"a": 1}}

    template = TemplateDefinition.parse(page)

    assert list(find_flaws(template)) == []
    assert template.body()["made_up_by_meta"] == {"a": 1}


def changed(name: str, kind: str, **changes: Any) -> TemplateDefinition:
    """Return a template of a page with *changes* of the component or first button of *kind*."""

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            value = {key: change(part) for key, part in value.items()}
            return value | changes if str(value.get("type")).upper() == kind else value
        return [change(part) for part in value] if isinstance(value, list) else value

    return TemplateDefinition.parse(change(BY_NAME[name]))


@pytest.mark.parametrize(
    ("template", "told"),
    [
        (
            changed("one_tap_auth_template", "OTP", supported_apps=[]),
            "buttons[0].supported_apps are 1 to 5",
        ),
        (
            changed("zero_tap_auth_template", "OTP", zero_tap_terms_accepted=False),
            "buttons[0].zero_tap_terms_accepted must be true",
        ),
        (
            changed("login_code", "OTP", otp_type="two_tap"),
            "buttons[0].otp_type is one of COPY_CODE",
        ),
        (changed("login_code", "OTP", text="x" * 26), "buttons[0].text has 26 characters"),
        (
            changed("book_a_table", "FLOW", flow_id=None),
            "buttons[0] needs one of flow_id, flow_name, flow_json",
        ),
        (
            changed("limited_time_offer_caribbean_pkg_2023", "BODY", text="x" * 601),
            "body.text has 601 characters; 600",
        ),
        (
            changed("limited_time_offer_caribbean_pkg_2023", "URL", type="quick_reply"),
            "buttons lack the URL",
        ),
        (
            changed("limited_time_offer_caribbean_pkg_2023", "HEADER", format="document"),
            "header.format is one of IMAGE, VIDEO",
        ),
        (
            replace(TemplateDefinition.parse(BY_NAME["abandoned_cart"]), category="UTILITY"),
            "category is MARKETING for a template with MPM",
        ),
        (
            replace(
                TemplateDefinition.parse(BY_NAME["spm_template_named_params"]), category="UTILITY"
            ),
            "category is MARKETING for a template with SPM",
        ),
        (
            changed("carousel_template_product_cards_v1", "HEADER", format="location"),
            "cards[0].header.format is one of IMAGE",
        ),
        (
            changed(
                "carousel_template_media_cards_v1",
                "BUTTONS",
                buttons=[{"type": "quick_reply", "text": each} for each in "ABC"],
            ),
            "cards[0].buttons are 1 to 2, not 3",
        ),
        (
            changed("vip_early_access_call", "CALL_PERMISSION_REQUEST", type="call_permission"),
            "components has the type CALL_PERMISSION",
        ),
        (
            replace(
                call := TemplateDefinition.parse(BY_NAME["vip_early_access_call"]),
                components=(
                    *call.components,
                    *TemplateDefinition.parse(BY_NAME["call_us"]).components[1:],
                ),
            ),
            "buttons do not go with CALL_PERMISSION_REQUEST",
        ),
    ],
)
def test_what_the_pages_forbid_is_told(template, told):
    flaws = [f"{flaw.place} {flaw.problem}" for flaw in find_flaws(template)]

    assert any(flaw.startswith(told) for flaw in flaws), flaws


def test_what_has_another_shape_is_no_template():
    from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage

    body = {"type": "BODY", "text": "Hi there"}
    for odd in ("BODY", {"type": "BUTTONS", "buttons": "x"}, {"type": "CAROUSEL", "cards": ["x"]}):
        with pytest.raises(InvalidMessage, match=r"odd\.components"):
            TemplateDefinition.parse(
                {**BY_NAME["call_us"], "name": "odd", "components": [body, odd]}
            )
