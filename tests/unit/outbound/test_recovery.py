"""What becomes of a message after sending it failed."""

from __future__ import annotations

from unittest.mock import ANY

import pytest

from rasa_whatsapp_channel.outbound.message import OutboxMessage
from rasa_whatsapp_channel.outbound.recovery import (
    BROKEN,
    FILE_PATIENCE,
    FILE_TRIES,
    PATIENCE,
    TIMED_OUT,
    ApplyRemedy,
    AwaitConfirmation,
    PauseSending,
    RetryLater,
    WaitForWindow,
    recover,
)
from rasa_whatsapp_channel.store.base import THROUGHPUT, TOKEN, DeadLetter
from rasa_whatsapp_channel.whatsapp.error_codes import (
    CLOUD_CODES,
    ON_PREMISES_CODES,
    decide_verdict,
)
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    MediaError,
    PlatformError,
    TransportError,
)
from rasa_whatsapp_channel.whatsapp.messages import (
    Component,
    Image,
    Media,
    Parameter,
    Template,
    Text,
)


def answer(code, status=400, *, retry_after=None, codes=CLOUD_CODES, **more) -> APIError:
    verdict = decide_verdict(codes, code=code, status=status)
    error = PlatformError(code, "title")
    return APIError(error, status=status, verdict=verdict, retry_after=retry_after, **more)


def on_premises(code, status=400) -> APIError:
    return answer(code, status, codes=ON_PREMISES_CODES)


NOW = 1_790_000_000.0
TEXT = Text("hello").body()
LINK = Image(Media(link="https://shop.example/a.jpg")).body()
UPLOADED = Image(Media(path="a.jpg")).body()
TEMPLATE = Template("hello_again", "en").body()
REFUSED = TransportError("connection refused", reached=False)


def decide(error, *, failures=1, lasting=60.0, message=TEXT, **more):
    """Decide about *message* after its failure number *failures*."""
    is_sent = more.pop("is_sent", False)
    in_upload = more.pop("in_upload", False)
    since = NOW - lasting
    entry = OutboxMessage("491", message, failures=failures - 1, failing_since=since, **more)
    return recover(entry, error, now=NOW, is_sent=is_sent, in_upload=in_upload)


@pytest.mark.parametrize(
    ("error", "failures", "decision"),
    [
        (REFUSED, 1, RetryLater(1, ANY)),
        (REFUSED, 4, RetryLater(8, ANY)),
        (REFUSED, 500, RetryLater(60, ANY)),
        (answer(131016, 500), 2, RetryLater(2, ANY)),
        (answer(131000, 500), 3, RetryLater(4, ANY)),
        (answer(131056), 1, RetryLater(1, ANY)),
        (answer(131056), 3, RetryLater(16, ANY)),
        (answer(131056), 9, RetryLater(300, ANY)),
        (answer(131056, retry_after=30), 1, RetryLater(30, ANY)),
        (answer(131056, retry_after=86_400), 1, RetryLater(300, ANY)),
        (answer(131056, 429), 1, RetryLater(1, ANY)),
        (answer(131208, 429), 2, RetryLater(2, ANY)),
        (answer(131208, 429, retry_after=9), 1, RetryLater(9, ANY)),
        (answer(130429), 1, PauseSending(1, ANY, THROUGHPUT)),
        (answer(130429, retry_after=30), 1, PauseSending(30, ANY, THROUGHPUT)),
        (answer(80007), 1, PauseSending(300, ANY, THROUGHPUT)),
        (answer(131048), 1, PauseSending(300, ANY, THROUGHPUT)),
        (answer(4), 1, PauseSending(300, ANY, THROUGHPUT)),
        (answer(4, retry_after=1), 1, PauseSending(1, ANY, THROUGHPUT)),
        (answer(0, 503), 1, PauseSending(1, ANY, THROUGHPUT)),
        (answer(0, 503, retry_after=86_400), 1, PauseSending(300, ANY, THROUGHPUT)),
        (answer(0, 429), 3, PauseSending(4, ANY, THROUGHPUT)),
        (answer(190, 401), 1, PauseSending(60, ANY, TOKEN)),
        (answer(131047), 1, WaitForWindow()),
        (on_premises(470), 1, WaitForWindow()),
        (on_premises(471), 1, PauseSending(300, ANY, THROUGHPUT)),
        (on_premises(1015, 429), 1, PauseSending(1, ANY, THROUGHPUT)),
        (on_premises(1011), 2, PauseSending(2, ANY, THROUGHPUT)),
    ],
)
def test_the_decision_follows_the_code_and_the_failures(error, failures, decision):
    assert decide(error, failures=failures) == decision


