"""
The channel in one real process of its own, served by whichever Sanic is here; the bot echoes.

    python -m support.lone_server PORT CREDENTIALS
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import yaml
from rasa.core.channels.channel import UserMessage, register
from rasa.shared.utils.common import class_from_module_path
from sanic import Sanic
from sanic import __version__ as sanic_version


class Echo:
    """Rasa's agent, as far as the channel knows it."""

    def __init__(self) -> None:
        self.tracker_store = self

    def is_ready(self) -> bool:
        return True

    async def handle_message(self, message: UserMessage) -> None:
        await message.output_channel.send_response(message.sender_id, {"text": message.text})

    async def retrieve(self, _sender_id: str) -> None:
        return None


def main() -> None:
    port, credentials = sys.argv[1:]
    app = Sanic("rasa_core_no_api", configure_logging=False)
    # As `rasa.core.run` sets it: nobody is cut off who waits for a long turn.
    app.config.RESPONSE_TIMEOUT = 3600
    channels = [
        class_from_module_path(name).from_credentials(block)
        for name, block in yaml.safe_load(Path(credentials).read_text()).items()
    ]
    register(channels, app, route="/webhooks/")

    async def load_agent(app: Sanic, _loop: Any = None) -> None:
        app.ctx.agent = Echo()

    app.register_listener(load_agent, "before_server_start")
    single = {} if sanic_version.startswith("21.") else {"single_process": True}
    app.run(host="127.0.0.1", port=int(port), access_log=False, **single)


if __name__ == "__main__":
    main()
