"""`rasa-whatsapp media`: files at WhatsApp."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rasa_whatsapp_channel.whatsapp.aiohttp_transport import AiohttpTransport
from rasa_whatsapp_channel.whatsapp.apis import APIS
from rasa_whatsapp_channel.whatsapp.clients import CloudClient
from rasa_whatsapp_channel.whatsapp.errors import APIError
from rasa_whatsapp_channel.whatsapp.transport import File

LAKE = Path(__file__).parents[3] / "examples" / "quickstart" / "media" / "lake.jpg"


@pytest.mark.parametrize("api", APIS)
async def test_a_file_goes_up_is_looked_at_comes_back_and_is_deleted(
    rasa_whatsapp, start, tmp_path, api
):
    await start(api)

    uploaded = await rasa_whatsapp("media", "upload", str(LAKE))
    media_id = uploaded.stdout.strip()
    info = await rasa_whatsapp("media", "get", media_id)
    downloaded = await rasa_whatsapp("media", "download", media_id)
    deleted = await rasa_whatsapp("media", "delete", media_id, "--yes")
    gone = await rasa_whatsapp("media", "get", media_id)

    assert json.loads(info.stdout)["mime_type"] == "image/jpeg"
    assert downloaded.stdout == f"{media_id}.jpg\n"
    assert (tmp_path / f"{media_id}.jpg").read_bytes() == LAKE.read_bytes()
    assert deleted.exit_code == 0
    assert gone.exit_code == 1
    assert len(gone.stderr.splitlines()) == 1


async def test_a_download_goes_where_it_is_asked_to_and_over_nothing(
    rasa_whatsapp, simulator, tmp_path
):
    media_id = (await rasa_whatsapp("media", "upload", str(LAKE))).stdout.strip()
    target = tmp_path / "mine.jpg"
    target.write_text("mine")
    download = ("media", "download", media_id, "--output", str(target))

    refused = await rasa_whatsapp(*download)
    kept = target.read_text()
    forced = await rasa_whatsapp(*download, "--force")

    assert refused.exit_code == 1
    assert "exists already; --force overwrites it" in refused.stderr
    assert kept == "mine"
    assert forced.exit_code == 0
    assert target.read_bytes() == LAKE.read_bytes()
    assert {path.name for path in tmp_path.iterdir()} == {"mine.jpg", "credentials.yml"}


async def test_a_download_into_no_folder_is_one_line(rasa_whatsapp, simulator):
    media_id = (await rasa_whatsapp("media", "upload", str(LAKE))).stdout.strip()

    done = await rasa_whatsapp("media", "download", media_id, "-o", "nowhere/lake.jpg")

    assert done.exit_code == 1
    assert "nowhere/lake.jpg: cannot be written: No such file" in done.stderr


async def test_deleting_asks_first(rasa_whatsapp, simulator):
    media_id = (await rasa_whatsapp("media", "upload", str(LAKE))).stdout.strip()

    refused = await rasa_whatsapp("media", "delete", media_id, input="n\n")

    assert refused.exit_code == 1
    assert (await rasa_whatsapp("media", "get", media_id)).exit_code == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.jpg", b"", "is empty"),
        ("big.jpg", b"\xff\xd8\xff" + b"x" * 5 * 1024 * 1024, "WhatsApp takes at most 5242880"),
        ("sound.ogg", b"OggS" + b"x" * 100, "is Ogg, but not Opus"),
    ],
)
async def test_a_file_whatsapp_would_not_take_stays_here(
    rasa_whatsapp, simulator, tmp_path, name, content, said
):
    (tmp_path / name).write_bytes(content)

    done = await rasa_whatsapp("media", "upload", name)

    assert done.exit_code == 1
    assert said in done.stderr
    assert "Uploading" not in done.stderr


async def test_a_file_is_made_to_fit_unless_that_is_not_wanted(rasa_whatsapp, simulator, tmp_path):
    pillow = pytest.importorskip("PIL.Image", reason="nothing converts pictures here")
    pillow.new("RGB", (64, 64), "teal").save(tmp_path / "lake.BMP", "BMP")

    as_it_is = await rasa_whatsapp("media", "upload", "lake.BMP", "--as", "image", "--no-convert")
    made = await rasa_whatsapp("media", "upload", "lake.BMP")
    sticker = await rasa_whatsapp("media", "upload", "lake.BMP", "--as", "sticker")

    assert "is image/bmp; WhatsApp takes image/jpeg, image/png as image" in as_it_is.stderr
    for done, mime_type in ((made, "image/png"), (sticker, "image/webp")):
        assert done.exit_code == 0, done.output
        assert mime_type in done.stderr
        info = json.loads((await rasa_whatsapp("media", "get", done.stdout.strip())).stdout)
        assert info["mime_type"] == mime_type


async def test_what_was_made_leaves_nothing_behind(rasa_whatsapp, simulator, tmp_path):
    pillow = pytest.importorskip("PIL.Image", reason="nothing converts pictures here")
    pillow.new("RGB", (64, 64), "teal").save(tmp_path / "lake.bmp")

    await rasa_whatsapp("media", "upload", "lake.bmp")

    assert {path.name for path in tmp_path.iterdir()} == {"lake.bmp", "credentials.yml"}


async def test_a_bar_can_be_drawn_from_what_went(simulator, tmp_path):
    (tmp_path / "big.bin").write_bytes(b"x" * 3_000_000)
    told = []
    size = 3_000_000
    watched = AiohttpTransport(watch=lambda file: told.append)
    client = CloudClient(
        watched, phone_number_id="106540352242922", access_token="t", base_url=simulator.url
    )
    try:
        with pytest.raises(APIError):  # a wrong token; the file went all the same
            await client.upload(File(tmp_path / "big.bin", "text/plain", "big.bin"))
    finally:
        await client.close()

    assert sum(told) == size
    assert len(told) > 10
