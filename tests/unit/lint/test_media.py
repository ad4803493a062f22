from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import av
import pytest
from PIL import Image

from rasa_whatsapp_channel.lint.finding import Finding
from rasa_whatsapp_channel.lint.links import Answer
from rasa_whatsapp_channel.whatsapp import limits

Lint = Callable[..., list[Finding]]

GUESTHOUSE = Path(__file__).parents[3] / "examples" / "quickstart" / "media"


def response(part: str) -> str:
    return f'responses:\n  utter_it:\n  - text: "See"\n    {part}\n'


def told(findings: list[Finding]) -> list[str]:
    return [f"{finding.code} {finding.text}" for finding in findings]


def picture(form: str, size: tuple[int, int] = (512, 512)) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", size, (40, 90, 160)).save(buffer, form)
    return buffer.getvalue()


def movie(path: Path, codec: str, sound: str | None = None, channels: str = "mono") -> None:
    """Write a film of a few grey pictures, or, without a codec, a second of silence."""
    with av.open(str(path), "w") as container:
        pictures = container.add_stream(codec, rate=5) if codec else None
        sounds = container.add_stream(sound, rate=48000, layout=channels) if sound else None
        if pictures:
            pictures.width = pictures.height = 64
            pictures.pix_fmt = "yuv420p"
            for number in range(9):
                frame = av.VideoFrame(64, 64, "yuv420p")
                frame.pts = number
                container.mux(pictures.encode(frame))
            container.mux(pictures.encode(None))
        if sounds:
            silence = av.AudioFrame(format="fltp", layout=channels, samples=9600)
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            silence.sample_rate, silence.pts = 48000, 0
            container.mux(sounds.encode(silence))
            container.mux(sounds.encode(None))


def test_the_files_of_the_quickstart_are_fine(lint: Lint, bot: Path) -> None:
    (bot / "media").symlink_to(GUESTHOUSE)
    parts = [
        'image: "media/lake.jpg"',
        'attachment: {type: document, path: "media/guide.pdf"}',
        'attachment: {type: audio, path: "media/chime.ogg", voice: true}',
        'attachment: {type: video, path: "media/boat.mp4"}',
        'attachment: {type: sticker, path: "media/sun.webp"}',
    ]
    # A link may not lead out of the bot's folder.
    assert [found[:5] for part in parts for found in told(lint(response(part)))] == ["WA701"] * 5
    (bot / "media").unlink()
    (bot / "media").mkdir()
    for file in GUESTHOUSE.glob("*.*"):
        (bot / "media" / file.name).write_bytes(file.read_bytes())

    assert [told(lint(response(part))) for part in parts] == [[]] * 5


