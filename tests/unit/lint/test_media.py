from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import av
import pytest
from PIL import Image

from rasa_whatsapp_channel.domain.read import read_domains
from rasa_whatsapp_channel.lint.check import Linter
from rasa_whatsapp_channel.lint.media import LinkAnswer
from rasa_whatsapp_channel.lint.rules import Finding
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, TURN

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


def test_the_files_of_the_quickstart_are_fine(lint: Lint, bot: Path) -> None:
    parts = [
        'image: "media/lake.jpg"',
        'attachment: {type: document, path: "media/guide.pdf"}',
        'attachment: {type: audio, path: "media/chime.ogg", voice: true}',
        'attachment: {type: video, path: "media/boat.mp4"}',
        'attachment: {type: sticker, path: "media/sun.webp"}',
    ]
    for file in GUESTHOUSE.glob("*.*"):
        (bot / "media" / file.name).write_bytes(file.read_bytes())

    assert [told(lint(response(part))) for part in parts] == [[]] * 5


@pytest.mark.parametrize(
    ("kind", "name", "content", "said"),
    [
        (
            "image",
            "media/gone.jpg",
            None,
            "WA701 media/gone.jpg: does not exist in the bot's folder",
        ),
        ("image", "/etc/hostname", None, "WA701 /etc/hostname: lies outside"),
        ("image", "../x.jpg", None, "WA701 ../x.jpg: lies outside"),
        ("image", "x.jpg", picture("JPEG"), "WA701 x.jpg: lies outside of the folders"),
        ("document", "config.yml", None, "WA701 config.yml: YAML is never sent"),
        ("image", "media/a.jpg", b"", "WA702 media/a.jpg: is empty"),
        (
            "image",
            "media/a.jpg",
            b"%PDF-1.4",
            "WA708 media/a.jpg: goes as document and not as image",
        ),
        ("audio", "media/a.mp3", b"%PDF-1.4", "WA708 media/a.mp3: goes as document"),
        ("document", "media/a.xyz", b"\xff\xd8\xff\xe0", "WA708 media/a.xyz: goes as image"),
        ("document", "media/a.zip", b"PK\x03\x04", "WA709 media/a.zip: is application/zip"),
        ("video", "media/a.svg", b"<svg>", "WA703 media/a.svg: is image/svg+xml"),
        ("document", "media/a.pdf", b"<html>", "WA703 media/a.pdf: is a web page inside"),
        ("image", "media/a.webp", picture("WEBP"), "WA704 media/a.webp: is image/webp, "),
        ("image", "media/a.gif", picture("GIF"), "WA704 media/a.gif: is image/gif, "),
        (
            "sticker",
            "media/a.webp",
            picture("WEBP", (64, 32)),
            "64 × 32 pixels, which WhatsApp does not",
        ),
        ("sticker", "media/a.png", picture("PNG"), "WA704 media/a.png: is image/png, "),
        (
            "audio",
            "media/a.wav",
            b"RIFF----WAVE",
            "WA704 media/a.wav: is audio/wav, 12 bytes, which",
        ),
        (
            "audio",
            "media/a.ogg",
            b"OggS" + bytes(60),
            "WA704 media/a.ogg: is audio/ogg, 64 bytes, which",
        ),
        (
            "video",
            "media/a.mov",
            bytes(4) + b"ftypqt  ",
            "WA704 media/a.mov: is video/quicktime, 12 bytes",
        ),
    ],
)
def test_a_file_whatsapp_would_refuse_is_told(
    lint: Lint, bot: Path, kind: str, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (bot / name).write_bytes(content)

    [found] = told(lint(response(f'attachment: {{type: {kind}, path: "{name}"}}')))

    assert said in found


def test_a_file_that_is_too_big_is_told(lint: Lint, bot: Path) -> None:
    for name in ("a.jpg", "a.zip"):
        with (bot / "media" / name).open("wb") as file:
            file.write(b"\xff\xd8\xff" if name == "a.jpg" else b"PK")
            file.truncate(limits.MEDIA_BYTES["document"] + 1)

    [picture] = told(lint(response('image: "media/a.jpg"')))
    [document] = told(lint(response('attachment: {type: document, path: "media/a.zip"}')))

    assert picture.startswith("WA704 media/a.jpg: is image/jpeg, 104,857,601 bytes")
    assert document == (
        "WA702 media/a.zip: has 104857601 bytes; WhatsApp takes at most 104857600 as document"
    )


def test_a_voice_message_is_mono_opus(lint: Lint, bot: Path) -> None:
    opus = (GUESTHOUSE / "chime.ogg").read_bytes()
    (bot / "media" / "mono.ogg").write_bytes(opus)
    at = opus.index(b"OpusHead") + 9
    (bot / "media" / "stereo.ogg").write_bytes(opus[:at] + b"\x02" + opus[at + 1 :])
    (bot / "media" / "sound.mp3").write_bytes(b"ID3" + bytes(60))
    voice = "attachment: {{type: audio, path: media/{}, voice: {}}}"

    assert lint(response(voice.format("mono.ogg", "true"))) == []
    assert lint(response(voice.format("sound.mp3", "false"))) == []
    [mp3] = told(lint(response(voice.format("sound.mp3", "true"))))
    [stereo] = told(lint(response(voice.format("stereo.ogg", "true"))))
    assert "audio/mpeg, 63 bytes, which WhatsApp does not take as audio" in mp3
    assert "2 channels" in stereo


def test_a_sticker_may_move_where_the_api_takes_that(lint: Lint, bot: Path) -> None:
    frames = [Image.new("RGB", (512, 512), colour) for colour in ("red", "blue")]
    frames[0].save(bot / "media" / "a.webp", save_all=True, append_images=frames[1:])
    text = response('attachment: {type: sticker, path: "media/a.webp"}')

    assert lint(text, "cloud") == []
    [found] = told(lint(text, "cloud", "on_premises"))
    assert found.startswith("WA704")
    assert found.endswith("(api on_premises)")


def film(path: Path, pictures: str, sound: str | None = None, index: str = "") -> None:
    """Write nine grey pictures, and a fifth of a second of silence."""
    with av.open(str(path), "w", options={"movflags": index} if index else {}) as container:
        seen = container.add_stream(pictures, rate=5)
        heard = container.add_stream(sound, rate=48000, layout="mono") if sound else None
        seen.width = seen.height = 64
        seen.pix_fmt = "yuv420p"
        for number in range(9):
            frame = av.VideoFrame(64, 64, "yuv420p")
            frame.pts = number
            container.mux(seen.encode(frame))
        container.mux(seen.encode(None))
        if heard:
            silence = av.AudioFrame(format="fltp", layout="mono", samples=9600)
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            silence.sample_rate, silence.pts = 48000, 0
            container.mux(heard.encode(silence))
            container.mux(heard.encode(None))


def test_a_clip_is_looked_into(lint: Lint, bot: Path) -> None:
    film(bot / "media" / "old.mp4", "mpeg4", "libmp3lame")
    film(bot / "media" / "high.mp4", "libx264", index="faststart")
    (bot / "media" / "broken.mp4").write_bytes(bytes(4) + b"ftypisom")
    clip = "attachment: {{type: video, path: media/{}}}"

    [old] = told(lint(response(clip.format("old.mp4"))))
    [high] = told(lint(response(clip.format("high.mp4"))))

    assert "mpeg4 and mp3, " in old
    assert "its index at the end, which WhatsApp does not take as video" in old
    assert "h264, High profile with B-frames, which" in high
    assert lint(response(clip.format("broken.mp4"))) == []  # nobody can tell


@pytest.mark.parametrize("path", ["data:image/png;base64,iVBORw0KGgo=", "s3://bucket/a.jpg"])
def test_what_lies_elsewhere_is_not_looked_for(lint: Lint, path: str) -> None:
    access = FileAccess(sources=("s3://bucket/",))

    assert lint(response(f'attachment: {{type: image, path: "{path}"}}'), access=access) == []


@pytest.mark.parametrize("path", ["s3://bucket/a.jpg", "webhdfs://127.0.0.1:80/a.jpg"])
def test_a_store_that_the_settings_do_not_name_is_told(lint: Lint, path: str) -> None:
    [found] = told(lint(response(f'attachment: {{type: image, path: "{path}"}}')))

    assert found.startswith(f"WA701 {path}: lies below none of the addresses that may be read")


def test_the_folders_of_the_settings_count(lint: Lint, bot: Path) -> None:
    (bot / "menus").mkdir()
    (bot / "menus" / "a.pdf").write_bytes(b"%PDF-1.7")
    text = response('attachment: {type: document, path: "menus/a.pdf"}')

    [found] = told(lint(text))
    assert "move it there, or name its folder with `media: {folders: […]}`" in found
    assert lint(text, access=FileAccess(folders=("media", "menus"))) == []


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ('image: "http://localhost/a.jpg"', "WA705"),
        ('image: "https://192.168.0.5/a.jpg"', "WA705"),
        ('image: "https://[::1]/a.jpg"', "WA705"),
        ('image: "https://minio:9000/a.jpg"', "WA705"),
        ('image: "https://shop.internal/a.jpg"', "WA705"),
        ('image: "http://["', "WA203"),
        ('image: "https://shop.example/a.webp"', "WA706"),
        ('attachment: {type: video, link: "https://shop.example/a.mov?x=1"}', "WA706"),
        ('attachment: {type: audio, link: "https://shop.example/a.wav"}', "WA706"),
        ('attachment: {type: document, link: "https://shop.example/a.zip"}', "WA706"),
    ],
)
def test_a_link_whatsapp_cannot_use_is_told(lint: Lint, part: str, said: str) -> None:
    assert [found[:5] for found in told(lint(response(part)))] == [said]


