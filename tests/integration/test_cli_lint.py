"""`rasa-whatsapp lint`, as it is typed."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from click.testing import CliRunner, Result
from support.domains import thousand_responses

from rasa_whatsapp_channel.cli import main

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "samples" / "domains"
MISTAKES = SAMPLES / "mistakes.yml"
QUICKSTART = ROOT / "examples" / "quickstart"
QUICKSTART_IS_FINE = (
    "Nothing found: 25 responses in 1 file\n"
    "25 billed messages if each is said once: 25 responses of 1\n"
    "6 billed messages in 1 turn of several responses, by stories, rules and flows: "
    "5 with `combine: turn`\n"
)

LONG_TITLE = """
responses:
  utter_it:
  - text: "Sure?"
    buttons:
    - {title: "Yes, most certainly, please", payload: "/yes"}
"""


def lint(*arguments: object, color: bool = False) -> Result:
    return CliRunner().invoke(main, ["lint", *map(str, arguments)], color=color)


@pytest.fixture
def domain(tmp_path: Path) -> Path:
    path = tmp_path / "domain.yml"
    path.write_text(LONG_TITLE, encoding="utf-8")
    return path


def test_forty_mistakes_are_listed_and_end_it_with_one() -> None:
    result = lint(MISTAKES)

    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert len(re.findall(rf"^{re.escape(str(MISTAKES))}:\d+: ", result.stdout, re.M)) == 41
    assert re.fullmatch(r"\d+ errors, \d+ warnings, 5 notes: 38 responses in 1 file", lines[-2])
    assert "# whatsapp: ignore WA6" in lines[-3]


def test_a_clean_bot_ends_it_with_zero() -> None:
    result = lint(QUICKSTART, "--strict", *("--api", "cloud", "--api", "turn"))

    assert (result.exit_code, result.stdout) == (0, QUICKSTART_IS_FINE)


def test_warnings_count_when_it_is_strict(domain: Path) -> None:
    assert lint(domain).exit_code == 0
    assert lint(domain, "--strict").exit_code == 1
    domain.write_text(LONG_TITLE.replace("it:", "it:  # whatsapp: ignore WA301, WA303"))
    assert lint(domain, "--strict").exit_code == 0


def test_levels_are_coloured_on_a_terminal_only(domain: Path) -> None:
    assert "\x1b[33mwarning WA301\x1b[0m" in lint(domain, color=True).stdout
    assert "\x1b" not in lint(domain).stdout


def test_programs_get_json(domain: Path) -> None:
    result = lint(domain, "--format", "json")

    document = json.loads(result.stdout)
    assert [finding["code"] for finding in document["findings"]] == ["WA301", "WA303"]
    assert document["findings"][0]["file"] == str(domain)
    assert document["findings"][0]["line"] == 6


SEVERAL_BUBBLES = """
responses:
  utter_hello:
  - text: "Hello"
  utter_rooms:
  - text: "Which part of the house?"
    image: "https://shop.example/house.jpg"
    buttons:
    - {title: "Terrace", payload: "/terrace"}
    - {title: "Library", payload: "/library"}
    - {title: "Garden", payload: "/garden"}
    - {title: "Sauna", payload: "/sauna"}
  - text: "Which room?"
  utter_like:
  - custom: {type: reaction, reaction: {message_id: "wamid.1", emoji: "👍"}}
