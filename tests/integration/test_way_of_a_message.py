"""The ways that docs/design.md describes are those that messages take."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from support.design import Way, way
from support.documents import ROOT

import rasa_whatsapp_channel
from rasa_whatsapp_channel.testing.whatsapp import WhatsApp

PACKAGE = Path(rasa_whatsapp_channel.__file__).parent
LAKE = ROOT / "examples" / "quickstart" / "media" / "lake.jpg"
# A function takes the place of Rasa here, so these do not run.
RASA = {"channel.py", "agent.py", "sanic_routes.py"}
OFFER = {
    "text": "Our **offer**",
    "image": str(LAKE),
    "buttons": [{"title": "Buy", "payload": "/buy"}, {"title": "Later", "payload": "/later"}],
}
# Nobody answers at this port: neither the simulator nor the channel can fetch the link.
DEAD_LINK = {"text": "The lake", "image": "http://127.0.0.1:9/lake.jpg"}
PATIENCE = 60.0  # seconds until the last file has run
SETTLED = 0.5  # seconds in which one that is not named would run


class Trace:
    """The files of the package in which a function was called, in every thread, since `start`."""

    def __init__(self) -> None:
        self._is_on = False
        self._files: set[str] = set()

    def start(self) -> None:
        self._is_on = True

    def files(self) -> set[str]:
        """Return the files so far, as docs/design.md names them."""
        return {
            Path(file).relative_to(PACKAGE).as_posix()
            for file in tuple(self._files)
            if Path(file).is_relative_to(PACKAGE)
        }

    def stop(self) -> set[str]:
        self._is_on = False
        return self.files()

    def settle(self, described: Way) -> set[str]:
        """Stop when all that is *described* has run, and what else may run then."""
        end = time.monotonic() + PATIENCE
        while described.files - RASA - self.files() and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(SETTLED)
        return self.stop()

    def note(self, frame: FrameType, event: str, _arg: Any) -> None:
        if self._is_on and event == "call":
            self._files.add(frame.f_code.co_filename)


@contextmanager
def _profiled(note: Callable[[FrameType, str, Any], None]) -> Iterator[None]:
    threading.setprofile(note)
    try:
        yield
    finally:
        threading.setprofile(None)  # type: ignore[arg-type]
        sys.setprofile(None)


@pytest.fixture
def trace() -> Iterator[Trace]:
    trace = Trace()
    with _profiled(trace.note):
        yield trace


@pytest.fixture
def whatsapp_settings() -> dict[str, Any]:
    return {"media": {"folders": [str(LAKE.parent)]}}


def test_an_image_of_a_person_takes_the_way_that_is_described(
    trace: Trace, whatsapp_channel: WhatsApp
) -> None:
    heard = threading.Event()

    @whatsapp_channel.bot
    async def bot(turn: Any, say: Any) -> None:
        heard.set()

    trace.start()
    whatsapp_channel.user("+4915112345678").sends_image(LAKE)
    assert heard.wait(PATIENCE)
    ran = trace.stop()

    described = way("A person sends an image")
    assert len(described.steps) <= 20
    _compare(described, ran, "inbound/", "conversation/", "media/")


def test_a_response_takes_the_way_that_is_described(
    trace: Trace, whatsapp_channel: WhatsApp
) -> None:
    @whatsapp_channel.bot
    async def bot(turn: Any, say: Any) -> None:
        trace.start()
        await say(OFFER)

    whatsapp_channel.user("+4915112345678").sends("hi").must_get(buttons=["Buy", "Later"])
    described = way("A response with text, image and buttons")
    ran = trace.settle(described)

    assert len(described.steps) <= 25
    _compare(described, ran, "compose/", "media/", "outbound/")


def test_a_message_with_a_dead_link_takes_the_way_that_is_described(
    trace: Trace, whatsapp_channel: WhatsApp
) -> None:
    @whatsapp_channel.bot
    async def bot(turn: Any, say: Any) -> None:
        await say(DEAD_LINK)
        trace.start()

    whatsapp_channel.user("+4915112345678").sends("hi").must_get(text="The lake")
    described = way("WhatsApp cannot fetch a link: error 131053")
    ran = trace.settle(described)

    assert len(described.steps) <= 8
    _compare(described, ran, "media/", "outbound/")


def _compare(described: Way, ran: set[str], *packages: str) -> None:
    """Every file that is named has run, and every one of *packages* that has run is named."""
    taken = {name for name in ran if name.startswith(packages)}
    assert described.files - ran - RASA == set(), "does not run: take it out of docs/design.md"
    assert taken - described.files == set(), "runs: name it in docs/design.md, at least as passed"
