"""Simulator server: the web application, and the process that runs it."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from aiohttp import web

from rasa_whatsapp_channel.settings.parsers import SettingsError
from rasa_whatsapp_channel.simulator import problems
from rasa_whatsapp_channel.simulator.api.account import account_routes
from rasa_whatsapp_channel.simulator.api.cloud import cloud_routes
from rasa_whatsapp_channel.simulator.api.endpoint import ApiAnswer, endpoint
from rasa_whatsapp_channel.simulator.api.on_premises import on_premises_routes
from rasa_whatsapp_channel.simulator.api.template_management import template_management_routes
from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.control import control_routes
from rasa_whatsapp_channel.simulator.control.bodies import explain_errors
from rasa_whatsapp_channel.simulator.media_checks import MOST_BYTES
from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.simulator.state_file import StateFile
from rasa_whatsapp_channel.simulator.world import World
from rasa_whatsapp_channel.whatsapp.apis import GRAPH_VERSION

PAGE: Final = Path(__file__).parent / "page"
WORLD: Final = web.AppKey("world", World)
FORM_BYTES: Final = 64 * 1024  # overhead of a form around its file
Work = Callable[[World], Coroutine[Any, Any, None]]
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def create_app(
    config: Config | None = None, *, clock: Callable[[], float] = time.time
) -> web.Application:
    """Return the web application; its state is under the key `WORLD`."""
    config = config or Config()
    world = World(config, clock=clock)
    app = web.Application(
        middlewares=[_guard(config), explain_errors], client_max_size=MOST_BYTES + FORM_BYTES
    )
    app[WORLD] = world
    app.router.add_routes([*control_routes(world), *on_premises_routes(world)])
    app.router.add_routes([*account_routes(world), *template_management_routes(world)])
    app.router.add_routes(cloud_routes(world))
    app.router.add_get("/", _index)
    if PAGE.is_dir():
        app.router.add_static("/", PAGE)
    app.router.add_route("*", "/{path:.*}", endpoint(world, config.api, _no_such_address))
    state_file = StateFile(config.state, world) if config.state is not None else None
    if state_file is not None:
        app.on_startup.append(lambda app: state_file.open())
        app.on_cleanup.append(lambda app: state_file.close())
    app.on_response_prepare.append(_harden)
    app.on_shutdown.append(_dismiss_listeners)
    app.on_cleanup.append(_close)
    return app


async def serve(
    config: Config,
    *,
    started: Callable[[str], None],
    on_event: Callable[[dict[str, Any]], None],
    work: Work | None = None,
) -> None:
    """
    Run the simulator until SIGINT or SIGTERM, or until *work* is done, which runs concurrently.

    *started* receives its address, *on_event* every event. Raises `SettingsError` if the address in
    *config* is not available.
    """
    stop = asyncio.Event()
    _stop_on_signals(stop)
    app = create_app(config)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await _listen(runner, config)
        telling = asyncio.create_task(_tell(app[WORLD], on_event))
        started(_address(runner, config))
        await _until(stop, work(app[WORLD]) if work is not None else None)
        telling.cancel()
    finally:
        await runner.cleanup()


def run(
    config: Config,
    *,
    started: Callable[[str], None],
    on_event: Callable[[dict[str, Any]], None] = lambda event: None,
    work: Work | None = None,
) -> None:
    """Run the simulator until it is stopped; see `serve`."""
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(config, started=started, on_event=on_event, work=work))


async def _until(stop: asyncio.Event, work: Coroutine[Any, Any, None] | None) -> None:
    """Wait until *stop* is set or *work* is done."""
    waiting = asyncio.create_task(stop.wait())
    working = asyncio.create_task(work) if work is not None else None
    tasks = {task for task in (waiting, working) if task is not None}
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if working is not None and not working.cancelled():
        working.result()  # raises its exception


async def _listen(runner: web.AppRunner, config: Config) -> None:
    try:
        await web.TCPSite(runner, config.host, config.port).start()
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {config.host}:{config.port}: {error.strerror or error}; "
            "give another one with --port"
        ) from error


async def _tell(world: World, on_event: Callable[[dict[str, Any]], None]) -> None:
    with world.feed.listen() as events:
        while (event := await events.get()) is not None:
            on_event(event)


def _stop_on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows: there KeyboardInterrupt ends `run`
            loop.add_signal_handler(name, stop.set)


def _address(runner: web.AppRunner, config: Config) -> str:
    port = runner.addresses[0][1]
    host = "127.0.0.1" if config.host in ("0.0.0.0", "::", "") else config.host  # noqa: S104  # compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _guard(config: Config) -> Any:
    """Return a middleware that rejects pages of other origins and unknown host names."""
    known = LOOPBACK | {config.host.lower(), *(name.lower() for name in config.allowed_hosts)}

    @web.middleware
    async def guard(request: web.Request, handler: Any) -> web.StreamResponse:
        name = urlsplit(f"//{request.host}").hostname or ""
        if name not in known:
            text = (
                f"{name!r} is not a known host name of the simulator; allow it with --allow-host."
            )
            return web.json_response({"error": text}, status=421)
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc.lower() != request.host.lower():
            return web.json_response(
                {"error": "Pages of other hosts may not use the simulator."}, status=403
            )
        response: web.StreamResponse = await handler(request)
        return response

    return guard


async def _index(request: web.Request) -> web.StreamResponse:
    headers = {
        "Content-Security-Policy": "frame-ancestors 'none'",  # the rest is in index.html
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
    }
    return web.FileResponse(PAGE / "index.html", headers=headers)


async def _no_such_address(request: web.Request) -> ApiAnswer:
    raise Refused(
        problems.NOT_FOUND,
        f"No API has {request.method} {request.path}; Cloud has "
        f"/{GRAPH_VERSION}/<phone_number_id>/messages, 360dialog /messages, the others "
        "/v1/messages.",
    )


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")


async def _dismiss_listeners(app: web.Application) -> None:
    app[WORLD].feed.close()


async def _close(app: web.Application) -> None:
    await app[WORLD].close()
