from __future__ import annotations

from collections.abc import Callable

import pytest

from rasa_whatsapp_channel.compose.foresee import OutgoingSettings
from rasa_whatsapp_channel.lint.rules import Finding, Level

Lint = Callable[..., list[Finding]]

SLOTS = """
slots:
  name: {type: text}
  city: {type: text, initial_value: "Berlin"}
  size: {type: categorical, values: [S, M, "extra extra extra large"]}
  vip: {type: bool}
  count: {type: float}
responses:
  utter_it:
"""


def codes(findings: list[Finding]) -> list[tuple[str, int]]:
    return [(finding.code, finding.line) for finding in findings]


@pytest.mark.parametrize(
    "variation",
    [
        '- text: "{name} {city} {size} {vip} {count}"',
        '- text: "{name}"',
        '- {text: "", image: "{name}"}',
        '- {text: "", attachment: {type: image, link: "{name}"}}',
        '- {text: "", attachment: {type: image, link: "{name}/{city}.jpg"}}',
        '- {text: "", attachment: {type: document, path: "media/{name}.pdf"}}',
        '- {text: "", attachment: {path: "media/{name}.pdf"}}',
        '- {text: "Go", buttons: [{title: "Open", type: web_url, url: "{name}"}]}',
        '- {custom: {type: location, location: {latitude: "{name}", longitude: "{city}"}}}',
        '- {text: "?", buttons: [{title: "{vip}", payload: a}, {title: "{count}", payload: b}]}',
    ],
)
def test_a_slot_that_fits_whatever_it_holds_is_fine(lint: Lint, variation: str) -> None:
    assert lint(f"{SLOTS}  {variation}\n") == []


def test_a_response_that_quotes_the_users_message_is_fine(lint: Lint) -> None:
    quoting = '- {text: "Yes", metadata: {whatsapp: {reply_to: true}}}'

    assert lint(f"{SLOTS}  {quoting}") == []


def test_two_titles_that_are_slots_are_not_taken_for_equal_ones(lint: Lint) -> None:
    buttons = '[{title: "{name}", payload: a}, {title: "{city}", payload: b}]'

    found = lint(f'{SLOTS}  - {{text: "Who?", buttons: {buttons}}}\n')

    assert [finding.code for finding in found] == ["WA607", "WA607"]


def test_the_longest_known_value_is_tried(lint: Lint) -> None:
    [found] = lint(
        SLOTS + '  - text: "Which?"\n    buttons:\n    - {title: "{size}", payload: a}\n'
    )

    assert (found.code, found.level, found.line) == ("WA606", Level.WARNING, 12)
    assert found.text.startswith("with 'extra extra extra large' in {size}: buttons became a list")


def test_an_initial_value_is_one_that_is_known(lint: Lint) -> None:
    text = SLOTS.replace('"Berlin"', '"Llanfairpwllgwyngyll-on-Sea"')

    found = lint(text + '  - {text: "Where?", buttons: [{title: "In {city}", payload: a}]}\n')

    assert [finding.code for finding in found] == ["WA301", "WA303"]


def test_what_nobody_knows_is_tried_at_the_length_of_a_name(lint: Lint) -> None:
    long = "word " * 203  # 1,015 characters; with buttons 1,024 go into one message
    [found] = lint(
        f'{SLOTS}  - text: "{long}{{name}}"\n    buttons: [{{title: "Yes", payload: a}}]\n'
    )

    assert (found.code, found.level, found.line) == ("WA607", Level.NOTE, 10)
    assert "nobody knows how long {name} will be; with 30 characters: a long text" in found.text


def test_slots_that_fit_alone_may_not_fit_together(lint: Lint) -> None:
    long = "word " * 195
    [found] = lint(
        f'{SLOTS}  - text: "{long}{{name}} {{city}}"\n    buttons: [{{title: "Yes", payload: a}}]\n'
    )

    assert "{name} and {city}" in found.text


def test_every_language_is_composed(lint: Lint) -> None:
    found = lint("""
responses:
  utter_it:
  - text: "Book?"
    buttons:
    - title: "Yes"
      payload: "/yes"
      translation:
        de: {title: "Ja, einen Tisch bestellen"}
    translation:
      fr: ""
""")

    assert codes(found) == [("WA301", 9), ("WA303", 9), ("WA308", 11)]


@pytest.mark.parametrize(
    ("language", "others"),
    [
        ("en_US", ["de, fr"]),
        ("{code: de}", ["en, fr"]),
        ("fr", ["en, de"]),
        ('"{language}"', []),
    ],
)
def test_a_template_has_none_of_a_responses_translations(
    lint: Lint, language: str, others: list[str]
) -> None:
    found = lint(f"""
slots:
  language: {{type: categorical, values: [en, de, fr], mappings: []}}
responses:
  utter_it:
  - text: "We are closed on Monday"
    translation:
      en: "We are closed on Monday"
      de: "Am Montag ist geschlossen"
    buttons:
    - {{title: "Yes", payload: "/yes", translation: {{fr: {{title: "Oui"}}}}}}
    custom:
      whatsapp:
        template: {{name: closed, language: {language}}}
""")

    told = [finding for finding in found if finding.code == "WA631"]
    assert [(finding.line, finding.text.split("not in ")[1].split(";")[0]) for finding in told] == [
        (7, each) for each in others
    ]


