"""What the terminal says while the simulator runs: only what went wrong. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def describe(happening: Mapping[str, Any]) -> str | None:
    """Return a line about *happening*, if a person should see one."""
    if happening["event"] == "refused" and happening["by"] == "channel":
        return f"given up by the channel: {happening['rule']}"
    if happening["event"] == "refused":
        request = happening["request"]
        return f"refused {request['method']} {request['path']}: {happening['rule']}"
    if happening["event"] == "weather":
        return f"weather: {happening['words']} ({happening['kind']} {happening['n']})"
    if happening["event"] == "webhook":
        return _describe_webhook(happening)
    return None


def _describe_webhook(attempt: Mapping[str, Any]) -> str | None:
    if attempt["status"] == 200:
        return None
    what = f"HTTP {attempt['status']}" if attempt["status"] else attempt["error"]
    if attempt["retry_after"] is None:
        return f"webhook not taken: {what}; not tried again"
    if attempt["attempt"] > 1:
        return None
    return f"webhook not taken: {what}; tried again until it is"
