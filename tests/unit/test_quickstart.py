"""The quickstart bot and its files are what WhatsApp and the channel want."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import av
import pytest
import yaml
from PIL import Image

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.inbound.intents import INTENTS
from rasa_whatsapp_channel.settings import CHANNEL, Settings
from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.whatsapp.apis import APIS, Api

BOT = Path(__file__).parents[2] / "examples" / "quickstart"
MEDIA = BOT / "media"


def load(name: str) -> Any:
    return yaml.safe_load((BOT / name).read_text())


DOMAIN = load("domain.yml")


def steps() -> Iterator[Mapping[str, str]]:
    for rule in load("data/rules.yml")["rules"]:
        yield from rule["steps"]


def test_the_domain_lists_every_intent_the_channel_can_say() -> None:
    assert set(INTENTS) <= set(DOMAIN["intents"])


def test_every_intent_has_an_answer() -> None:
    answered = {step["intent"] for step in steps() if "intent" in step}

    assert set(DOMAIN["intents"]) <= answered


def test_the_credentials_fit_the_simulator() -> None:
    simulator = Config()

    settings = Settings.from_credentials(load("credentials.yml")[CHANNEL], environ={})

    assert settings.base_url == f"http://{simulator.host}:{simulator.port}"
    assert settings.phone_number_id == simulator.number.phone_number_id
    assert settings.access_token == simulator.access_token
    assert settings.app_secret == (simulator.app_secret,)
    assert settings.verify_token == simulator.verify_token


@pytest.mark.parametrize("api", APIS.values(), ids=lambda api: api.name)
@pytest.mark.parametrize("name", DOMAIN["responses"])
def test_every_response_fits_into_one_message_on_every_api(name: str, api: Api) -> None:
    for response in DOMAIN["responses"][name]:
        composed = compose({**response, "utter_action": name}, api=api)

        assert len(composed.messages) == 1
        assert [change for change in composed.changes if change.lost] == []


def test_a_greeting_is_answered_with_every_kind_of_medium() -> None:
    rule = next(
        rule
        for rule in load("data/rules.yml")["rules"]
        if rule["steps"][0].get("intent") == "greet"
    )
    responses = [DOMAIN["responses"][step["action"]][0] for step in rule["steps"][1:]]
    sources = [
        (
            "image" if "image" in response else response.get("attachment", {}).get("type", "text"),
            response.get("image") or response.get("attachment", {}).get("path"),
        )
        for response in responses
    ]

    assert sources == [
        ("text", None),
        ("image", "media/lake.jpg"),
        ("document", "media/guide.pdf"),
        ("audio", "media/chime.ogg"),
        ("video", "media/boat.mp4"),
        ("sticker", "media/sun.webp"),
    ]
    assert all((BOT / path).is_file() for _, path in sources if path)


def test_the_files_stay_small() -> None:
    assert sum(file.stat().st_size for file in MEDIA.iterdir() if file.is_file()) < 300 * 1024


def test_the_sticker_is_what_whatsapp_takes() -> None:
    file = MEDIA / "sun.webp"

    with Image.open(file) as picture:
        assert (picture.format, picture.size, picture.mode) == ("WEBP", (512, 512), "RGBA")
        assert picture.getpixel((0, 0))[3] == 0
    assert file.stat().st_size < 100 * 1024


def test_the_voice_message_is_mono_opus_in_ogg() -> None:
    with av.open(str(MEDIA / "chime.ogg")) as container:
        (stream,) = container.streams
        assert (container.format.name, stream.codec_context.name) == ("ogg", "opus")
        assert stream.codec_context.channels == 1


def test_the_video_plays_on_every_phone() -> None:
    # H.264 without B-frames and below the High profile, AAC, and the index before the pictures.
    with av.open(str(MEDIA / "boat.mp4")) as container:
        picture, sound = container.streams
        assert (picture.codec_context.name, picture.codec_context.profile) == ("h264", "Main")
        assert not picture.codec_context.has_b_frames
        assert sound.codec_context.name == "aac"
    content = (MEDIA / "boat.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")
