"""Who may call the webhook, and what becomes of the bytes."""

from __future__ import annotations

import base64
import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support import samples

from rasa_whatsapp_channel.whatsapp.errors import WebhookRefused
from rasa_whatsapp_channel.whatsapp.events import InboundMessage, Unknown
from rasa_whatsapp_channel.whatsapp.limits import MB, WEBHOOK_BYTES
from rasa_whatsapp_channel.whatsapp.webhook import (
    WebhookAuth,
    read,
    verify,
    verify_challenge,
    verify_head,
)

# Digests of this body made with `openssl dgst -sha256 -hmac`, not with our own code.
BODY = b'{"caf\\u00e9": "\xc3\xa9"}'
HEX = "c74891360fd7c8308b30de36761163a15c70db2bbdece44ec703b27cd8f5b17b"
BASE64 = "x0iRNg/XyDCLMN42dhFjoVxw2yu97OROxwOyfNj1sXs="
OTHER_HEX = "900cf7752c72eb7a2d7a40fe4f4b5f39dd8848861a8cb66d0991878d7564954b"
SECRET = "whispering-lake"
OTHER = "silent-lake"

CHALLENGE = {
    "hub.mode": "subscribe",
    "hub.challenge": "1158201444",
    "hub.verify_token": "open-sesame",
}


def refusal(auth: WebhookAuth, headers: dict[str, str], query: dict[str, str] | None = None) -> str:
    with pytest.raises(WebhookRefused) as refused:
        verify(auth, body=BODY, headers=headers, query=query or {})
    return str(refused.value)


def accept(auth: WebhookAuth, headers: dict[str, str], query: dict[str, str] | None = None) -> None:
    verify(auth, body=BODY, headers=headers, query=query or {})


def basic(credentials: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}


# the question whether the webhook is ours


def test_the_challenge_is_answered_when_the_token_fits() -> None:
    assert verify_challenge(CHALLENGE, verify_token="open-sesame") == "1158201444"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"hub.mode": None}, "hub.mode is not 'subscribe': this is not a verification request"),
        (
            {"hub.mode": "unsubscribe"},
            "hub.mode is not 'subscribe': this is not a verification request",
        ),
        ({"hub.challenge": None}, "hub.challenge is missing"),
        ({"hub.challenge": ""}, "hub.challenge is missing"),
        ({"hub.verify_token": None}, "hub.verify_token is missing"),
        (
            {"hub.verify_token": "open-barley"},
            "hub.verify_token is not the one configured",
        ),
        (
            {"hub.verify_token": " open-sesame\n"},
            "hub.verify_token differs from the configured one only by spaces",
        ),
        (
            {"hub.verify_token": "\ud800öffne dich"},
            "hub.verify_token is not the one configured",
        ),
    ],
)
def test_the_challenge_is_refused_with_the_reason(
    change: dict[str, str | None], reason: str
) -> None:
    query = {key: value for key, value in {**CHALLENGE, **change}.items() if value is not None}

    with pytest.raises(WebhookRefused) as refused:
        verify_challenge(query, verify_token="open-sesame")

    assert str(refused.value) == reason


def test_without_a_verify_token_an_empty_one_does_not_fit() -> None:
    with pytest.raises(WebhookRefused, match="no verify token is configured"):
        verify_challenge({**CHALLENGE, "hub.verify_token": ""}, verify_token="")


def test_a_refused_challenge_does_not_tell_the_tokens() -> None:
    query = {**CHALLENGE, "hub.verify_token": "guessed-token"}

    with pytest.raises(WebhookRefused) as refused:
        verify_challenge(query, verify_token="real-token")

    assert "guessed-token" not in str(refused.value)
    assert "real-token" not in str(refused.value)


# signatures

SIGNED = [
    (WebhookAuth(app_secrets=(SECRET,)), "X-Hub-Signature-256", f"sha256={HEX}"),
    (WebhookAuth(turn_secrets=(SECRET,)), "X-Turn-Hook-Signature", BASE64),
    (WebhookAuth(dialog360_secrets=(SECRET,)), "x-360dialog-signature", HEX),
    (WebhookAuth(dialog360_secrets=(SECRET,)), "x-360dialog-signature", f"sha256={HEX}"),
]


@pytest.mark.parametrize(("auth", "header", "signature"), SIGNED)
def test_a_signed_body_is_accepted(auth: WebhookAuth, header: str, signature: str) -> None:
    accept(auth, {header: signature})
    accept(auth, {header.upper(): f" {signature} "})


