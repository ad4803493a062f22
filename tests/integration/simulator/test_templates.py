"""Templates over the API: which go, which are refused, and what a person sees."""

import pytest

from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.server import create_app

MAYA = "4915112345678"
TO = {"messaging_product": "whatsapp", "to": MAYA, "type": "template"}
ORDER = """
- name: order_update
  language: en_US
  category: UTILITY
  components:
  - {type: HEADER, format: TEXT, text: "Order {{1}}"}
  - {type: BODY, text: "Hello {{1}}, it comes on {{2}}."}
  - type: BUTTONS
    buttons:
    - {type: QUICK_REPLY, text: Thanks}
    - {type: URL, text: Follow it, url: "https://shop.example/{{1}}"}
- name: picture
  language: en_US
  category: MARKETING
  components:
  - {type: HEADER, format: IMAGE}
  - {type: BODY, text: Look}
- name: on_hold
  language: en_US
  status: PENDING
  components:
  - {type: BODY, text: Wait}
- name: two_cards
  language: en_US
  components:
  - {type: BODY, text: Choose}
  - type: CAROUSEL
    cards:
    - components: [{type: BODY, text: "First {{1}}"}]
    - components: [{type: BODY, text: Second}]
"""


def text(value):
    return {"type": "text", "text": value}


def body(*values):
    return {"type": "body", "parameters": [text(value) for value in values]}


HEADER = {"type": "header", "parameters": [text("17")]}
URL = {"type": "button", "sub_type": "url", "index": "1", "parameters": [text("17")]}
ALL = [HEADER, body("Maya", "Monday"), URL]


@pytest.fixture
async def shop(start, tmp_path):
    (tmp_path / "order.yml").write_text(ORDER, encoding="utf-8")
    return await start(templates=tmp_path)


async def send(simulator, name, components=(), language="en_US"):
    template = {"name": name, "language": {"code": language}, "components": list(components)}
    return await simulator.cloud({**TO, "template": template})


async def test_a_template_is_shown_with_its_values(shop):
    status, _ = await send(shop, "order_update", ALL)

    (message,) = await shop.shows(1)
    assert status == 200
    assert message["filled"] == {
        "category": "UTILITY",
        "header": {"type": "text", "text": "Order 17"},
        "offer": None,
        "body": "Hello Maya, it comes on Monday.",
        "footer": None,
        "buttons": [
            {"type": "quick_reply", "text": "Thanks", "payload": "Thanks"},
            {"type": "url", "text": "Follow it", "url": "https://shop.example/17"},
        ],
        "cards": [],
    }


async def test_each_card_is_filled(shop):
    cards = [
        {"card_index": 0, "components": [body("of two")]},
        {"card_index": 1, "components": []},
    ]
    status, answer = await send(shop, "two_cards", [{"type": "carousel", "cards": cards}])

    assert status == 200, answer
    (message,) = await shop.shows(1)
    assert [card["body"] for card in message["filled"]["cards"]] == ["First of two", "Second"]


@pytest.mark.parametrize(
    ("name", "components", "code", "status"),
    [
        ("unknown", [], 132001, 404),
        ("on_hold", [], 132001, 404),
        ("order_update", [HEADER, body("Maya"), URL], 132000, 400),
        ("order_update", [body("Maya", "Monday"), URL], 132000, 400),
        ("picture", [{"type": "header", "parameters": [text("a")]}], 132012, 400),
        ("picture", [], 132012, 400),
        ("order_update", [HEADER, body("Maya", "Monday")], 131008, 400),
        ("order_update", [*ALL, {**URL, "index": "0"}], 132018, 400),
        ("order_update", [HEADER, body("Maya", "M" * 1020), URL], 132005, 400),
        ("two_cards", [], 132000, 400),
    ],
)
async def test_a_template_that_does_not_fit_is_refused(shop, name, components, code, status):
    given, answer = await send(shop, name, components)

    assert (given, answer["error"]["code"]) == (status, code), answer
    assert answer["simulator"]["rule"]


async def test_a_language_that_is_not_there_is_refused_and_the_others_are_named(shop):
    _, answer = await send(shop, "order_update", ALL, language="fr")

    assert answer["error"]["code"] == 132001
    assert "only in en_US" in answer["simulator"]["rule"]


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("PAUSED", 132015),
        ("DISABLED", 132016),
        ("REJECTED", 132001),
        ("PENDING", 132001),
        ("APPROVED", None),
    ],
)
async def test_approval_changes_while_the_simulator_runs(shop, state, code):
    path = "/simulator/templates/order_update/en_US"
    status, template = await shop.post(path, {"status": state})
    _, answer = await send(shop, "order_update", ALL)

    assert (status, template["status"]) == (200, state)
    assert answer.get("error", {}).get("code") == code


async def test_a_state_or_template_that_is_not_there(shop):
    assert (await shop.post("/simulator/templates/order_update/en_US", {"status": "x"}))[0] == 400
    assert (await shop.post("/simulator/templates/none/en_US", {"status": "PAUSED"}))[0] == 404


