"""
SQLite wake-ups: a datagram tells other processes of the file that an item may be ready.

A process that claims items has a socket beside the file, ``whatsapp.db-wake-…``. A datagram holds
the name of a queue. It is a hint, sent after the commit: where there are no such sockets (Windows,
a path that is too long) or one is full, a process sees within LISTEN that the file has changed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

logger = logging.getLogger(__name__)

MARK: Final = "-wake-"
# Bytes of a socket's path, the shortest limit of the systems we know: that of macOS.
LONGEST_PATH: Final = 103
SHORT: Final = 12  # letters of an id, as paths are short
LARGEST: Final = 16  # bytes of a datagram
AT_ONCE: Final = 100  # datagrams that are read before others get their turn


class Wakeups:
    """*own* is unique among all processes; *wake* is called with the name of a queue."""

    def __init__(self, path: Path, own: str, *, wake: Callable[[str], None]) -> None:
        real = os.path.realpath(path)
        # A relative path may fit where the whole one does not.
        self._base = min(real, os.path.relpath(real), key=len) + MARK
        self._own = f"{self._base}{own[:SHORT]}"
        self._wake = wake
        self._others: tuple[str, ...] = ()
        self._untold: set[str] = set()
        self._socket = _new_socket() if self._fits() else None
        self._is_bound = False

    def bind(self) -> None:
        """Let other processes wake this one."""
        if self._is_bound or self._socket is None:
            return
        self._is_bound = True
        try:
            self._socket.bind(self._own)
            Path(self._own).chmod(0o600)
            asyncio.get_running_loop().add_reader(self._socket.fileno(), self._receive)
        except (OSError, NotImplementedError) as error:
            logger.info(
                "whatsapp.store_is_polled: other processes cannot wake this one, which looks for "
                "their items four times a second: %s",
                error,
            )

    def look(self) -> None:
        """Find the other processes; to be called a few times a second."""
        if self._socket is None:
            return
        folder, begin = os.path.split(self._base)
        with suppress(OSError):  # the file is gone, too; whoever uses it is told
            names = [name for name in os.listdir(folder or ".") if name.startswith(begin)]  # noqa: PTH208
            paths = [os.path.join(folder, name) for name in names]  # noqa: PTH118
            self._others = tuple(path for path in paths if path != self._own)

    def tell(self, queue: str) -> None:
        """Wake the other processes once what runs now is over: the transaction, and its commit."""
        if not self._others:
            return
        if not self._untold:
            asyncio.get_running_loop().call_soon(self._send)
        self._untold.add(queue)

    def close(self) -> None:
        ours, self._socket = self._socket, None
        if ours is None:
            return
        if self._is_bound:
            with suppress(OSError, NotImplementedError):
                asyncio.get_running_loop().remove_reader(ours.fileno())
                Path(self._own).unlink()
        ours.close()

    def _fits(self) -> bool:
        return len(os.fsencode(self._own)) <= LONGEST_PATH

    def _send(self) -> None:
        queues, self._untold = self._untold, set()
        if self._socket is None:
            return
        for path in self._others:
            try:
                for queue in queues:
                    self._socket.sendto(queue.encode(), path)
            except BlockingIOError:
                pass  # it has not read the earlier ones yet
            except OSError as error:
                self._others = tuple(each for each in self._others if each != path)
                if isinstance(error, ConnectionRefusedError):  # of a process that died
                    with suppress(OSError):
                        Path(path).unlink()

    def _receive(self) -> None:
        queues = set()
        if self._socket is None:
            return
        with suppress(OSError):  # there are no more
            for _ in range(AT_ONCE):
                queues.add(self._socket.recv(LARGEST).decode(errors="replace"))
        for queue in queues:
            self._wake(queue)


def _new_socket() -> socket.socket | None:
    """Return a socket that never blocks; None where the system has no such sockets."""
    if not hasattr(socket, "AF_UNIX"):
        return None
    made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made
