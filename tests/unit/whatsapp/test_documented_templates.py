"""
Templates as Meta's pages show them have no flaw, and those it lists can be created again.

The requests are those of https://developers.facebook.com/documentation/business-messaging/whatsapp:
templates/… and for commerce catalogs/… and payments/…; texts are shorter where nothing hangs on it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ruamel.yaml import YAML

from rasa_whatsapp_channel.whatsapp.template_definitions import TemplateDefinition
from rasa_whatsapp_channel.whatsapp.template_rules import find_flaws

PAGES = """
- name: welcome_discount_template  # marketing-templates/custom-marketing-templates
  language: en_US
  category: marketing
  parameter_format: named
  components:
  - {type: header, format: image, example: {header_handle: ["4::aW..."]}}
  - type: body
    text: "Welcome to Lucky Shrub, {{first_name}}!\\n\\nUse code *{{discount_code}}* to get {{discount_amount}} off of your first purchase!"
    example:
      body_text_named_params:
      - {param_name: first_name, example: Pablo}
      - {param_name: discount_code, example: WELCOME20}
      - {param_name: discount_amount, example: 20%}
  - {type: footer, text: "Lucky Shrub: Your gateway to succulents!"}
  - type: buttons
    buttons:
    - {type: url, text: View deals, url: "https://www.luckyshrub.com/deals"}
    - {type: phone_number, text: Call us, phone_number: "+15550051310"}
    - {type: quick_reply, text: Unsubscribe}
- name: seasonal_promotion  # components
  language: en_US
  category: MARKETING
  components:
  - {type: HEADER, format: TEXT, text: "Our {{1}} is on!", example: {header_text: [Summer Sale]}}
  - type: BODY
    text: "Shop now through {{1}} and use code {{2}} to get {{3}} off of all merchandise."
    example: {body_text: [[the end of August, 25OFF, 25%]]}
  - {type: FOOTER, text: Use the buttons below to manage your marketing subscriptions}
  - type: BUTTONS
    buttons:
    - {type: QUICK_REPLY, text: Unsubscribe from Promos}
    - {type: QUICK_REPLY, text: Unsubscribe from All}
- name: order_delivery_update  # utility-templates/location-templates
  language: en_US
  category: UTILITY
  parameter_format: named
  components:
  - {type: HEADER, format: LOCATION}
  - type: BODY
    text: "Good news {{customer_name}}! Your order #{{order_number}} is on its way to the location above. Thank you for your order!"
    example:
      body_text_named_params:
      - {param_name: customer_name, example: Mark}
      - {param_name: order_number, example: "566701"}
  - {type: FOOTER, text: "To stop receiving delivery updates, tap the button below."}
  - {type: BUTTONS, buttons: [{type: QUICK_REPLY, text: Stop Delivery Updates}]}
- name: carousel_template_media_cards_v1  # marketing-templates/media-card-carousel-templates
  language: en_US
  category: marketing
  components:
  - type: body
    text: "Rare succulents for sale! {{1}}, each of these rare succulents are {{2}} if you checkout using code {{3}}. Shop now!"
    example: {body_text: [[Pablo, 30%, 30OFF]]}
  - type: carousel
    cards:
    - &card
      components:
      - {type: header, format: image, example: {header_handle: ["4::an..."]}}
      - type: buttons
        buttons:
        - {type: quick_reply, text: Send me more like this!}
        - type: url
          text: Shop
          url: "https://www.luckyshrub.com/rare-succulents/{{1}}"
          example: [BLUE_ELF]
    - *card
- name: carousel_template_product_cards_v1  # catalogs/product-card-carousel-template-messages
  language: en_US
  category: marketing
  components:
  - type: body
    text: "Rare succulents for sale! {{1}}, add these unique plants to your collection."
    example: {body_text: Pablo}
  - type: carousel
    cards:
    - &product
      components:
      - {type: header, format: product}
      - {type: buttons, buttons: [{type: spm, text: View}]}
    - *product
- name: limited_time_offer_caribbean_pkg_2023  # marketing-templates/limited-time-offer-templates
  language: en_US
  category: marketing
  components:
  - {type: header, format: image, example: {header_handle: ["4::aW..."]}}
  - type: limited_time_offer
    limited_time_offer: {text: Expiring offer!, has_expiration: true}
  - type: body
    text: "Good news, {{1}}! Use code {{2}} to get 25% off all Caribbean Destination packages!"
    example: {body_text: [[Pablo, CARIBE25]]}
  - type: buttons
    buttons:
    - {type: copy_code, example: CARIBE25}
    - type: url
      text: Book now!
      url: "https://awesomedestinations.com/offers?code={{1}}"
      example: ["https://awesomedestinations.com/offers?ref=n3mtql"]
- name: winter_sale_coupon  # marketing-templates/coupon-templates
  language: en_US
  category: MARKETING
  parameter_format: named
  components:
  - {type: HEADER, format: TEXT, text: Our Winter Sale is on!}
  - type: BODY
    text: "Shop now and use the one-time use code {{coupon_code}} to get {{discount}} off of your entire order!"
    example:
      body_text_named_params:
      - {param_name: coupon_code, example: WINTER25}
      - {param_name: discount, example: 30%}
  - type: BUTTONS
    buttons: [{type: QUICK_REPLY, text: Unsubscribe}, {type: COPY_CODE, example: WINTER25}]
