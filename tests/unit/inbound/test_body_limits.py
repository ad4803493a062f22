"""Which bodies are held while nobody knows yet who sent them."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.inbound.body_limits import SMALL, Body, UnverifiedBodies, read_length
from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused
from rasa_whatsapp_channel.whatsapp.limits import MB, WEBHOOK_BYTES

KB = 1024


@pytest.mark.parametrize(("shown", "length"), [(None, 0), ("0", 0), ("2048", 2048), (" 7 ", 7)])
def test_the_length_of_a_webhook_is_read(shown: str | None, length: int) -> None:
    assert read_length(shown) == length


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        (str(WEBHOOK_BYTES + 1), 413),
        ("9" * 18, 413),
        ("-5", 400),
        ("+5", 400),
        ("5, 5", 400),
        ("1_000", 400),
        ("٥", 400),
        ("", 400),
        ("9" * 5000, 400),
    ],
)
def test_a_length_that_no_webhook_has_is_refused(shown: str, status: int) -> None:
    with pytest.raises(WebhookRefused) as refused:
        read_length(shown)

    assert refused.value.status == status


def hold(unverified: UnverifiedBodies, *bodies: tuple[float, int, int]) -> list[Body]:
    """Let bodies be on their way: when each began, the length it said, and what has come of it."""
    held = []
    for began, length, size in bodies:
        body, dropped = unverified.begin(began, length)
        assert not dropped
        assert not unverified.grow(body, size, began)
        held.append(body)
    return held


# Each of a room of 1,000 KB: what is there (age in seconds, length said, bytes that came), what
# comes now (length said, bytes), and who is let go: the positions of those there, "new" for it.
ROOM = [
    ("a webhook as they are", [(5.0, 0, 0)], (2 * KB, 2 * KB), []),
    ("room for all", [(0.0, 500 * KB, 0)], (500 * KB, 500 * KB), []),
    ("a small one takes what it brings", [(0.0, 64 * KB, 0)] * 30, (2 * KB, 2 * KB), []),
    ("a large one takes what it says", [(0.0, 600 * KB, 0)], (600 * KB, 0), ["new"]),
    ("of two alike the later goes", [(0.5, 600 * KB, 9)], (600 * KB, 9), ["new"]),
    ("the larger goes", [(0.0, 700 * KB, 9)], (400 * KB, 9), [0]),
    ("one that stalls goes first", [(0.5, 500 * KB, 9), (2.0, 300 * KB, 9)], (400 * KB, 9), [1]),
    (
        "of those that stall the largest",
        [(2.0, 300 * KB, 9), (9.0, 200 * KB, 9), (2.0, 400 * KB, 9)],
        (500 * KB, 9),
        [2],
    ),
    ("as many as it takes", [(2.0, 200 * KB, 9)] * 5, (500 * KB, 9), [2, 3, 4]),
    ("a small one finds room among many", [(2.0, 60 * KB, 60 * KB)] * 16, (50 * KB, 50 * KB), [15]),
    ("also while nobody stalls", [(0.0, 990 * KB, 9)], (20 * KB, 20 * KB), [0]),
]


@pytest.mark.parametrize(("name", "there", "new", "dropped"), ROOM, ids=[row[0] for row in ROOM])
def test_which_bodies_are_dropped_where_there_is_too_little_room(name, there, new, dropped) -> None:
    unverified, now = UnverifiedBodies(1000 * KB), 100.0
    held = hold(unverified, *((now - age, length, size) for age, length, size in there))

    body, gone = unverified.begin(now, new[0])
    gone = [*gone, *(unverified.grow(body, new[1], now) if body not in gone else ())]

    names = {**{id(one): place for place, one in enumerate(held)}, id(body): "new"}
    assert sorted(names[id(one)] for one in gone) == dropped
    assert unverified.taken <= 1000 * KB


def test_one_in_chunks_takes_the_whole_length_as_soon_as_it_is_long() -> None:
    unverified = UnverifiedBodies(16 * MB)
    body, _ = unverified.begin(0.0)

    unverified.grow(body, SMALL, 0.0)
    assert unverified.taken == SMALL
    unverified.grow(body, 1, 0.0)
    assert unverified.taken == WEBHOOK_BYTES


def test_what_is_verified_refused_or_dropped_takes_no_room_any_more() -> None:
    unverified = UnverifiedBodies(1000 * KB)
    first, second = hold(unverified, (0.0, 600 * KB, 10), (0.0, 0, 10 * KB))

    _, dropped = unverified.begin(2.0, 900 * KB)
    assert dropped == [first]
    unverified.end(first)  # as its reader says when it hears of it
    unverified.end(second)

    assert unverified.taken == 900 * KB


def test_a_body_above_the_cap_is_refused_however_it_comes() -> None:
    unverified = UnverifiedBodies()
    body, _ = unverified.begin(0.0)

    unverified.grow(body, WEBHOOK_BYTES, 0.0)
    with pytest.raises(WebhookRefused) as refused:
        unverified.grow(body, 1, 0.0)

    assert (refused.value.kind, refused.value.status) == ("too_large", 413)
