"""`rasa-whatsapp send` beside a running bot: what arrives on the phone, and what is said else."""

from __future__ import annotations

import io
import json
import wave
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from support.cloud_api import answers, cloud_api
from support.running_bot import running_bot

from rasa_whatsapp_channel.conversation.identity import People
from rasa_whatsapp_channel.conversation.payloads import sent_key
from rasa_whatsapp_channel.settings.roles import ROLES
from rasa_whatsapp_channel.simulator.config import Number
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.whatsapp.apis import APIS

MAYA = "4915112345678"
MEDIA = Path(__file__).parents[3] / "examples" / "quickstart" / "media"
FILES = {
    "image": "lake.jpg",
    "video": "boat.mp4",
    "audio": "chime.ogg",
    "document": "guide.pdf",
    "sticker": "sun.webp",
}


@pytest.fixture
async def start(start):
    """Start a simulator, and the bot beside it."""
    async with AsyncExitStack() as stack:

        async def begin(api: str = "cloud", **more: Any) -> Any:
            simulator = await start(api, **more)
            simulator.bots = [await stack.enter_async_context(running_bot())]
            return simulator

        yield begin


@pytest.mark.parametrize("api", APIS)
async def test_a_text_arrives_and_its_id_is_printed(rasa_whatsapp, start, api):
    simulator = await start(api)

    done = await rasa_whatsapp("send", "--to", "+49 (151) 1234-5678", "--text", "Grüße 👋")

    assert (done.exit_code, done.stderr) == (0, "")
    [shown] = await simulator.chat(1)
    assert shown["content"]["body"] == "Grüße 👋"
    assert done.stdout == f"{shown['id']}\n"


@pytest.mark.parametrize("kind", FILES)
async def test_a_file_of_this_machine_is_uploaded_first(rasa_whatsapp, simulator, kind):
    path = MEDIA / FILES[kind]

    done = await rasa_whatsapp("send", "--to", MAYA, f"--{kind}", str(path))

    assert done.exit_code == 0, done.output
    assert done.stderr.startswith(f"Uploading {path.name} (")
    [shown] = await simulator.chat(1)
    assert shown["type"] == kind
    assert await simulator.file(shown["content"]["url"]) == path.read_bytes()


async def test_a_document_has_the_name_of_its_file_unless_another_is_given(
    rasa_whatsapp, simulator
):
    guide = str(MEDIA / "guide.pdf")

    await rasa_whatsapp("send", "--to", MAYA, "--document", guide, "--caption", "Read me")
    await rasa_whatsapp("send", "--to", MAYA, "--document", guide, "--filename", "Your guide.pdf")

    one, other = (message["content"] for message in await simulator.chat(2))
    assert (one["filename"], one["caption"]) == ("guide.pdf", "Read me")
    assert other["filename"] == "Your guide.pdf"


async def test_an_id_and_a_voice_message_go_as_they_are(rasa_whatsapp, simulator):
    uploaded = await rasa_whatsapp("media", "upload", str(MEDIA / "chime.ogg"))
    media_id = uploaded.stdout.strip()

    done = await rasa_whatsapp("send", "--to", MAYA, "--voice", media_id)

    assert (done.exit_code, done.stderr) == (0, "")
    [shown] = await simulator.chat(1)
    assert shown["content"]["voice"] is True


async def test_a_template_gets_its_texts_in_order(rasa_whatsapp, simulator):
    done = await rasa_whatsapp(
        *("send", "--to", MAYA, "--template", "order_shipped", "--language", "de"),
        *("--param", "Maya", "--param", "12:30"),
    )

    assert done.exit_code == 0, done.output
    [shown] = await simulator.chat(1)
    assert shown["content"] == {
        "name": "order_shipped",
        "language": {"code": "de"},
        "components": [
            {
                "type": "body",
                "parameters": [
                    {"type": "text", "text": "Maya"},
                    {"type": "text", "text": "12:30"},
                ],
            }
        ],
    }


async def test_any_body_of_whatsapp_goes_from_a_file_or_a_pipe(rasa_whatsapp, simulator, tmp_path):
    body = {"type": "location", "location": {"latitude": 48.85, "longitude": 2.35, "name": "Paris"}}
    (tmp_path / "body.json").write_text(json.dumps(body))

    from_file = await rasa_whatsapp("send", "--to", MAYA, "--json", "body.json")
    piped = await rasa_whatsapp("send", "--to", MAYA, "--json", "-", input=json.dumps(body))

    assert (from_file.exit_code, piped.exit_code) == (0, 0), piped.output
    assert [message["content"]["name"] for message in await simulator.chat()] == ["Paris", "Paris"]


