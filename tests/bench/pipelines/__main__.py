"""
What is measured, each in a process of its own.

    python -m bench.pipelines

Importing Rasa takes seconds, so this process does it once and forks a server for every line on its
stdin: a JSON object with `pipeline` (a module of this folder), `port`, `folder` (where it runs, and
its log is), `name`, and what that pipeline takes. It prints the server's process id.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import logging
import os
import signal
import sys
from typing import Any

from sanic import Sanic

# Each of these imports what it needs before the first fork.
PIPELINES = ("bare", "channel", "heyoo_connector", "rest")


def run(order: dict[str, Any]) -> None:
    app = Sanic("rasa_core_no_api", configure_logging=False)
    module = importlib.import_module(f"bench.pipelines.{order['pipeline']}")
    module.prepare(app, **order.get("options", {}))
    app.add_task(end_with(os.getppid()))
    # As Rasa runs it.
    app.run(host="127.0.0.1", port=order["port"], backlog=1024, access_log=False)


async def end_with(parent: int) -> None:
    """End with the process that forked this one, whatever ends it."""
    while os.getppid() == parent:
        await asyncio.sleep(1)
    os._exit(0)


def fork(order: dict[str, Any]) -> int:
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


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    for name in PIPELINES:
        importlib.import_module(f"bench.pipelines.{name}")
    gc.collect()
    gc.freeze()  # what was imported is not looked through again by every child
    # Nobody waits for the children: they are gone as soon as they end.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        sys.stdout.write(f"{fork(json.loads(line))}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
