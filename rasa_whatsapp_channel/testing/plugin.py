"""
Pytest plugin: the fixtures. Imported in every run of pytest, so it imports only pytest itself.

    whatsapp           WhatsApp with your bot: started from its folder, or one that runs
    whatsapp_channel   WhatsApp with the channel and a Python function in place of Rasa
    whatsapp_api       session; "cloud" unless you write a fixture of this name: the API to play
    whatsapp_bot       session; the folder of the bot, unless you write one of this name
    whatsapp_weather   "calm" unless you write one of this name, or say --whatsapp-weather rough
    whatsapp_seed      of rough weather, 1 unless you write one of this name, or say --whatsapp-seed

The marker `whatsapp_budget` says how many billed messages a conversation may be.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient
    from rasa_whatsapp_channel.testing.function import FunctionBot
    from rasa_whatsapp_channel.testing.thread import LoopThread
    from rasa_whatsapp_channel.testing.whatsapp import WhatsApp


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("whatsapp", "bots on WhatsApp (rasa-whatsapp-channel)")
    group.addoption(
        "--whatsapp-bot",
        metavar="URL|FOLDER",
        help="the webhook of a bot that runs, or the folder of one to start (default: the root)",
    )
    group.addoption(
        "--whatsapp-port",
        type=int,
        default=0,
        help="port of the simulator, which a bot that runs must name as its base_url",
    )
    group.addoption(
        "--whatsapp-weather",
        choices=("calm", "rough"),
        default="calm",
        help="rough: answers get lost, statuses come early and twice, files die (default: calm)",
    )
    group.addoption("--whatsapp-seed", type=int, default=1, help="of rough weather (default: 1)")
    group.addoption(
        "--whatsapp-budget",
        type=int,
        metavar="N",
        help="billed messages that a conversation may be, where no marker whatsapp_budget says it",
    )
    group.addoption("--whatsapp-model", metavar="PATH", help="the model, as for rasa run --model")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "whatsapp_budget(conversation, turn=None): how many billed messages a conversation may be, "
        "and what follows one message of the person",
    )


@pytest.hookimpl(trylast=True)  # so it comes behind the test itself, if that passes
def pytest_runtest_call(item: pytest.Item) -> None:
    """Fail a test whose conversations are more billed messages than their budget."""
    marker = item.get_closest_marker("whatsapp_budget")
    most = item.config.getoption("--whatsapp-budget")
    for name in ("whatsapp", "whatsapp_channel"):
        made: WhatsApp | None = getattr(item, "funcargs", {}).get(name)
        if made is None or (marker is None and most is None):
            continue
        from rasa_whatsapp_channel.replay.budget import Budget

        budget = Budget(*marker.args, **marker.kwargs) if marker else Budget(most)
        if overruns := made.overruns(budget):
            pytest.fail("\n".join(overruns), pytrace=False)


@pytest.fixture(scope="session")
def whatsapp_api() -> str:
    """The API that is played: cloud, 360dialog, turn or on_premises."""
    return "cloud"


@pytest.fixture
def whatsapp_weather(request: pytest.FixtureRequest) -> str:
    """The weather of `whatsapp` and `whatsapp_channel`: calm or rough, as --whatsapp-weather."""
    return str(request.config.getoption("--whatsapp-weather"))


@pytest.fixture
def whatsapp_seed(request: pytest.FixtureRequest) -> int:
    """The seed of rough weather, as --whatsapp-seed."""
    return int(request.config.getoption("--whatsapp-seed"))


@pytest.fixture(scope="session")
def whatsapp_bot(request: pytest.FixtureRequest) -> str | Path:
    """The webhook of a bot that runs, or the folder of one to start."""
    given = request.config.getoption("--whatsapp-bot")
    if given is None:
        return request.config.rootpath
    return str(given) if "://" in given else Path(given)


@pytest.fixture(scope="session")
def whatsapp_session(
    request: pytest.FixtureRequest, whatsapp_api: str, whatsapp_bot: str | Path
) -> Iterator[tuple[LoopThread, SimulatorClient, str]]:
    """The simulator and the bot; they run until the end of the session."""
    from rasa_whatsapp_channel.replay.host import Rasa, free_port

    with _thread() as thread:
        if isinstance(whatsapp_bot, str):
            port = request.config.getoption("--whatsapp-port")
            stack, client = thread.run(_open(whatsapp_api, whatsapp_bot, port, None))
            webhook = whatsapp_bot
        else:
            model = request.config.getoption("--whatsapp-model")
            args = ("--model", model) if model else ()
            rasa = Rasa(whatsapp_bot, port=free_port(), args=args)
            webhook = rasa.webhook
            stack, client = thread.run(_open(whatsapp_api, webhook, 0, rasa))
        try:
            yield thread, client, webhook
        finally:
            thread.run(stack.aclose())


@pytest.fixture
def whatsapp(
    whatsapp_session: tuple[LoopThread, SimulatorClient, str],
    request: pytest.FixtureRequest,
    whatsapp_weather: str,
    whatsapp_seed: int,
) -> Iterator[WhatsApp]:
    """WhatsApp with your bot. Clock, faults and weather are put back behind each test."""
    from rasa_whatsapp_channel.testing.whatsapp import WhatsApp

    thread, client, webhook = whatsapp_session
    made = WhatsApp(thread, client, webhook=webhook, root=request.path.parent)
    _turn(made, whatsapp_weather, whatsapp_seed)
    yield made
    made.clear_faults()
    made.clock.restore()


@pytest.fixture
def whatsapp_settings() -> dict[str, Any]:
    """Further keys of credentials.yml for `whatsapp_channel`."""
    return {}


@pytest.fixture
def whatsapp_channel(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    whatsapp_api: str,
    whatsapp_bot: str | Path,
    whatsapp_settings: dict[str, Any],
    whatsapp_weather: str,
    whatsapp_seed: int,
) -> Iterator[WhatsApp]:
    """WhatsApp and the channel, and a function of the test in place of Rasa: `WhatsApp.bot`."""
    from rasa_whatsapp_channel.replay.host import WEBHOOK, free_port
    from rasa_whatsapp_channel.testing.function import FunctionBot
    from rasa_whatsapp_channel.testing.whatsapp import WhatsApp

    bot, port = FunctionBot(), free_port()
    webhook = f"http://127.0.0.1:{port}{WEBHOOK}"
    root = whatsapp_bot if isinstance(whatsapp_bot, Path) else request.config.rootpath
    with _thread() as thread:
        stack, client = thread.run(_open(whatsapp_api, webhook, 0, None))
        try:
            media = {"store": str(tmp_path / "media"), **whatsapp_settings.get("media", {})}
            # A file, as bots have it: what is kept in memory only is faster than any of them.
            store = f"sqlite:///{tmp_path / 'whatsapp.db'}"
            settings = {"store": store, **whatsapp_settings, "media": media}
            thread.run(_serve(stack, bot, whatsapp_api, client.url, port, settings, root))
            here = request.path.parent
            made = WhatsApp(thread, client, webhook=webhook, root=here, function=bot)
            _turn(made, whatsapp_weather, whatsapp_seed)
            yield made
        finally:
            thread.run(stack.aclose())


def _turn(whatsapp: WhatsApp, weather: str, seed: int) -> None:
    if weather != "calm":
        whatsapp.turns(weather, seed=seed)


@contextmanager
def _thread() -> Iterator[LoopThread]:
    from rasa_whatsapp_channel.testing.thread import LoopThread

    thread = LoopThread()
    try:
        yield thread
    finally:
        thread.close()


async def _open(
    api: str, webhook: str, port: int, rasa: Any
) -> tuple[AsyncExitStack, SimulatorClient]:
    """Start a simulator, and the bot if there is one to start."""
    import asyncio

    from rasa_whatsapp_channel.replay.host import simulator
    from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient
    from rasa_whatsapp_channel.simulator.config import Config
    from rasa_whatsapp_channel.whatsapp.apis import APIS

    config = Config(api=APIS[api], port=port, webhook=webhook)
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(simulator(config))
        client = await stack.enter_async_context(SimulatorClient(url))
        if rasa is not None:
            # Stopped before the simulator: messages in flight still need its answers.
            stack.push_async_callback(asyncio.to_thread, rasa.stop)
            await rasa.start(config, url)
        return stack.pop_all(), client


async def _serve(
    stack: AsyncExitStack,
    bot: FunctionBot,
    api: str,
    base_url: str,
    port: int,
    more: dict[str, Any],
    root: Path,
) -> None:

    from rasa_whatsapp_channel.plain_yaml import plain_yaml
    from rasa_whatsapp_channel.settings import CHANNEL, Settings
    from rasa_whatsapp_channel.simulator.config import Config, credentials_block
    from rasa_whatsapp_channel.whatsapp.apis import APIS

    block = plain_yaml("safe").load(credentials_block(Config(api=APIS[api]), base_url))
    settings = Settings.from_credentials({**block[CHANNEL], **more})
    await stack.enter_async_context(bot.serve(settings, port=port, root=root))