@pytest.mark.parametrize(("auth", "header", "signature"), SIGNED)
def test_a_changed_body_is_refused(auth: WebhookAuth, header: str, signature: str) -> None:
    with pytest.raises(WebhookRefused, match="does not match the body"):
        verify(auth, body=BODY + b" ", headers={header: signature}, query={})


@pytest.mark.parametrize(("auth", "header", "signature"), SIGNED)
def test_a_body_signed_with_another_secret_is_refused(
    auth: WebhookAuth, header: str, signature: str
) -> None:
    other = base64.b64encode(bytes.fromhex(OTHER_HEX)).decode()

    for written in (OTHER_HEX, f"sha256={OTHER_HEX}", other):
        told = refusal(auth, {header: written})
        same_form = (len(written), "sha256" in written) == (len(signature), "sha256" in signature)
        assert ("does not match the body" if same_form else header).lower() in told.lower()


@pytest.mark.parametrize(("auth", "header", "signature"), SIGNED)
def test_a_missing_signature_is_refused_by_its_name(
    auth: WebhookAuth, header: str, signature: str
) -> None:
    assert refusal(auth, {}).lower() == f"{header.lower()} is missing"


@pytest.mark.parametrize(("auth", "header", "signature"), SIGNED)
@pytest.mark.parametrize(
    "junk",
    ["é", "\ud800", "\x00", "sha256=", "sha256=zz", "sha1=" + HEX, "=====", HEX[:-1], "a" * 10_000],
)
def test_a_junk_signature_is_refused(
    auth: WebhookAuth, header: str, signature: str, junk: str
) -> None:
    assert "holds no signature, which is" in refusal(auth, {header: junk})


def test_the_hub_signature_needs_its_prefix() -> None:
    reason = refusal(WebhookAuth(app_secrets=(SECRET,)), {"x-hub-signature-256": HEX})

    assert reason.endswith("holds no signature, which is sha256= and 64 hexadecimal digits")


def test_letters_of_a_signature_may_be_large() -> None:
    accept(WebhookAuth(app_secrets=(SECRET,)), {"x-hub-signature-256": f"SHA256={HEX.upper()}"})
    accept(WebhookAuth(dialog360_secrets=(SECRET,)), {"x-360dialog-signature": HEX.upper()})


# what is told from the head alone, before a body is waited for

BASIC = base64.b64encode(b"u:p").decode()
HEADS = [
    (WebhookAuth(allow_unsigned=True), {}, {}, None),
    (WebhookAuth(), {}, {}, "unconfigured"),
    (WebhookAuth(app_secrets=(SECRET,)), {"x-hub-signature-256": "sha256=" + "0" * 64}, {}, None),
    (WebhookAuth(app_secrets=(SECRET,)), {}, {}, "signature"),
    (WebhookAuth(app_secrets=(SECRET,)), {"x-hub-signature-256": "0" * 64}, {}, "signature"),
    (
        WebhookAuth(app_secrets=(SECRET,)),
        {"x-hub-signature-256": "sha256=" + "g" * 64},
        {},
        "signature",
    ),
    (WebhookAuth(turn_secrets=(SECRET,)), {"x-turn-hook-signature": "A" * 43 + "="}, {}, None),
    (WebhookAuth(turn_secrets=(SECRET,)), {"x-turn-hook-signature": "A" * 44}, {}, "signature"),
    (WebhookAuth(dialog360_secrets=(SECRET,)), {"x-360dialog-signature": "0" * 64}, {}, None),
    (
        WebhookAuth(dialog360_secrets=(SECRET,)),
        {"x-360dialog-signature": "0" * 63},
        {},
        "signature",
    ),
    (WebhookAuth(username="u", password="p"), {"authorization": f"Basic {BASIC}"}, {}, None),
    (WebhookAuth(username="u", password="p"), {"authorization": f"Bearer {BASIC}"}, {}, "login"),
    (WebhookAuth(username="u", password="q"), {"authorization": f"Basic {BASIC}"}, {}, "login"),
    (WebhookAuth(token="t"), {}, {"token": "t"}, None),
    (WebhookAuth(token="t"), {}, {}, "token"),
    (WebhookAuth(token="t"), {}, {"token": "s"}, "token"),
]


@pytest.mark.parametrize(("auth", "headers", "query", "kind"), HEADS)
def test_who_cannot_show_the_proof_is_refused_without_a_body(
    auth: WebhookAuth, headers: dict[str, str], query: dict[str, str], kind: str | None
) -> None:
    if kind is None:
        verify_head(auth, headers=headers, query=query)
        return
    with pytest.raises(WebhookRefused) as refused:
        verify_head(auth, headers=headers, query=query)
    assert (refused.value.kind, refused.value.status) == (kind, 401)


