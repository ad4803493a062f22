"""When a business may write, and when a webhook is tried again: decided without a server."""

import pytest

from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.sending_limits import is_refused, window_ends
from rasa_whatsapp_channel.simulator.webhooks.delivery import pause_after

WROTE = 1_750_000_000.0
DAY = 86_400


@pytest.mark.parametrize(
    ("kind", "wrote", "now", "refused"),
    [
        ("text", WROTE, WROTE + DAY - 1, False),
        ("text", WROTE, WROTE + DAY, True),
        ("image", WROTE, WROTE + 2 * DAY, True),
        ("text", None, WROTE, True),
        ("template", WROTE, WROTE + 2 * DAY, False),
        ("template", None, WROTE, False),
    ],
)
def test_only_templates_go_when_24_hours_are_over(kind, wrote, now, refused):
    assert is_refused(kind, wrote, now) is refused


def test_the_window_ends_a_day_after_the_last_word():
    assert window_ends(WROTE) == WROTE + DAY
    assert window_ends(None) is None


def test_pauses_between_attempts_grow_from_seconds_to_a_day_for_seven_days():
    pauses, age = [], 0.0
    while (
        pause := pause_after(Config(), attempt=len(pauses) + 1, status=500, age=age)
    ) is not None:
        pauses.append(pause)
        age += pause

    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1, DAY)
    assert 7 * DAY <= age < 8 * DAY
