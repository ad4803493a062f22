"""
What is measured, each in a process of its own.

    python -m bench.pipelines

What each line on its stdin orders, see `support.forking`: `pipeline` (a module of this folder),
`port`, and the `options` of its `prepare`.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
from typing import Any

from sanic import Sanic
from support.forking import fork_for_each_line

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


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    for name in PIPELINES:
        importlib.import_module(f"bench.pipelines.{name}")
    gc.collect()
    gc.freeze()  # what was imported is not looked through again by every child
    fork_for_each_line(run)


if __name__ == "__main__":
    main()
