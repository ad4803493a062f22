"""Roles of a process: takes webhooks (door), runs turns (bot), sends messages (sender)."""

from __future__ import annotations

from typing import Final

DOOR: Final = "door"
BOT: Final = "bot"
SENDER: Final = "sender"
ROLES: Final = (DOOR, BOT, SENDER)

# What no process does while none has the role.
CONSEQUENCES: Final = {
    DOOR: "takes webhooks, so nothing comes in",
    BOT: "runs the bot, so what comes in waits",
    SENDER: "sends, so what the bot says waits",
}


def parse(value: object) -> tuple[str, ...]:
    """Read the setting ``roles``."""
    is_list = isinstance(value, (list, tuple)) and value
    if not is_list or not all(role in ROLES for role in value):  # type: ignore[attr-defined]
        raise ValueError(f"a list with some of {', '.join(ROLES)}")
    return tuple(role for role in ROLES if role in value)  # type: ignore[operator]


def remedy(role: str) -> str:
    """Return how a process with *role* is started."""
    if role == BOT:
        return "Start Rasa, and see that `roles` in the channel's block has `bot`"
    return f"Start `rasa-whatsapp serve`, or write `{role}` into `roles`"
