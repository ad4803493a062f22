"""Chromium without a window, driven over its own debugging protocol."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from support.axe import CHECK, HEAVY, axe_script
from support.tools import find_tool

START = 120.0
WAIT = 120.0  # seconds the page may take to show something
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
QUIET = (
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # a microphone that beeps, and nobody who has to allow it
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
)


def find_chromium() -> str | None:
    return find_tool(*NAMES)


class Chromium:
    """A browser process with a profile of its own in *folder*."""

    def __init__(self, program: str, folder: Path) -> None:
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
        args = [program, *QUIET, *as_root, f"--user-data-dir={folder}", "--remote-debugging-port=0"]
        self._folder = folder
        self._child = subprocess.Popen(
            [*args, "about:blank"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGTERM)
        self._child.wait()

    @asynccontextmanager
    async def tab(self) -> AsyncIterator[Tab]:
        """A fresh page, which shares nothing with earlier ones but the profile."""
        base = f"http://127.0.0.1:{await self._port()}/json"
        async with aiohttp.ClientSession() as session:
            async with session.put(f"{base}/new?about:blank") as answer:
                target = await answer.json()
            address = target["webSocketDebuggerUrl"]
            async with session.ws_connect(address, max_msg_size=0) as socket:
                tab = Tab(socket)
                reading = asyncio.create_task(tab.read())
                try:
                    for domain in ("Page", "Runtime", "Log", "DOM"):
                        await tab.call(f"{domain}.enable")
                    await tab.call("Emulation.setFocusEmulationEnabled", enabled=True)
                    yield tab
                finally:
                    reading.cancel()
                    await asyncio.gather(reading, return_exceptions=True)
            async with session.get(f"{base}/close/{target['id']}"):
                pass

    async def _port(self) -> str:
        written = self._folder / "DevToolsActivePort"
        end = time.monotonic() + START
        while time.monotonic() < end:
            if written.exists() and (lines := written.read_text().splitlines()):
                return lines[0]
            assert self._child.poll() is None, "Chromium ended before it was ready"
            await asyncio.sleep(0.05)
        raise AssertionError(f"Chromium was not ready after {START:g} seconds")


class Tab:
    """One page. *complaints* are the errors and warnings of its console."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.complaints: list[str] = []

    async def read(self) -> None:
        async for message in self._socket:
            data = json.loads(message.data)
            if "id" in data:
                self._answers.pop(data["id"]).set_result(data)
            else:
                self._note(data["method"], data["params"])

    def _note(self, method: str, params: Any) -> None:
        if method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(params["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url')}")
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(json.dumps(params["args"]))

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        data = await asyncio.wait_for(answer, WAIT)
        assert "error" not in data, f"{method}: {data['error']}"
        result: dict[str, Any] = data["result"]
        return result

    async def js(self, code: str) -> Any:
        """The value of *code*, awaited if it is a promise."""
        result = await self.call(
            "Runtime.evaluate",
            expression=code,
            awaitPromise=True,
            returnByValue=True,
            userGesture=True,
        )
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    async def shows(self, condition: str) -> Any:
        """Wait until *condition*, in JavaScript, holds; return its value, true for an element."""
        plain = f"((value) => value instanceof Node || value)({condition})"
        end = time.monotonic() + WAIT
        while not (value := await self.js(plain)):
            assert time.monotonic() < end, f"the page never came to: {condition}"
            await asyncio.sleep(0.05)
        return value

    async def size(self, width: int, height: int, *, dark: bool = False) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        # Nothing moves, so that a picture is of the end and not of the way there.
        still = {"name": "prefers-reduced-motion", "value": "reduce"}
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme, still])

    async def click(self, selector: str) -> None:
        """Move the mouse into the middle of what *selector* finds, and click there."""
        async with self.pressed(selector):
            pass

    @asynccontextmanager
    async def pressed(self, selector: str) -> AsyncIterator[None]:
        """Click like `click`, and hold the button meanwhile."""
        found = f"document.querySelector({json.dumps(selector)})"
        middle = (
            f"(() => {{ const node = {found}; if (!node?.checkVisibility()) return null;"
            " node.scrollIntoView({block: 'center', behavior: 'instant'});"
            " const box = node.getBoundingClientRect();"
            " return [box.x + box.width / 2, box.y + box.height / 2]; })()"
        )
        before = None
        while (now := await self.shows(middle)) != before:  # what it passes may move things
            before = x, y = now
            await self._mouse("mouseMoved", x, y)
        await self._mouse("mousePressed", x, y, button="left", clickCount=1)
        yield
        await self._mouse("mouseReleased", x, y, button="left", clickCount=1)

    async def _mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    async def type(self, text: str) -> None:
        await self.call("Input.insertText", text=text)

    async def press_enter(self, *, shift: bool = False) -> None:
        enter = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        held = 8 if shift else 0
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, modifiers=held, **enter)

    async def drop_files(self, selector: str, *paths: Path) -> None:
        """Drag files from outside of the browser onto what *selector* finds, and let go."""
        x, y = await self.shows(
            f"((box) => [box.x + box.width / 2, box.y + box.height / 2])"
            f"(document.querySelector({json.dumps(selector)}).getBoundingClientRect())"
        )
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            await self.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)

    async def shuts_out(self) -> list[str]:
        """What axe-core finds serious, or worse, on the page as it is now."""
        if not await self.js("'axe' in window"):
            await self.call("Runtime.evaluate", expression=axe_script())
        found: list[str] = await self.js(CHECK)
        return [finding for finding in found if finding.startswith(HEAVY)]

    async def picture(self, path: Path) -> None:
        """Write what is seen now into a PNG file."""
        shot = await self.call("Page.captureScreenshot", format="png")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    async def choose_files(self, selector: str, *paths: Path) -> None:
        document = await self.call("DOM.getDocument")
        node = await self.call(
            "DOM.querySelector", nodeId=document["root"]["nodeId"], selector=selector
        )
        files = [str(path) for path in paths]
        await self.call("DOM.setFileInputFiles", nodeId=node["nodeId"], files=files)
