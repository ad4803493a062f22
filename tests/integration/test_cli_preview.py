"""`rasa-whatsapp preview`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from rasa_whatsapp_channel.cli import main

OUT = "outside_window"
ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "samples" / "domains"
QUICKSTART = ROOT / "examples" / "quickstart"

DOMAIN = """
slots:
  name: {type: text}
  city: {type: text, initial_value: "Berlin"}
responses:
  utter_it:
  - text: "For all"
  - text: "On Slack"
    channel: slack
  - text: "On WhatsApp, {name} of {city}"
    channel: whatsapp
    image: "https://shop.example/{name}.jpg"
    elements: [{title: "{name}"}]
  utter_slack:
  - text: "On Slack"
    channel: slack
  utter_odd:
  - "Hi"
  utter_brace:
  - text: "Bye :-}"
  utter_refused:
  - text: "Guide"
    document: {link: "https://shop.example/guide.pdf"}
  utter_template:
  - text: "Are you there?"
    metadata: {whatsapp: {template: {name: hello_again, language: en}}}
  utter_guide:
  - text: "Two things"
    attachment: {type: document, link: "https://shop.example/guide.pdf", caption: "The guide"}
  utter_long:
  - text: "Sure?"
    buttons: [{title: "Yes", payload: "%s"}]
