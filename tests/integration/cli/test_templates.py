"""`rasa-whatsapp templates`: from the bot to WhatsApp and back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from support.eventually import eventually

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

DOMAIN = """
slots:
  name: {type: text, initial_value: "Ada"}
  order: {type: text}
responses:
  utter_shipped:
  - text: "Hello {name}, your **order** {order} is on its way."
    image: "media/parcel.jpg"
    buttons:
    - {title: "Thanks", payload: "/thank"}
    - {title: "Follow it", type: web_url, url: "https://shop.example/orders/{order}"}
    - {title: "Call us", type: phone_number, payload: "+15550783881"}
    custom:
      whatsapp:
        footer: "Reply STOP to opt out"
        template:
          language: en_US
          body: {name: "{name}", order: "{order}"}
          buttons: ["/thank", "{order}", ""]
          examples: {order: "42"}
  utter_closed:
  - text: "We are closed on Monday."
    metadata: {whatsapp: {header: "Hours", template: {category: utility, language: en}}}
  utter_by_hand:
  - text: "Are you there?"
    metadata: {whatsapp: {template: {name: hello_world, language: en_US}}}
  utter_plain:
  - text: "Hi"
"""
FILE = """
- name: reservation
  language: en_US
  category: UTILITY
  parameter_format: NAMED
  message_send_ttl_seconds: 43200
  components:
  - type: HEADER
    format: TEXT
    text: "Table for {{guests}}"
    example: {header_text_named_params: [{param_name: guests, example: "4"}]}
  - type: BODY
    text: "Hi {{name}}, your table is booked."
    example: {body_text_named_params: [{param_name: name, example: Ana}]}
  - {type: FOOTER, text: "Lucky Shrub"}
  - type: BUTTONS
    buttons:
    - type: URL
      text: Change
      url: "https://example.com/r/{{1}}"
      example: ["https://example.com/r/42"]
    - {type: PHONE_NUMBER, text: Call us, phone_number: "+15550051310"}
    - {type: QUICK_REPLY, text: Cancel}
- name: terms
  language: de
  category: UTILITY
  components:
  - {type: HEADER, format: DOCUMENT, example: {header_handle: [media/terms.pdf]}}
  - type: BODY
    text: "Wir haben unsere Bedingungen {{1}} Mal ge\u00e4ndert."
    example: {body_text: [["zwei"]]}
  - type: BUTTONS
    buttons:
    - {type: FLOW, text: Open, flow_id: "123", flow_action: navigate, navigate_screen: START}
- name: where_we_are
  language: en
  category: UTILITY
  components:
  - {type: HEADER, format: LOCATION}
  - {type: BODY, text: "Here we are."}
  - {type: BUTTONS, buttons: [{type: VOICE_CALL, text: Call}, {type: REQUEST_CONTACT_INFO}]}
- name: weekend
  language: en
  category: MARKETING
  components:
  - {type: LIMITED_TIME_OFFER, limited_time_offer: {text: Ends soon, has_expiration: true}}
  - {type: BODY, text: "Two nights for one."}
  - type: BUTTONS
    buttons:
    - {type: COPY_CODE, example: 250FF}
    - {type: URL, text: Book, url: "https://shop.example/book"}
- name: chairs
  language: en
  category: MARKETING
  components:
  - {type: BODY, text: "Our chairs"}
  - type: CAROUSEL
    cards:
    - components:
      - {type: HEADER, format: IMAGE, example: {header_handle: [media/parcel.jpg]}}
      - {type: BODY, text: "A red one"}
      - {type: BUTTONS, buttons: [{type: QUICK_REPLY, text: Buy}]}
    - components:
      - {type: HEADER, format: IMAGE, example: {header_handle: [media/parcel.jpg]}}
      - {type: BODY, text: "A blue one"}
      - {type: BUTTONS, buttons: [{type: QUICK_REPLY, text: Buy}]}
- name: catalog
  language: en
  category: MARKETING
  components:
  - {type: BODY, text: "All we have"}
  - {type: BUTTONS, buttons: [{type: CATALOG, text: View catalog}]}
