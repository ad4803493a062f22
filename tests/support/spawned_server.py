"""
The channel in workers that Sanic spawns, as Rasa Pro serves it, with a bot that echoes.

    python -m support.spawned_server PORT WORKERS CREDENTIALS

Each worker reads the credentials file and builds its channel anew; nothing is handed over to it.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Any

from rasa.core.channels.channel import UserMessage, register
from rasa.shared.utils.common import class_from_module_path
from rasa.shared.utils.yaml import read_config_file
from sanic import Sanic
from sanic.worker.loader import AppLoader
from sanic.worker.manager import WorkerManager


class Echo:
    """Rasa's agent, as far as the channel knows it; says which process answered."""

    def __init__(self) -> None:
        self.tracker_store = self

    def is_ready(self) -> bool:
        return True

    async def handle_message(self, message: UserMessage) -> None:
        said = {"text": f"{message.text} from {os.getpid()}"}
        await message.output_channel.send_response(message.sender_id, said)

    async def retrieve(self, _sender_id: str) -> None:
        return None


def create_app(credentials: str) -> Sanic:
    app = Sanic("rasa_core_no_api", configure_logging=False)
    # As `rasa.core.run` does it, whose import takes half a minute on a busy machine.
    channels = [
        class_from_module_path(name).from_credentials(block)
        for name, block in read_config_file(credentials).items()
    ]
    register(channels, app, route="/webhooks/")

    async def load_agent(app: Sanic, _loop: Any = None) -> None:
        app.ctx.agent = Echo()

    app.register_listener(load_agent, "before_server_start")
    return app


def main() -> None:
    port, workers, credentials = sys.argv[1:]
    WorkerManager.THRESHOLD = 900  # tenths of a second in which a slow machine imports Rasa
    loader = AppLoader(factory=partial(create_app, credentials))
    app = loader.load()
    app.prepare(host="127.0.0.1", port=int(port), workers=int(workers), access_log=False)
    Sanic.serve(primary=app, app_loader=loader)


if __name__ == "__main__":
    main()
