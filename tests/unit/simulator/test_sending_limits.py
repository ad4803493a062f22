"""Rate limits of a number, and the 24-hour window."""

import pytest

from rasa_whatsapp_channel.simulator.problems import Refused
from rasa_whatsapp_channel.simulator.sending_limits import RateLimits, is_refused, window_ends
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, ON_PREMISES

WROTE = 1_750_000_000.0
DAY = 86_400


class Clock:
    now = 1_750_000_000.0

    def __call__(self):
        return self.now


def refusal(rates, person, number="1"):
    try:
        rates.take(number, person)
    except Refused as error:
        return error.problem.code(CLOUD).number, error.problem.code(ON_PREMISES).number
    return None


def test_80_messages_go_in_a_second_whoever_gets_them():
    clock = Clock()
    rates = RateLimits(per_second=80, clock=clock)

    assert [refusal(rates, str(person)) for person in range(80)] == [None] * 80
    assert refusal(rates, "another") == (130429, 1015)
    assert refusal(rates, "another", number="2") is None
    clock.now += 1
    assert refusal(rates, "another") is None


@pytest.mark.parametrize(("pause", "taken"), [(5.9, 0), (6, 1), (60, 10), (6000, 45)])
def test_one_person_gets_a_burst_of_45_and_then_one_in_six_seconds(pause, taken):
    clock = Clock()
    rates = RateLimits(per_second=1000, clock=clock)

    assert [refusal(rates, "maya") for _ in range(45)] == [None] * 45
    assert refusal(rates, "maya") == (131056, 429)
    assert refusal(rates, "tom") is None
    clock.now += pause
    assert [refusal(rates, "maya") for _ in range(46)].count(None) == taken


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