- name: login_code
  language: en_US
  category: AUTHENTICATION
  message_send_ttl_seconds: 600
  components:
  - {type: BODY, add_security_recommendation: true}
  - {type: FOOTER, code_expiration_minutes: 10}
  - {type: BUTTONS, buttons: [{type: OTP, otp_type: COPY_CODE, text: Copy code}]}
- name: may_we_ring
  language: en
  category: UTILITY
  components:
  - {type: BODY, text: "May we call you about it?"}
  - {type: CALL_PERMISSION_REQUEST}
"""
# Every other kind of header, button and template that WhatsApp documents.
MORE = """
- name: moving_picture
  language: en
  category: MARKETING
  components:
  - {type: HEADER, format: GIF, example: {header_handle: [media/clip.mp4]}}
  - {type: BODY, text: "Look here"}
- name: film
  language: en
  category: MARKETING
  components:
  - {type: HEADER, format: VIDEO, example: {header_handle: [media/clip.mp4]}}
  - {type: BODY, text: "Look there"}
- name: items
  language: en
  category: MARKETING
  components:
  - {type: HEADER, format: TEXT, text: "Forget something, {{1}}?", example: {header_text: [Ada]}}
  - {type: BODY, text: "You left these items in your cart."}
  - {type: BUTTONS, buttons: [{type: MPM, text: View items}]}
- name: one_item
  language: en
  category: MARKETING
  components:
  - {type: HEADER, format: PRODUCT}
  - {type: BODY, text: "Our newest chair"}
  - {type: FOOTER, text: "Until Sunday"}
  - {type: BUTTONS, buttons: [{type: SPM, text: View}]}
- name: product_cards
  language: en
  category: MARKETING
  components:
  - {type: BODY, text: "For you, {{1}}, and nobody else", example: {body_text: Ada}}
  - type: CAROUSEL
    cards:
    - components:
      - {type: HEADER, format: PRODUCT}
      - {type: BUTTONS, buttons: [{type: SPM, text: View}]}
    - components:
      - {type: HEADER, format: PRODUCT}
      - {type: BUTTONS, buttons: [{type: SPM, text: View}]}
- name: bill
  language: pt_BR
  category: UTILITY
  display_format: ORDER_DETAILS
  components:
  - {type: BODY, text: "Your bill is ready."}
  - {type: BUTTONS, buttons: [{type: ORDER_DETAILS, text: Review and pay}]}
- name: order_news
  language: en
  category: UTILITY
  sub_category: ORDER_STATUS
  components:
  - {type: BODY, text: "There is news about your order."}
- name: order_button
  language: en
  category: UTILITY
  components:
  - {type: BODY, text: "Look at your order."}
  - {type: BUTTONS, buttons: [{type: ORDER_STATUS, text: View order}]}
- name: one_tap
  language: en_US
  category: AUTHENTICATION
  components:
  - {type: BODY}
  - type: BUTTONS
    buttons: &tap
    - type: OTP
      otp_type: ONE_TAP
      autofill_text: Autofill
      text: Copy code
      supported_apps: [{package_name: com.example.shop, signature_hash: K8a/AINcGX7}]
- name: zero_tap
  language: en_US
  category: AUTHENTICATION
  components:
  - {type: BODY, add_security_recommendation: true}
  - {type: FOOTER, code_expiration_minutes: 5}
  - type: BUTTONS
    buttons:
    - type: OTP
      otp_type: ZERO_TAP
      zero_tap_terms_accepted: true
      text: Copy code
      supported_apps: [{package_name: com.example.shop, signature_hash: K8a/AINcGX7}]