def test_while_a_secret_is_replaced_both_are_accepted() -> None:
    auth = WebhookAuth(app_secrets=(SECRET, OTHER))

    accept(auth, {"x-hub-signature-256": f"sha256={HEX}"})
    accept(auth, {"x-hub-signature-256": f"sha256={OTHER_HEX}"})


# callers who do not sign


def test_basic_credentials_are_accepted() -> None:
    accept(WebhookAuth(username="whatsapp", password="pässword:1"), basic("whatsapp:pässword:1"))


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "HTTP Basic credentials are missing"),
        ({"authorization": "Bearer abc"}, "HTTP Basic credentials are missing"),
        (basic("whatsapp:wrong"), "the user name or the password is invalid"),
        (basic("someone:password"), "the user name or the password is invalid"),
        (
            {"authorization": "Basic é!\ud800"},
            "the user name or the password is invalid",
        ),
        (
            {"authorization": "Basic"},
            "the user name or the password is invalid",
        ),
    ],
)
def test_other_credentials_are_refused(headers: dict[str, str], reason: str) -> None:
    assert refusal(WebhookAuth(username="whatsapp", password="password"), headers) == reason


def test_the_token_in_the_url_is_accepted() -> None:
    accept(WebhookAuth(token="t-1"), {}, {"token": "t-1"})


@pytest.mark.parametrize("query", [{}, {"token": ""}, {"token": "t-2"}, {"token": "\ud800"}])
def test_another_token_in_the_url_is_refused(query: dict[str, str]) -> None:
    reason = refusal(WebhookAuth(token="t-1"), {}, query)

    assert reason == "?token= in the URL is missing or invalid"


# authentication


def test_everything_that_is_configured_must_be_shown() -> None:
    auth = WebhookAuth(dialog360_secrets=(SECRET,), username="u", password="p", token="t")
    signed = {"x-360dialog-signature": HEX}

    accept(auth, {**signed, **basic("u:p")}, {"token": "t"})
    refusal(auth, {**signed, **basic("u:p")})
    refusal(auth, signed, {"token": "t"})
    refusal(auth, basic("u:p"), {"token": "t"})


def test_with_nothing_configured_everybody_is_refused() -> None:
    assert refusal(WebhookAuth(), {}) == "no authentication is configured"


def test_only_when_told_so_everybody_is_accepted() -> None:
    accept(WebhookAuth(allow_unsigned=True), {})


def test_a_configured_secret_counts_also_when_unsigned_is_allowed() -> None:
    refusal(WebhookAuth(app_secrets=(SECRET,), allow_unsigned=True), {})


def test_secrets_do_not_print() -> None:
    auth = WebhookAuth(
        (SECRET,), (SECRET,), (SECRET,), username=SECRET, password=SECRET, token=SECRET
    )

    assert SECRET not in repr(auth)


@pytest.mark.parametrize(
    "wrong",
    [
        {"app_secrets": ("",)},
        {"app_secrets": "abc"},
        {"turn_secrets": ("abc", "")},
        {"token": ""},
        {"username": "u"},
        {"password": "p"},
    ],
)
def test_secrets_that_anybody_could_guess_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"secrets|go together|empty"):
        WebhookAuth(**wrong)  # type: ignore[arg-type]


# the bytes


def test_a_body_is_read_into_its_events() -> None:
    (event,) = read(samples.webhook("cloud/text"))

    assert isinstance(event, InboundMessage)
    assert event.content == {"body": "Do you have a room with a view? 🌊"}


def test_escaped_emojis_are_read_like_written_ones() -> None:
    payload = json.loads(samples.webhook("cloud/text"))

    assert read(json.dumps(payload).encode()) == read(samples.webhook("cloud/text"))


def test_a_byte_order_mark_is_no_matter() -> None:
    assert read(b"\xef\xbb\xbf" + samples.webhook("cloud/text")) == read(
        samples.webhook("cloud/text")
    )


