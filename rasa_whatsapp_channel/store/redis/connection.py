"""
The way to one Redis: what is asked of it, in which order, and what happens when it is lost.

All operations of this process go over one connection, in the order of the calls, so that entries
keep their order too; those of one moment go together and come back together.

What Redis is set to can be changed while it runs. So what it says of itself goes along now and
then, whenever somebody asks how deep a queue is, and before work is taken in that is long not
looked at. Once it says that it throws keys away, nothing new is taken in and the depths are not
told, so that WhatsApp keeps what it has and the operator hears of it; what is in hand goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from typing import Any, Final, TypeVar

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from rasa_whatsapp_channel.store.base import Clock
from rasa_whatsapp_channel.store.errors import StoreError
from rasa_whatsapp_channel.store.redis.errors import explain, is_lost_connection
from rasa_whatsapp_channel.store.redis.server import check, parse_url

logger = logging.getLogger(__name__)

T = TypeVar("T")
Arg = str | float

CONNECT: Final = 3.0
ANSWER: Final = 5.0
# Operations that go together.
LARGEST: Final = 100
# Keys that one step of a search looks at, a fraction of a millisecond.
SCANNED: Final = 500
GLOB: Final = re.compile(r"[*?\[\]\\]")


@dataclass(frozen=True)
class Script:
    text: str
    sha: str


# Seconds after which Redis is asked again what it is set to, if there is anything to take in.
LOOK_EVERY: Final = 10.0
# What a webhook becomes in the inbox, and by what an operator looks at the store.
TAKES_IN: Final = ("put", "put_dead_letter")
ASKS: Final = "depth"


@dataclass(slots=True)  # not frozen: a dozen are made for each message
class _Command:
    script: Script
    args: Sequence[Arg]
    future: asyncio.Future[Any]
    wants_safety: bool = False

    def give(self, answer: Any) -> None:
        if not self.future.done():
            self.future.set_result(answer)

    def fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class Connection:
    """*clock* None: Redis' own clock, the one that all servers share."""

    def __init__(self, url: str, *, clock: Clock | None, look_every: float = LOOK_EVERY) -> None:
        address = parse_url(url)
        self.place = address.place
        self.url = address.url
        self._name = address.name
        self._clock = clock
        self._pool = ConnectionPool.from_url(
            address.url,
            decode_responses=True,
            # Half a surrogate pair in a webhook is kept as an escape, as in the other stores.
            encoding_errors="backslashreplace",
            socket_timeout=ANSWER,
            socket_connect_timeout=CONNECT,
            # What is tried again is decided below; the releases of redis-py differ in it.
            retry=Retry(NoBackoff(), 0),
        )
        self._redis: Any = Redis(connection_pool=self._pool)
        self._scripts: dict[str, Script] = {}
        self._jobs: deque[_Command] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._is_open = False
        self._look_every = look_every
        self._inbox = self.prefix("inbox")
        self._looked = 0.0  # by the event loop's clock
        self._danger = ""
        self._warnings: Sequence[str] = ()

    async def open(self) -> None:
        self._is_open = True
        try:
            await self._check_server()
        except BaseException:
            await self.close()
            raise

    async def _check_server(self) -> None:
        try:
            info = await self._do(self._redis.info)
        except TypeError as exc:  # redis-py takes every option of the URL for one of its own
            raise StoreError(f"store {self.place}: an option of its URL: {exc}") from None
        self._warn(check(info, self.place))
        self._looked = asyncio.get_running_loop().time()

    def _look(self, info: Mapping[str, Any]) -> None:
        """Take note of what Redis says of itself, and say what is new about it."""
        self._looked = asyncio.get_running_loop().time()
        before, self._danger = self._danger, ""
        try:
            self._warn(check(info, self.place))
        except StoreError as error:
            self._danger = str(error)
        if self._danger and not before:
            logger.error(
                "whatsapp.store_at_risk: nothing new is taken in, webhooks are answered 503: %s",
                self._danger,
            )
        if before and not self._danger:
            logger.warning("whatsapp.store_safe: %s is as it has to be again", self.place)

    def _warn(self, warnings: Sequence[str]) -> None:
        for warning in warnings:
            if warning not in self._warnings:
                logger.warning("whatsapp.store_at_risk: %s: %s", self.place, warning)
        self._warnings = warnings

    async def close(self) -> None:
        self._is_open = False  # from here on nothing new is taken
        if self._runner is not None:
            await asyncio.wait([self._runner])
        await self._disconnect(inuse_connections=True)

    def now(self) -> Arg:
        """Return the time as a script wants it: '' for Redis' own."""
        return "" if self._clock is None else self._clock()

    def prefix(self, part: str) -> str:
        """Return what the keys of *part* begin with; the braces keep them in one slot."""
        return f"whatsapp:{{{self._name}}}:{part}:"

    def script(self, name: str) -> Script:
        if name not in self._scripts:
            folder = resources.files(__package__)
            text = "\n".join((folder / f"{part}.lua").read_text() for part in ("prelude", name))
            sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
            self._scripts[name] = Script(text, sha)
        return self._scripts[name]

    def submit(
        self, script: Script, prefix: str, operation: str, *args: Arg
    ) -> asyncio.Future[Any]:
        """Let *operation* be carried out after everything submitted before."""
        self._check_open()
        loop = asyncio.get_running_loop()
        takes_in = operation in TAKES_IN and prefix == self._inbox
        if takes_in and self._danger and loop.time() - self._looked < self._look_every:
            raise StoreError(self._danger)
        future: asyncio.Future[Any] = loop.create_future()
        wants_safety = takes_in or operation == ASKS
        self._jobs.append(
            _Command(
                script,
                (prefix, operation, self.now(), *args),
                future,
                wants_safety=wants_safety,
            )
        )
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="whatsapp store: redis")
        return future

    async def pop(self, key: str, timeout: float) -> bool:
        """
        Wait until there is an element in the list *key*, and take it. False: there was none.

        On a connection of its own. *timeout* must be more than 0: that means for ever.
        """
        self._check_open()
        return await self._do(lambda: self._redis.blpop([key], timeout=timeout)) is not None

    async def keys(self, prefix: str) -> AsyncIterator[Sequence[str]]:
        """Find the keys that begin with *prefix*, some at a time; a key may come twice."""
        self._check_open()
        pattern = GLOB.sub(r"\\\g<0>", prefix) + "*"
        cursor = None
        while cursor != 0:
            step = partial(self._redis.scan, cursor or 0, pattern, SCANNED)
            cursor, keys = await self._do(step)
            if keys:
                yield keys

    async def delete_mentions(self, prefix: str, mention: re.Pattern[str]) -> int:
        """Delete what begins with *prefix* and has *mention* in key or value; return how many."""
        deleted = 0
        async for keys in self.keys(prefix):
            texts = await self._do(partial(self._read_texts, keys))
            found = [key for key, text in texts.items() if mention.search(f"{key} {text}")]
            if found:
                deleted += int(await self._do(partial(self._redis.delete, *found)))
        return deleted

    async def _read_texts(self, keys: Sequence[str]) -> dict[str, str]:
        """Return strings and hashes as texts, by key."""
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.type(key)
        kinds = await pipeline.execute()
        read = [key for key, kind in zip(keys, kinds, strict=True) if kind in ("string", "hash")]
        pipeline = self._redis.pipeline(transaction=False)
        for key, kind in zip(keys, kinds, strict=True):
            if kind in ("string", "hash"):
                (pipeline.get if kind == "string" else pipeline.hgetall)(key)
        values = await pipeline.execute() if read else []
        return {key: str(value) for key, value in zip(read, values, strict=True)}

    async def _run(self) -> None:
        while self._jobs:
            jobs = [self._jobs.popleft() for _ in range(min(len(self._jobs), LARGEST))]
            try:
                answers = await self._do(partial(self._send, jobs))
            except Exception as exc:  # whatever it is, those who wait must hear of it
                for job in jobs:
                    job.fail(exc)
            else:
                self._hand_out(jobs, answers)

    def _hand_out(self, jobs: Sequence[_Command], answers: Sequence[Any]) -> None:
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(answer, Exception):
                job.fail(explain(answer, self.place))
            elif job.wants_safety and self._danger:
                # A message that was put in all the same is known when WhatsApp sends it again.
                job.fail(StoreError(self._danger))
            else:
                job.give(answer)

    async def _send(self, jobs: Sequence[_Command]) -> Sequence[Any]:
        answers = await self._evaluate(jobs)
        unknown = [n for n, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if unknown:
            await self._load_scripts()
            again = await self._evaluate([jobs[n] for n in unknown])
            for n, answer in zip(unknown, again, strict=True):
                answers[n] = answer
        return answers

    async def _evaluate(self, jobs: Sequence[_Command]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for job in jobs:
            pipeline.execute_command("EVALSHA", job.script.sha, 1, *job.args)
        if not self._is_to_look(jobs):
            return list(await pipeline.execute(raise_on_error=False))
        pipeline.execute_command("INFO")
        answers: list[Any]
        *answers, info = await pipeline.execute(raise_on_error=False)
        if not isinstance(info, Exception):  # not everybody may ask
            self._look(info)
        return answers

    def _is_to_look(self, jobs: Sequence[_Command]) -> bool:
        long_ago = asyncio.get_running_loop().time() - self._looked >= self._look_every
        return any(job.wants_safety and (long_ago or job.args[1] == ASKS) for job in jobs)

    async def _load_scripts(self) -> None:
        for script in self._scripts.values():
            await self._redis.script_load(script.text)

    def _check_open(self) -> None:
        if not self._is_open:
            raise StoreError(f"store {self.place}: it is not open")

    async def _do(self, operation: Callable[[], Awaitable[T]]) -> T:
        try:
            return await self._try_twice(operation)
        except (RedisError, OSError, asyncio.TimeoutError) as exc:
            raise explain(exc, self.place) from exc

    async def _try_twice(self, operation: Callable[[], Awaitable[T]]) -> T:
        """
        Survive a restart of Redis, and proxies that close idle connections.

        The first try may have been carried out though its answer was lost. That is what a caller
        who tries again would meet too: a key that was seen before, a claim whose lease has to end.
        """
        try:
            return await operation()
        except RedisError as exc:
            if not is_lost_connection(exc):
                raise
        await self._disconnect(inuse_connections=False)
        return await operation()

    async def _disconnect(self, *, inuse_connections: bool) -> None:
        with contextlib.suppress(RedisError, OSError):
            await self._pool.disconnect(inuse_connections)
