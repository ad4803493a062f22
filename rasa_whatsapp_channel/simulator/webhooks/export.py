"""A webhook as something to paste: a command, or a test. No I/O."""

from __future__ import annotations

import json
import shlex
from typing import Final

from rasa_whatsapp_channel.simulator.webhooks.log import Webhook

_TEST: Final = '''"""A webhook as the simulator sent it, byte for byte."""

from urllib.error import HTTPError
from urllib.request import Request, urlopen

URL = {url}
HEADERS = {headers}
BODY = (
{body}
)


def test_the_bot_takes_this_webhook():
    try:
        status = urlopen(Request(URL, data=BODY, headers=HEADERS, method="POST")).status
    except HTTPError as error:
        status = error.code

    assert status == 200
'''
_WIDTH: Final = 80


def as_curl(webhook: Webhook) -> str:
    """Return a command that posts the same bytes."""
    lines = [f"curl -i {shlex.quote(webhook.url)}"]
    lines += [f"-H {shlex.quote(f'{name}: {value}')}" for name, value in webhook.headers.items()]
    lines.append(f"--data-binary {shlex.quote(webhook.raw.decode())}")
    return " \\\n  ".join(lines) + "\n"


def as_test(webhook: Webhook) -> str:
    """Return a pytest module that posts the same bytes."""
    raw = webhook.raw
    parts = [raw[start : start + _WIDTH] for start in range(0, len(raw), _WIDTH)] or [b""]
    return _TEST.format(
        url=json.dumps(webhook.url),
        headers=json.dumps(dict(webhook.headers), indent=4),
        body="\n".join(f"    {part!r}" for part in parts),
    )