@pytest.mark.parametrize(
    ("body", "reason", "kept"),
    [
        (b"", "not JSON: Expecting value: line 1 column 1 (char 0)", ""),
        (b"hello", "not JSON: Expecting value: line 1 column 1 (char 0)", "hello"),
        (b"[1]", "JSON, but not an object", "[1]"),
        (b"null", "JSON, but not an object", "null"),
        (b'{"a": "\xff"}', "not UTF-8", '{"a": "\ufffd"}'),
        (b"[" * 200_000, "JSON that is nested too deep", "[" * 2048),
        (b'{"a":' * 200_000, "JSON that is nested too deep", ('{"a":' * 500)[:2048]),
    ],
)
def test_what_is_no_webhook_is_kept_with_the_reason(body: bytes, reason: str, kept: str) -> None:
    assert read(body) == (Unknown(reason, kept),)


def test_a_body_larger_than_whatsapp_sends_is_not_parsed() -> None:
    body = b'{"messages": "' + b"x" * WEBHOOK_BYTES + b'"}'

    (event,) = read(body)

    assert event == Unknown("larger than 3 MB", body[:2048].decode())


@pytest.mark.parametrize(
    "crowd",
    [
        b"1," * 200_000 + b"1",
        b"{}," * 200_000 + b"{}",
        b"{" + b",".join(b'"%d":1' % number for number in range(200_000)) + b"}",
        b'"' + b'","' * 700_000 + b'"',
        b'"\\\\",' * 200_000 + b"1",
    ],
    ids=["numbers", "objects", "keys", "empty texts", "backslashes"],
)
def test_more_values_than_any_webhook_has_are_kept_unread(crowd: bytes) -> None:
    body = b'{"messages":[' + crowd + b"]}"

    (event,) = read(body)

    assert event == Unknown("JSON of more than 120000 values", body[:2048].decode())


@pytest.mark.parametrize("text", ["," * 2900, '",' * 900, "\\," * 900])
def test_a_full_webhook_is_read_whatever_its_texts_hold(text: str) -> None:
    head = {"from": "15550002222", "type": "text", "text": {"body": text}}
    body = json.dumps({"messages": [{**head, "id": f"wamid.{n}"} for n in range(1000)]}).encode()

    events = read(body)

    assert [event.content["body"] for event in events] == [text] * 1000


def test_a_number_with_thousands_of_digits_is_no_webhook() -> None:
    (event,) = read(b'{"messages": [{"id": ' + b"9" * 100_000 + b"}]}")

    assert isinstance(event, Unknown)


def test_nan_is_carried_as_nothing() -> None:
    (event,) = read(
        b'{"messages": [{"id": "1", "from": "2", "type": "text", "text": {"a": NaN, "b": 1e999}}]}'
    )

    assert isinstance(event, InboundMessage)
    assert event.content == {"a": None, "b": None}


HOSTILE = {
    "brackets": b"[" * (3 * MB),
    "nested objects": b'{"a":' * (MB // 2),
    "empty messages": b'{"messages":[' + b",".join([b"{}"] * MB) + b"]}",
    "empty contacts": b'{"messages":[{"id":"1"}],"contacts":[' + b",".join([b"{}"] * MB) + b"]}",
    "numbers": b'{"messages":[{"id":"1","text":[' + b",".join([b"1"] * MB) + b"]}]}",
    "entries": b'{"entry":[' + b",".join([b"{}"] * MB) + b"]}",
    "one word": b'{"messages":[{"id":"' + b"x" * (3 * MB - 99) + b'"}]}',
    "half emojis": b'{"messages":[{"id":"' + b"\\ud83d" * (MB // 2 - 99) + b'"}]}',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_body_is_read_in_short_time(name: str) -> None:
    before = time.process_time()

    assert read(HOSTILE[name][:WEBHOOK_BYTES])
    # A guard against quadratic work; the real number is measured by the benchmarks.
    assert time.process_time() - before < 2.0


@given(st.binary(max_size=200))
@example(b"\x00\x01\xfe\xff")
@example(b'{"entry": [{"changes": [{"value": null}]}]}')
def test_no_bytes_raise(body: bytes) -> None:
    assert read(body)


@given(st.sampled_from(samples.names()), st.data())
def test_no_damaged_webhook_raises(name: str, data: st.DataObject) -> None:
    body = bytearray(samples.webhook(name))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(body) - 1))
        body[position : position + data.draw(st.integers(0, 8))] = data.draw(st.binary(max_size=4))

    assert read(bytes(body))


@given(st.text(), st.text())
def test_no_headers_raise_anything_but_a_refusal(name: str, value: str) -> None:
    auth = WebhookAuth((SECRET,), (SECRET,), (SECRET,), username="u", password="p", token="t")

    with pytest.raises(WebhookRefused):
        verify(
            auth,
            body=b"",
            headers={name: value, "X-Hub-Signature-256": value, "Authorization": value},
            query={"token": value},
        )