def test_links_that_tell_nothing_wrong_are_fine(lint: Lint) -> None:
    for part in (
        'image: "https://shop.example/picture?id=5"',
        'image: "https://8.8.8.8/a.png"',
        'attachment: {type: document, link: "https://shop.example/a.pdf"}',
        'attachment: {type: document, link: "https://shop.example/download"}',
    ):
        assert lint(response(part)) == []


def test_a_client_of_ones_own_reaches_ones_own_network(lint: Lint) -> None:
    assert lint(response('image: "http://minio:9000/a.jpg"'), "on_premises") == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (LinkAnswer("image/jpeg", 1000), []),
        (LinkAnswer("image/jpeg; x=y"), []),
        (LinkAnswer(), []),
        (LinkAnswer(problem="answers HTTP 404"), ["WA707"]),
        (LinkAnswer("text/html; charset=utf-8", 1000), ["WA706"]),
        (LinkAnswer("image/png", 0), ["WA702"]),
        (LinkAnswer("image/png", 50_000_000), ["WA702"]),
    ],
)
def test_what_the_server_says_counts(lint: Lint, answer: LinkAnswer, said: list[str]) -> None:
    link = "https://shop.example/a.webp"

    found = lint(response(f'image: "{link}"'), answers={link: answer})

    assert [finding.code for finding in found] == said