@pytest.mark.parametrize(
    ("kind", "name", "content", "said"),
    [
        ("image", "gone.jpg", None, "WA701 gone.jpg: does not exist in the bot's folder"),
        ("image", "/etc/hostname", None, "WA701 /etc/hostname: lies outside"),
        ("image", "../x.jpg", None, "WA701 ../x.jpg: lies outside"),
        ("image", "a.jpg", b"", "WA702 a.jpg: is empty"),
        (
            "image",
            "a.jpg",
            b"\xff\xd8\xff" + b"x" * limits.MEDIA_BYTES["image"],
            "WA702 a.jpg: has",
        ),
        ("image", "a.webp", picture("WEBP"), "WA703 a.webp: is image/webp; WhatsApp takes"),
        ("image", "a.jpg", b"II*\x00", "WA703 a.jpg: is image/tiff"),
        ("audio", "a.ogg", b"OggS" + bytes(60), "WA703 a.ogg: is Ogg, but not Opus"),
        ("sticker", "a.webp", picture("WEBP", (64, 64)), "WA704 a.webp: has 64 × 64 pixels"),
        ("video", "a.mp4", bytes(4) + b"ftypisom", "WA704 a.mp4: cannot be read as video"),
    ],
)
def test_a_file_whatsapp_would_refuse_is_told(
    lint: Lint, bot: Path, kind: str, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (bot / name).write_bytes(content)

    [found] = told(lint(response(f'attachment: {{type: {kind}, path: "{name}"}}')))

    assert found.startswith(said)


def test_a_heavy_still_sticker_is_told(lint: Lint, bot: Path) -> None:
    (bot / "a.webp").write_bytes(picture("WEBP") + bytes(limits.STICKER_STATIC_BYTES))

    [found] = told(lint(response('attachment: {type: sticker, path: "a.webp"}')))

    assert found.startswith("WA702 a.webp: has")
    assert found.endswith("as static sticker")


@pytest.mark.parametrize(
    ("name", "codec", "sound", "said"),
    [
        ("a.mp4", "mpeg4", None, "its pictures are mpeg4; WhatsApp plays H.264"),
        ("a.mp4", "libx264", "libmp3lame", "its sound is mp3; WhatsApp plays AAC"),
        ("a.mp4", "libx264", None, "is H.264 of the High profile with B-frames"),
    ],
)
def test_a_video_phones_do_not_play_is_told(
    lint: Lint, bot: Path, name: str, codec: str, sound: str | None, said: str
) -> None:
    movie(bot / name, codec, sound)

    [found] = told(lint(response(f'attachment: {{type: video, path: "{name}"}}')))

    assert found.startswith(f"WA704 {name}: {said}")


def test_a_voice_message_is_mono_opus(lint: Lint, bot: Path) -> None:
    movie(bot / "stereo.ogg", "", "libopus", "stereo")
    movie(bot / "sound.mp3", "", "libmp3lame")
    voice = 'attachment: {{type: audio, path: "{}", voice: true}}'

    [stereo] = told(lint(response(voice.format("stereo.ogg"))))
    [mp3] = told(lint(response(voice.format("sound.mp3"))))

    assert "has 2 channels; a voice message is mono" in stereo
    assert "is not Opus in Ogg" in mp3
    assert lint(response('attachment: {type: audio, path: "sound.mp3"}')) == []


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ('image: "http://localhost/a.jpg"', "WA705"),
        ('image: "https://192.168.0.5/a.jpg"', "WA705"),
        ('image: "https://[::1]/a.jpg"', "WA705"),
        ('image: "https://minio:9000/a.jpg"', "WA705"),
        ('image: "https://shop.internal/a.jpg"', "WA705"),
        ('image: "https://shop.example/a.webp"', "WA706"),
        ('attachment: {type: video, link: "https://shop.example/a.mov?x=1"}', "WA706"),
        ('attachment: {type: audio, link: "https://shop.example/a.wav"}', "WA706"),
    ],
)
def test_a_link_whatsapp_cannot_use_is_told(lint: Lint, part: str, said: str) -> None:
    assert [found[:5] for found in told(lint(response(part)))] == [said]


def test_links_that_tell_nothing_wrong_are_fine(lint: Lint) -> None:
    for part in (
        'image: "https://shop.example/picture?id=5"',
        'image: "https://8.8.8.8/a.png"',
        'attachment: {type: document, link: "https://shop.example/a.zip"}',
    ):
        assert lint(response(part)) == []


def test_a_client_of_ones_own_reaches_ones_own_network(lint: Lint) -> None:
    assert lint(response('image: "http://minio:9000/a.jpg"'), "on_premises") == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer("image/jpeg", 1000), []),
        (Answer("image/jpeg; x=y"), []),
        (Answer(), []),
        (Answer(problem="answers HTTP 404"), ["WA707"]),
        (Answer("text/html; charset=utf-8", 1000), ["WA706"]),
        (Answer("image/png", 0), ["WA702"]),
        (Answer("image/png", 50_000_000), ["WA702"]),
    ],
)
def test_what_the_server_says_counts(lint: Lint, answer: Answer, said: list[str]) -> None:
    link = "https://shop.example/a.webp"

    found = lint(response(f'image: "{link}"'), answers={link: answer})

    assert [finding.code for finding in found] == said


def test_files_in_headers_cards_and_bodies_are_looked_at(lint: Lint) -> None:
    found = lint("""
responses:
  utter_header:
  - text: "Sure?"
    image: "header.jpg"
    buttons: [{title: "Yes", payload: "/yes"}]
  utter_body:
  - custom:
      messages:
      - {type: text, text: {body: "Hi"}}
      - type: document
        document: {path: "body.pdf"}
  utter_card:
  - text: "Cards"
    elements:
    - title: "One"
      image_url: "card.jpg"
""")

    assert [(finding.code, finding.line) for finding in found] == [
        ("WA701", 5),
        ("WA701", 12),
        ("WA701", 17),
    ]