def test_what_only_some_apis_change_names_them(lint: Lint) -> None:
    # Only the body of a list may be this long, and only there.
    text = f"""
responses:
  utter_it:
  - text: "{"word " * 220}"
    buttons:
    - {{title: "Yes", payload: "/yes", description: "please"}}
"""

    assert lint(text, "cloud", "360dialog") == []
    [found] = lint(text, "cloud", "on_premises", "turn")
    assert found.text.endswith("(api on_premises, turn)")
    [found] = lint(text, "turn")
    assert "(api" not in found.text


def test_a_change_that_names_its_api_does_so_once(lint: Lint) -> None:
    text = """
responses:
  utter_it:
  - text: "Our shop"
    buttons:
    - {title: "Open", type: web_url, url: "https://shop.example/"}
"""

    found = lint(text, "cloud", "on_premises", "turn")

    assert [finding.code for finding in found] == ["WA310"]
    assert not any("(api" in finding.text for finding in found)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ('- text: "?"\n    button_type: x  #\n    buttons: [{title: "A", payload: a}]', "WA313"),
        ('- text: "Hi"\n    metadata:\n      whatsapp:\n        zzz: 1  #', "WA108"),
        ('- text: "Hi"\n    metadata:\n      whatsapp:\n        template: 5  #', "WA104"),
        ('- text: "Hi"\n    custom:\n      whatsapp: {a: 1}  #', "WA108"),
        ('- text: ""\n    attachment:  #\n      type: image\n      file: a.jpg', "WA202"),
        ('- text: ""\n    custom:\n      messages:\n      - type: poll  #', "WA502"),
        ('- text: "Hi"\n    elements:\n    - 5  #', "WA401"),
        ('- text: "Hi"\n    elements:\n    - title: "A"\n      titel: "B"  #', "WA403"),
        (
            '- text: "Hi"\n    buttons:  #\n    - {title: "A", payload: a}\n    - {title: ""}',
            "WA307",
        ),
    ],
)
def test_a_change_belongs_to_the_line_it_is_about(lint: Lint, lines: str, code: str) -> None:
    text = f"responses:\n  utter_it:\n  {lines}\n"
    marked = next(number for number, line in enumerate(text.splitlines(), 1) if "#" in line)

    [found] = lint(text)

    assert (found.code, found.line) == (code, marked)


def test_nothing_is_said_of_what_goes_to_other_channels(lint: Lint) -> None:
    text = """
responses:
  utter_it:
  - text: "Hi"
  - text: ""
    channel: slack
    image: "missing.jpg"
    custom: {blocks: []}
"""

    assert lint(text) == []


def test_a_type_that_is_a_slot_leaves_nothing_to_check(lint: Lint) -> None:
    [found] = lint(f'{SLOTS}  - {{text: "", attachment: {{type: "{{size}}", link: "a"}}}}\n')

    assert (found.code, found.text[:16]) == ("WA617", "attachment.type ")


def test_a_response_that_is_no_list_or_an_empty_one_is_told(lint: Lint) -> None:
    found = lint("responses:\n  a: hi\n  b: [hi]\n  c: []\n  d:\n  e: {text: hi}\n")

    assert codes(found) == [
        ("WA615", 2),
        ("WA615", 3),
        ("WA616", 4),
        ("WA615", 5),
        ("WA615", 6),
    ]


def test_a_value_rasa_refuses_is_told_once(lint: Lint) -> None:
    text = "responses:\n  utter_it:\n  - {text: [a], custom: [b], image: 5, elements: x}\n"

    assert {finding.code for finding in lint(text)} == {"WA603"}


def test_the_intents_of_the_channel_are_asked_for_where_intents_are_listed(lint: Lint) -> None:
    [found] = lint("intents:\n- greet\n- whatsapp_image\n")

    assert (found.code, found.level, found.response) == ("WA619", Level.NOTE, None)
    assert "whatsapp_video" in found.text
    assert "whatsapp_image" not in found.text
    assert lint("responses: {}\n") == []


def test_what_a_setting_switches_off_is_no_finding(lint):
    text = """
responses:
  utter_lake:
  - text: "![The lake](media/lake.jpg) **Hello**"
"""

    assert {finding.code for finding in lint(text)} == {"WA115", "WA701"}
    assert lint(text, outgoing=OutgoingSettings(markdown=False)) == []
