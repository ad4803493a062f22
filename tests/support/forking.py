"""
Servers within milliseconds: importing Rasa takes seconds, so one process does it for all.

It forks a server for every line on its stdin: a JSON object with `name`, `folder` (where the server
runs, and its log is) and what else the server wants to know. It prints the server's process id.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

Run = Callable[[dict[str, Any]], None]


def fork_for_each_line(run: Run) -> None:
    """Let *run* serve, in a process of its own, what each line orders, until stdin ends."""
    # Nobody waits for the children: they are gone as soon as they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        sys.stdout.write(f"{_fork(run, json.loads(line))}\n")
        sys.stdout.flush()


def _fork(run: Run, order: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    os.chdir(order["folder"])
    log = os.open(f"{order['name']}.log", os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    try:
        run(order)
    except BaseException as error:
        logging.exception("%s: %s", type(error).__name__, error)
        os._exit(1)
    os._exit(0)