- name: intro_catalog_offer  # catalogs/catalog-template-messages
  language: en_US
  category: MARKETING
  components:
  - type: BODY
    text: "Now shop for your favorite products right here on WhatsApp! Get Rs {{1}} off on all orders above {{2}}Rs! Valid for your first {{3}} orders placed on WhatsApp!"
    example: {body_text: [["100", "400", "3"]]}
  - {type: FOOTER, text: Best grocery deals on WhatsApp!}
  - {type: BUTTONS, buttons: [{type: CATALOG, text: View catalog}]}
- name: abandoned_cart  # catalogs/mpm-template-messages
  language: en_US
  category: MARKETING
  components:
  - {type: HEADER, format: TEXT, text: "Forget something, {{1}}?", example: {header_text: [Pablo]}}
  - type: BODY
    text: "Looks like you left these items in your cart, still interested? Use code {{1}} to get 10% off!"
    example: {body_text: [[10OFF]]}
  - {type: BUTTONS, buttons: [{type: MPM, text: View items}]}
- name: spm_template_named_params  # catalogs/spm-template-messages
  language: en_US
  category: marketing
  parameter_format: named
  components:
  - {type: header, format: product}
  - type: body
    text: "Use code {{code}} to get {{percent}} off our newest succulent!"
    example:
      body_text_named_params:
      - {param_name: code, example: 15OFF}
      - {param_name: percent, example: 15%}
  - {type: footer, text: "Offer ends September 22, 2024"}
  - {type: buttons, buttons: [{type: spm, text: View}]}
- name: vip_early_access_call  # marketing-templates/call-permission-request-message-template
  language: en_US
  category: MARKETING
  parameter_format: named
  components:
  - type: body
    text: "Hi {{first_name}}, as a Lucky Shrub VIP, get a first look at our rare new succulents. Can we give you a quick call?"
    example: {body_text_named_params: [{param_name: first_name, example: Pablo}]}
  - {type: call_permission_request}
- name: call_us  # calling/call-button-messages-deep-links
  language: en
  category: MARKETING
  components:
  - {type: BODY, text: You can call us on WhatsApp now for faster service!}
  - type: BUTTONS
    buttons:
    - {type: voice_call, text: Call Now, ttl_minutes: 1440}
    - {type: URL, text: Contact Support, url: "https://www.luckyshrub.com/support"}
- name: share_your_number  # business-scoped-user-ids
  language: en
  category: UTILITY
  components:
  - {type: body, text: Please share your number with us.}
  - {type: buttons, buttons: [{type: REQUEST_CONTACT_INFO}]}
- name: book_a_table  # flows/guides/flows-templates
  language: en_US
  category: MARKETING
  components:
  - {type: BODY, text: Book a table.}
  - type: BUTTONS
    buttons:
    - {type: FLOW, text: Book now, flow_id: "1234567890", flow_action: navigate, navigate_screen: WELCOME_SCREEN}
- name: your_invoice  # payments/payments-br/orderdetailstemplate
  language: pt_BR
  category: UTILITY
  display_format: ORDER_DETAILS
  components:
  - {type: HEADER, format: DOCUMENT, example: {header_handle: ["4::aW..."]}}
  - {type: BODY, text: Your invoice is ready to be paid.}
  - {type: FOOTER, text: Lucky Shrub}
  - {type: BUTTONS, buttons: [{type: ORDER_DETAILS, text: Copy Pix code}]}
- name: your_order_changed  # payments/payments-in/orderstatustemplate
  language: en
  category: UTILITY
  sub_category: ORDER_STATUS
  components:
  - {type: BODY, text: There is news about your order.}
  - {type: FOOTER, text: Lucky Shrub}
- name: login_code  # authentication-templates/copy-code-button-authentication-templates
  language: en_US
  category: authentication
  message_send_ttl_seconds: 60
  components:
  - {type: body, add_security_recommendation: true}
  - {type: footer, code_expiration_minutes: 5}
  - {type: buttons, buttons: [{type: otp, otp_type: copy_code, text: Copy Code}]}
- name: one_tap_auth_template  # authentication-templates/autofill-button-authentication-templates
  language: en_US
  category: authentication
  components:
  - {type: body, add_security_recommendation: true}
  - type: buttons
    buttons:
    - type: otp
      otp_type: one_tap
      text: Copy Code
      autofill_text: Autofill
      supported_apps: [{package_name: com.example.luckyshrub, signature_hash: K8a/AINcGX7}]
- name: zero_tap_auth_template  # authentication-templates/zero-tap-authentication-templates
  language: en_US
  category: authentication
  message_send_ttl_seconds: 60
  components:
  - {type: body, add_security_recommendation: true}
  - {type: footer, code_expiration_minutes: 5}
  - type: buttons
    buttons:
    - type: otp
      otp_type: zero_tap
      text: Copy Code
      autofill_text: Autofill
      zero_tap_terms_accepted: true
      supported_apps: [{package_name: com.example.luckyshrub, signature_hash: K8a/AINcGX7}]
"""  # noqa: E501
DOCUMENTED: list[dict[str, Any]] = YAML(typ="safe").load(PAGES)
BY_NAME = {each["name"]: each for each in DOCUMENTED}


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
