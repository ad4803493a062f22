"""Redis claimants: the processes that claim items in one Redis, see `store.heartbeat`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from rasa_whatsapp_channel.store.heartbeat import Liveness
from rasa_whatsapp_channel.store.redis.connection import ANSWER, CONNECT, Connection
from rasa_whatsapp_channel.store.redis.errors import explain
from rasa_whatsapp_channel.store.redis.script import in_script, pack


class RedisClaimants:
    """
    *own* is the id of this process; *queues* are the key prefixes of its queues.

    A thread calls `beat`, so it has a blocking connection of its own.
    """

    def __init__(self, connection: Connection, queues: Sequence[str], own: str) -> None:
        self._connection = connection
        self._own = own
        self._liveness = {prefix: Liveness(own) for prefix in queues}
        self._redis: Any = Redis.from_url(
            connection.url,
            decode_responses=True,
            socket_timeout=ANSWER,
            socket_connect_timeout=CONNECT,
            retry=Retry(NoBackoff(), 0),
        )
        self._script = self._redis.register_script(connection.script.text)

    def beat(self) -> int:
        """
        Increment our counter, read the others, and take over the claims of dead processes.

        Returns the number of items that were taken over. Raises `StoreError`.
        """
        try:
            return sum(self._beat(prefix) for prefix in self._liveness)
        except (RedisError, OSError) as exc:
            raise explain(exc, self._connection.place) from exc

    def _beat(self, prefix: str) -> int:
        flat = self._do(prefix, "beat", self._own)
        beats = {
            claimant: int(number) for claimant, number in zip(flat[::2], flat[1::2], strict=True)
        }
        dead = self._liveness[prefix].look(beats)
        return sum(int(self._do(prefix, "take_over", *silent)) for silent in dead.items())

    def _do(self, prefix: str, operation: str, *args: str | int) -> Any:
        told = pack(in_script(prefix, "queue", operation, args))
        [answer] = self._script(keys=[prefix], args=[self._connection.now(), *told])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def leave(self) -> None:
        """Release our claims: the process ends regularly. Raises `StoreError`."""
        try:
            for prefix in self._liveness:
                self._do(prefix, "leave", self._own)
        except (RedisError, OSError) as exc:
            raise explain(exc, self._connection.place) from exc

    def close(self) -> None:
        self._redis.close()