""" % ("x" * 300)


@pytest.fixture
def domain(tmp_path: Path) -> Path:
    path = tmp_path / "domain.yml"
    path.write_text(DOMAIN, encoding="utf-8")
    return path


def preview(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["preview", *map(str, arguments)])


def bodies(result: Result) -> list[dict[str, object]]:
    return list(json.loads(result.stdout)["bodies"])


def test_a_response_is_drawn_and_its_bodies_are_written() -> None:
    result = preview(QUICKSTART, "utter_house")

    assert result.exit_code == 0
    drawing, document = result.stdout.split("\n{", 1)
    assert drawing.startswith("utter_house, api cloud\n╭─")
    assert "│                ☰ Choose                │" in drawing
    assert "\n1 billed message\n" in drawing
    assert drawing.endswith("\nWA301 5 buttons became a list, because WhatsApp shows at most 3")
    told = json.loads("{" + document)
    assert told["response"] == "utter_house"
    assert [change["code"] for change in told["changes"]] == ["WA301"]
    [body] = told["bodies"]
    assert body["to"] == "15551234567"
    assert body["interactive"]["type"] == "list"


def test_slots_are_filled_where_rasa_fills_them(domain: Path) -> None:
    result = preview(domain, "utter_it", "--slot", "name=Ada", "--format", "json")

    [first, card] = bodies(result)
    assert first["image"] == {
        "link": "https://shop.example/Ada.jpg",
        "caption": "On WhatsApp, Ada of Berlin",
    }
    assert "{name}" in json.dumps(card)
    assert result.stderr == ""


def test_a_slot_that_is_not_given_stays_and_is_told(domain: Path) -> None:
    result = preview(domain, "utter_it", "--slot", "city=Rome")

    assert "On WhatsApp, {name} of Rome" in result.stdout
    assert result.stderr == "Not filled in: --slot name=…\n"


def test_what_a_jinja_template_names_itself_is_no_slot(domain: Path) -> None:
    loop = "{% for item, city in cart %}{{ item }} of {{city}} {% endfor %}"
    total = "{%- set total = 5 -%}{{ total }}"
    domain.write_text(
        "slots:\n  city: {type: text, initial_value: Berlin}\n"
        "responses:\n  utter_cart:\n"
        f"  - text: '{loop}{total}, {{{{ name }}}}'\n    metadata: {{template: jinja}}\n"
    )

    unnamed = preview(domain, "utter_cart", "--format", "json")
    named = preview(domain, "utter_cart", "--slot", "name=Ada", "--format", "json")
    wrong = preview(domain, "utter_cart", "--slot", "item=Tea")

    assert unnamed.stderr == "Not filled in: --slot name=…\n"
    assert named.stderr == ""
    [body] = bodies(named)
    assert body["text"] == {"body": f"{loop}{total}, Ada"}
    assert "utter_cart has no slot {item}" in wrong.stderr


def test_the_variation_for_whatsapp_is_chosen_unless_another_is_named(domain: Path) -> None:
    assert "utter_it, variation 3 of 3, api cloud" in preview(domain, "utter_it").stdout
    assert "On Slack" in preview(domain, "utter_it", "--variation", 2).stdout


def test_every_api_has_its_own_bodies(domain: Path) -> None:
    arguments = (QUICKSTART, "utter_picture", "--format", "json", "--api")

    [cloud] = bodies(preview(*arguments, "cloud"))
    [turn] = bodies(preview(*arguments, "turn"))

    assert cloud["messaging_product"] == "whatsapp"
    assert "messaging_product" not in turn
    assert cloud["image"] == turn["image"]


def test_what_rasa_refuses_is_told_beside_the_changes(domain: Path) -> None:
    result = preview(domain, "utter_refused")

    assert "WA601 Rasa refuses the key document" in result.stdout


def test_a_payload_that_is_kept_is_shown(domain: Path) -> None:
    document = json.loads(preview(domain, "utter_long", "--format", "json").stdout)

    assert list(document["payloads"].values()) == ["x" * 300]


def test_a_template_for_later_is_shown(domain: Path) -> None:
    result = preview(domain, "utter_template")

    closed = "While the 24-hour window is closed: its template goes, billed by its category [WA805]"
    assert f"{closed}\n╭" in result.stdout
    template = json.loads("{" + result.stdout.split("\n{", 1)[1])["template"]
    assert template["template"]["name"] == "hello_again"


def test_what_is_billed_is_told_with_what_makes_it_fewer(domain: Path) -> None:
    result = preview(domain, "utter_guide")

    drawing, document = result.stdout.split("\n{", 1)
    assert drawing.endswith(
        "\n2 billed messages, 1 with the caption as a part of the text or `combine: turn`\n"
        "While the 24-hour window is closed: nothing goes; it waits until the person writes [WA808]"
    )
    assert json.loads("{" + document)["billed"] == {
        "messages": 2,
        "templates": 0,
        "free": 0,
        "fewer": [
            {"messages": 1, "changes": ["the caption as a part of the text", "`combine: turn`"]}
        ],
    }


def test_what_is_shown_is_composed_with_the_settings_of_the_bot(
    domain: Path, tmp_path: Path
) -> None:
    (tmp_path / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n  combine: turn\n"
    )

    result = preview(domain, "utter_guide")

    assert "\n1 billed message\n" in result.stdout
    assert result.stdout.partition("\n{")[0].endswith(
        "WA901 2 messages of the turn became one, as `combine` asks"
    )
    [body] = json.loads("{" + result.stdout.split("\n{", 1)[1])["bodies"]
    assert body["document"]["caption"] == "Two things\n\nThe guide"


def test_as_what_it_goes_while_the_window_is_closed_depends_on_the_settings(
    domain: Path, tmp_path: Path
) -> None:
    (tmp_path / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n"
        "  direct_send: true\n"
        '  reengagement_template: {name: news, language: en, body: ["{text}"]}\n'
    )

    shown = [
        [each["code"] for each in json.loads(preview(domain, name, "--format", "json").stdout)[OUT]]
        for name in ("utter_template", "utter_long", "utter_guide")
    ]

    assert shown == [["WA804"], ["WA804"], ["WA804", "WA806"]]


def test_a_picture_in_a_text_is_billed_where_the_settings_let_it_go(
    domain: Path, tmp_path: Path
) -> None:
    domain.write_text(
        "responses:\n  utter_lakes:\n"
        '  - text: "Two ![lakes](media/lake.jpg) of ![ours](menus/lake.jpg)"\n'
    )

    def billed(settings: str) -> int:
        block = f"rasa_whatsapp_channel.WhatsAppInput: {{{settings}}}\n"
        (tmp_path / "credentials.yml").write_text(block)
        told = json.loads(preview(domain, "utter_lakes", "--format", "json").stdout)
        return int(told["billed"]["messages"])

    assert billed("markdown_images: none") == 1
    assert billed("media: {folders: [media]}") == 1
    assert billed("media: {folders: [media, menus]}") == 3


def test_a_drawing_may_stand_alone() -> None:
    assert "{" not in preview(QUICKSTART, "utter_greet", "--format", "drawing").stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("utter_itt",), "has no response utter_itt; did you mean utter_it?"),
        (("zzzz",), "has no response zzzz; it has 8 others"),
        (("utter_it", "--variation", "4"), "utter_it has 3 variations"),
        (("utter_slack",), "utter_slack has no variation for WhatsApp"),
        (("utter_odd",), "domain.yml:18: Rasa refuses it: a variation must be a map"),
        (("utter_brace",), "Rasa fails on the braces: Single '}' encountered in format string"),
        (("utter_it", "--slot", "nme=Ada"), "utter_it has no slot {nme}; did you mean {name}?"),
        (("utter_it", "--slot", "name"), "write it as NAME=VALUE"),
    ],
)
def test_what_cannot_be_shown_is_said(domain: Path, arguments: tuple[str, ...], said: str) -> None:
    result = preview(domain, *arguments)

    assert result.exit_code != 0
    assert said in result.stderr


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    result = preview(tmp_path / "domain.yml", "utter_it")

    assert (result.exit_code, result.stderr.endswith("does not exist\n")) == (1, True)


def test_without_a_path_it_is_the_bot_in_this_folder(domain, monkeypatch):
    monkeypatch.chdir(domain.parent)

    assert "On WhatsApp" in preview("utter_it", "--slot", "name=Ada").stdout


def test_without_a_name_the_responses_are_listed(domain, monkeypatch):
    monkeypatch.chdir(domain.parent)

    told = preview().stdout.split()

    assert {"utter_it", "utter_slack"} <= set(told)
    assert told == preview(domain).stdout.split() == sorted(told)


def test_one_response_at_a_time(domain):
    told = preview(domain, "utter_it", "utter_slack")

    assert told.exit_code == 2
    assert "Name one response" in told.stderr
