"""
Redis connection: sends commands in their order, in batches, and survives a lost connection.

All operations of this process use one connection, in the order of the calls, so items keep their
order too. Those of one moment are one batch.

The configuration of Redis can change while it runs. So INFO is sent along with each `depth`, and
with a `put` if the last check is too long ago. Once Redis may evict keys, nothing new is accepted
and `depth` fails, so that WhatsApp keeps its messages and the operator learns of it; items in
progress continue.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Mapping,
    Sequence,
)
from functools import partial
from itertools import chain
from typing import Any, Final, TypeVar

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from rasa_whatsapp_channel.store.base import Clock, StoreError
from rasa_whatsapp_channel.store.redis.errors import explain, is_lost_connection
from rasa_whatsapp_channel.store.redis.script import (
    Arg,
    Command,
    in_calls,
    in_script,
    pack,
    read_script,
)
from rasa_whatsapp_channel.store.redis.server import check, parse_url

logger = logging.getLogger(__name__)

T = TypeVar("T")

# Longest waits, in seconds.
CONNECT: Final = 3.0
ANSWER: Final = 5.0
# Most operations of one batch.
LARGEST: Final = 100
# Keys that one step of a search reads, in a fraction of a millisecond.
SCANNED: Final = 500
GLOB: Final = re.compile(r"[*?\[\]\\]")
# Seconds after which a `put` checks the configuration of Redis again.
LOOK_EVERY: Final = 10.0
# Operations that accept a webhook, and the one by which an operator checks the store.
TAKES_IN: Final = ("put", "put_dead_letter")
ASKS: Final = "depth"


class Connection:
    """*clock* None is the clock of Redis, which all servers share."""

    def __init__(self, url: str, *, clock: Clock | None, look_every: float = LOOK_EVERY) -> None:
        address = parse_url(url)
        self.place = address.place
        self.url = address.url
        self._clock = clock
        self._pool = ConnectionPool.from_url(
            address.url,
            decode_responses=True,
            # Half a surrogate pair in a webhook is stored as an escape, as in SQLite.
            encoding_errors="backslashreplace",
            socket_timeout=ANSWER,
            socket_connect_timeout=CONNECT,
            # `_try_twice` retries; the releases of redis-py differ in their retries.
            retry=Retry(NoBackoff(), 0),
        )
        self._redis: Any = Redis(connection_pool=self._pool)
        self.script = read_script()
        self._jobs: deque[Command] = deque()
        self._runner: asyncio.Task[None] | None = None
        self._is_open = False
        self._look_every = look_every
        self._all = f"whatsapp:{{{address.name}}}:"  # the braces keep all keys in one hash slot
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
        except TypeError as exc:  # redis-py passes every option of the URL on
            raise StoreError(f"store {self.place}: an option of its URL: {exc}") from None
        self._warn(check(info, self.place))
        self._looked = asyncio.get_running_loop().time()

    def _look(self, info: Mapping[str, Any]) -> None:
        """Check *info*, the answer to INFO, and log what is new about it."""
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
        self._is_open = False  # accepts nothing new from here on
        if self._runner is not None:
            await asyncio.wait([self._runner])
        await self._disconnect(inuse_connections=True)

    def now(self) -> Arg:
        """Return the time for a script: '' for the clock of Redis."""
        return "" if self._clock is None else self._clock()

    def prefix(self, part: str) -> str:
        """Return the prefix of the keys of *part*."""
        return f"{self._all}{part}:"

    def submit(self, part: str, prefix: str, operation: str, *args: Arg) -> asyncio.Future[Any]:
        """Run *operation* of *part*, one of `PARTS`, after all operations submitted before."""
        self._check_open()
        loop = asyncio.get_running_loop()
        takes_in = operation in TAKES_IN and prefix == self._inbox
        if takes_in and self._danger and loop.time() - self._looked < self._look_every:
            raise StoreError(self._danger)
        future: asyncio.Future[Any] = loop.create_future()
        wants_safety = takes_in or operation == ASKS
        self._jobs.append(
            Command(operation, in_script(prefix, part, operation, args), future, wants_safety)
        )
        if self._runner is None or self._runner.done():
            self._runner = asyncio.create_task(self._run(), name="whatsapp store: redis")
        return future

    async def pop(self, key: str, timeout: float) -> bool:
        """
        Wait for an element of the list *key*, and remove it. False: there was none.

        Uses a connection of its own. *timeout* must be above 0, which would mean for ever.
        """
        self._check_open()
        return await self._do(lambda: self._redis.blpop([key], timeout=timeout)) is not None

    async def keys(self, prefix: str) -> AsyncIterator[Sequence[str]]:
        """Yield the keys that begin with *prefix*, some at a time; a key may appear twice."""
        self._check_open()
        pattern = GLOB.sub(r"\\\g<0>", prefix) + "*"
        cursor = None
        while cursor != 0:
            step = partial(self._redis.scan, cursor or 0, pattern, SCANNED)
            cursor, keys = await self._do(step)
            if keys:
                yield keys

    async def delete_mentions(self, prefix: str, mention: re.Pattern[str]) -> int:
        """Delete keys with *prefix* that have *mention* in key or value; return their number."""
        deleted = 0
        async for keys in self.keys(prefix):
            texts = await self._do(partial(self._read_texts, keys))
            found = [key for key, text in texts.items() if mention.search(f"{key} {text}")]
            if found:
                deleted += int(await self._do(partial(self._redis.delete, *found)))
        return deleted

    async def _read_texts(self, keys: Sequence[str]) -> dict[str, str]:
        """Return strings and hashes as text, by key."""
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
            except Exception as exc:  # whatever it is, the callers must get it
                for job in jobs:
                    job.fail(exc)
            else:
                self._hand_out(jobs, answers)

    def _hand_out(self, jobs: Sequence[Command], answers: Sequence[Any]) -> None:
        for job, answer in zip(jobs, answers, strict=True):
            if isinstance(answer, Exception):
                job.fail(explain(answer, self.place))
            elif job.wants_safety and self._danger:
                # If it was put all the same, its key is known when WhatsApp sends it again.
                job.fail(StoreError(self._danger))
            else:
                job.give(answer)

    async def _send(self, jobs: Sequence[Command]) -> Sequence[Any]:
        calls = list(in_calls(jobs))
        answers = await self._evaluate(calls, with_info=self._is_to_look(jobs))
        if any(isinstance(answer, NoScriptError) for answer in answers):  # then all of them are
            await self._redis.script_load(self.script.text)
            answers = await self._evaluate(calls)
        return [
            answer
            for call, found in zip(calls, answers, strict=True)
            for answer in (found if isinstance(found, list) else [found] * len(call))
        ]

    async def _evaluate(
        self, calls: Sequence[Sequence[Command]], *, with_info: bool = False
    ) -> list[Any]:
        """Return the answers of each call of the script, or its error."""
        now = self.now()
        pipeline = self._redis.pipeline(transaction=False)
        for call in calls:
            args = pack(chain.from_iterable(job.args for job in call))
            pipeline.execute_command("EVALSHA", self.script.sha, 1, self._all, now, *args)
        if with_info:
            pipeline.execute_command("INFO")
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        # The user may lack the right to ask.
        if with_info and not isinstance(info := answers.pop(), Exception):
            self._look(info)
        return answers

    def _is_to_look(self, jobs: Sequence[Command]) -> bool:
        long_ago = asyncio.get_running_loop().time() - self._looked >= self._look_every
        return any(job.wants_safety and (long_ago or job.operation == ASKS) for job in jobs)

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

        The first attempt may have been executed though its answer was lost. A caller that tries
        again meets the same: a key that was seen before, a claim whose lease has to end.
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