KINDS = {
    "location": (
        ["--location", "52.5163,13.3777", "--name", "Brandenburger Tor", "--address", "Berlin"],
        {
            "latitude": 52.5163,
            "longitude": 13.3777,
            "name": "Brandenburger Tor",
            "address": "Berlin",
        },
    ),
    "buttons": (
        [
            "--text",
            "Coming?",
            "--header",
            "Party",
            "--footer",
            "at 8",
            "--button",
            "Yes=/affirm",
            "--button",
            "No=/deny",
        ],
        {
            "type": "button",
            "header": {"type": "text", "text": "Party"},
            "body": {"text": "Coming?"},
            "footer": {"text": "at 8"},
            "action": {
                "buttons": [
                    {"type": "reply", "reply": {"id": "/affirm", "title": "Yes"}},
                    {"type": "reply", "reply": {"id": "/deny", "title": "No"}},
                ]
            },
        },
    ),
    "list": (
        [
            "--text",
            "Tea?",
            "--list-button",
            "Teas",
            "--row",
            "Assam | strong=/a",
            "--row",
            "Sencha=/s",
        ],
        {
            "type": "list",
            "body": {"text": "Tea?"},
            "action": {
                "button": "Teas",
                "sections": [
                    {
                        "rows": [
                            {"id": "/a", "title": "Assam", "description": "strong"},
                            {"id": "/s", "title": "Sencha"},
                        ]
                    }
                ],
            },
        },
    ),
    "link": (
        ["--text", "Your order", "--url", "Track=https://shop.example/7?a=b"],
        {
            "type": "cta_url",
            "body": {"text": "Your order"},
            "action": {
                "name": "cta_url",
                "parameters": {"display_text": "Track", "url": "https://shop.example/7?a=b"},
            },
        },
    ),
    "asking where somebody is": (
        ["--text", "Where are you?", "--request-location"],
        {
            "type": "location_request_message",
            "body": {"text": "Where are you?"},
            "action": {"name": "send_location"},
        },
    ),
    "template": (
        [
            "--template",
            "order_shipped",
            "--named-param",
            "day=tomorrow",
            "--header",
            "Order 7",
            "--button-param",
            "/track",
            "--button-param",
            "orders/7",
        ],
        {
            "name": "order_shipped",
            "language": {"code": "en_US"},
            "components": [
                {"type": "header", "parameters": [{"type": "text", "text": "Order 7"}]},
                {
                    "type": "body",
                    "parameters": [{"type": "text", "parameter_name": "day", "text": "tomorrow"}],
                },
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": "0",
                    "parameters": [{"type": "payload", "payload": "/track"}],
                },
                {
                    "type": "button",
                    "sub_type": "url",
                    "index": "1",
                    "parameters": [{"type": "text", "text": "orders/7"}],
                },
            ],
        },
    ),
}


@pytest.mark.parametrize(("args", "content"), KINDS.values(), ids=KINDS)
async def test_each_kind_of_message_has_its_options(rasa_whatsapp, simulator, args, content):
    done = await rasa_whatsapp("send", "--to", MAYA, *args)

    assert done.exit_code == 0, done.output
    [shown] = await simulator.chat(1)
    assert content.items() <= shown["content"].items()


async def test_a_picture_stands_above_the_buttons(rasa_whatsapp, simulator):
    lake = str(MEDIA / "lake.jpg")

    done = await rasa_whatsapp(
        *("send", "--to", MAYA, "--text", "Nice?", "--image", lake, "--button", "Yes=/affirm")
    )

    assert done.exit_code == 0, done.output
    [shown] = await simulator.chat(1)
    assert shown["content"]["header"]["image"]["id"]


async def test_a_contact_comes_from_a_vcard_and_from_json(rasa_whatsapp, simulator, tmp_path):
    card = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada Lovelace\r\nTEL;TYPE=CELL:+44 1\r\nEND:VCARD\r\n"
    (tmp_path / "ada.vcf").write_text(card)
    bob = {"name": {"formatted_name": "Bob", "first_name": "Bob"}}
    (tmp_path / "bob.json").write_text(json.dumps({"contacts": [bob]}))

    done = await rasa_whatsapp(
        *("send", "--to", MAYA, "--contact", "ada.vcf", "--contact", "bob.json")
    )

    assert done.exit_code == 0, done.output
    [shown] = await simulator.chat(1)
    assert shown["content"] == [
        {
            "name": {"formatted_name": "Ada Lovelace", "first_name": "Ada Lovelace"},
            "phones": [{"phone": "+44 1", "type": "CELL"}],
        },
        bob,
    ]


