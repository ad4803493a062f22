"""What an answer means, without a client around it."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_transport import answer

from rasa_whatsapp_channel.whatsapp.clients.answers import (
    read_accepted,
    read_answer,
    read_media_id,
    read_media_info,
    read_retry_after,
)
from rasa_whatsapp_channel.whatsapp.clients.base import Accepted, MediaInfo
from rasa_whatsapp_channel.whatsapp.error_codes import CLOUD_CODES, ON_PREMISES_CODES, Verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, SendError, TransportError

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT
SENT = {"messages": [{"id": "gBEGkYiEB1VXAglK1ZEqA1YKPrU"}]}


def read(response, codes=CLOUD_CODES):
    return read_answer(response, codes=codes, now=NOW)


@pytest.mark.parametrize("status", [200, 201, 202])
def test_any_2xx_is_a_success(status):
    assert read(answer(SENT, status=status)) == SENT


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"ok"', b"<html>", b"\xff", b"[" * 200_000])
def test_a_success_without_an_object_in_it_is_an_empty_one(body):
    assert read(answer(body)) == {}


def test_errors_in_a_success_are_an_error():
    with pytest.raises(APIError, match="HTTP 200, 1013 User is not valid") as caught:
        read(answer({"errors": [{"code": 1013, "title": "User is not valid"}]}), ON_PREMISES_CODES)

    assert caught.value.verdict is Verdict.DO_NOT_RETRY


def test_what_the_platform_calls_transient_is_tried_again():
    error = {"error": {"message": "Unexpected", "code": 987654, "is_transient": True}}

    with pytest.raises(APIError) as caught:
        read(answer(error, status=400))

    assert caught.value.verdict is Verdict.RETRY


@pytest.mark.parametrize(("subcode", "is_missing"), [(33, True), (2494055, False)])
def test_it_is_known_that_the_address_names_nothing_there_is(subcode, is_missing):
    """As with a wrong `phone_number_id`."""
    text = "Unsupported post request. Object with ID '1' does not exist"
    error = {"error": {"message": text, "code": 100, "error_subcode": subcode}}

    with pytest.raises(APIError) as caught:
        read(answer(error, status=400))

    assert (caught.value.code, caught.value.is_missing) == (100, is_missing)


def test_a_limit_that_lasts_is_waited_for_even_when_it_is_called_transient():
    error = {"error": {"message": "Application request limit", "code": 4, "is_transient": True}}

    with pytest.raises(APIError) as caught:
        read(answer(error, status=400))

    assert caught.value.verdict is Verdict.RETRY_AFTER


@pytest.mark.parametrize(
    ("status", "verdict", "words"),
    [
        (302, Verdict.DO_NOT_RETRY, "HTTP 302, Found"),
        (404, Verdict.DO_NOT_RETRY, "HTTP 404, Not Found"),
        (502, Verdict.RETRY, "HTTP 502, Bad Gateway"),
        (599, Verdict.RETRY, "HTTP 599, unknown status"),
    ],
)
def test_a_page_of_something_in_between_is_judged_by_its_status(status, verdict, words):
    with pytest.raises(APIError, match=words) as caught:
        read(answer(b"<html>nginx</html>", status=status))

    assert caught.value.verdict is verdict


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "1.5"}, 1.5),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 GMT"}, 60.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:14:20 -0000"}, 60.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": ""}, None),
        ({"x-ratelimit-reset": "1700000012"}, 12.0),
        ({"x-ratelimit-reset": "1699999999"}, 0.0),
        ({"retry-after": "1", "x-ratelimit-reset": "1700000060"}, 1.0),
        ({}, None),
    ],
)
def test_a_limit_says_when_to_come_again(headers, seconds):
    assert read_retry_after(headers, status=429, now=NOW) == seconds


def test_turns_rate_header_says_nothing_about_other_errors():
    headers = {"x-ratelimit-reset": "1700000060"}

    assert read_retry_after(headers, status=400, now=NOW) is None


def test_the_message_id_of_either_shape():
    cloud = {
        "messaging_product": "whatsapp",
        "contacts": [{"input": "+16505551234", "wa_id": "16505551234"}],
        "messages": [{"id": "wamid.HBgLMTY1MDU1NTEyMzQ="}],
    }

    assert read_accepted(cloud).message_id == "wamid.HBgLMTY1MDU1NTEyMzQ="
    assert read_accepted(SENT).message_id == "gBEGkYiEB1VXAglK1ZEqA1YKPrU"


@pytest.mark.parametrize(
    ("contact", "names"),
    [
        ({"input": "5511987654321", "wa_id": "551187654321"}, ("551187654321", None)),
        ({"input": "US.1349", "user_id": "US.1349"}, (None, "US.1349")),
        ({"input": "15550002222", "wa_id": "", "user_id": ""}, (None, None)),
        ({"input": "15550002222", "wa_id": 15550002222}, ("15550002222", None)),
        ({"wa_id": "4" * 5000, "user_id": "Größe"}, (None, None)),
        (None, (None, None)),
    ],
)
def test_an_answer_says_what_whatsapp_calls_the_recipient(contact, names):
    answer = {"contacts": [contact], "messages": [{"id": "wamid.1"}]}

    assert read_accepted(answer) == Accepted("wamid.1", *names)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": {}},
        {"messages": [{}]},
        {"messages": ["x"]},
        {"messages": [{"id": ""}]},
        {"messages": [{"id": None}]},
    ],
)
def test_a_success_without_a_message_id_is_not_sent_again(body):
    with pytest.raises(TransportError, match="may have arrived") as caught:
        read_accepted(body)

    assert caught.value.verdict is Verdict.DO_NOT_RETRY


@pytest.mark.parametrize(
    "body", [{"id": "106540"}, {"media": [{"id": "106540"}]}], ids=["cloud", "v1"]
)
def test_the_media_id_of_either_shape(body):
    assert read_media_id(body) == "106540"


@pytest.mark.parametrize("body", [{}, {"media": []}, {"id": ""}, {"id": 5}])
def test_an_upload_without_an_id_may_be_tried_again(body):
    with pytest.raises(TransportError) as caught:
        read_media_id(body)

    assert caught.value.verdict is Verdict.RETRY


def test_what_the_cloud_tells_of_a_media_id():
    body = {
        "messaging_product": "whatsapp",
        "url": "https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&ext=2&hash=3",
        "mime_type": "image/jpeg",
        "sha256": "6a95165c6d2ffcc7",
        "file_size": "303833",
        "id": "2621233374848975",
    }

    assert read_media_info("2621233374848975", body) == MediaInfo(
        id="2621233374848975",
        url="https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1&ext=2&hash=3",
        mime_type="image/jpeg",
        sha256="6a95165c6d2ffcc7",
        size=303833,
    )


@pytest.mark.parametrize(
    ("size", "read"), [(5, 5), ("5", 5), ("5 KB", None), (None, None), (-1, None), ({}, None)]
)
def test_a_size_that_is_none_is_unknown(size, read):
    assert read_media_info("1", {"url": "https://h/x", "file_size": size}).size == read


@pytest.mark.parametrize("body", [{}, {"url": ""}, {"url": None}, {"url": ["x"]}])
def test_media_without_an_address_cannot_be_fetched(body):
    with pytest.raises(TransportError, match="media 42 holds no url"):
        read_media_info("42", body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["messages", "id", "media", "error", "errors", "url", "file_size"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@given(st.binary(max_size=50) | JSON.map(lambda value: json.dumps(value).encode()), st.integers())
def test_no_answer_makes_reading_fail_with_anything_but_our_error(body, status):
    for reader in (
        read_accepted,
        read_media_id,
        lambda found: read_media_info("1", found),
    ):
        with contextlib.suppress(SendError):
            reader(read(answer(body, status=status)))