"""
MORE_NAMES = [
    *("bill", "film", "items", "moving_picture", "one_item", "one_tap", "order_button"),
    *("order_news", "product_cards", "utter_closed", "utter_shipped", "zero_tap"),
]
JPEG = b"\xff\xd8\xff\xe0 a picture"
NAMES = [
    *("catalog", "chairs", "login_code", "may_we_ring", "reservation", "terms", "utter_closed"),
    *("utter_shipped", "weekend", "where_we_are"),
]


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    (tmp_path / "media").mkdir()
    (tmp_path / "media/parcel.jpg").write_bytes(JPEG)
    (tmp_path / "media/clip.mp4").write_bytes(b"\0\0\0\x18ftypmp42")
    (tmp_path / "media/terms.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    (tmp_path / "domain.yml").write_text(DOMAIN, encoding="utf-8")
    (tmp_path / "templates.yml").write_text(FILE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def reword(bot: Path):
    def reword(old: str, new: str, file: str = "domain.yml") -> None:
        text = (bot / file).read_text(encoding="utf-8")
        assert old in text
        (bot / file).write_text(text.replace(old, new), encoding="utf-8")

    return reword


async def post(url: str, **body: Any) -> None:
    async with aiohttp.ClientSession() as session, session.post(url, json=body) as answer:
        assert answer.status == 200, await answer.text()


async def decide(simulator, name: str, language: str = "en", **body: Any) -> None:
    await post(f"{simulator.url}/simulator/templates/{name}/{language}", **body)


async def at_whatsapp(simulator) -> dict[str, dict[str, Any]]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"{simulator.url}/simulator/templates") as answer,
    ):
        return {each["name"]: each for each in await answer.json()}


@pytest.fixture
async def simulator(start):
    return await start(review=0.0)


async def approved(simulator, *names: str) -> None:
    async def are_approved() -> bool:
        found = await at_whatsapp(simulator)
        return all(found[name]["status"] == "APPROVED" for name in names)

    await eventually(are_approved)


@pytest.mark.parametrize(
    ("file", "names"), [(FILE, NAMES), (MORE, MORE_NAMES)], ids=["file", "more"]
)
async def test_what_is_pushed_and_pulled_differs_in_nothing(
    rasa_whatsapp, simulator, bot, file, names
):
    (bot / "templates.yml").write_text(file, encoding="utf-8")
    pushed = await rasa_whatsapp("templates", "push")
    assert pushed.exit_code == 0, pushed.output
    await approved(simulator, *names)
    pulled = await rasa_whatsapp("templates", "pull")
    assert pulled.exit_code == 0, pulled.output

    done = await rasa_whatsapp("templates", "diff")

    assert done.exit_code == 0, done.output
    assert "0 not." in done.stdout
    assert (await rasa_whatsapp("templates", "lint")).exit_code == 0
    text = (bot / "templates.yml").read_text(encoding="utf-8")
    assert "utter_shipped" not in text
    assert [name for name in names if f"name: {name}\n" in text] == [
        name for name in names if not name.startswith("utter_")
    ]


async def test_a_response_is_the_template(rasa_whatsapp, simulator, bot):
    await rasa_whatsapp("templates", "push")

    template = (await at_whatsapp(simulator))["utter_shipped"]

    header, body, footer, buttons = template["components"]
    assert (template["category"], template["parameter_format"]) == ("UTILITY", "NAMED")
    assert (header["type"], header["format"]) == ("HEADER", "IMAGE")
    assert body["text"] == "Hello {{name}}, your *order* {{order}} is on its way."
    assert body["example"]["body_text_named_params"] == [
        {"param_name": "name", "example": "Ada"},
        {"param_name": "order", "example": "42"},
    ]
    assert footer["text"] == "Reply STOP to opt out"
    assert buttons["buttons"] == [
        {"type": "QUICK_REPLY", "text": "Thanks"},
        {
            "type": "URL",
            "text": "Follow it",
            "url": "https://shop.example/orders/{{1}}",
            "example": ["https://shop.example/orders/42"],
        },
        {"type": "PHONE_NUMBER", "text": "Call us", "phone_number": "+15550783881"},
    ]


async def test_a_slot_in_the_header_is_a_variable_too(rasa_whatsapp, simulator, bot):
    (bot / "domain.yml").write_text(
        """
slots:
  shop: {type: text, initial_value: "Lake"}
responses:
  utter_hours:
  - text: "We are closed on Monday."
    custom:
      whatsapp:
        header: "The shop at the {shop}"
        template: {language: en, header: {shop: "{shop}"}}