def test_the_files_of_a_template_are_looked_at(lint: Lint) -> None:
    [found] = lint("""
responses:
  utter_it:
  - text: "Are you there?"
    metadata:
      whatsapp:
        template:
          name: hello_again
          language: en
          components:
          - type: header
            parameters: [{type: image, image: {link: "http://localhost/a.jpg"}}]
""")

    assert (found.code, found.line) == ("WA705", 12)


def test_links_are_listed_once_and_without_those_of_slots(bot: Path) -> None:
    path = bot / "domain.yml"
    path.write_text("""
responses:
  utter_it:
  - {text: "", image: "https://shop.example/a.jpg"}
  - {text: "", image: "https://shop.example/{name}.jpg", channel: whatsapp}
  - {text: "", image: "https://shop.example/slack.jpg", channel: slack}
  - {text: "", attachment: "https://shop.example/refused.jpg"}
  - "Hello"
  utter_more:
  - {text: "", custom: {type: image, image: {link: "https://shop.example/b.jpg"}}}
  - {text: "", image: "https://shop.example/a.jpg"}
""")
    [domain] = read_domains([path])

    assert Linter(domain, [CLOUD, TURN]).links() == [
        "https://shop.example/a.jpg",
        "https://shop.example/b.jpg",
    ]


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


def test_a_link_that_has_to_be_encoded_is_told_and_still_looked_at(lint: Lint) -> None:
    found = told(lint(response('image: "http://localhost/São Paulo.png"')))

    assert [line[:5] for line in found] == ["WA212", "WA705"]
    assert "http://localhost/S%C3%A3o%20Paulo.png" in found[0]


def test_documents_of_any_type_go_where_the_api_says_so(lint: Lint, bot: Path) -> None:
    (bot / "media" / "a.zip").write_bytes(b"PK\x03\x04")
    (bot / "media" / "a.xyz").write_bytes(b"\xff\xd8\xff\xe0")

    for name in ("a.zip", "a.xyz"):
        part = f'attachment: {{type: document, path: "media/{name}"}}'
        assert lint(response(part), "on_premises") == []


def test_a_picture_in_a_text_is_checked_like_any_other(lint: Lint, bot: Path) -> None:
    (bot / "media" / "l.jpg").write_bytes(picture("JPEG"))
    (bot / "pictures").mkdir()
    (bot / "pictures" / "l.jpg").write_bytes(picture("JPEG"))

    def found(address: str) -> list[str]:
        domain = f'responses:\n  utter_it:\n  - text: "See ![it]({address})"\n'
        return [finding.code for finding in lint(domain)]

    assert found("media/l.jpg") == ["WA115"]
    assert found("media/gone.jpg") == ["WA115", "WA701"]
    assert found("pictures/l.jpg") == ["WA116"]
