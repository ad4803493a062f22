"""Webhook log: every attempt to deliver a webhook, and webhooks as curl or pytest."""

from __future__ import annotations

import json
import shlex
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

KEPT: Final = 2000


@dataclass(frozen=True)
class Webhook:
    """The bytes of one webhook, and its headers with the signature."""

    id: str
    body: Any
    raw: bytes
    headers: Mapping[str, str]
    url: str


@dataclass(frozen=True)
class Attempt:
    """One POST to the bot; without a response, *status* is None and *error* the reason."""

    webhook: Webhook
    number: int
    time: float
    seconds: float
    status: int | None = None
    answer: str | None = None  # truncated
    error: str | None = None
    retry_after: float | None = None  # seconds until the next attempt; none after the last one

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.webhook.id,
            "url": self.webhook.url,
            "headers": dict(self.webhook.headers),
            "body": self.webhook.body,
            "attempt": self.number,
            "time": self.time,
            "status": self.status,
            "answer": self.answer,
            "error": self.error,
            "seconds": self.seconds,
            "retry_after": self.retry_after,
        }


class WebhookLog:
    def __init__(self) -> None:
        self.attempts: deque[Attempt] = deque(maxlen=KEPT)

    def add(self, attempt: Attempt) -> None:
        self.attempts.append(attempt)

    def find(self, webhook_id: str) -> Webhook | None:
        found = (each.webhook for each in self.attempts if each.webhook.id == webhook_id)
        return next(found, None)

    def clear(self) -> None:
        self.attempts.clear()


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