"""
    )

    pushed = await rasa_whatsapp("templates", "push")

    assert pushed.exit_code == 0, pushed.output
    template = (await at_whatsapp(simulator))["utter_hours"]
    assert template["parameter_format"] == "NAMED"
    assert template["components"][0] == {
        "type": "HEADER",
        "text": "The shop at the {{shop}}",
        "example": {"header_text_named_params": [{"param_name": "shop", "example": "Lake"}]},
        "format": "TEXT",
    }


@pytest.mark.parametrize(
    ("examples", "mistakes"), [({"photo": "media/parcel.jpg"}, []), ({}, ["header"])]
)
async def test_a_picture_that_a_slot_chooses_has_a_sample(
    rasa_whatsapp, simulator, bot, examples, mistakes
):
    (bot / "domain.yml").write_text(
        f"""
slots:
  photo: {{type: text}}
responses:
  utter_look:
  - text: "Look at this."
    image: "{{photo}}"
    metadata: {{whatsapp: {{template: {{language: en, examples: {json.dumps(examples)}}}}}}}
"""
    )

    lint = await rasa_whatsapp("templates", "lint", "--json")
    await rasa_whatsapp("templates", "push")

    assert [each["part"] for each in json.loads(lint.stdout)["mistakes"]] == mistakes
    assert ("utter_look" in await at_whatsapp(simulator)) == (not mistakes)


async def test_slots_where_whatsapp_takes_no_variable_are_told(rasa_whatsapp, bot):
    (bot / "templates.yml").unlink()
    (bot / "domain.yml").write_text(
        """
slots:
  shop: {type: text, initial_value: "Lake"}
responses:
  utter_hours:
  - text: "We are closed on Monday."
    buttons: [{title: "Go to {shop}", payload: "/go"}]
    custom:
      whatsapp: {header: "At the {shop}", footer: "Your {shop}", template: {language: en}}
"""
    )

    told = json.loads((await rasa_whatsapp("templates", "lint", "--json")).stdout)

    lack = 'has no value for {shop}; write header: {shop: "{shop}"} below custom.whatsapp.template'
    assert [(each["part"], each["problem"]) for each in told["mistakes"]] == [
        ("header", lack),
        ("footer.text", "takes no variable"),
        ("buttons[0].text", "takes no variable and no line break"),
    ]


async def test_the_header_that_is_sent_is_the_one_that_was_pushed(rasa_whatsapp, simulator, bot):
    response = {
        "utter_action": "utter_both",
        "text": "Look here",
        "image": "media/parcel.jpg",
        "attachment": {"type": "document", "path": "media/terms.pdf"},
        "metadata": {"whatsapp": {"template": {"language": "en"}}},
    }
    written = {key: each for key, each in response.items() if key != "utter_action"}
    (bot / "domain.yml").write_text(f"responses:\n  utter_both:\n  - {json.dumps(written)}\n")

    pushed = await rasa_whatsapp("templates", "push")
    assert pushed.exit_code == 0, pushed.output

    sent = compose(response, api=CLOUD).template
    assert sent is not None
    (parameter,) = sent.content()["components"][0]["parameters"]
    header = (await at_whatsapp(simulator))["utter_both"]["components"][0]
    assert header["format"].lower() == parameter["type"] == "image"


async def test_what_is_written_beside_the_components_is_pushed_and_pulled(
    rasa_whatsapp, simulator, bot
):
    (bot / "templates.yml").write_text(MORE, encoding="utf-8")
    await rasa_whatsapp("templates", "push")
    await rasa_whatsapp("templates", "pull")

    found = await at_whatsapp(simulator)
    assert found["order_news"]["sub_category"] == "ORDER_STATUS"
    assert found["bill"]["display_format"] == "ORDER_DETAILS"
    assert "sub_category: ORDER_STATUS" in (bot / "templates.yml").read_text(encoding="utf-8")


async def test_variations_in_several_languages_are_one_template_in_these(
    rasa_whatsapp, simulator, bot
):
    (bot / "domain.yml").write_text(
        """
slots:
  language: {type: categorical, values: [en, de]}
responses:
  utter_open:
  - text: "We are open."
    condition: [{type: slot, name: language, value: en}]
    metadata: {whatsapp: {template: {language: en}}}
  - text: "Wir haben offen."
    condition: [{type: slot, name: language, value: de}]
    metadata: {whatsapp: {template: {language: de}}}
