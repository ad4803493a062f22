"""
Outage errors: which exceptions of Rasa, and of its stores' libraries, mean that a service is down.

Imports neither of them: their exceptions are known by name.
"""

from __future__ import annotations

import re
from typing import Final

from rasa_whatsapp_channel.conversation.errors import BotUnavailable, ConversationLocked
from rasa_whatsapp_channel.errors import ChannelError
from rasa_whatsapp_channel.inbound.outages import (
    EVENT_BROKER,
    LOCK_STORE,
    SERVICE,
    TRACKER_STORE,
)

# Exceptions of libraries for a service that is down, starting, full or read-only, base classes
# included. Errors about the content, such as redis' DataError, are not here.
_AWAY: Final = frozenset(
    {
        "builtins.ConnectionError",
        "socket.gaierror",
        "rasa.shared.exceptions.ConnectionException",
        *(
            f"redis.exceptions.{name}"
            for name in (
                *("ConnectionError", "TimeoutError", "ReadOnlyError", "ClusterDownError"),
                *("MasterDownError", "OutOfMemoryError", "TryAgainError", "NoPermissionError"),
            )
        ),
        *(
            f"sqlalchemy.exc.{name}"
            for name in ("OperationalError", "InterfaceError", "InternalError", "TimeoutError")
        ),
        "sqlite3.OperationalError",
        "psycopg2.OperationalError",
        "psycopg2.InterfaceError",
        "psycopg.OperationalError",
        "pymongo.errors.ConnectionFailure",
        "pymongo.errors.ExecutionTimeout",
        "pymongo.errors.WaitQueueTimeoutError",
        "botocore.exceptions.HTTPClientError",
        "botocore.exceptions.NoCredentialsError",
        "aiormq.exceptions.AMQPError",
        "cimpl.KafkaException",
        "kafka.errors.KafkaError",
        "aiohttp.client_exceptions.ClientConnectionError",
        "requests.exceptions.ConnectionError",
        "httpx.TransportError",
        "grpc.RpcError",
    }
)
# First words of Redis' refusals for which its client has no exception class.
_AWAY_ANSWERS: Final = ("MISCONF", "LOADING", "OOM", "NOREPLICAS", "READONLY", "MASTERDOWN")
_LOCK_ERROR: Final = "rasa.core.lock_store.LockError"
_NO_TICKET: Final = "Could not acquire lock"
# Module of Rasa in the traceback of an error → service; the innermost module counts.
_SERVICES: Final = {
    "rasa.core.lock_store": LOCK_STORE,
    "rasa.core.concurrent_lock_store": LOCK_STORE,
    "rasa.core.tracker_store": TRACKER_STORE,
    "rasa.core.brokers": EVENT_BROKER,
    "rasa.core": SERVICE,
}
_GATEWAY_ERRORS: Final = frozenset({502, 503, 504})
_LONG_NUMBER: Final = re.compile(r"\d{7,}")


def why_unavailable(error: BaseException) -> BotUnavailable | None:
    """Return `BotUnavailable` if *error* says that something the bot needs is away, else None."""
    if isinstance(error, BotUnavailable):
        return error
    if isinstance(error, ChannelError):
        return None
    if _is_a(error, {_LOCK_ERROR}):
        cause = error.__cause__ or error.__context__
        if cause is None and _NO_TICKET in str(error):
            return ConversationLocked()
        return BotUnavailable(LOCK_STORE, words_of(cause or error), everywhere=True)
    root = _infrastructure(error)
    if root is None:
        return None
    service = _service_of(error)
    return BotUnavailable(service, words_of(root), everywhere=service != SERVICE)


def _infrastructure(error: BaseException) -> BaseException | None:
    """Return the error of a library for a service that is down: *error* or one of its causes."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        if _is_a(current, _AWAY) or _is_refusal(current):
            return current
        current = current.__cause__
    return None


def find_unreached(error: BaseException | None) -> BaseException | None:
    """Return why the action server could not be reached, None if the action itself failed."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        status = getattr(error, "status", None)
        if _is_a(error, _AWAY | {"asyncio.exceptions.TimeoutError", "builtins.TimeoutError"}):
            return error
        if status in _GATEWAY_ERRORS:
            return error
        error = error.__cause__ or error.__context__
    return None


def _service_of(error: BaseException) -> str:
    """Return the service whose code raised *error*."""
    service = SERVICE
    trace = error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        found = (what for name, what in _SERVICES.items() if module.startswith(name))
        service = next(found, service)
        trace = trace.tb_next
    return service


def _is_a(error: BaseException, names: frozenset[str] | set[str]) -> bool:
    return any(f"{cls.__module__}.{cls.__qualname__}" in names for cls in type(error).__mro__)


def _is_refusal(error: BaseException) -> bool:
    if _is_a(error, {"redis.exceptions.ResponseError"}):
        return str(error).startswith(_AWAY_ANSWERS)
    if _is_a(error, {"botocore.exceptions.ClientError"}):
        answer = getattr(error, "response", {})
        code = str(answer.get("Error", {}).get("Code", ""))
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        return status >= 500 or "Throttl" in code or "Throughput" in code
    return False


def words_of(error: BaseException) -> str:
    """Return *error* in one line, without what may be a phone number."""
    # A library may repeat a whole statement behind its first line.
    text = _LONG_NUMBER.sub("…", str(error).strip().split("\n")[0][:300])
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