async def test_a_reaction_is_put_on_a_message_and_taken_away(rasa_whatsapp, simulator):
    hello = (await rasa_whatsapp("send", "--to", MAYA, "--text", "Hello")).stdout.strip()
    on = ("send", "--to", MAYA, "--reply-to", hello)

    put = await rasa_whatsapp(*on, "--reaction", "👍")
    with_it = (await simulator.chat(1))[0]
    taken = await rasa_whatsapp(*on, "--reaction", "")
    without = (await simulator.chat(1))[0]

    assert (put.exit_code, taken.exit_code) == (0, 0), taken.output
    assert (with_it["reactions"], without["reactions"]) == ({"bot": "👍"}, {})


async def test_a_message_can_be_quoted(rasa_whatsapp, simulator):
    hello = (await rasa_whatsapp("send", "--to", MAYA, "--text", "Hello")).stdout.strip()

    await rasa_whatsapp("send", "--to", MAYA, "--text", "I mean that", "--reply-to", hello)

    assert (await simulator.chat(2))[1]["context"] == {"message_id": hello}


async def test_any_sound_is_made_a_voice_message(rasa_whatsapp, simulator, tmp_path):
    pytest.importorskip("av", reason="nothing converts sounds here")
    (tmp_path / "tone.WAV").write_bytes(wav())

    done = await rasa_whatsapp("send", "--to", MAYA, "--voice", "tone.WAV")

    assert done.exit_code == 0, done.output
    assert "audio/ogg; codecs=opus" in done.stderr
    [shown] = await simulator.chat(1)
    assert shown["content"]["voice"] is True
    assert (await simulator.file(shown["content"]["url"])).startswith(b"OggS")