"""


def test_what_is_billed_is_told_with_what_makes_it_fewer_and_in_all(domain: Path) -> None:
    domain.write_text(SEVERAL_BUBBLES)

    result = lint(domain)
    strict = lint(domain, "--budget", 2)
    stricter = lint(domain, "--budget", 1)

    lines = result.stdout.splitlines()
    assert result.exit_code == 0
    assert (
        f"{domain}:6: note WA621 utter_rooms: 2 billed messages, 1 with at most 3 buttons or "
        "`button_type: numbers`"
    ) in lines
    assert lines[-1] == "3 billed messages if each is said once: 1 response of 0, 1 of 1, 1 of 2"
    assert [strict.exit_code, stricter.exit_code] == [0, 1]
    assert f"{domain}:6: error WA621 utter_rooms: 2 billed messages, 1 with" in stricter.stdout


def test_programs_get_what_is_billed_as_json(domain: Path) -> None:
    domain.write_text(SEVERAL_BUBBLES)

    billed = json.loads(lint(domain, "--format", "json").stdout)["billed"]

    assert billed["messages"] == 3
    told = [
        (each["response"], each["variation"], each["messages"]) for each in billed["variations"]
    ]
    assert told == [
        ("utter_hello", 1, 1),
        ("utter_rooms", 1, 2),
        ("utter_rooms", 2, 1),
        ("utter_like", 1, 0),
    ]
    changes = ["at most 3 buttons", "`button_type: numbers`"]
    assert billed["variations"][1]["fewer"] == [{"messages": 1, "changes": changes}]
    assert billed["variations"][3]["free"] == 1


def test_what_combining_a_turn_saves_is_told(domain: Path, tmp_path: Path) -> None:
    domain.write_text(SEVERAL_BUBBLES)
    (tmp_path / "config.yml").write_text("language: en\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rules.yml").write_text(
        "rules:\n- rule: hello\n  steps:\n  - intent: greet\n  - action: utter_hello\n"
        "  - action: utter_rooms\n"
    )

    result = lint(domain)
    programs = lint(domain, "--format", "json")

    assert result.stdout.splitlines()[-1] == (
        "3 billed messages in 1 turn of several responses, by stories, rules and flows: "
        "2 with `combine: turn`"
    )
    assert json.loads(programs.stdout)["billed"]["turns"] == [
        {"responses": ["utter_hello", "utter_rooms"], "messages": 3, "combined": 2}
    ]


def test_the_settings_in_the_credentials_say_how_many_messages_there_are(
    domain: Path, tmp_path: Path
) -> None:
    domain.write_text(
        'responses:\n  utter_it:\n  - {text: "Hello", image: "https://shop.example/a.jpg"}\n'
    )
    (tmp_path / "config.yml").write_text("language: en\n")
    block = "rasa_whatsapp_channel.WhatsAppInput:\n  access_token: ${NOT_SET}\n"

    without = lint(domain).stdout
    (tmp_path / "credentials.yml").write_text(f"{block}  captions: separate\n")
    separate = lint(domain).stdout
    (tmp_path / "credentials.yml").write_text(f"{block}  combine: turn\n")
    combined = lint(domain).stdout

    assert "1 billed message if each is said once: 1 response of 1" in without
    assert "2 billed messages, 1 with `captions: merge` or the text as a caption" in separate
    assert combined == without


def test_github_gets_annotations() -> None:
    result = lint(MISTAKES, "--format", "github")

    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert len(lines) == 41  # with what is billed twice
    assert f"::error file={MISTAKES},line=27,title=WA601 utter_invoice::Rasa refuses the key" in (
        result.stdout
    )


def test_several_files_of_a_bot_are_linted_together() -> None:
    shared, people = SAMPLES / "calm/domain/shared.yml", SAMPLES / "calm/domain/people/add.yml"

    def summary(*paths: Path) -> str:
        return lint(*paths).stdout.splitlines()[0]

    assert summary(shared, people) == "Nothing found: 4 responses in 2 files"
    assert summary(SAMPLES / "calm" / "domain") == "Nothing found: 4 responses in 2 files"
    assert summary(SAMPLES / "calm") == "Nothing found: 5 responses in 3 files"


def test_the_bots_folder_can_be_named(domain: Path, tmp_path: Path) -> None:
    (tmp_path / "bot" / "media").mkdir(parents=True)
    lake = (QUICKSTART / "media/lake.jpg").read_bytes()
    (tmp_path / "bot" / "media" / "lake.jpg").write_bytes(lake)
    domain.write_text('responses:\n  utter_it:\n  - {text: "", image: "media/lake.jpg"}\n')

    assert lint(domain).exit_code == 1
    assert lint(domain, "--bot", tmp_path / "bot").exit_code == 0


CREDENTIALS = """
rasa_whatsapp_channel.WhatsAppInput:
  access_token: ${NOT_SET_ON_THIS_MACHINE}
  media:
    folders: [media, menus]
    store: ${NOR_THIS}
"""


STREET = """
slots:
  street: {type: text, mappings: [{type: from_text}]}
forms:
  address_form: {required_slots: [street], ignored_intents: [whatsapp_voice]}
"""
ALL_EVENTS = """
rasa_whatsapp_channel.WhatsAppInput:
  access_token: ${NOT_SET_ON_THIS_MACHINE}
  inbound: {image: event, video: event, audio: event, document: event, sticker: ignore,
    order: event, payment: event, location: event, contacts: event, flow: event,
    unsupported: "[not shown]"}
