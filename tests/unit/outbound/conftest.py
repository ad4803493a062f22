"""A sender on a store in a file, with a client that keeps what it is asked and answers as told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from support.crashes import crash_with_next_item
from support.fake_transport import FakeStream, answer

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.conversation.window import wrote_key
from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.media.links import Links
from rasa_whatsapp_channel.media.uploads import MediaUploads
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.outbound.policy import SendPolicy
from rasa_whatsapp_channel.outbound.sender import Sender
from rasa_whatsapp_channel.outbound.statuses import Statuses
from rasa_whatsapp_channel.outbound.window import WaysOut
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import DeadLetter, Done, Outcome, QueueItem, Retry
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, Api
from rasa_whatsapp_channel.whatsapp.clients import Accepted, Client
from rasa_whatsapp_channel.whatsapp.errors import TransportError
from rasa_whatsapp_channel.whatsapp.identity import Address
from rasa_whatsapp_channel.whatsapp.messages import Message, Text
from rasa_whatsapp_channel.whatsapp.transport import Request, Response

PHONE = "4915112345678"
NOON = 1_790_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = NOON
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def _nothing() -> None:
    pass


class FakeClient(Client):
    """
    Accepts every message, unless *answers* holds an error to raise next.

    *before_answer* is what happens while a message is on its way.
    """

    api: Api = CLOUD

    def __init__(self) -> None:
        self.answers: list[BaseException | None] = []
        self.before_answer: Callable[[], Awaitable[None]] = _nothing
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self.addresses: list[Address] = []  # of each in `sent`
        # What WhatsApp calls who is written to: number and user id.
        self.names: dict[str, tuple[str | None, str | None]] = {}
        self.uploaded: list[bytes] = []
        self.is_down = False
        self.pings = 0
        self.callback_data: list[str | None] = []  # of each in `sent`
        self.dead_letters: list[Mapping[str, Any]] = []

    def body(
        self,
        to: Address | str,
        message: Message,
        *,
        reply_to: str | None = None,
        callback_data: str | None = None,
    ) -> dict[str, Any]:
        return message.body()

    async def send(
        self,
        to: Address | str,
        message: Message,
        *,
        reply_to: str | None = None,
        callback_data: str | None = None,
        local_headers: Mapping[str, str] | None = None,
    ) -> Accepted:
        await self.before_answer()
        if self.is_down:
            raise TransportError("no answer", timed_out=True)
        if self.answers and (error := self.answers.pop(0)):
            raise error
        address = Address.of(to) if isinstance(to, str) else to
        self.sent.append((address.first, message.body()))
        self.addresses.append(address)
        self.callback_data.append(callback_data)
        names = self.names.get(address.first, (address.phone, address.user_id))
        return Accepted(f"wamid.{len(self.sent)}", *names)

    async def post_local(self, path: str, body: Mapping[str, Any]) -> None:
        self.dead_letters.append(body)

    async def upload(self, file: Any) -> str:
        self.uploaded.append(Path(file.content).read_bytes())
        return f"media{len(self.uploaded)}"

    async def media_info(self, media_id: str) -> Any:
        raise NotImplementedError

    def download(self, media_id: str, *, url: str | None = None) -> Any:
        raise NotImplementedError

    async def delete_media(self, media_id: str) -> None:
        raise NotImplementedError

    async def mark_read(self, message_id: str, *, typing: bool = False) -> None:
        raise NotImplementedError

    async def ping(self) -> None:
        self.pings += 1
        if self.is_down:
            raise TransportError("no answer", timed_out=True)

    async def close(self) -> None:
        pass


class FileServers:
    """
    Every host there is. *files* says what a link answers: one answer for always, or one after the
    other; 404 where it says nothing. *addresses* are those of the names that are known.
    """

    def __init__(self) -> None:
        self.files: dict[str, Response | Exception | list[Response | Exception]] = {}
        self.asked: list[str] = []
        self.addresses = {"shop.example": "93.184.215.14"}

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[FakeStream]:
        self.asked.append(request.url)
        found = self.files.get(request.url, answer(b"", status=404))
        following = found.pop(0) if isinstance(found, list) else found
        if isinstance(following, Exception):
            raise following
        yield FakeStream(following)

    async def look_up(self, host: str) -> list[str]:
        if host not in self.addresses:
            raise OSError("the name is not known")
        return [self.addresses[host]]


class Office:
    """Outbox, sender and phone book of one number, driven step by step."""

    def __init__(self, store: Any, clock: Clock, root: Path, url: str) -> None:
        self.store = store
        self.url = url
        self.clock = clock
        self.client = FakeClient()
        self.failures = Failures(store.inbox)
        self.account = AccountState(store.values, clock=clock)
        self.servers = FileServers()
        self._root = root
        self.speaks(CLOUD)

    def speaks(self, api: Api) -> None:
        """Let WhatsApp be behind *api*."""
        self.client.api = api
        self.statuses = Statuses(
            self.store, self.failures, self.account, keyed=api.callback_data, clock=self.clock
        )
        self.make_sender()

    def make_sender(
        self,
        *,
        upload: str = "auto",
        private_links: bool = True,
        converter: Any = None,
        **options: Any,
    ) -> Sender:
        transport: Any = self.servers
        links = Links(transport, private=private_links, look_up=self.servers.look_up)
        uploads = MediaUploads(
            self.client,
            self.store.values,
            root=self._root,
            account="a",
            links=links,
            access=FileAccess(folders=(".",)),
            upload=upload,
            converter=converter,
        )
        self.sender = Sender(
            self.client,
            uploads,
            self.store,
            self.statuses,
            self.failures,
            account="a",
            state=self.account,
            policy=options.pop("policy", SendPolicy()),
            ways=WaysOut(
                self.account,
                reengagement=options.pop("reengagement", None),
                metrics=options.get("metrics"),
                notes=self.client.is_local,
            ),
            clock=self.clock,
            monotonic=self.clock,
            sleep=options.pop("sleep", self.clock.sleep),
            jitter=lambda: 0.0,
            **options,
        )
        return self.sender

    async def put(self, key: str, message: Message, *, to: str = PHONE, **more: Any) -> None:
        entry = OutboxMessage(to, message.body(), more.pop("response", "utter_x"), **more)
        await self.store.outbox.put(key, to, entry.body())

    async def step(self) -> tuple[str, Outcome] | None:
        """Let the sender handle what may be handled now; None when there is nothing."""
        item = await self.store.outbox.claim()
        if item is None:
            return None
        outcome = await self.sender.handle(item)
        if isinstance(outcome, Done):
            await self.store.outbox.done(item, outcome.hold, cause=outcome.cause)
        elif isinstance(outcome, Retry):
            await self.store.outbox.retry_later(
                item,
                outcome.after,
                cause=outcome.cause,
                counted=outcome.counted,
                body=outcome.body,
                error=outcome.error,
            )
        else:
            assert isinstance(outcome, DeadLetter)
            await self.store.outbox.dead_letter(item, outcome.reason)
            return item.key, outcome
        if outcome.then is not None:
            await outcome.then()
        return item.key, outcome

    async def crash_with_message_in_hand(self) -> QueueItem:
        """Another process claims the next item, and is killed while the answer is on its way."""
        async with open_store(self.url, clock=self.clock) as dying:
            return await crash_with_next_item(self.store, dying, "outbox")

    async def run(self, *, steps: int = 50) -> None:
        """Go on until nothing is left that may go now."""
        for _ in range(steps):
            if await self.step() is None:
                return
        raise AssertionError("it does not come to an end")

    async def wrote(self, *, hours_ago: float, who: str = PHONE) -> None:
        at = self.clock.now - hours_ago * 3600
        await self.store.values.set(wrote_key(who), at, 90 * 86_400)

    def texts(self) -> list[str]:
        return [body["text"]["body"] for _, body in self.client.sent if body["type"] == "text"]

    def types(self) -> list[str]:
        return [body["type"] for _, body in self.client.sent]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def office(clock: Clock, tmp_path: Path) -> AsyncIterator[Office]:
    url = f"sqlite:///{tmp_path}/whatsapp.db"
    async with open_store(url, clock=clock) as store:
        office = Office(store, clock, tmp_path, url)
        await office.wrote(hours_ago=1)
        yield office


@pytest.fixture
def hello() -> Text:
    return Text("hello")
