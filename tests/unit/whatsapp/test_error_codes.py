"""Error codes: whether a request is worth repeating, as the pages of WhatsApp say."""

import pytest

from rasa_whatsapp_channel.whatsapp.error_codes import (
    CLOUD_CODES,
    ERROR_CODES,
    ON_PREMISES_CODES,
    Verdict,
    decide_verdict,
)


@pytest.mark.parametrize(
    ("code", "status", "verdict"),
    [
        # the platform is busy, or asks for slowness
        (1, 400, Verdict.RETRY),
        (2, 503, Verdict.RETRY),
        (130429, 400, Verdict.RETRY),
        (131000, 500, Verdict.RETRY),
        (131016, 500, Verdict.RETRY),
        (131056, 400, Verdict.RETRY),
        (131057, 500, Verdict.RETRY),
        (133004, 503, Verdict.RETRY),
        # limits that last
        (4, 400, Verdict.RETRY_AFTER),
        (80007, 400, Verdict.RETRY_AFTER),
        (131048, 400, Verdict.RETRY_AFTER),
        (131049, 400, Verdict.DO_NOT_RETRY),
        (133015, 400, Verdict.RETRY_AFTER),
        (134101, 400, Verdict.RETRY_AFTER),
        # the 24-hour window
        (131047, 400, Verdict.FIX_AND_RETRY),
        # the token
        (0, 401, Verdict.REFRESH_TOKEN),
        (190, 401, Verdict.REFRESH_TOKEN),
        (102, 400, Verdict.REFRESH_TOKEN),
        # the request, the account or the user
        (3, 500, Verdict.FIX_AND_RETRY),
        (100, 400, Verdict.FIX_AND_RETRY),
        (368, 403, Verdict.FIX_AND_RETRY),
        (131008, 400, Verdict.FIX_AND_RETRY),
        (131026, 400, Verdict.DO_NOT_RETRY),
        (131045, 500, Verdict.FIX_AND_RETRY),
        (131053, 400, Verdict.FIX_AND_RETRY),
        (132001, 404, Verdict.FIX_AND_RETRY),
        (133010, 400, Verdict.FIX_AND_RETRY),
    ],
)
def test_a_cloud_code_says_what_to_do_whatever_the_status(code, status, verdict):
    assert decide_verdict(CLOUD_CODES, code=code, status=status) is verdict


@pytest.mark.parametrize(
    ("code", "status", "verdict"),
    [
        (429, 429, Verdict.RETRY),
        (500, 500, Verdict.RETRY),
        (1000, 400, Verdict.RETRY),
        (1011, 400, Verdict.RETRY),
        (1015, 429, Verdict.RETRY),
        (1016, 503, Verdict.RETRY),
        (1018, 400, Verdict.RETRY),
        (471, 400, Verdict.RETRY_AFTER),
        (470, 400, Verdict.FIX_AND_RETRY),
        (1005, 401, Verdict.REFRESH_TOKEN),
        (1005, 403, Verdict.REFRESH_TOKEN),
        (1024, 403, Verdict.REFRESH_TOKEN),
        (400, 400, Verdict.DO_NOT_RETRY),
        (408, 400, Verdict.DO_NOT_RETRY),
        (1006, 404, Verdict.FIX_AND_RETRY),
        (1008, 400, Verdict.FIX_AND_RETRY),
        (1009, 400, Verdict.FIX_AND_RETRY),
        (1013, 400, Verdict.DO_NOT_RETRY),
        (1026, 400, Verdict.DO_NOT_RETRY),
        (2000, 400, Verdict.FIX_AND_RETRY),
        (2016, 400, Verdict.FIX_AND_RETRY),
        (2069, 400, Verdict.RETRY),
    ],
)
def test_an_on_premises_code_says_what_to_do_whatever_the_status(code, status, verdict):
    assert decide_verdict(ON_PREMISES_CODES, code=code, status=status) is verdict


@pytest.mark.parametrize(
    ("codes", "code", "status", "verdict"),
    [
        (ON_PREMISES_CODES, 130429, 400, Verdict.RETRY),
        (ON_PREMISES_CODES, 131048, 400, Verdict.RETRY_AFTER),
        (ON_PREMISES_CODES, 131026, 503, Verdict.DO_NOT_RETRY),
        (CLOUD_CODES, 1015, 400, Verdict.RETRY),
        # a gateway's HTTP status
        (CLOUD_CODES, 410, 503, Verdict.DO_NOT_RETRY),
        (CLOUD_CODES, 408, 400, Verdict.RETRY),
        (ON_PREMISES_CODES, 190, 400, Verdict.DO_NOT_RETRY),
    ],
)
def test_an_api_may_pass_on_what_the_one_behind_it_says(codes, code, status, verdict):
    assert decide_verdict(codes, code=code, status=status) is verdict


@pytest.mark.parametrize("codes", [CLOUD_CODES, ON_PREMISES_CODES], ids=["cloud", "on_premises"])
@pytest.mark.parametrize(
    ("code", "status", "verdict"),
    [
        (0, 401, Verdict.REFRESH_TOKEN),
        (0, 404, Verdict.DO_NOT_RETRY),
        (0, 408, Verdict.RETRY),
        (0, 429, Verdict.RETRY),
        (0, 502, Verdict.RETRY),
        (0, 302, Verdict.DO_NOT_RETRY),
        (999999, 400, Verdict.DO_NOT_RETRY),
        (999999, 503, Verdict.RETRY),
        (-1, 400, Verdict.DO_NOT_RETRY),
    ],
)
def test_a_code_that_nobody_knows_is_decided_by_the_status(codes, code, status, verdict):
    assert decide_verdict(codes, code=code, status=status) is verdict


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        (401, Verdict.REFRESH_TOKEN),
        (404, Verdict.DO_NOT_RETRY),
        (429, Verdict.RETRY),
        (503, Verdict.RETRY),
    ],
)
def test_gateways_write_the_status_where_the_code_belongs(code, verdict):
    assert decide_verdict(CLOUD_CODES, code=code, status=200) is verdict


@pytest.mark.parametrize(
    "code", [131047, 131049, 131050, 131026, 130403, 130472, 131008, 131009, 190]
)
def test_what_must_never_be_retried_quickly_is_not_at_any_status(code):
    verdicts = {decide_verdict(CLOUD_CODES, code=code, status=status) for status in range(100, 600)}

    assert Verdict.RETRY not in verdicts


def test_no_code_means_two_things():
    assert len(ERROR_CODES) == len(CLOUD_CODES) + len(ON_PREMISES_CODES)


def test_only_limits_of_the_number_or_the_account_stop_all_sending():
    assert {code for code, row in ERROR_CODES.items() if row.stops_sending} == {
        *(4, 17, 341, 80007, 130429, 131048, 131057, 133015, 133016, 2494100),
        *(429, 471, 1011, 1015, 1016),
    }