"""
    )

    await rasa_whatsapp("templates", "push")

    listed = json.loads((await rasa_whatsapp("templates", "list", "--json")).stdout)
    mine = [each["language"] for each in listed if each["from"] == "utter_open"]
    assert mine == ["de", "en"]


async def test_what_is_there_already_is_not_sent_again(rasa_whatsapp, simulator, bot):
    await rasa_whatsapp("templates", "push")

    again = await rasa_whatsapp("templates", "push")

    assert again.stdout == "Everything is at WhatsApp as it is here.\n"


async def test_before_the_push_the_difference_ends_with_one(rasa_whatsapp, simulator, bot):
    done = await rasa_whatsapp("templates", "diff")

    assert done.exit_code == 1
    assert "create utter_shipped (en_US)" in done.stdout
    assert "0 templates as at WhatsApp, 10 not." in done.stdout


async def test_another_text_of_what_is_approved_gets_another_name(
    rasa_whatsapp, simulator, bot, reword
):
    await rasa_whatsapp("templates", "push")
    await approved(simulator, *NAMES)
    reword("closed on Monday", "closed on Tuesday")

    differs = await rasa_whatsapp("templates", "diff")
    assert differs.exit_code == 1
    assert "- components: {'type': 'BODY', 'text': 'We are closed on Monday.'}" in differs.stdout
    assert "+ components: {'type': 'BODY', 'text': 'We are closed on Tuesday.'}" in differs.stdout
    pushed = await rasa_whatsapp("templates", "push")
    assert "write `version: 2` in domain.yml:" in pushed.stdout
    waits = await rasa_whatsapp("templates", "push")
    assert "utter_closed_v2 has this text and is" in waits.stdout

    found = await at_whatsapp(simulator)
    assert found["utter_closed"]["components"][1]["text"] == "We are closed on Monday."
    assert found["utter_closed_v2"]["components"][1]["text"] == "We are closed on Tuesday."
    assert "utter_closed_v3" not in found
    reword("template: {category: utility, ", "template: {version: 2, category: utility, ")
    assert (await rasa_whatsapp("templates", "diff")).exit_code == 0


async def test_what_was_rejected_is_edited(rasa_whatsapp, simulator, bot, reword):
    reword("We are closed on Monday", "We are at the casino on Monday")
    await rasa_whatsapp("templates", "push")

    async def rejected() -> Any:
        listed = await rasa_whatsapp("templates", "list", "--json")
        row = next(each for each in json.loads(listed.stdout) if each["name"] == "utter_closed")
        return row if row["status"] == "REJECTED" else None

    assert (await eventually(rejected))["details"] == "ABUSIVE_CONTENT"
    reword("at the casino", "at the lake")

    pushed = await rasa_whatsapp("templates", "push")

    assert "edit utter_closed (en)" in pushed.stdout
    await approved(simulator, "utter_closed")


async def test_the_list_shows_status_quality_and_where_it_is_written(rasa_whatsapp, simulator, bot):
    await rasa_whatsapp("templates", "push")
    await decide(simulator, "utter_closed", quality="RED", status="APPROVED")

    done = await rasa_whatsapp("templates", "list")

    row = next(line.split() for line in done.stdout.splitlines() if "utter_closed" in line)
    assert row == ["utter_closed", "en", "UTILITY", "PAUSED", "RED", "utter_closed"]


async def test_whatsapp_may_choose_another_category_and_that_is_said(
    rasa_whatsapp, simulator, bot, reword
):
    reword("We are closed on Monday", "Our sale is on Monday")

    done = await rasa_whatsapp("templates", "push")

    assert "WhatsApp made it MARKETING, not UTILITY" in done.stdout
    await approved(simulator, "utter_closed")
    again = await rasa_whatsapp("templates", "push")
    assert "WhatsApp calls it MARKETING: write that category in domain.yml:" in again.stdout
    assert "utter_closed_v2" not in await at_whatsapp(simulator)
    assert (await rasa_whatsapp("templates", "diff")).exit_code == 1

    reword("template: {category: utility, ", "template: {category: marketing, ")
    assert (await rasa_whatsapp("templates", "diff")).exit_code == 0


async def test_mistakes_are_told_with_their_line_and_nothing_is_sent(
    rasa_whatsapp, simulator, bot, reword
):
    reword('body: {name: "{name}", order: "{order}"}', 'body: {name: "{name}"}')
    reword('examples: {order: "42"}', "examples: {}")
    reword("Lucky Shrub", "Lucky {{1}}", "templates.yml")

    lint = await rasa_whatsapp("templates", "lint", "--json")
    push = await rasa_whatsapp("templates", "push")

    told = json.loads(lint.stdout)
    mistakes = [(each["place"], each["part"]) for each in told["mistakes"]]
    assert (lint.exit_code, push.exit_code) == (1, 1)
    assert mistakes == [
        ("domain.yml:16", "body"),
        ("domain.yml:16", "body.example"),
        ("templates.yml:2", "footer.text"),
    ]
    assert "utter_shipped" not in await at_whatsapp(simulator)
    assert "Nothing was sent" in push.stderr


async def test_lint_of_the_bot_knows_its_templates_too(rasa_whatsapp, bot, reword):
    reword("language: en_US\n          body", "language: english\n          body")

    done = await rasa_whatsapp("lint")

    assert done.exit_code == 1
    assert "domain.yml:16: error WA630 utter_shipped: template utter_shipped" in done.stdout


async def test_a_dry_run_sends_nothing(rasa_whatsapp, simulator, bot):
    done = await rasa_whatsapp("templates", "push", "--dry-run", "--json")

    changes = json.loads(done.stdout)["changes"]
    assert {each["step"] for each in changes} == {"create"}
    assert "utter_shipped" not in await at_whatsapp(simulator)


async def test_one_is_deleted_in_one_language_after_a_question(rasa_whatsapp, simulator, bot):
    no = await rasa_whatsapp("templates", "delete", "write_again", "--language", "de", input="n\n")
    assert no.exit_code == 1
    done = await rasa_whatsapp("templates", "delete", "write_again", "--language", "de", "--yes")
    assert done.stdout == "Deleted: write_again (de)\n"

    listed = await rasa_whatsapp("templates", "list", "--json")

    languages = [
        each["language"] for each in json.loads(listed.stdout) if each["name"] == "write_again"
    ]
    assert languages == ["en_US"]
    missing = await rasa_whatsapp("templates", "delete", "write_again", "--language", "de")
    assert "There is no template write_again in de." in missing.stderr


async def test_a_missing_sample_is_told_and_what_follows_goes_next_time(
    rasa_whatsapp, simulator, bot
):
    (bot / "media/terms.pdf").unlink()

    done = await rasa_whatsapp("templates", "push")

    assert done.exit_code == 1
    assert "terms (de): header: media/terms.pdf: No such file" in done.stderr
    assert "6 templates after it not sent" in done.stderr
    assert "reservation" in await at_whatsapp(simulator)


# a WhatsApp that is not at its best


class Graph:
    """Answers the requests for templates with what *answers* holds, one after the other."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Any]] = []
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.Response:
        if request.path.endswith("/debug_token"):
            scope = {"scope": "whatsapp_business_management", "target_ids": ["1"]}
            return web.json_response({"data": {"app_id": "7", "granular_scopes": [scope]}})
        self.asked.append(f"{request.method} {request.path_qs}")
        status, body = self.answers.pop(0) if self.answers else (200, {"data": []})
        if isinstance(body, str):
            return web.Response(text=body, status=status)
        return web.json_response(body, status=status)


