"""What is counted, under which names, and that nobody outside can make series without end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rasa_whatsapp_channel.metrics import CONTENT_TYPE, EVENTS, TYPES, Metrics
from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    MediaError,
    PlatformError,
    TransportError,
)

ROOT = Path(__file__).parents[2]
MONITORING = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"whatsapp_{name}", labels)


def api_error(code: int) -> APIError:
    return APIError(PlatformError(code), status=400, verdict=Verdict.DO_NOT_RETRY)


def test_messages_are_counted_by_whatsapps_type_in_both_directions() -> None:
    metrics = Metrics()

    metrics.received("image")
    metrics.received("image")
    metrics.sent("template")

    assert value(metrics, "received_total", type="image") == 2
    assert value(metrics, "sent_total", type="template") == 1


def test_words_that_whatsapp_invents_tomorrow_share_one_series() -> None:
    metrics = Metrics()

    for number in range(1000):
        metrics.received(f"hologram{number}")
        metrics.sent(f"hologram{number}")
        metrics.status(f"dreamt_of{number}")
        metrics.api_error(api_error(900_000 + number))

    assert value(metrics, "received_total", type="other") == 1000
    assert value(metrics, "sent_total", type="other") == 1000
    assert value(metrics, "statuses_total", status="other") == 1000
    assert value(metrics, "api_errors_total", code="other") == 1000
    assert len(metrics.page().splitlines()) < 300


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (api_error(131047), "131047"),  # Cloud
        (api_error(470), "470"),  # on-premises
        (api_error(429), "429"),  # a gateway's HTTP status
        (api_error(0), "other"),
        (TransportError("connection reset"), "no_answer"),
    ],
)
def test_an_error_of_a_request_is_counted_by_its_code(error: APIError, code: str) -> None:
    metrics = Metrics()

    metrics.api_error(error)

    assert value(metrics, "api_errors_total", code=code) == 1


def test_an_error_from_before_a_request_is_none_of_whatsapp() -> None:
    metrics = Metrics()

    metrics.api_error(MediaError("media/lake.jpg: does not exist"))

    assert b"whatsapp_api_errors_total{" not in metrics.page()


def test_a_timer_counts_also_what_fails() -> None:
    metrics = Metrics()

    with pytest.raises(RuntimeError), metrics.turn_timer():
        raise RuntimeError("the action server is down")

    assert value(metrics, "turn_seconds_count") == 1
    seconds = value(metrics, "turn_seconds_sum")
    assert seconds is not None
    assert 0 <= seconds < 1


def test_a_wait_that_is_negative_between_two_clocks_is_none() -> None:
    metrics = Metrics()

    metrics.waited("inbox", -3.0)

    assert value(metrics, "queue_wait_seconds_sum", queue="inbox") == 0


def test_depths_are_forgotten_while_the_store_cannot_be_read() -> None:
    metrics = Metrics()
    metrics.depth("outbox", waiting=7, dead_letters=2, failing=1, oldest_age=90.5)
    assert value(metrics, "queue_waiting", queue="outbox") == 7
    assert value(metrics, "queue_dead_letters", queue="outbox") == 2
    assert value(metrics, "queue_oldest_seconds", queue="outbox") == 90.5
    assert value(metrics, "store_up") == 1

    metrics.store_failed()

    assert value(metrics, "queue_waiting", queue="outbox") is None
    assert value(metrics, "store_up") == 0


def test_what_happens_seldom_is_there_from_the_start_so_that_the_first_time_is_a_rise() -> None:
    metrics = Metrics()

    assert value(metrics, "dead_letters_total", queue="inbox") == 0
    assert value(metrics, "retries_total", queue="outbox") == 0


def test_two_channels_in_one_process_count_for_themselves() -> None:
    one, other = Metrics(), Metrics()

    one.duplicate()

    assert (value(one, "duplicates_total"), value(other, "duplicates_total")) == (1, 0)


def test_the_page_is_what_prometheus_reads() -> None:
    assert CONTENT_TYPE.startswith("text/plain")
    assert b"# TYPE whatsapp_turn_seconds histogram" in Metrics().page()


def test_the_table_in_the_documentation_names_every_series_with_its_labels_and_no_other() -> None:
    told = {
        name: (kind, set(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels in re.findall(
            r"^\| `(whatsapp_\w+)` \| (\w+) \| (.*?) \|", MONITORING, re.M
        )
    }

    assert told == _series_of(Metrics())


def test_the_documentation_names_all_that_a_tracker_keeps_without_a_turn() -> None:
    [row] = re.findall(r"^\| `whatsapp_tracker_events_total`.*$", MONITORING, re.M)

    assert set(re.findall(r"`(\w+)`", row)) & EVENTS == EVENTS - TYPES


def test_every_series_in_the_examples_of_the_documentation_exists() -> None:
    examples = "\n".join(re.findall(r"^```promql\n(.*?)^```$", MONITORING, re.S | re.M))
    named = set(re.findall(r"whatsapp_\w+", examples))

    known = set(_series_of(Metrics()))
    assert named
    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name in named} <= known


def _series_of(metrics: Metrics) -> dict[str, tuple[str, set[str]]]:
    """Fill every series once, and read names, kinds and labels from what comes out."""
    metrics.received("text")
    metrics.status("sent")
    metrics.refused("signature")
    metrics.noted("reaction")
    metrics.ignored("sticker")
    metrics.account_event("flows", "FLOW_STATUS_CHANGE")
    metrics.owner_changed("human", "operator")
    metrics.conversation_event("calls", "connect")
    metrics.sent("text")
    metrics.api_error(api_error(190))
    metrics.changed("WA101")
    metrics.depth("inbox", waiting=0, dead_letters=0, failing=1, oldest_age=0)
    metrics.charged("service", "regular", "49", is_billed=True)
    metrics.over_limit("daily_limit", is_stopped=True)
    metrics.allowance_left(1, 1000)
    series = {}
    for family in metrics.registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels if label != "le"}
        series[name] = (family.type, labels)
    return series
