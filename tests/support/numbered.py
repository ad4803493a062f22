"""What people write to the stub bot, and what it answers: numbered, so that nothing can hide."""

from __future__ import annotations


def text_of(user: int, number: int) -> str:
    return f"u{user} m{number}"


def answers_to(text: str) -> list[str]:
    """Return two or three messages, each telling what it answers and its position there."""
    number = int(text.rsplit("m", 1)[1])
    return [f"{text} {position}" for position in "abc"[: 2 + number % 2]]
