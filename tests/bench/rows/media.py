"""
How much memory a large document takes on its way out and in.

The peak of a process never falls, so the measured one is a process of its own, and so is the
simulator it speaks to: `python -m bench.rows.media MEGABYTES` prints its figures as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bench.bench import Bench
from bench.goals import Row, below

from rasa_whatsapp_channel.factories import make_client, make_links
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.media.folder import MediaFolder
from rasa_whatsapp_channel.media.uploads import MediaUploads
from rasa_whatsapp_channel.media.values import InboundMedia
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.whatsapp.messages import Document, Media

MB: Final = 1024 * 1024
SIZE: Final = 100  # MB: the largest document WhatsApp takes
PROMISED: Final = 64  # MB
READY = re.compile(r"http://127\.0\.0\.1:\d+")


def peak() -> float:
    """Return the most memory this process has had so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss begins with what the parent had when it made this process
        found = re.search(r"^VmHWM:\s+(\d+) kB", status.read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1]) / 1024
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / MB if sys.platform == "darwin" else most / 1024


def forget_peak() -> None:
    """Let `peak` begin anew, where the system can: imports take more than they keep."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


@contextmanager
def simulator() -> Iterator[str]:
    command = [sys.executable, "-m", "rasa_whatsapp_channel", "simulate", "--port", "0"]
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
        uploads = MediaUploads(
            client,
            store.values,
            root=folder,
            account="bench",
            links=links,
            access=FileAccess(folders=(".",)),
        )
        try:
            await uploads.prepare(Document(Media(path="small.pdf")))  # opens what stays open
            forget_peak()
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
        "upload": up - start,
        "download": down - start,
        "seconds up": uploaded - began,
        "seconds down": ended - uploaded,
    }


async def rows(bench: Bench) -> AsyncIterator[Row]:
    bench.say(f"media: {SIZE} MB out and in")
    figures = await asyncio.to_thread(in_process, SIZE)
    for way, preposition in (("upload", "up"), ("download", "down")):
        yield Row(
            f"memory for {way}ing {SIZE} MB",
            figures[way],
            "the document",
            float(SIZE),
            "MB",
            below(PROMISED),
            f"{figures[f'seconds {preposition}']:.1f} s",
        )


def in_process(size: int) -> dict[str, float]:
    """Return what `measure` does in a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "bench.rows.media", str(size)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    if ended.returncode:
        raise RuntimeError(ended.stderr[-2000:])
    return dict(json.loads(ended.stdout))


def main() -> None:
    size = int(sys.argv[1]) * MB
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "small.pdf").write_bytes(b"%PDF-1.7\n" + os.urandom(1000))
        with (folder / "large.pdf").open("wb") as file:
            file.write(b"%PDF-1.7\n")
            file.truncate(size)
        with simulator() as url:
            figures = asyncio.run(measure(folder, url, size))
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