@pytest.mark.parametrize(
    ("error", "message", "counts"),
    [
        (REFUSED, TEXT, (3, 0)),
        (answer(130429), TEXT, (3, 0)),
        (answer(131053), LINK, (3, 0)),
        (TransportError("connection lost"), TEXT, (3, 0)),
        (answer(132015), TEMPLATE, (3, 0)),
        (MediaError("HTTP 503", passing=True), LINK, (2, 1)),
        (MediaError("HTTP 404"), LINK, (2, 1)),
    ],
)
def test_what_is_sent_next_counts_this_failure(error, message, counts):
    entry = decide(error, failures=3, message=message, is_sent=True).entry

    assert (entry.failures, entry.file_failures) == counts


@pytest.mark.parametrize(
    ("error", "failures", "lasting"),
    [
        (answer(131026), 1, 1),
        (answer(131009), 1, 1),
        (answer(131049), 1, 1),
        (answer(999999, 400), 1, 1),
        (answer(131000, 500), 4, 1),
        (answer(135000), 2, 1),
        (on_premises(1014), 2, 1),
        (REFUSED, 3, PATIENCE + 1),
    ],
)
def test_what_will_fail_again_is_a_dead_letter_with_its_reason(error, failures, lasting):
    decision = decide(error, failures=failures, lasting=lasting)

    assert isinstance(decision, DeadLetter)
    assert str(error) in decision.reason


def test_a_template_has_no_window_to_wait_for():
    assert isinstance(decide(answer(131047), message=TEMPLATE), DeadLetter)


def test_jitter_only_lengthens_the_wait():
    entry = OutboxMessage("491", TEXT, failures=2, failing_since=NOW - 1)
    waits = {recover(entry, REFUSED, now=NOW, jitter=jitter / 10).wait for jitter in range(11)}

    assert (min(waits), max(waits)) == (4, 6)


@pytest.mark.parametrize(
    ("error", "wait"),
    [
        (TransportError("connection lost"), BROKEN),
        (TransportError("no whole answer", timed_out=True), TIMED_OUT),
        (TransportError("half an answer", status=200), TIMED_OUT),
    ],
)
def test_what_was_sent_without_an_answer_may_be_confirmed_by_a_status(error, wait):
    first = decide(error, is_sent=True)
    second = decide(error, is_sent=True, unconfirmed=1)

    assert isinstance(first, AwaitConfirmation)
    assert (first.wait, first.entry.unconfirmed, second.entry.unconfirmed) == (wait, 1, 2)


@pytest.mark.parametrize(
    "error",
    [REFUSED, answer(131000, 500), TransportError("half an answer", status=502)],
)
def test_what_whatsapp_did_not_take_is_simply_sent_again(error):
    assert decide(error, is_sent=True) == RetryLater(1, ANY)


@pytest.mark.parametrize("code", [131052, 131053, 131014, 100, 131008, 131009])
def test_a_link_goes_by_upload_then_the_rest_without_it(code):
    error = answer(code)

    first = decide(error, message=LINK)
    assert (first.entry.remedies, first.entry.file_error) == (("upload_link",), None)
    second = decide(error, message=LINK, remedies=("upload_link",))
    assert second.entry.file_error == {"reason": f"{code} title", "code": code, "source": None}


@pytest.mark.parametrize("code", [131052, 131053, 131014, 100, 131008, 131009])
def test_where_nothing_may_be_uploaded_the_rest_goes_without_the_link_at_once(code):
    entry = OutboxMessage("491", LINK)

    first = recover(entry, answer(code), now=NOW, may_upload=False)

    assert first.entry.remedies == ("drop_file",)
    reason = f"{code} title, and `media: {{upload: never}}` is set"
    assert first.entry.file_error == {"reason": reason, "code": code, "source": None}


