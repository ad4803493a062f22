"""A bot's folder in which every command that the pages print finds what it speaks of."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from pillow_heif import register_heif_opener
from support.documents import ROOT
from support.real_files import picture, sound

from rasa_whatsapp_channel.store import open_store

MAYA: Final = "4915112345678"
WAITING: Final = "wamid.HBgNNDkxNTExMjM0NTY3OBUCABIYFDNBQTFCMkMzRDRFNUYwMDYwNzE4MjkAA==:0"
KEPT: Final = "2026-11-25/1037543291543634_2bb80d537b1d.jpg"  # what somebody sent
MEDIA_ID: Final = "1037543291543634"

OFFER = """\
version: "3.1"
intents: [buy, later]
slots:
  name: {type: text, mappings: [{type: custom}]}
responses:
  utter_offer:
  - text: "Our offer for {name}"
    image: "media/lake.jpg"
    buttons: [{title: "Buy", payload: "/buy"}, {title: "Later", payload: "/later"}]
"""
MORE = """\
version: "3.1"
responses:
  utter_more:
  - text: "There is more"
"""
CARD = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\nTEL;TYPE=CELL:+44 20 1234567\r\nEND:VCARD\r\n"


async def lay(folder: Path) -> None:
    """Lay files beside the bot in *folder*, and an answer that is a dead letter into its store."""
    shutil.copytree(
        ROOT / "examples" / "quickstart" / "media", folder / "media", dirs_exist_ok=True
    )
    register_heif_opener()
    (folder / "lake.heic").write_bytes(picture("HEIF"))
    (folder / "hello.mp3").write_bytes(sound("mp3", "mp3"))
    (folder / "ada.vcf").write_text(CARD)
    kept = folder / "whatsapp_media" / KEPT
    kept.parent.mkdir(parents=True)
    shutil.copy(folder / "media" / "lake.jpg", kept)
    for name in ("my-bot", "domain", "templates"):
        (folder / name).mkdir()
    (folder / "my-bot" / "domain.yml").write_text('version: "3.1"\n')
    (folder / "domain" / "more.yml").write_text(MORE)
    (folder / "domain" / "offer.yml").write_text(OFFER)
    async with open_store(f"sqlite:///{folder / 'whatsapp.db'}") as store:
        message = {"type": "text", "text": {"body": "hello"}}
        body = {"recipient_id": MAYA, "message": message, "response": "utter_offer"}
        await store.outbox.put(WAITING, MAYA, body)
        item = await store.outbox.claim()
        assert item is not None
        await store.outbox.dead_letter(item, "131026 undeliverable")
