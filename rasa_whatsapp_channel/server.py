"""
Stand-alone server: door and sender in a process of their own, without Rasa.

It serves the same `Endpoint` as Rasa's server, and shares its store with the processes that run the
bot. aiohttp sends our messages already, so its server is no further dependency.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable, Collection, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, Final

import aiohttp
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from rasa_whatsapp_channel.announce import describe
from rasa_whatsapp_channel.app import App
from rasa_whatsapp_channel.garbage_collection import leave_out_loaded
from rasa_whatsapp_channel.inbound.endpoint import WEBHOOK, Endpoint, HttpRequest
from rasa_whatsapp_channel.settings import Settings
from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused

logger = logging.getLogger(__name__)

BACKLOG: Final = 1024  # connections that wait to be accepted
# Bytes that the system and aiohttp keep of a body nobody reads yet; there may be many of them.
RECEIVE_BUFFER: Final = 65_536
READ_BUFFER: Final = 16_384
KEEP_ALIVE: Final = 75.0  # seconds; longer than the usual proxy, which must close first
YOUNG_OBJECTS: Final = 10_000  # that are there before the garbage collector looks at them
CLOSING: Final = 2.0  # seconds for requests under way, when the server stops


async def serve(
    settings: Settings,
    *,
    roles: Collection[str],
    host: str,
    port: int,
    started: Callable[[int], None] = lambda port: None,
) -> None:
    """
    Serve until SIGINT or SIGTERM; then end what is in flight, and hand back the rest.

    *started* is called with the port, which the system picks for 0. Raises `SettingsError` if it is
    not available, `StoreError` if the store cannot be opened.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: there KeyboardInterrupt ends `run`
            loop.add_signal_handler(name, stop.set)
    app = App(settings, roles=roles)
    await app.open()
    try:
        runner = make_runner(app.endpoint)
        await runner.setup()
        try:
            await _listen(runner, host, port)
            app.start()
            logger.info("whatsapp.started: %s", describe(settings, webhook=WEBHOOK, roles=roles))
            started(runner.addresses[0][1])
            await stop.wait()
            logger.info(
                "whatsapp.stopping: what is in flight is ended, the rest waits in the store"
            )
        finally:
            await runner.cleanup()
        await app.stop()
    finally:
        await app.close()


def make_runner(endpoint: Endpoint) -> web.ServerRunner:
    """Return a server that lets *endpoint* answer every request, still without an address."""
    return web.ServerRunner(
        web.Server(
            partial(answer, endpoint),
            access_log=None,
            logger=_logger_of_server(),
            handler_cancellation=True,  # of a caller that has hung up
            keepalive_timeout=KEEP_ALIVE,
            lingering_time=0.0,  # the endpoint reads what is to be read
            read_bufsize=READ_BUFFER,
        ),
        shutdown_timeout=CLOSING,
    )


def ease_garbage_collection(_port: int) -> None:
    """
    Let the garbage collector look less often, and not at what this process has opened so far.

    That stays until the process ends. To look through it, and through the messages in flight each
    time that 700 objects are new, took 12 % of the processor and held up webhooks; now it is 1 %.
    """
    leave_out_loaded()
    gc.set_threshold(YOUNG_OBJECTS)


def _logger_of_server() -> logging.Logger:
    """Return a logger without the requests that are no HTTP: each would be shown, and traced."""

    def is_about_us(record: logging.LogRecord) -> bool:
        return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))

    logger = logging.getLogger(f"{__name__}.aiohttp")
    logger.addFilter(is_about_us)
    return logger


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run *work* on uvloop where it is installed, as Rasa's server does."""
    try:
        import uvloop
    except ModuleNotFoundError:
        asyncio.run(work)
        return
    if sys.version_info >= (3, 11):
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)
    else:
        uvloop.install()
        asyncio.run(work)


async def _listen(runner: web.ServerRunner, host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        await web.SockSite(runner, listener, backlog=BACKLOG).start()
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error.strerror or error}; "
            "give another one with --port"
        ) from error


async def answer(endpoint: Endpoint, request: web.BaseRequest) -> web.Response:
    """Let *endpoint* answer aiohttp's *request*."""
    body = _Body(request)
    given = await endpoint.handle(
        HttpRequest(
            method=request.method,
            path=request.path,
            headers=request.headers,
            query=request.query,
            client=request.remote or "",
            forwarded_for=",".join(request.headers.getall("X-Forwarded-For", ())),
            scheme=request.scheme,
            read=body.read,
            expects_continue=body.is_awaited,
        )
    )
    response = web.Response(body=given.body, status=given.status, headers=given.headers)
    response.headers["Content-Type"] = given.content_type
    if not given.body_read and not request.content.at_eof():
        response.force_close()
    return response


class _Body:
    """The body of *request*, piece by piece."""

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        self.is_awaited = request.headers.get("Expect", "").lower() == "100-continue"

    async def read(self) -> bytes | None:
        """Return the next bytes, None at the end. Raises `WebhookRefused` if it is malformed."""
        if self.is_awaited:
            self.is_awaited = False
            await self._request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            return await self._request.content.readany() or None
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise WebhookRefused(
                f"the body cannot be read: {error}", kind="malformed", status=400
            ) from error
