"""
How much memory a large document takes on its way out and in.

    python tests/bench/media_memory.py [MEGABYTES]

The simulator runs in a process of its own. Ends with status 1 above the promised 64 MB.
"""

from __future__ import annotations

import asyncio
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rasa_whatsapp_channel.inbound.files import InboundMedia
from rasa_whatsapp_channel.inbound.media import MediaFolder
from rasa_whatsapp_channel.outbound.media import MediaUploads
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.whatsapp.messages import Document, Media
from rasa_whatsapp_channel.wiring import make_client, make_links

MB = 1024 * 1024
PROMISED = 64
READY = re.compile(r"http://127\.0\.0\.1:\d+")


def peak() -> float:
    """Return the most memory this process has had so far, in MB."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / MB if sys.platform == "darwin" else most / 1024


@contextmanager
def simulator() -> Iterator[str]:
    command = [sys.executable, "-m", "rasa_whatsapp_channel.cli", "simulate", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if found := READY.search(line):
                yield found[0]
                return
        raise SystemExit("the simulator did not start")
    finally:
        process.terminate()
        process.wait()


async def measure(folder: Path, url: str, size: int) -> dict[str, float]:
    settings = Settings.from_credentials(
        {
            "base_url": url,
            "phone_number_id": "106540352242922",
            "access_token": "simulator-token",
            "app_secret": "simulator-secret",
            "verify_token": "simulator",
            "store": "memory:",
        }
    )
    client, links = make_client(settings), make_links(settings)
    async with open_store("memory:") as store:
        uploads = MediaUploads(client, store.values, root=folder, account="bench", links=links)
        try:
            await uploads.prepare(Document(Media(path="small.pdf")))  # opens what stays open
            start, began = peak(), time.monotonic()
            sent = await uploads.prepare(Document(Media(path="large.pdf")))
            up, uploaded = peak(), time.monotonic()
            received = MediaFolder(folder / "received", client, max_bytes=size)
            file = await received.fetch(InboundMedia("document", str(sent.media.id)))
            down, ended = peak(), time.monotonic()
            assert file.size == size
        finally:
            await uploads.close()
            await links.close()
            await client.close()
    return {
        "start": start,
        "upload": up - start,
        "download": down - start,
        "seconds up": uploaded - began,
        "seconds down": ended - uploaded,
    }


def main() -> None:
    size = int(sys.argv[1] if len(sys.argv) > 1 else 100) * MB
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "small.pdf").write_bytes(b"%PDF-1.7\n" + os.urandom(1000))
        with (folder / "large.pdf").open("wb") as file:
            file.write(b"%PDF-1.7\n")
            file.truncate(size)
        with simulator() as url:
            figures = asyncio.run(measure(folder, url, size))
    print(f"{size // MB} MB out and in; {figures['start']:.0f} MB of memory at the start")
    for way in ("upload", "download"):
        seconds = figures["seconds up" if way == "upload" else "seconds down"]
        print(f"  {way:9} {figures[way]:6.1f} MB above it, {seconds:.1f} s")
    if max(figures["upload"], figures["download"]) >= PROMISED:
        raise SystemExit(f"more than the promised {PROMISED} MB")


if __name__ == "__main__":
    main()