@pytest.mark.parametrize("code", [100, 131009, 131053])
def test_a_file_of_ours_is_uploaded_again_twice_then_the_rest_goes_without_it(code):
    first = decide(answer(code), message=UPLOADED, ids=("media1",))
    second = decide(answer(code), message=UPLOADED, ids=("media2",), remedies=("upload_again",))
    third = decide(answer(code), message=UPLOADED, ids=("media3",), remedies=("upload_again",) * 2)

    assert (first.entry.remedies, first.entry.ids) == (("upload_again",), ("media1",))
    assert (second.entry.remedies, second.entry.ids) == (("upload_again",) * 2, ("media2",))
    assert (third.entry.ids, third.entry.file_error["code"]) == ((), code)


@pytest.mark.parametrize(("code", "status"), [(100, 400), (131000, 500)])
def test_a_file_that_cannot_be_uploaded_goes(code, status):
    decision = decide(answer(code, status), message=UPLOADED, failures=4, in_upload=True)

    assert isinstance(decision, ApplyRemedy)
    assert decision.entry.file_error["code"] == code


@pytest.mark.parametrize("in_upload", [True, False])
@pytest.mark.parametrize(
    "error", [*map(answer, (33, 10, 200, 131031, 133010)), answer(100, is_missing=True)], ids=str
)
def test_what_is_wrong_with_the_account_costs_no_message_its_file(error, in_upload):
    """As with a wrong `phone_number_id`: later the message is sent again as it was."""
    decision = decide(error, message=UPLOADED, ids=("media1",), in_upload=in_upload)

    assert isinstance(decision, DeadLetter)


def test_an_upload_that_alone_is_not_answered_is_the_fault_of_the_file_after_ten_minutes():
    broken = TransportError("connection reset")

    def decide_after(lasting, **more):
        since = NOW - lasting
        entry = OutboxMessage("491", UPLOADED, failures=8, failing_since=since)
        return recover(entry, broken, now=NOW, in_upload=True, **more)

    assert decide_after(599, answers=True) == RetryLater(60, ANY)
    assert isinstance(decide_after(600, answers=True), ApplyRemedy)
    assert decide_after(600) == RetryLater(60, ANY)


def test_a_day_without_whatsapp_is_no_fault_of_the_file():
    decision = decide(REFUSED, message=UPLOADED, lasting=PATIENCE + 1, in_upload=True)

    assert isinstance(decision, DeadLetter)


@pytest.mark.parametrize("error", [answer(131053), MediaError("a.jpg: does not exist")])
def test_a_template_does_not_go_without_the_file_of_its_header(error):
    header = Component("header", (Parameter("image", Media(path="a.jpg")),))
    template = Template("menu", "en", (header,)).body()

    decision = decide(error, message=template, remedies=("upload_again",))

    assert isinstance(decision, DeadLetter)
    assert "a template that has a file in its header cannot go without it" in decision.reason


def test_a_file_server_that_is_busy_is_asked_for_about_a_minute():
    busy = MediaError("HTTP 503", passing=True)
    waits, entry, now = [], OutboxMessage("491", LINK), NOW
    while True:
        decision = recover(entry, busy, now=now)
        entry = decision.entry
        if not isinstance(decision, RetryLater):
            break
        waits.append(decision.wait)
        now += decision.wait

    assert waits == [2, 4, 8, 16, 32]
    assert decision.entry.file_error["reason"] == "HTTP 503"


def test_a_file_server_that_takes_minutes_to_fail_is_not_asked_six_times():
    entry = OutboxMessage("491", LINK, file_failures=1, file_failing_since=NOW - FILE_PATIENCE)

    decision = recover(entry, MediaError("nothing in 120 s", passing=True), now=NOW)

    assert entry.file_failures < FILE_TRIES
    assert isinstance(decision, ApplyRemedy)


def test_a_file_that_is_not_there_is_not_asked_for_again():
    entry = OutboxMessage("491", LINK)

    assert isinstance(recover(entry, MediaError("HTTP 404"), now=NOW), ApplyRemedy)
