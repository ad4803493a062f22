"""
What people write to the stub bots, and what these answer: numbered, so that nothing can hide.

Behind the numbers may stand an order to the bot: "u17 m4 blocks 14", "u17 m4 crashes".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from soak.seen import responses_to

LINK = "https://files.example.com"

Response = dict[str, Any]


def text_of(user: int, number: int, order: str = "") -> str:
    return f"u{user} m{number} {order}".rstrip()


def numbers_of(text: str) -> str:
    """Return *text* without the order that may stand behind it."""
    return " ".join(text.split()[:2])


def order_of(text: str) -> list[str]:
    return text.split()[2:]


def answers_to(text: str) -> list[str]:
    """Return two or three messages, each telling what it answers and its position there."""
    text = numbers_of(text)
    number = int(text.rsplit("m", 1)[1])
    return [f"{text} {position}" for position in "abc"[: 2 + number % 2]]


def texts(text: str) -> list[Response]:
    return [{"text": answer} for answer in answers_to(text)]


def illustrated(text: str) -> list[Response]:
    """Return what a bot with pictures says: a text, a file and a text, or buttons."""
    text = numbers_of(text)
    number = int(text.rsplit("m", 1)[1])
    a, b, c = (f"{text} {position}" for position in "abc")
    if number % 3 == 1:
        return [{"text": a}, {"text": b, "image": f"{LINK}/lake.jpg"}, {"text": c}]
    if number % 3 == 2:
        buttons = [{"title": "Yes", "payload": "/yes"}, {"title": "No", "payload": "/no"}]
        return [{"text": a, "buttons": buttons}]
    guide = {"type": "document", "link": f"{LINK}/guide.pdf", "filename": "guide.pdf"}
    return [{"text": a}, {"text": b, "attachment": guide}, {"text": c}]


def uploaded(text: str) -> list[Response]:
    """Return what a bot says that has the picture itself."""
    return [{"text": f"{numbers_of(text)} a", "image": "media/lake.jpg"}]


def handed(text: str) -> list[Response]:
    """Return what a bot says of each line it hears: a text, a picture of its own, and a text."""
    responses: list[Response] = []
    for line in text.splitlines():
        a, b, c = (f"{numbers_of(line)} {position}" for position in "abc")
        responses += [{"text": a}, {"text": c}]
        if numbers_of(line).endswith("m2"):
            responses[-1:-1] = [{"text": b, "image": f"media/{line.split()[0]}.jpg"}]
    return responses


BOTS: dict[str, Callable[[str], list[Response]]] = {
    "texts": texts,
    "illustrated": illustrated,
    "uploaded": uploaded,
    "handed": handed,
    "table": responses_to,
}


def answers_of(bot: str) -> Callable[[str], list[str]]:
    """Return what tells the texts that *bot* answers with."""
    return lambda text: [str(response["text"]) for response in BOTS[bot](text)]
