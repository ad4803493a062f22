"""Errors as WhatsApp writes them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasa_whatsapp_channel.whatsapp.error_codes import (
    Verdict,
)
from rasa_whatsapp_channel.whatsapp.errors import (
    APIError,
    InvalidMessage,
    PlatformError,
    SendError,
    TransportError,
    WhatsAppError,
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
        verdict=Verdict.RETRY,
        retry_after=6.0,
    )

    assert str(error) == "HTTP 400, 131056 Pair rate limit hit"
    assert (error.code, error.status, error.retry_after) == (131056, 400, 6.0)


def test_without_an_answer_the_remedy_is_to_try_again():
    assert TransportError("POST https://graph.facebook.com: no answer").verdict is Verdict.RETRY


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
