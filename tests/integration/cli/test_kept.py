"""`rasa-whatsapp media kept`: what people sent, in a folder and in an object store."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager
from datetime import date

import pytest
from support.quiet_client import QuietClient

from rasa_whatsapp_channel.media.folder import MediaFolder
from rasa_whatsapp_channel.media.object_store import MediaObjectStore
from rasa_whatsapp_channel.media.values import InboundMedia
from rasa_whatsapp_channel.whatsapp.clients import Download

MAYA, BEN = "4915112345678", "4915187654321"
SECOND = "206540352242922"
BLOCK = """
rasa_whatsapp_channel.WhatsAppInput:
  phone_number_id: "106540352242922"
  access_token: t
  app_secret: s
  verify_token: v
  media: {{store: "{store}"}}
  numbers: [{{phone_number_id: "206540352242922"}}]
"""
OLD, NEW = date(2026, 1, 5), date(2096, 1, 5)


class Shelf(QuietClient):
    def download(self, media_id, *, url=None):
        return self._open(media_id)

    @asynccontextmanager
    async def _open(self, media_id):
        async def chunks():
            yield media_id.encode()

        yield Download(None, None, chunks())


@pytest.fixture(params=["received", "file"])
async def folder(request, tmp_path):
    """Three files of two people, one of them to a second number, kept as the channel does."""
    store = request.param if request.param == "received" else f"file://{tmp_path}/received"
    (tmp_path / "credentials.yml").write_text(BLOCK.format(store=store))
    for day, media_id, mime_type, who in (
        (OLD, "11", "image/jpeg", MAYA),
        (OLD, "22", "video/mp4", BEN),
        (NEW, "33", "application/pdf", f"{MAYA}@{SECOND}"),
    ):
        if request.param == "received":
            kept = MediaFolder(tmp_path / store, Shelf(), max_bytes=99, today=lambda day=day: day)
        else:
            pytest.importorskip("fsspec", reason="no object stores here")
            kept = MediaObjectStore(store, Shelf(), max_bytes=99, today=lambda day=day: day)
        await kept.fetch(InboundMedia("document", media_id, mime_type=mime_type, sender_id=who))
    (tmp_path / "received" / "notes.txt").write_text("not ours")
    (tmp_path / "received" / ".converted").mkdir()
    return tmp_path / "received"


async def listed(rasa_whatsapp, *options: str) -> list[str]:
    done = await rasa_whatsapp("media", "kept", "list", "--json", *options)
    assert done.exit_code == 0, done.output
    return [each["name"].partition("_")[0] for each in json.loads(done.stdout)]


async def test_files_are_listed_by_person_age_and_type(rasa_whatsapp, folder):
    assert await listed(rasa_whatsapp) == ["2026-01-05/11", "2026-01-05/22", "2096-01-05/33"]
    assert await listed(rasa_whatsapp, "--person", "+49 151 12345678") == [
        "2026-01-05/11",
        "2096-01-05/33",
    ]
    assert await listed(rasa_whatsapp, "--older-than", "30") == ["2026-01-05/11", "2026-01-05/22"]
    assert await listed(rasa_whatsapp, "--type", "video") == ["2026-01-05/22"]
    assert await listed(rasa_whatsapp, "--type", "document", "--person", BEN) == []


async def test_the_list_for_people_is_a_line_for_each_file(rasa_whatsapp, folder):
    done = await rasa_whatsapp("media", "kept", "list", "--type", "image")

    [line] = done.stdout.splitlines()
    assert line.startswith("2026-01-05/11_")
    assert line.endswith("  2  image/jpeg")
    assert done.stderr == "1 file, 2 bytes.\n"


async def test_a_file_is_copied_out_and_over_nothing(rasa_whatsapp, folder, tmp_path):
    rows = json.loads((await rasa_whatsapp("media", "kept", "list", "--json")).stdout)
    name = rows[0]["name"]

    done = await rasa_whatsapp("media", "kept", "get", name, "-o", "mine.jpg")
    again = await rasa_whatsapp("media", "kept", "get", name, "-o", "mine.jpg")

    assert (done.exit_code, done.stdout) == (0, "mine.jpg\n")
    assert (tmp_path / "mine.jpg").read_bytes() == b"11"
    assert "exists already; --force" in again.stderr


async def test_all_of_a_person_is_deleted_and_nothing_else(rasa_whatsapp, folder):
    refused = await rasa_whatsapp("media", "kept", "delete", "--person", MAYA, input="n\n")
    before = await listed(rasa_whatsapp)

    done = await rasa_whatsapp("media", "kept", "delete", "--person", MAYA, "--yes")

    assert (refused.exit_code, len(before)) == (1, 3)
    assert done.stdout == "2 files deleted.\n"
    assert await listed(rasa_whatsapp) == ["2026-01-05/22"]
    assert (folder / "notes.txt").read_text() == "not ours"


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["get", "../credentials.yml"], "../credentials.yml: is not stored"),
        (["delete", "notes.txt", "--yes"], "notes.txt: is not stored"),
        (["delete", "--yes"], "Give names, or at least one of --person"),
    ],
)
async def test_nothing_but_kept_files_is_touched(rasa_whatsapp, folder, args, said):
    done = await rasa_whatsapp("media", "kept", *args)

    assert done.exit_code in (1, 2)
    assert said in done.stderr
    assert len(await listed(rasa_whatsapp)) == 3


async def test_what_a_file_became_to_be_sent_goes_with_it(rasa_whatsapp, tmp_path):
    (tmp_path / "credentials.yml").write_text(BLOCK.format(store="received"))
    kept = MediaFolder(tmp_path / "received", Shelf(), max_bytes=99)
    await kept.fetch(InboundMedia("image", "11", mime_type="image/webp", sender_id=MAYA))
    converted = tmp_path / "received" / ".converted"
    converted.mkdir()
    # Named by the hash of the content it was made of, here "11" and something else.
    of_maya = converted / "4fc82b26aecb47d2868c4efbe3581732a3e7cbcc-image-3.jpg"
    of_another = converted / "6b86b273ff34fce19d6b804eff5a3f5747ada4ea-image-3.jpg"
    of_maya.touch()
    of_another.touch()

    await rasa_whatsapp("media", "kept", "delete", "--person", MAYA, "--yes")

    assert not of_maya.exists()
    assert of_another.exists()
