"""
Templates as Meta's pages show them.

The requests are those of https://developers.facebook.com/documentation/business-messaging/whatsapp:
templates/… and for commerce catalogs/… and payments/…; texts are shorter where nothing hangs on it.
"""

from __future__ import annotations

from typing import Any

from ruamel.yaml import YAML

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
