"""The line that a channel begins with."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.announce import describe
from rasa_whatsapp_channel.settings import Settings

CLOUD = {
    "phone_number_id": "106540352242922",
    "access_token": "a-token",
    "app_secret": "a-secret",
    "verify_token": "a-word",
}
ON_PREMISES = {
    "api": "on_premises",
    "base_url": "https://admin:hidden@wa.example:9090/?key=hidden",
    "username": "admin",
    "password": "hidden",
}


def started(**block: object) -> str:
    settings = Settings.from_credentials(block, environ={})
    return describe(settings, webhook="/hook").rpartition("rasa-whatsapp-channel ")[0]


def noted(**block: object) -> str:
    settings = Settings.from_credentials(block, environ={})
    return describe(settings, webhook="/hook").partition(", note: ")[2]


def test_a_process_that_does_only_a_part_says_so():
    settings = Settings.from_credentials({**CLOUD, "roles": ["bot"]}, environ={})

    only_bot = describe(settings, webhook="/hook", roles=("bot",))
    apart = describe(settings, webhook="/hook", roles=("door", "sender"))

    assert "store sqlite:///whatsapp.db, no webhook, only bot, " in only_bot
    assert "webhook /hook (checked: signature by app_secret), only door and sender, " in apart


def test_it_names_api_number_address_store_webhook_and_check():
    assert started(**CLOUD) == (
        "cloud, number 106540352242922, https://graph.facebook.com/v26.0, "
        "store sqlite:///whatsapp.db, webhook /hook (checked: signature by app_secret), "
    )


def test_it_names_all_numbers_and_redis_without_its_password():
    more = {"numbers": [{"phone_number_id": "2"}], "store": "redis://me:hidden@cache:6380/2"}

    line = started(**CLOUD, **more)

    assert "numbers 106540352242922 and 2, " in line
    assert "store redis://cache:6380/2, " in line


def test_an_address_is_shown_without_a_login_and_without_what_follows_it():
    line = started(**ON_PREMISES, webhook_token="hidden")

    assert line.startswith("on_premises, https://wa.example:9090, store ")
    assert "hidden" not in line


@pytest.mark.parametrize(
    ("block", "checks"),
    [
        ({"webhook_token": "a-word"}, "checked: ?token="),
        (
            {"webhook_username": "me", "webhook_password": "a-word", "webhook_token": "a-word"},
            "checked: HTTP Basic, ?token=",
        ),
        (
            {"webhook_token": "a-word", "allowed_networks": ["10.0.0.0/8"]},
            "checked: ?token=, from allowed_networks only",
        ),
        ({"allow_unsigned_webhooks": True}, "not signed, anybody may call it"),
        (
            {"allow_unsigned_webhooks": True, "allowed_networks": ["10.0.0.0/8"]},
            "not signed, from allowed_networks only",
        ),
    ],
)
def test_it_says_how_callers_of_the_webhook_are_checked(block, checks):
    assert f"webhook /hook ({checks})" in started(**ON_PREMISES, **block)


@pytest.mark.parametrize(
    ("block", "note"),
    [
        ({}, ""),
        ({"store": "memory:"}, "messages are forgotten when the process ends"),
        ({"verify_tls": False}, "any certificate is trusted"),
        ({"media": {"private_links": True}}, "links into private networks are fetched"),
        (
            {"media": {"download": False}, "store": "memory:"},
            "messages are forgotten when the process ends, what people send is not fetched",
        ),
    ],
)
def test_it_notes_what_does_not_suit_a_bot_that_people_rely_on(block, note):
    assert noted(**ON_PREMISES, webhook_token="a-word", **block) == note
