"""`rasa-whatsapp send`: what arrives on the phone, and what is said when it does not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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

    done = await rasa_whatsapp("send", "--to", MAYA, "--audio", media_id, "--voice")

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


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--image", "no.jpg"], "Error: no.jpg: there is no such file"),
        (["--image", "4711"], "There is no media with id 4711"),
        (["--sticker", str(MEDIA / "lake.jpg")], "WhatsApp takes image/webp as sticker"),
        (["--text", "x", "--image", "4711"], "Give exactly one of --text, --image"),
        ([], "Give exactly one of --text, --image"),
        (["--text", "x", "--caption", "y"], "--caption goes with a file"),
        (["--text", "x", "--param", "y"], "--param goes with --template"),
        (["--audio", "4711", "--caption", "x"], "WhatsApp knows no caption for type audio"),
        (["--text", "x" * 4097], "4096"),
        (["--template", "Hello World"], "takes a-z, 0-9 and _ only"),
        (["--json", "-"], "--json: is not JSON"),
    ],
)
async def test_what_cannot_be_sent_is_said_in_one_line(rasa_whatsapp, simulator, args, said):
    done = await rasa_whatsapp("send", "--to", MAYA, *args, input="{")

    assert done.exit_code in (1, 2)
    assert said in done.stderr.splitlines()[-1]
    assert done.stdout == ""
    assert await simulator.chat() == []


async def test_a_wrong_token_is_said_with_the_way_out(rasa_whatsapp, simulator, tmp_path):
    file = tmp_path / "credentials.yml"
    file.write_text(file.read_text().replace("simulator-token", "old-token"))

    done = await rasa_whatsapp("send", "--to", MAYA, "--text", "x")

    assert done.exit_code == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: HTTP 401, 190 ")
    assert line.endswith("Put a valid access token or login into credentials.yml.")
    assert "old-token" not in line


async def test_a_server_that_is_not_there_is_said_in_one_line(rasa_whatsapp, simulator, tmp_path):
    file = tmp_path / "credentials.yml"
    file.write_text(file.read_text().replace(simulator.url, "http://127.0.0.1:1"))

    done = await rasa_whatsapp("send", "--to", MAYA, "--text", "x")

    assert done.exit_code == 1
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: POST http://127.0.0.1:1/")
    assert line.endswith("Try again in a moment.")


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
        ("a: [", "credentials.yml: is not YAML: "),
        pytest.param("[" * 3000, "credentials.yml: is ", id="nested"),
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