def wav() -> bytes:
    """Return half a second of a tone, as a recorder writes it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(2)
        sound.setsampwidth(2)
        sound.setframerate(44_100)
        sound.writeframes(b"\x00\x20\x00\x20\x00\xe0\x00\xe0" * 11_025)
    return file.getvalue()


async def test_taps_on_what_was_sent_count_as_the_channels_own(rasa_whatsapp, simulator, tmp_path):
    async with open_store(f"sqlite:///{tmp_path / 'whatsapp.db'}") as store:
        assert await store.values.get(sent_key(MAYA, "/affirm")) is None
    one = await rasa_whatsapp(
        *("send", "--to", MAYA, "--text", "Coming?", "--button", "Yes=/affirm")
    )

    assert (one.exit_code, one.stderr) == (0, "")
    async with open_store(f"sqlite:///{tmp_path / 'whatsapp.db'}") as store:
        assert await store.values.get(sent_key(MAYA, "/affirm"))


@pytest.mark.parametrize(
    "written", ["+49 151 12345678", "whatsapp:+4915112345678", "%2B4915112345678"]
)
async def test_a_number_may_be_written_as_people_do(rasa_whatsapp, simulator, tmp_path, written):
    yes = ("--text", "Coming?", "--button", "Yes=/affirm")

    done = await rasa_whatsapp("send", "--to", written, *yes)

    assert (done.exit_code, done.stderr) == (0, "")
    async with open_store(f"sqlite:///{tmp_path / 'whatsapp.db'}") as store:
        assert await store.values.get(sent_key("4915112345678", "/affirm"))


@pytest.mark.parametrize(
    ("written", "reason"),
    [("default", "no phone number"), ("0151 12345678", "begins with 0"), ("", "no recipient")],
)
async def test_what_can_be_nobody_is_refused_with_a_sentence(rasa_whatsapp, written, reason):
    done = await rasa_whatsapp("send", "--to", written, "--text", "Hello")

    assert done.exit_code == 2
    assert reason in " ".join(done.stderr.split())


async def test_the_bot_knows_who_answers_under_another_number(rasa_whatsapp, tmp_path):
    async with cloud_api() as api:
        write_credentials(tmp_path, api.url)
        contacts = [{"input": "5511987654321", "wa_id": "551187654321"}]
        api.next.append(answers(200, {"contacts": contacts, "messages": [{"id": "wamid.1"}]}))

        async with running_bot():
            done = await rasa_whatsapp("send", "--to", "5511987654321", "--text", "Hello")

    assert (done.exit_code, done.stdout, done.stderr) == (0, "wamid.1\n", "")
    async with open_store(f"sqlite:///{tmp_path / 'whatsapp.db'}") as store:
        known = await People(store.values).of("551187654321")
    assert known.name == "5511987654321"


def write_credentials(folder: Path, url: str) -> None:
    (folder / "credentials.yml").write_text(
        "rasa_whatsapp_channel.WhatsAppInput:\n"
        "  phone_number_id: '106540352242922'\n  access_token: a\n  app_secret: a\n"
        f"  verify_token: a\n  store: sqlite:///whatsapp.db\n  base_url: {url}\n"
    )


async def test_a_further_number_sends_too_and_taps_count_in_its_chat(
    rasa_whatsapp, start, tmp_path
):
    simulator = await start(more_numbers=(Number("206540352242922", "15550002222"),))
    yes = ("--text", "Coming?", "--button", "Yes=/affirm")

    done = await rasa_whatsapp("send", "--to", MAYA, "--from", "206540352242922", *yes)

    assert (done.exit_code, done.stderr) == (0, "")
    [shown] = await simulator.chat(1)
    assert shown["number"] == "206540352242922"
    async with open_store(f"sqlite:///{tmp_path / 'whatsapp.db'}") as store:
        assert await store.values.get(sent_key(f"{MAYA}@206540352242922", "/affirm"))
        assert await store.values.get(sent_key(MAYA, "/affirm")) is None


async def test_a_number_that_the_bot_does_not_have_is_said_with_those_it_has(
    rasa_whatsapp, simulator
):
    done = await rasa_whatsapp("send", "--to", MAYA, "--from", "999", "--text", "Hello")

    assert done.exit_code == 1
    assert "has no number 999; it names 106540352242922" in done.stderr
    assert await simulator.chat() == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--image", "no.jpg"], "Error: no.jpg: there is no such file"),
        (["--image", "4711"], "There is no media with id 4711"),
        (
            ["--no-convert", "--sticker", str(MEDIA / "lake.jpg")],
            "WhatsApp takes image/webp as sticker",
        ),
        (["--text", "x", "--image", "4711"], "Give exactly one of --text, --image"),
        ([], "Give exactly one of --text, --image"),
        (["--text", "x", "--caption", "y"], "--caption goes with a file"),
        (["--text", "x", "--param", "y"], "--param goes with --template"),
        (["--audio", "4711", "--caption", "x"], "WhatsApp knows no caption for type audio"),
        (["--text", "x" * 4097], "4096"),
        (["--template", "Hello World"], "takes a-z, 0-9 and _ only"),
        (["--json", "-"], "--json: is not JSON"),
        (["--contact", "-"], "--contact: is not JSON"),
        (["--location", "Berlin"], "--location: is written 52.5163,13.3777"),
        (["--location", "91,0"], "latitude"),
        (["--reaction", "👍"], "--reaction needs --reply-to"),
        (["--text", "x", "--button", "Yes"], "write it as TITLE=PAYLOAD"),
        (["--text", "x", "--button", "Yes=/y", "--row", "No=/n"], "Give exactly one of"),
        (["--button", "Yes=/y"], "interactive.body.text"),
        (["--text", "x", "--row", "x=/x", "--image", "4711"], "Give exactly one of"),
        (["--template", "a", "--param", "x", "--named-param", "a=b"], "Give either --param or"),
    ],
)
async def test_what_cannot_be_sent_is_said_in_one_line(rasa_whatsapp, simulator, args, said):
    done = await rasa_whatsapp("send", "--to", MAYA, *args, input="{")

    assert done.exit_code in (1, 2)
    assert said in done.stderr.splitlines()[-1]
    assert done.stdout == ""
    assert await simulator.chat() == []


@pytest.mark.parametrize(
    ("found", "now", "said"),
    [
        ("simulator-token", "old-token", "HTTP 401, 190 "),
        ("URL", "http://127.0.0.1:1", "127.0.0.1:1/"),
    ],
    ids=["a wrong token", "a server that is not there"],
)
async def test_what_the_bot_waits_for_is_said(rasa_whatsapp, simulator, tmp_path, found, now, said):
    file = tmp_path / "credentials.yml"
    found = simulator.url if found == "URL" else found
    async with open_store(f"sqlite:///{tmp_path}/whatsapp.db"):
        file.write_text(file.read_text().replace(found, now))
    for app in simulator.bots:
        await app.stop()

    async with running_bot():
        done = await rasa_whatsapp("send", "--to", MAYA, "--text", "x", "--wait", "3")

    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("Not sent yet: ")
    assert said in done.stderr
    assert "old-token" not in done.stderr


async def test_what_no_bot_sends_is_kept_and_said(rasa_whatsapp, simulator, tmp_path):
    for app in simulator.bots:
        await app.stop()
    async with open_store(f"sqlite:///{tmp_path}/whatsapp.db") as store:
        for role in ROLES:
            await store.values.delete(f"role:{role}")

    kept = await rasa_whatsapp("send", "--to", MAYA, "--text", "Hello", "--wait", "0.2")
    async with running_bot():
        [shown] = await simulator.chat(1)

    assert kept.exit_code == 3
    assert "Not sent yet: no process runs the bot, so what comes in waits; no process sends" in (
        " ".join(kept.stderr.split())
    )
    assert shown["content"]["body"] == "Hello"


async def test_what_the_person_does_not_want_is_withheld_and_does_not_wait(
    rasa_whatsapp, simulator, tmp_path
):
    sale = {"name": "summer_sale", "language": {"code": "en_US"}, "category": "marketing"}
    (tmp_path / "body.json").write_text(json.dumps({"type": "template", "template": sale}))
    await rasa_whatsapp("consent", "set", MAYA, "marketing", "stop")

    done = await rasa_whatsapp("send", "--to", MAYA, "--json", "body.json")

    assert (done.exit_code, done.stdout) == (1, "")
    assert "the person wants no marketing messages" in done.stderr


async def test_braces_go_as_they_are_written(rasa_whatsapp, simulator):
    await rasa_whatsapp("send", "--to", MAYA, "--text", "Hello {name}, {{here}} {}")

    [shown] = await simulator.chat(1)
    assert shown["content"]["body"] == "Hello {name}, {{here}} {}"


async def test_an_api_without_links_says_so_before_it_is_asked(rasa_whatsapp, start):
    simulator = await start("turn")

    done = await rasa_whatsapp("send", "--to", MAYA, "--image", "https://shop.example/a.jpg")

    assert "api turn takes no links; give a file or an id" in done.stderr
    assert await simulator.chat() == []


async def test_variables_in_credentials_are_read_from_the_environment(
    rasa_whatsapp, simulator, tmp_path
):
    file = tmp_path / "credentials.yml"
    file.write_text(file.read_text().replace('"simulator-token"', "${THE_TOKEN}"))
    text = ("send", "--to", MAYA, "--text", "x")

    with_it = await rasa_whatsapp(*text, env={"THE_TOKEN": "simulator-token"})
    without = await rasa_whatsapp(*text, env={"THE_TOKEN": None})

    assert with_it.exit_code == 0, with_it.output
    assert without.exit_code == 1
    assert "access_token: ${THE_TOKEN}: not set here" in without.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "credentials.yml: does not exist; go to the bot's folder"),
        ("rest:\n", "has no block rasa_whatsapp_channel.WhatsAppInput"),
        ("", "has no block rasa_whatsapp_channel.WhatsAppInput"),
        ("a: [", ": is not YAML: "),
        pytest.param("[" * 3000, ": is ", id="nested"),
        ("rasa_whatsapp_channel.WhatsAppInput: cloud\n", "must be a group of keys"),
        ("rasa_whatsapp_channel.WhatsAppInput:\n", "'phone_number_id' is missing"),
        ("rasa_whatsapp_channel.WhatsAppInput:\n  acces_token: x\n", "did you mean"),
    ],
)
async def test_what_is_wrong_with_the_credentials_is_said(rasa_whatsapp, tmp_path, content, said):
    if content is not None:
        (tmp_path / "credentials.yml").write_text(content)

    done = await rasa_whatsapp("send", "--to", MAYA, "--text", "x")

    assert done.exit_code == 1
    assert said in done.stderr


async def test_what_is_sent_counts_towards_the_daily_limit(rasa_whatsapp, simulator, tmp_path):
    limits = "{daily_limit: 2, at_limit: stop, limit_text: I can answer again tomorrow.}"
    with (tmp_path / "credentials.yml").open("a") as credentials:
        credentials.write(f"\n  billing: {limits}\n")
    for app in simulator.bots:
        await app.stop()
    async with running_bot():
        done = [
            await rasa_whatsapp("send", "--to", MAYA, "--text", text)
            for text in ("one", "two", "three")
        ]
        said = [each["content"]["body"] for each in await simulator.chat(3)]

    assert [each.exit_code for each in done] == [0, 0, 1], done[-1].output
    assert "the limit of 2 billed messages a day is reached" in done[-1].stderr
    assert said == ["one", "two", "I can answer again tomorrow."]
