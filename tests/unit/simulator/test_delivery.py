"""When a webhook is retried."""

from rasa_whatsapp_channel.simulator.config import Config
from rasa_whatsapp_channel.simulator.webhooks.delivery import pause_after

DAY = 86_400


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