"""


def test_what_becomes_of_messages_without_words_stands_in_the_credentials(
    domain: Path, tmp_path: Path
) -> None:
    (tmp_path / "config.yml").write_text("language: en\n")
    domain.write_text(STREET)

    without = lint(domain)
    (tmp_path / "credentials.yml").write_text(ALL_EVENTS)
    beside = lint(domain)
    (tmp_path / "credentials.yml").write_text(ALL_EVENTS + "  failure_intent: message_failed\n")
    failing = lint(domain)

    assert "WA620 the slot street takes whatsapp_image, whatsapp_video," in without.stdout
    assert "WA620" not in beside.stdout
    assert "WA620 the slot street takes message_failed for an answer" in failing.stdout


def test_the_folders_in_the_credentials_count(domain: Path, tmp_path: Path) -> None:
    (tmp_path / "menus").mkdir()
    (tmp_path / "menus" / "a.pdf").write_bytes(b"%PDF-1.7")
    (tmp_path / "config.yml").write_text("language: en\n")
    domain.write_text(
        "responses:\n  utter_it:\n"
        '  - {text: "", attachment: {type: document, path: "menus/a.pdf"}}\n'
    )

    without = lint(domain)
    (tmp_path / "elsewhere.yml").write_text(CREDENTIALS)
    named = lint(domain, "--credentials", tmp_path / "elsewhere.yml")
    (tmp_path / "credentials.yml").write_text(CREDENTIALS)
    beside = lint(domain)

    assert "WA701 utter_it: menus/a.pdf: lies outside of the folders that" in without.stdout
    assert [without.exit_code, named.exit_code, beside.exit_code] == [1, 0, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "Error: {path}: does not exist"),
        ("a: [1", "is no domain"),
        ("responses:\n  a: [1\n", "is not YAML"),
        ("responses:\n- a\n", "{path}:1: responses must be a map of names"),
        ("nlu:\n- intent: greet\n", "{path}: is no domain: it has no responses, slots, intents, …"),
    ],
)
def test_what_cannot_be_linted_is_said_in_one_line(
    tmp_path: Path, text: str | None, said: str
) -> None:
    path = tmp_path / "domain.yml"
    if text is not None:
        path.write_text(text, encoding="utf-8")

    result = lint(path)

    assert result.exit_code == 1
    assert said.format(path=path) in result.stderr
    assert result.stderr.count("\n") == 1


def test_without_a_path_it_looks_at_the_bot_in_this_folder(
    domain: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(domain.parent)

    result = lint()

    assert result.exit_code == 0
    assert "domain.yml:6: warning WA301 utter_it" in result.stdout


@pytest.fixture
async def shop() -> AsyncIterator[str]:
    async def picture(request: web.Request) -> web.Response:
        return web.Response(body=b"\xff\xd8\xff", content_type="image/jpeg")

    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPFound("/lake.jpg")

    async def page(request: web.Request) -> web.Response:
        return web.Response(text="log in first", content_type="text/html")

    app = web.Application()
    app.router.add_get("/lake.jpg", picture)
    app.router.add_get("/moved.jpg", moved)
    app.router.add_get("/login.jpg", page)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    await runner.cleanup()


async def test_links_are_asked_only_when_wanted(shop: str, tmp_path: Path) -> None:
    names = ("lake.jpg", "moved.jpg", "gone.jpg", "login.jpg")
    variation = '  - {{text: "", image: "{}/{}"}}\n'
    pictures = "".join(f"  {name[:4]}:\n{variation.format(shop, name)}" for name in names)
    path = tmp_path / "domain.yml"
    path.write_text(f"responses:\n{pictures}", encoding="utf-8")
    command = [sys.executable, "-m", "rasa_whatsapp_channel", "lint", str(path)]

    asked = await run([*command, "--check-links", "--format", "json"])
    unasked = await run([*command, "--format", "json"])

    # All of them are on this machine, which WhatsApp does not reach.
    assert [found["line"] for found in unasked] == [3, 5, 7, 9]
    assert {found["code"] for found in unasked} == {"WA705"}
    told = [(found["line"], found["text"]) for found in asked if found["code"] != "WA705"]
    assert told == [
        (7, f"{shop}/gone.jpg: answers HTTP 404"),
        (
            9,
            f"{shop}/login.jpg: looks like text/html; "
            "WhatsApp takes image/jpeg, image/png as image",
        ),
    ]


async def run(command: list[str]) -> list[dict[str, object]]:
    import asyncio

    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return list(json.loads(output)["findings"])


def test_it_runs_as_a_process_in_an_ascii_terminal_too() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    command = [sys.executable, "-m", "rasa_whatsapp_channel", "lint", str(QUICKSTART)]

    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == QUICKSTART_IS_FINE


def test_the_hook_for_pre_commit_names_this_command_and_domain_files() -> None:
    [hook] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())

    program, *arguments = shlex.split(hook["entry"])
    assert program == "rasa-whatsapp"
    assert CliRunner().invoke(main, [*arguments, str(QUICKSTART / "domain.yml")]).exit_code == 0
    for name in (
        "domain.yml",
        "bot/domain.yaml",
        "bot/domain/people/add.yml",
        "skills/order/responses.yml",
    ):
        assert re.search(hook["files"], name)
    for name in ("config.yml", "bot/mydomain.yml", "domain/readme.md", "data/nlu.yml"):
        assert not re.search(hook["files"], name)


def test_a_thousand_responses_are_linted(tmp_path: Path) -> None:
    path = tmp_path / "domain.yml"
    path.write_text(thousand_responses(), encoding="utf-8")

    assert lint(path).stdout.startswith("Nothing found: 1,000 responses in 1 file\n")
