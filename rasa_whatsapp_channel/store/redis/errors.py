"""Redis errors: what each means for an operator, and which mean a lost connection."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from redis import exceptions

from rasa_whatsapp_channel.store.base import StoreError

_LOCKED: Final = "it wants a password; the URL's form is redis://:PASSWORD@HOST:PORT/0"
_REFUSED: Final = "it refuses the user or the password of the URL; correct them"
_FEW_RIGHTS: Final = "its user may not do this; give it `~whatsapp:* +@all` (ACL SETUSER)"
_REPLICA: Final = "it is a replica, which cannot be written; name the primary in the URL"
_CLUSTER: Final = "it is a Redis Cluster; name a Redis without cluster mode in the URL"
_NOT_THERE: Final = "it cannot be reached; start it, or correct host and port in the URL"

# Redis starts the message with a code, a script puts more before it, and redis-py turns some codes
# into classes: so the words may be anywhere in "class: text". The first match wins.
_WAYS_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "command not allowed when used memory": (
            "its memory limit is reached; raise `maxmemory` in its configuration or make room. "
            "Items in progress are finished, and nothing new is accepted until then"
        ),
        "HELLO must be called": _LOCKED,
        "Authentication required": _LOCKED,
        "WRONGPASS": _REFUSED,
        "AuthenticationError": _REFUSED,
        "NOPERM": _FEW_RIGHTS,
        "NoPermissionError": _FEW_RIGHTS,
        "READONLY": _REPLICA,
        "ReadOnlyError": _REPLICA,
        "BusyLoadingError": "it has just started and reads its data; the bot goes on by itself",
        "MISCONF": "it cannot save to its disk; make room there, the bot goes on by itself",
        "MOVED": _CLUSTER,
        "MovedError": _CLUSTER,
        "ClusterDownError": _CLUSTER,
        "max number of clients": "it has no connections left; raise `maxclients`",
        "DB index": "it has no database of this number; correct the end of the URL",
        "CERTIFICATE_VERIFY_FAILED": (
            "its certificate is not trusted; add ?ssl_ca_certs=FILE to the URL"
        ),
        "TimeoutError": (
            "it does not answer in time; see whether it runs, and whether a firewall is between"
        ),
        "ConnectionError": _NOT_THERE,
        "OSError": _NOT_THERE,
    }
)


def explain(error: Exception, place: str) -> StoreError:
    text = f"{_kinds(error)}: {error}"
    for words, way_out in _WAYS_OUT.items():
        if words in text:
            return StoreError(f"store {place}: {way_out} ({error})")
    return StoreError(f"store {place}: {error}")


def _kinds(error: Exception) -> str:
    """Return the names of the error's classes, the most specific first."""
    return " ".join(kind.__name__ for kind in type(error).__mro__)


def is_lost_connection(error: Exception) -> bool:
    """Return whether the connection was closed; a new one may work at once."""
    return isinstance(error, exceptions.ConnectionError) and not isinstance(
        error, (exceptions.AuthenticationError, exceptions.BusyLoadingError)
    )
