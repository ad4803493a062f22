"""Test WhatsApp: people, the clock, and faults."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from rasa_whatsapp_channel.replay.budget import Budget
from rasa_whatsapp_channel.replay.chat import Chat
from rasa_whatsapp_channel.replay.simulator_client import SimulatorClient
from rasa_whatsapp_channel.simulator.ids import new_phone
from rasa_whatsapp_channel.simulator.state import clean_phone
from rasa_whatsapp_channel.simulator.weather import CALM
from rasa_whatsapp_channel.testing.function import Bot, FunctionBot
from rasa_whatsapp_channel.testing.thread import LoopThread
from rasa_whatsapp_channel.testing.user import ROUGH_WITHIN, WITHIN, User


class Clock:
    """The clock of WhatsApp; it does not move that of the bot."""

    def __init__(self, thread: LoopThread, client: SimulatorClient) -> None:
        self._thread = thread
        self._client = client
        self._moved = False

    @property
    def now(self) -> float:
        """Unix seconds."""
        return float(self._thread.run(self._client.clock())["now"])

    def advance(self, **duration: float) -> None:
        """Move it on: ``advance(hours=25)``, with the words of `datetime.timedelta`."""
        self._moved = True
        self._thread.run(self._client.advance(timedelta(**duration).total_seconds()))

    def restore(self) -> None:
        """Put it back to the present."""
        if self._moved:
            self._thread.run(self._client.set_offset(0))
        self._moved = False


class WhatsApp:
    """A simulator with a bot. *root* is where relative paths of files begin."""

    def __init__(
        self,
        thread: LoopThread,
        client: SimulatorClient,
        *,
        webhook: str | None,
        root: Path,
        function: FunctionBot | None = None,
    ) -> None:
        self._thread = thread
        self._client = client
        self._webhook = webhook
        self._root = root
        self._function = function
        self._failing = False
        self._rough = False
        self._users: list[User] = []
        self.clock = Clock(thread, client)

    @property
    def url(self) -> str:
        """The address of the simulator, whose page shows the chats."""
        return self._client.url

    @property
    def requests(self) -> list[dict[str, Any]]:
        """What the bot has asked of WhatsApp: method, path, body, status and answer of each."""
        return self._thread.run(self._client.requests())

    @property
    def weather_faults(self) -> list[dict[str, Any]]:
        """What rough weather has brought so far, in words and in order."""
        return list(self._thread.run(self._client.weather())["faults"])

    @property
    def refusals(self) -> list[dict[str, Any]]:
        """What reached no phone: refused by WhatsApp, or a dead letter of the channel."""
        return self._thread.run(self._client.refusals())

    def turns(self, weather: str = "rough", *, seed: int = 1, lasting: bool = False) -> None:
        """
        Let the weather be ``rough`` or ``calm`` from now on.

        In rough weather things go wrong by themselves, the same for the same *seed* and traffic,
        and people wait longer (`ROUGH_WITHIN`). *lasting*: some messages fail for good as well.
        """
        self._rough = weather != CALM
        self._thread.run(self._client.set_weather(weather, seed=seed, lasting=lasting))

    def user(self, phone: str | None = None, name: str | None = None) -> User:
        """Return somebody with this number; without one, somebody the bot has never seen."""
        digits = clean_phone(phone) if phone else new_phone()
        chat = Chat(self._client, digits, root=self._root, webhook=self._webhook)
        self._thread.run(chat.open(name))
        patience = ROUGH_WITHIN if self._rough else WITHIN
        user = User(self._thread, self._client, chat, name or "the user", patience=patience)
        self._users.append(user)
        return user

    def overruns(self, budget: Budget) -> list[str]:
        """Return in words which conversations are more than *budget*."""
        return [f"{user.name}: {said}" for user in self._users for said in user.overruns(budget)]

    def bot(self, function: Bot) -> Bot:
        """Let *function* be the bot; can be used as a decorator. For the fixture of that kind."""
        if self._function is None:
            raise TypeError("this WhatsApp has a bot already; use the fixture whatsapp_channel")
        self._function.function = function
        return function

    def fails(
        self,
        on: str = "messages",
        *,
        code: int | None = None,
        status: int | None = None,
        times: int | None = 1,
        match: Mapping[str, Any] | None = None,
        **do: Any,
    ) -> None:
        """
        Let something go wrong the next so many *times*, or always with None.

        *on*: messages, media, download, login, webhooks or statuses. What: an error *code* of
        WhatsApp's, an HTTP *status*, or one of ``delay=seconds``, ``timeout=True``,
        ``hang_up=True``, ``missing=True``, ``duplicate=n``, ``reorder=True``, ``lose=True``.
        *match* narrows it: ``{"type": "image"}``.
        """
        given = {"code": code, "status": status, **do}
        what = {key: value for key, value in given.items() if value is not None}
        if len(what) != 1:
            raise TypeError("fails() wants one thing to go wrong: fails(code=131056)")
        when = {"next": times} if times is not None else {"always": True}
        narrowed = {"match": dict(match)} if match else {}
        rule = {"on": on, "when": when, **narrowed, "do": what}
        self._failing = True
        self._thread.run(self._client.add_fault(rule))

    def clear_faults(self) -> None:
        """Remove all faults."""
        if self._rough:
            self.turns(CALM)
        if self._failing:
            self._thread.run(self._client.clear_faults())
        self._failing = False
