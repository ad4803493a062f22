"""What a failure says, and what it says to do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.whatsapp.errors import (
    CLOUD_CODES,
    ON_PREMISES_CODES,
    APIError,
    InvalidMessage,
    PlatformError,
    Remedy,
    SendError,
    TransportError,
    WhatsAppError,
    decide_remedy,
    read_errors,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "errors", "meta", "code", "error_data", "title", "success"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@pytest.mark.parametrize(
    ("code", "status", "remedy"),
    [
        # the platform is busy, or asks for slowness
        (1, 400, Remedy.RETRY),
        (2, 503, Remedy.RETRY),
        (130429, 400, Remedy.RETRY),
        (131000, 500, Remedy.RETRY),
        (131016, 500, Remedy.RETRY),
        (131056, 400, Remedy.RETRY),
        (131057, 500, Remedy.RETRY),
        (133004, 503, Remedy.RETRY),
        # limits that last
        (4, 400, Remedy.WAIT),
        (80007, 400, Remedy.WAIT),
        (131048, 400, Remedy.WAIT),
        (131049, 400, Remedy.WAIT),
        (133015, 400, Remedy.WAIT),
        (134101, 400, Remedy.WAIT),
        # the 24-hour window
        (131047, 400, Remedy.TEMPLATE),
        # the token
        (0, 401, Remedy.RENEW_TOKEN),
        (190, 401, Remedy.RENEW_TOKEN),
        (102, 400, Remedy.RENEW_TOKEN),
        # the request, the account or the user
        (3, 500, Remedy.GIVE_UP),
        (100, 400, Remedy.GIVE_UP),
        (368, 403, Remedy.GIVE_UP),
        (131008, 400, Remedy.GIVE_UP),
        (131026, 400, Remedy.GIVE_UP),
        (131045, 500, Remedy.GIVE_UP),
        (131053, 400, Remedy.GIVE_UP),
        (132001, 404, Remedy.GIVE_UP),
        (133010, 400, Remedy.GIVE_UP),
    ],
)
def test_a_cloud_code_says_what_to_do_whatever_the_status(code, status, remedy):
    assert decide_remedy(CLOUD_CODES, code=code, status=status) is remedy


@pytest.mark.parametrize(
    ("code", "status", "remedy"),
    [
        (429, 429, Remedy.RETRY),
        (500, 500, Remedy.RETRY),
        (1000, 400, Remedy.RETRY),
        (1011, 400, Remedy.RETRY),
        (1015, 429, Remedy.RETRY),
        (1016, 503, Remedy.RETRY),
        (1018, 400, Remedy.RETRY),
        (471, 400, Remedy.WAIT),
        (470, 400, Remedy.TEMPLATE),
        (1005, 401, Remedy.RENEW_TOKEN),
        (1005, 403, Remedy.RENEW_TOKEN),
        (1024, 403, Remedy.RENEW_TOKEN),
        (400, 400, Remedy.GIVE_UP),
        (408, 400, Remedy.GIVE_UP),
        (1006, 404, Remedy.GIVE_UP),
        (1008, 400, Remedy.GIVE_UP),
        (1009, 400, Remedy.GIVE_UP),
        (1013, 400, Remedy.GIVE_UP),
        (1026, 400, Remedy.GIVE_UP),
        (2000, 400, Remedy.GIVE_UP),
        (2016, 400, Remedy.GIVE_UP),
        (2069, 400, Remedy.RETRY),
    ],
)
def test_an_on_premises_code_says_what_to_do_whatever_the_status(code, status, remedy):
    assert decide_remedy(ON_PREMISES_CODES, code=code, status=status) is remedy


@pytest.mark.parametrize("codes", [CLOUD_CODES, ON_PREMISES_CODES], ids=["cloud", "on_premises"])
@pytest.mark.parametrize(
    ("code", "status", "remedy"),
    [
        (0, 401, Remedy.RENEW_TOKEN),
        (0, 404, Remedy.GIVE_UP),
        (0, 408, Remedy.RETRY),
        (0, 429, Remedy.RETRY),
        (0, 502, Remedy.RETRY),
        (0, 302, Remedy.GIVE_UP),
        (999999, 400, Remedy.GIVE_UP),
        (999999, 503, Remedy.RETRY),
        (-1, 400, Remedy.GIVE_UP),
    ],
)
def test_a_code_that_nobody_knows_is_decided_by_the_status(codes, code, status, remedy):
    assert decide_remedy(codes, code=code, status=status) is remedy


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(401, Remedy.RENEW_TOKEN), (404, Remedy.GIVE_UP), (429, Remedy.RETRY), (503, Remedy.RETRY)],
)
def test_gateways_write_the_status_where_the_code_belongs(code, remedy):
    assert decide_remedy(CLOUD_CODES, code=code, status=200) is remedy


@pytest.mark.parametrize(
    "code", [131047, 131049, 131050, 131026, 130403, 130472, 131008, 131009, 190]
)
def test_what_must_never_be_retried_quickly_is_not_at_any_status(code):
    remedies = {decide_remedy(CLOUD_CODES, code=code, status=status) for status in range(100, 600)}

    assert Remedy.RETRY not in remedies


def test_an_error_of_the_cloud_api():
    (error,) = read_errors(
        {
            "error": {
                "message": "(#130429) Rate limit hit",
                "type": "OAuthException",
                "code": 130429,
                "error_data": {
                    "messaging_product": "whatsapp",
                    "details": "Message failed to send because there were too many messages.",
                },
                "error_subcode": 2494055,
                "fbtrace_id": "Az8or2yhqkZfEZ-_4Qn_Bam",
            }
        }
    )

    assert error.code == 130429
    assert error.title == "(#130429) Rate limit hit"
    assert error.details == "Message failed to send because there were too many messages."


def test_an_error_of_a_template_call_has_its_details_as_a_text():
    (error,) = read_errors(
        {"error": {"message": "(#100) Invalid", "code": 100, "error_data": "Unknown template"}}
    )

    assert error.details == "Unknown template"


def test_errors_of_an_on_premises_client():
    first, second = read_errors(
        {
            "errors": [
                {
                    "code": 1006,
                    "title": "Resource not found",
                    "details": "unknown contact",
                    "href": "https://developers.facebook.com/docs/whatsapp/api/errors/",
                },
                {"code": 1008, "title": "Required parameter is missing"},
            ],
            "meta": {"api_status": "stable", "version": "2.53.1"},
        }
    )

    assert (first.code, first.details) == (1006, "unknown contact")
    assert first.href == "https://developers.facebook.com/docs/whatsapp/api/errors/"
    assert str(second) == "1008 Required parameter is missing"


@pytest.mark.parametrize(
    "meta",
    [
        {"http_code": 401, "developer_message": "Invalid api key", "success": False},
        {"httpCode": 401, "developerMessage": "Invalid api key", "success": False},
    ],
    ids=["snake", "camel"],
)
def test_an_error_of_the_gateway_of_360dialog(meta):
    assert read_errors({"meta": meta}) == (PlatformError(401, "Invalid api key"),)


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"id": "gBEGkYiEB1VXAglK1ZEqA1YKPrU"}]},
        {"messages": [{"id": "gBEG"}], "meta": {"api_status": "stable", "version": "2.53.1"}},
        {"success": True},
        {"errors": []},
        {"error": None},
        {},
        [],
        None,
        "OK",
    ],
)
def test_a_success_carries_no_errors(body):
    assert read_errors(body) == ()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PlatformError(470, "Re-engagement message"), "470 Re-engagement message"),
        (PlatformError(100, "Invalid", "to is missing"), "100 Invalid: to is missing"),
        (PlatformError(0, "Bad Gateway"), "Bad Gateway"),
        (PlatformError(131000), "131000"),
    ],
)
def test_an_error_in_words(error, words):
    assert str(error) == words


@pytest.mark.parametrize("code", [None, "many", [1], {}, float("nan"), float("inf")])
def test_a_code_that_is_no_number_is_none(code):
    assert PlatformError.parse({"code": code, "title": "Odd"}) == PlatformError(0, "Odd")


def test_an_error_that_is_only_a_text_is_kept_as_its_title():
    assert read_errors({"error": "invalid_token"}) == (PlatformError(0, "invalid_token"),)


def test_an_api_error_says_its_status_its_code_and_its_reason():
    error = APIError(
        PlatformError(131056, "Pair rate limit hit"),
        status=400,
        remedy=Remedy.RETRY,
        retry_after=6.0,
    )

    assert str(error) == "HTTP 400, 131056 Pair rate limit hit"
    assert (error.code, error.status, error.retry_after) == (131056, 400, 6.0)


def test_without_an_answer_the_remedy_is_to_try_again():
    assert TransportError("POST https://graph.facebook.com: no answer").remedy is Remedy.RETRY


def test_all_errors_are_of_one_family():
    assert issubclass(APIError, SendError)
    assert issubclass(TransportError, SendError)
    assert issubclass(SendError, WhatsAppError)
    assert issubclass(InvalidMessage, WhatsAppError)


@given(JSON)
def test_nothing_in_an_answer_makes_reading_its_errors_fail(body):
    for error in read_errors(json.loads(json.dumps(body))):
        assert isinstance(error.code, int)
        assert isinstance(str(error), str)
