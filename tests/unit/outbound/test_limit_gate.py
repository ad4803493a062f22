"""Limits of billed messages: what goes, what is stopped, and what is given back."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.metrics import Metrics
from rasa_whatsapp_channel.outbound.charges import Charges
from rasa_whatsapp_channel.outbound.limit_gate import LimitGate
from rasa_whatsapp_channel.outbound.policy import SendPolicy
from rasa_whatsapp_channel.outbound.statuses import Statuses
from rasa_whatsapp_channel.settings import BillingSettings
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES, decide_verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, PlatformError, TransportError
from rasa_whatsapp_channel.whatsapp.events import Status
from rasa_whatsapp_channel.whatsapp.messages import Reaction, Template, Text

PHONE, BEN = "4915112345678", "5511987654321"
TOMORROW = "I can answer again tomorrow."
STOP = {"at_limit": "stop", "limit_text": TOMORROW}
ORDER = Template("order", "en_US")


class Limited:
    """An office whose messages are limited."""

    def __init__(self, office: Any, clock: Any) -> None:
        self._office = office
        self._clock = clock
        self.state = AccountState(office.store.values, clock=clock)
        self.metrics = Metrics()

    def begin(self, policy: SendPolicy | None = None, **billing: Any) -> None:
        """Begin as a process does, with these settings."""
        settings = BillingSettings(**{**STOP, **billing})
        gate = LimitGate(
            self._office.store,
            self.state,
            billing=settings,
            metrics=self.metrics,
            clock=self._clock,
        )
        charges = Charges(
            self._office.store.ledger,
            self.state,
            billing=settings,
            limits=gate,
            clock=self._clock,
        )
        self._office.statuses = Statuses(
            self._office.store,
            self._office.failures,
            self.state,
            charges=charges,
            limits=gate,
            clock=self._clock,
        )
        self._office.make_sender(limits=gate, policy=policy or SendPolicy())

    async def says(self, *texts: str, to: str = PHONE) -> list[str]:
        """Let the bot say *texts*; return all that is sent because of it."""
        before = len(self._office.client.sent)
        for text in texts:
            await self._office.put(f"{to}:{text}", Text(text), to=to)
        await self._office.run()
        sent = self._office.client.sent[before:]
        return [body.get("text", {}).get("body", body["type"]) for _, body in sent]

    async def told(self, message_id: str, status: str, **extra: Any) -> None:
        """WhatsApp tells what became of a message."""
        await self._office.statuses.note(
            Status(message_id, status, timestamp=int(self._clock()), recipient_id=PHONE, **extra)
        )

    async def reasons(self) -> list[str]:
        return [row.reason for row in await self._office.store.outbox.dead_letters()]

    async def troubles(self) -> list[tuple[str, str, str]]:
        found = await self.state.troubles()
        return [(each.subject, each.event, each.severity) for each in found]

    def counted(self, limit: str, outcome: str) -> float:
        labels = {"limit": limit, "outcome": outcome}
        found = self.metrics.registry.get_sample_value("whatsapp_over_limit_total", labels)
        return found or 0.0


@pytest.fixture
def limited(office, clock) -> Limited:
    return Limited(office, clock)


def refuse(code: int) -> APIError:
    verdict = decide_verdict(CLOUD_CODES, code=code, status=400)
    return APIError(PlatformError(code, "title"), status=400, verdict=verdict)


async def test_what_is_over_the_limit_is_stopped_and_the_person_told_once(limited, caplog):
    limited.begin(daily_limit=2)

    assert await limited.says("a", "b", "c", "d") == ["a", "b", TOMORROW]
    assert await limited.says("e") == []

    (reason,) = set(await limited.reasons())
    assert reason == (
        "utter_x: the limit of 2 billed messages a day is reached (`billing.daily_limit`)"
    )
    assert len(await limited.reasons()) == 3
    assert await limited.troubles() == [("daily_limit", "REACHED", "error")]
    assert limited.counted("daily_limit", "stopped") == 3
    (line,) = [each for each in caplog.messages if "limit_reached" in each]
    assert line == (
        "whatsapp.limit_reached: the limit of 2 billed messages a day is reached "
        "(`billing.daily_limit`), first by utter_x; until the day ends nothing goes"
    )


async def test_a_rush_is_stopped_at_once_and_holds_up_nobody(limited):
    limited.begin(SendPolicy(pair_burst=3, pair_interval=600), daily_limit=2)

    assert await limited.says(*"abcdefgh") == ["a", "b", TOMORROW]
    assert len(await limited.reasons()) == 6


async def test_the_next_day_goes_on(limited, office, clock):
    limited.begin(daily_limit=1)
    assert await limited.says("a", "b") == ["a", TOMORROW]

    clock.now += DAY
    await office.wrote(hours_ago=1)

    assert await limited.says("c", "d") == ["c", TOMORROW]
    # Nothing of yesterday is left, and the trouble is today's.
    clock.now += DAY
    assert await limited.troubles() == []


async def test_each_conversation_has_a_limit_of_its_own(limited, office):
    await office.wrote(hours_ago=1, who=BEN)
    limited.begin(daily_limit_per_conversation=2)

    assert await limited.says("a", "b", "c") == ["a", "b", TOMORROW]
    assert await limited.says("d", "e", to=BEN) == ["d", "e"]
    assert await limited.troubles() == [("daily_limit_per_conversation", "REACHED", "warning")]


async def test_a_warning_stops_nothing(limited, caplog):
    limited.begin(daily_limit=1, at_limit="warn", limit_text=None)

    assert await limited.says("a", "b", "c") == ["a", "b", "c"]

    assert limited.counted("daily_limit", "sent") == 2
    assert await limited.troubles() == [("daily_limit", "REACHED", "warning")]
    assert len([each for each in caplog.messages if "limit_reached" in each]) == 1


@pytest.mark.parametrize(
    ("at_limit", "sent"),
    [("template_only", ["a", TOMORROW, "template"]), ("stop", ["a", TOMORROW])],
)
async def test_templates_go_where_only_they_may(limited, office, at_limit, sent):
    limited.begin(daily_limit=1, at_limit=at_limit)

    said = await limited.says("a", "b")
    await office.put("t", ORDER)

    assert [*said, *await limited.says()] == sent


async def test_a_template_that_is_stopped_tells_nobody(limited, office):
    limited.begin(daily_limit=1)
    await limited.says("a")
    await office.put("t", ORDER)

    assert await limited.says() == []


async def test_a_reaction_never_counts(limited, office):
    limited.begin(daily_limit=1)
    for n in range(3):
        await office.put(f"r{n}", Reaction("wamid.in", "👍"))

    assert await limited.says("a", "b") == ["reaction", "reaction", "reaction", "a", TOMORROW]


@pytest.mark.parametrize(
    "extra",
    [
        {"status": "failed", "errors": (PlatformError(131026, "undeliverable"),)},
        {
            "status": "delivered",
            "extra": {"pricing": {"type": "free_entry_point", "category": "referral_conversion"}},
        },
        {
            "status": "delivered",
            "extra": {"pricing": {"type": "free_customer_service", "category": "service"}},
        },
        # among the free ones of the month by our own count
        {
            "status": "read",
            "extra": {"pricing": {"type": "regular", "category": "service"}},
        },
    ],
)
async def test_what_nobody_pays_for_is_given_back_once(limited, extra):
    limited.begin(daily_limit=2)
    await limited.says("a")

    for _ in range(3):
        await limited.told("wamid.1", **extra)

    assert await limited.says("b", "c", "d") == ["b", "c", TOMORROW]


async def test_what_is_charged_stays_counted(limited):
    limited.begin(daily_limit=2, free_messages=0)
    await limited.says("a")

    pricing = {"pricing": {"type": "regular", "category": "service"}}
    for status in ("sent", "delivered", "read"):
        await limited.told("wamid.1", status, extra=pricing)

    assert await limited.says("b", "c") == ["b", TOMORROW]


async def test_what_whatsapp_refuses_is_given_back(limited, office):
    limited.begin(daily_limit=1)
    office.client.answers = [refuse(131026)]

    assert await limited.says("a", "b", "c") == ["b", TOMORROW]


async def test_a_message_that_is_tried_again_counts_once(limited, office, clock):
    limited.begin(daily_limit=2)
    office.client.answers = [refuse(131000), refuse(131000)]
    await limited.says("a")
    for _ in range(2):
        clock.now += 60
        await office.run()

    assert await limited.says("b", "c") == ["b", TOMORROW]


async def test_a_limit_that_came_with_a_restart_stops_nothing_that_was_on_its_way(
    limited, office, clock
):
    limited.begin(daily_limit=2)
    office.client.answers = [TransportError("no answer", timed_out=True)]
    await limited.says("a")

    limited.begin(daily_limit=2, daily_limit_per_conversation=1)
    again = await limited.says()
    for _ in range(3):  # time in which WhatsApp may tell that it has the message
        clock.now += 60
        again += await limited.says()

    assert again == ["a"]
    assert await limited.says("b", "c") == ["b", TOMORROW]


async def test_what_may_have_arrived_stays_counted(limited, office, clock):
    limited.begin(daily_limit=1)
    office.client.answers = [TransportError("no answer", timed_out=True)] * 9
    await limited.says("a")
    for _ in range(9):
        clock.now += 600
        await office.run()
    office.client.answers = []

    assert await limited.says("b") == [TOMORROW]
    assert len(await limited.reasons()) == 2


async def test_a_higher_limit_after_a_restart_ends_the_trouble(limited):
    limited.begin(daily_limit=1)
    assert await limited.says("a", "b") == ["a", TOMORROW]

    limited.begin(daily_limit=4)  # of which the sentence took one
    assert await limited.says("c") == ["c"]
    assert await limited.troubles() == []

    assert await limited.says("d", "e") == ["d"]  # the person was told today
    assert await limited.troubles() == [("daily_limit", "REACHED", "error")]


async def test_dead_letters_of_a_limit_can_be_sent_the_next_day(limited, office, clock):
    limited.begin(daily_limit=1)
    await limited.says("a", "b")
    clock.now += DAY
    await office.wrote(hours_ago=1)
    (row,) = await office.store.outbox.dead_letters()

    assert await office.store.outbox.requeue(row.key)

    assert await limited.says() == ["b"]


async def test_where_nothing_is_limited_nothing_is_counted(office, hello):
    await office.put("1", hello)
    await office.run()

    assert office.texts() == ["hello"]
    for prefix in ("counted:", "billed:"):
        assert [each async for each in office.store.values.find(prefix)] == []
