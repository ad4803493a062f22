"""Ports for servers that are started later."""

from __future__ import annotations

import itertools
import os
import socket
from contextlib import suppress

# Below those that the system gives to connections: one of these may be taken before the server is
# started. Each process begins somewhere else.
FIRST, COUNT = 10_000, 20_000
_numbers = itertools.count(int.from_bytes(os.urandom(4), "big"))


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody uses, another one each time."""
    for number in itertools.islice(_numbers, COUNT):
        port = FIRST + number % COUNT
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")
