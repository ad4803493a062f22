"""What WhatsApp says of token, number and client, as its pages write the answers."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_whatsapp_channel.doctor.checks.account import (
    Account,
    ApiAnswer,
    CloudFacts,
    accounts_of,
    check_cloud,
    check_other,
    registered_webhook,
)
from rasa_whatsapp_channel.doctor.results import CheckResult, State

NOW = 1_790_000_000.0
DAY = 86_400
NUMBER = "106540352242922"
WABA = "102290129340398"

TOKEN = {
    "data": {
        "app_id": "670843887433847",
        "application": "JaspersMarket",
        "expires_at": 0,
        "is_valid": True,
        "scopes": ["whatsapp_business_management", "whatsapp_business_messaging"],
        "granular_scopes": [
            {"scope": "whatsapp_business_management", "target_ids": [WABA, "101569239400667"]},
            {"scope": "whatsapp_business_messaging", "target_ids": [WABA]},
            {"scope": "public_profile"},
        ],
    }
}
ABOUT_NUMBER = {
    "verified_name": "Jasper's Market",
    "display_phone_number": "+1 631-555-5555",
    "quality_rating": "GREEN",
    "platform_type": "CLOUD_API",
    "webhook_configuration": {"application": "https://bot.example/webhooks/whatsapp/webhook"},
    "id": NUMBER,
}
APP = {"whatsapp_business_api_data": {"id": "670843887433847", "name": "Jaspers Market"}}
NO_PERMISSION = {"error": {"message": "(#100) You must provide an app access token", "code": 100}}
EXPIRED = {
    "error": {
        "message": "Error validating access token: Session has expired",
        "type": "OAuthException",
        "code": 190,
        "error_subcode": 463,
    }
}


def facts(**changes: Any) -> CloudFacts:
    account = Account(
        WABA, ApiAnswer(200, {"data": [ABOUT_NUMBER]}), ApiAnswer(200, {"data": [APP]})
    )
    given = {
        "token": ApiAnswer(200, TOKEN),
        "numbers": {NUMBER: ApiAnswer(200, ABOUT_NUMBER)},
        "accounts": (account,),
        "secrets": (),
        "now": NOW,
    }
    return CloudFacts(**{**given, **changes})


def checked(of: CloudFacts) -> dict[str, CheckResult]:
    return {result.check: result for result in check_cloud(of)}


def with_token(**changes: Any) -> ApiAnswer:
    return ApiAnswer(200, {"data": {**TOKEN["data"], **changes}})


def test_a_good_account_is_told_with_its_name():
    found = checked(facts())

    assert {result.state for result in found.values()} == {State.OK}
    assert found["account.token"].text == "alive, of the app JaspersMarket"
    assert found["account.number"].text == "+1 631-555-5555 “Jasper's Market”, quality GREEN"


@pytest.mark.parametrize(
    ("left", "state", "told"),
    [
        (-60, State.ERROR, "which is over"),
        (20 * 3600, State.ERROR, "in 20 hours"),
        (10 * DAY, State.WARNING, "in 10 days"),
        (50 * DAY, State.OK, "in 50 days"),
    ],
)
def test_the_sooner_a_token_ends_the_louder_it_is_told(left, state, told):
    found = checked(facts(token=with_token(expires_at=int(NOW) + left)))

    assert found["account.expiry"].state is state
    assert told in found["account.expiry"].text


def test_a_token_that_is_over_is_told_in_whatsapps_words():
    found = checked(facts(token=ApiAnswer(401, EXPIRED), numbers={}, accounts=()))

    assert list(found) == ["account.token"]
    assert "Session has expired" in found["account.token"].text


def test_where_the_token_cannot_be_looked_at_an_endpoint_tells_whether_it_lives():
    alive = checked(facts(token=ApiAnswer(400, NO_PERMISSION), accounts=()))
    dead = checked(
        facts(token=ApiAnswer(400, NO_PERMISSION), numbers={NUMBER: ApiAnswer(401, EXPIRED)})
    )

    assert alive["account.token"].state is State.OK
    assert alive["account.expiry"].state is State.SKIPPED
    assert alive["account.subscription"].remedy == "Name it with --account ID."
    assert dead["account.token"].state is State.ERROR


def test_without_management_the_rest_is_only_looked_at_less():
    scopes = ["whatsapp_business_messaging"]

    found = checked(facts(token=with_token(scopes=scopes)))

    assert found["account.scopes"].state is State.WARNING


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({"status": "CONNECTED"}, State.OK),
        ({"status": "FLAGGED"}, State.ERROR),
        ({"platform_type": "ON_PREMISE"}, State.ERROR),
        ({"quality_rating": "UNKNOWN"}, State.OK),
        ({"quality_rating": "RED"}, State.WARNING),
    ],
)
def test_a_number_must_be_connected_and_should_be_liked(changes, state):
    found = checked(facts(numbers={NUMBER: ApiAnswer(200, {**ABOUT_NUMBER, **changes})}))

    assert found["account.number"].state is state


def test_who_writes_the_number_itself_is_given_its_id():
    unknown = ApiAnswer(400, {"error": {"message": "Unsupported get request", "code": 100}})

    found = checked(facts(numbers={"16315555555": unknown}))

    assert "it is the number itself" in found["account.number"].text
    assert f'phone_number_id: "{NUMBER}"' in found["account.number"].remedy


def test_the_accounts_of_a_token_are_those_of_its_whatsapp_permissions():
    assert accounts_of(ApiAnswer(200, TOKEN)) == [WABA, "101569239400667"]
    assert accounts_of(ApiAnswer(400, NO_PERMISSION)) == []


def test_the_webhook_of_the_number_goes_before_that_of_the_app():
    own = {**ABOUT_NUMBER["webhook_configuration"], "phone_number": "https://other.example/"}

    assert registered_webhook(facts()) == "https://bot.example/webhooks/whatsapp/webhook"
    number = {NUMBER: ApiAnswer(200, {**ABOUT_NUMBER, "webhook_configuration": own})}
    assert registered_webhook(facts(numbers=number)) == "https://other.example/"


@pytest.mark.parametrize(
    ("api", "answer", "state"),
    [
        ("turn", ApiAnswer(404, {"errors": [{"code": 1006, "title": "Not found"}]}), State.OK),
        ("turn", ApiAnswer(401, {"errors": [{"code": 1005, "title": "No"}]}), State.ERROR),
        ("360dialog", ApiAnswer(200, {"url": "https://bot.example"}), State.OK),
        (
            "360dialog",
            ApiAnswer(
                401, {"meta": {"http_code": 401, "developer_message": "x", "success": False}}
            ),
            State.ERROR,
        ),
        ("on_premises", ApiAnswer(200, {"users": [{"token": "x"}]}), State.OK),
        ("on_premises", ApiAnswer(401, {"errors": [{"code": 1005, "title": "No"}]}), State.ERROR),
    ],
)
def test_the_other_apis_show_by_their_answer_whether_they_take_the_token(api, answer, state):
    [found] = check_other(api, answer, None)

    assert (found.check, found.state) == ("account.token", state)
    assert bool(found.remedy) == (state is State.ERROR)


@pytest.mark.parametrize(
    ("health", "state"),
    [
        ({"gateway_status": "connected"}, State.OK),
        ({"gateway_status": "unregistered"}, State.ERROR),
        (
            {"a:1": {"gateway_status": "connected"}, "b:1": {"gateway_status": "connected"}},
            State.OK,
        ),
        (
            {"a:1": {"gateway_status": "connected"}, "b:1": {"gateway_status": "disconnected"}},
            State.ERROR,
        ),
    ],
)
def test_a_client_must_be_connected_with_all_its_nodes(health, state):
    login = ApiAnswer(200, {"users": [{"token": "x"}]})

    *_, found = check_other("on_premises", login, ApiAnswer(200, {"health": health}))

    assert (found.check, found.state) == ("account.client", state)


def test_who_cannot_be_reached_is_told_with_the_way_around():
    [found] = check_other("turn", ApiAnswer(None, failure="GET https://x: no connection"), None)

    assert (found.check, found.state) == ("account.reach", State.ERROR)
    assert "HTTPS_PROXY" in found.remedy