async def test_named_parameters(simulator):
    image = {"type": "image", "image": {"link": "http://127.0.0.1:9/a.png"}}
    values = [
        {**text(value), "parameter_name": name}
        for name, value in (("name", "Maya"), ("order", "17"), ("day", "Monday"))
    ]
    components = [
        {"type": "header", "parameters": [image]},
        {"type": "body", "parameters": values},
        {"type": "button", "sub_type": "url", "index": "0", "parameters": [text("17")]},
    ]
    status, answer = await send(simulator, "order_sent", components)
    assert status == 200, answer
    (message,) = await simulator.shows(1)
    assert (
        message["filled"]["body"]
        == "Order 17 is on its way, Maya. It arrives on Monday before noon."
    )

    values[0]["parameter_name"] = "first_name"
    assert (await send(simulator, "order_sent", components))[1]["error"]["code"] == 132000


async def test_without_a_folder_a_template_nobody_knows_is_taken(simulator):
    status, _ = await send(simulator, "something_else")

    assert status == 200
    assert (await simulator.shows(1))[0]["filled"] is None


async def test_an_on_premises_client_has_its_own_codes(start, tmp_path):
    simulator = await start("on_premises", templates=tmp_path)
    language = {"policy": "deterministic", "code": "en_US"}
    template = {"namespace": "n", "name": "write_again", "language": language}
    message = {"to": MAYA, "type": "template", "template": template}
    status, answer = await simulator.post("/v1/messages", message, headers=await simulator.login())

    assert (status, answer["errors"][0]["code"]) == (400, 2000)


@pytest.mark.parametrize(
    ("hours", "name", "components", "billable", "category"),
    [
        (0, "order_update", ALL, True, "utility"),
        (25, "order_update", ALL, True, "utility"),
        (0, "picture", None, True, "marketing"),
    ],
)
async def test_a_status_says_what_the_message_costs(
    shop, bot, host, hours, name, components, billable, category
):
    if components is None:
        from PIL import Image

        path = io_png(Image)
        link = await host(path, "image/png")
        image = {"type": "image", "image": {"link": link}}
        components = [{"type": "header", "parameters": [image]}]
    await shop.post("/simulator/clock", {"advance": hours * 3600})
    await send(shop, name, components)

    told = (await bot.takes(1))[0].body["entry"][0]["changes"][0]["value"]["statuses"][0]
    assert (told["pricing"]["billable"], told["pricing"]["category"]) == (billable, category)


def io_png(image):
    import io

    file = io.BytesIO()
    image.new("RGB", (8, 8)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: [", "invalid YAML"),
        ("- 1", "name, language"),
        ("name: a", "needs a name and a language"),
        ("{name: a, language: en, components: []}", "at least a BODY"),
        ("{name: a, language: en, colour: red, components: [{type: BODY, text: a}]}", "'colour'"),
        ("{name: a, language: en, components: [{type: BODY}]}", "BODY needs text"),
        ("{name: a, language: en, components: [{type: BUTTONS}]}", "list of buttons"),
        ("{name: a, language: en, status: NEW, components: [{type: BODY, text: a}]}", "APPROVED"),
    ],
)
def test_a_file_that_is_no_template_keeps_the_simulator_from_starting(tmp_path, content, said):
    (tmp_path / "a.yaml").write_text(content)

    with pytest.raises(SettingsError, match=said) as raised:
        create_app(Config(templates=tmp_path))
    assert "a.yaml" in str(raised.value)


async def test_an_offer_that_ends_says_when(simulator):
    code = {"type": "coupon_code", "coupon_code": "TWO"}
    parts = [
        {
            "type": "limited_time_offer",
            "parameters": [
                {
                    "type": "limited_time_offer",
                    "limited_time_offer": {"expiration_time_ms": 1209600000},
                }
            ],
        },
        {"type": "button", "sub_type": "copy_code", "index": "0", "parameters": [code]},
        {"type": "button", "sub_type": "url", "index": "1", "parameters": [text("weekend")]},
    ]

    status, answer = await send(simulator, "weekend_offer", parts)

    assert status == 200, answer
    filled = (await simulator.shows(1))[0]["filled"]
    assert filled["offer"] == {"text": "Ends soon", "ends": 1209600000}
    assert [button["text"] for button in filled["buttons"]] == ["Copy code", "Book"]


async def test_an_offer_without_its_end_is_refused(simulator):
    status, answer = await send(simulator, "weekend_offer")

    assert (status, answer["error"]["code"]) == (400, 131008)


async def test_a_template_asks_for_a_call_or_a_number(simulator):
    call = [
        {"type": "ttl_minutes", "ttl_minutes": 100},
        {"type": "payload", "payload": "payload data"},
    ]
    button = {"type": "button", "sub_type": "voice_call", "index": "1", "parameters": call}
    assert (await send(simulator, "may_we_call", [body("17")]))[0] == 200
    assert (await send(simulator, "stay_in_touch", [button]))[0] == 200

    first, second = await simulator.shows(2)

    assert [each["text"] for each in first["filled"]["buttons"]] == ["Choose a preference"]
    assert [each["text"] for each in second["filled"]["buttons"]] == [
        "Share Contact Info",
        "Call us",
    ]