@pytest.fixture
async def graph(tmp_path: Path) -> AsyncIterator[Graph]:
    graph = Graph()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", graph.answer)
    server = TestServer(app)
    await server.start_server()
    url = str(server.make_url("/")).rstrip("/")
    (tmp_path / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n"
        f'  base_url: "{url}"\n  phone_number_id: "106540352242922"\n'
        "  access_token: secret-token\n  app_secret: x\n  verify_token: y\n"
    )
    (tmp_path / "domain.yml").write_text(DOMAIN, encoding="utf-8")
    yield graph
    await server.close()


def row(name: str) -> dict[str, Any]:
    body = {"type": "BODY", "text": "Hi"}
    return {
        "id": name,
        "name": name,
        "language": "en",
        "category": "UTILITY",
        "status": "APPROVED",
        "components": [body],
    }


async def test_all_pages_are_read(rasa_whatsapp, graph):
    for number in range(3):
        paging = {"cursors": {"before": "a", "after": f"c{number}"}, "next": "https://x/"}
        page = {"data": [row(f"a{number}")], "paging": paging if number < 2 else {}}
        graph.answers.append((200, page))

    done = await rasa_whatsapp("templates", "list", "--json")

    assert [each["name"] for each in json.loads(done.stdout)] == ["a0", "a1", "a2"]
    assert [asked.partition("after=")[2] for asked in graph.asked] == ["", "c0", "c1"]


async def test_pages_that_never_end_are_left_at_some_time(rasa_whatsapp, graph):
    page = {"data": [row("a")], "paging": {"cursors": {"after": "c"}, "next": "https://x/"}}
    graph.answers = [(200, page)] * 500

    done = await rasa_whatsapp("templates", "list", "--json")

    assert [each["name"] for each in json.loads(done.stdout)] == ["a"]


EXPIRED = {
    "error": {
        "message": "Error validating access token: Session has expired",
        "type": "OAuthException",
        "code": 190,
        "error_subcode": 463,
    }
}
BUSY = {"error": {"message": "(#80007) Rate limit issues", "code": 80007}}
REFUSED = {
    "error": {
        "message": "Invalid parameter",
        "code": 100,
        "error_subcode": 2388299,
        "error_user_title": "Variables at the end",
        "error_user_msg": "Variables can't be at the start or end of the template.",
    }
}


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        (200, "<html>Sorry</html>", "the answer has no list of templates"),
        (200, {"data": {"a": 1}}, "the answer has no list of templates"),
        (200, {"data": ["x"]}, "the answer has a template that cannot be read"),
        (401, EXPIRED, "Session has expired. Put a valid access token"),
        (400, BUSY, "Try again later; WhatsApp asks for minutes to hours."),
        (502, "<html>Bad gateway</html>", "HTTP 502"),
    ],
)
async def test_what_cannot_be_read_is_one_sentence(rasa_whatsapp, graph, status, body, told):
    graph.answers = [(status, body)]

    done = await rasa_whatsapp("templates", "diff")

    assert done.exit_code == 1
    assert told in done.stderr
    assert "Traceback" not in done.output
    assert "secret-token" not in done.output


async def test_a_token_that_ends_in_the_middle_leaves_the_rest_for_the_next_push(
    rasa_whatsapp, graph, reword
):
    reword('    image: "media/parcel.jpg"\n', "")
    made = {"id": "1", "status": "PENDING", "category": "UTILITY"}
    graph.answers = [(200, {"data": []}), (200, made), (401, EXPIRED)]

    done = await rasa_whatsapp("templates", "push")

    assert done.exit_code == 1
    assert "1/10 create utter_shipped (en_US) PENDING" in done.stdout
    assert "utter_closed (en): HTTP 401" in done.stderr
    assert "8 templates after it not sent; `push` again goes on there." in done.stderr


async def test_metas_own_words_are_told_where_it_refuses_one(rasa_whatsapp, graph, reword):
    reword('    image: "media/parcel.jpg"\n', "")
    graph.answers = [(200, {"data": []}), (400, REFUSED)]

    done = await rasa_whatsapp("templates", "push", "--json")

    failure = json.loads(done.stdout)["failure"]
    assert "Variables can't be at the start or end of the template" in failure


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: a", "must be a list of templates"),
        ("- name: a\n  language: en\n", "templates.yml:1: a.components"),
        ("- [", ": is not YAML"),
    ],
)
async def test_a_file_that_cannot_be_read_is_told_with_its_line(rasa_whatsapp, bot, text, told):
    (bot / "templates.yml").write_text(text)

    done = await rasa_whatsapp("templates", "lint")

    assert done.exit_code == 1
    assert told in done.stderr


async def test_other_apis_are_told_apart(rasa_whatsapp, start, bot):
    await start("360dialog")

    done = await rasa_whatsapp("templates", "list")

    assert "api 360dialog has other ways to templates" in done.stderr
