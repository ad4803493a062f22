"""What people write into credentials.yml, and what they are told when it cannot be used."""

from __future__ import annotations

import re
from datetime import date

import pytest
import yaml

from rasa_whatsapp_channel.settings import Settings, TranscriptionSettings, foreign_keys
from rasa_whatsapp_channel.settings.calls import CallSettings
from rasa_whatsapp_channel.settings.parsers import SettingsError

CLOUD = {
    "phone_number_id": "106540352242922",
    "access_token": "EAAG-secret-token",
    "app_secret": "an-app-secret",
    "verify_token": "a-verify-token",
}
ON_PREMISES = {
    "api": "on_premises",
    "base_url": "https://whatsapp.example:9090/",
    "username": "admin",
    "password": "a-password",
    "webhook_token": "a-webhook-token",
}
TURN = {"api": "turn", "access_token": "turn-token", "webhook_secret": "turn-secret"}
DIALOG360 = {
    "api": "360dialog",
    "access_token": "d360-key",
    "webhook_username": "bot",
    "webhook_password": "hook-password",
}


def read(block: object, environ: dict[str, str] | None = None) -> Settings:
    return Settings.from_credentials(block, environ=environ or {})  # type: ignore[arg-type]


@pytest.mark.parametrize("block", [CLOUD, ON_PREMISES, TURN, DIALOG360])
def test_the_keys_of_each_api_are_enough(block):
    assert read(block).api == block.get("api", "cloud")


def test_defaults_are_the_documented_ones():
    settings = read(CLOUD)

    assert settings.base_url == "https://graph.facebook.com"
    assert settings.api_version == "v26.0"
    assert settings.store == "sqlite:///whatsapp.db"
    assert settings.captions == "merge"
    assert (settings.typing_indicator, settings.mark_read) == (True, True)
    assert settings.commands == ()
    assert settings.sender_id == "phone"
    assert settings.media.download is True
    assert (settings.media.folders, settings.media.sources) == (("media",), ())


def test_what_may_be_sent_is_read_as_people_write_it():
    media = {
        "folders": ["media", " ../menus/", "/srv/menus", "."],
        "sources": ["S3://bucket/menus", "gs://bucket", "abfs://menus@account.dfs.example/a/"],
    }

    settings = Settings.from_credentials({**CLOUD, "media": media})

    assert settings.media.folders == ("media", "../menus/", "/srv/menus", ".")
    assert settings.media.sources == (
        "s3://bucket/menus/",
        "gs://bucket/",
        "abfs://menus@account.dfs.example/a/",
    )


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({**CLOUD, "acces_token": "x"}, "unknown key 'acces_token'; did you mean 'access_token'?"),
        ({**CLOUD, "roles": ["bots"]}, "'roles' must be a list with some of door, bot, sender"),
        ({**CLOUD, "roles": "bot"}, "'roles' must be a list with some of door, bot, sender"),
        ({**CLOUD, "roles": []}, "'roles' must be a list with some of door, bot, sender"),
        (
            {**CLOUD, "roles": ["bot"], "store": "memory:"},
            "'roles' leaves work to other processes, which cannot see the store memory:",
        ),
        ({**CLOUD, "zzz": 1}, "unknown key 'zzz'; known are api, base_url"),
        (
            {**CLOUD, "media": {"stor": "x"}},
            "unknown key 'media.stor'; did you mean 'media.store'?",
        ),
        ({**CLOUD, "media": "files"}, "'media' must be a group of keys"),
        (
            {**CLOUD, "captions": "merged"},
            "'captions' must be one of merge, separate, not 'merged'",
        ),
        ({**CLOUD, "mark_read": "perhaps"}, "'mark_read' must be true or false, not 'perhaps'"),
        ({**CLOUD, "mark_read": 1}, "'mark_read' must be true or false, not 1"),
        ({**CLOUD, "base_url": "graph.facebook.com"}, "'base_url' must be a URL that begins"),
        ({**CLOUD, "api": "clowd"}, "'api' must be one of cloud, on_premises, turn, 360dialog"),
        ({**CLOUD, "commands": "/restart"}, "'commands' must be a list such as"),
        ({**CLOUD, "media": {"max_bytes": 0}}, "'media.max_bytes' must be a whole number above 0"),
        ({**CLOUD, "media": {"max_bytes": True}}, "'media.max_bytes' must be a whole number"),
        ({**CLOUD, "media": {"folders": "media"}}, "'media.folders' must be a list of folders"),
        ({**CLOUD, "media": {"folders": [".ssh"]}}, "[media, invoices], none of them hidden"),
        ({**CLOUD, "media": {"folders": ["a/.b/c"]}}, "[media, invoices], none of them hidden"),
        ({**CLOUD, "media": {"folders": ["/"]}}, "'media.folders' must be a list of folders"),
        ({**CLOUD, "media": {"folders": [1]}}, "'media.folders' must be a list of folders"),
        ({**CLOUD, "media": {"folders": ["s3://b/a"]}}, "'media.folders' must be a list of"),
        ({**CLOUD, "media": {"sources": "s3://bucket/"}}, "'media.sources' must be a list such as"),
        ({**CLOUD, "media": {"sources": ["s3://"]}}, "'media.sources' must be a list such as"),
        ({**CLOUD, "media": {"sources": ["s3"]}}, "'media.sources' must be a list such as"),
        ({**CLOUD, "media": {"sources": ["s3:///a/"]}}, "each names a bucket"),
        ({**CLOUD, "media": {"sources": ["s3://b/../c/"]}}, "each names a bucket"),
        ({**CLOUD, "media": {"sources": ["s3://b/%2e%2e/c"]}}, "each names a bucket"),
        ({**CLOUD, "media": {"sources": ["s3://b/a?x=1"]}}, "each names a bucket"),
        ({**CLOUD, "media": {"sources": ["s3://b/a::file:///"]}}, "each names a bucket"),
        ({**CLOUD, "media": {"sources": ["file:///srv/"]}}, "in one of abfs, abfss, adl, az, gcs"),
        ({**CLOUD, "media": {"sources": ["https://a.example/"]}}, "in one of abfs, abfss, adl, az"),
        (
            {**CLOUD, "access_token": "${WHATSAPP_ACCESS_TOKEN}"},
            "Write `access_token: ${WHATSAPP_ACCESS_TOKEN}`, without quotes.",
        ),
        ({**CLOUD, "app_secret": "$SECRET"}, "Write `app_secret: ${SECRET}`, without quotes."),
        ({**CLOUD, "username": "admin"}, "'username' is a key for api on_premises"),
        (
            {**TURN, "app_secret": "x"},
            "'app_secret' is a key for api cloud; this block says `api: turn`",
        ),
        ({**CLOUD, "app_secret": None}, "'app_secret' is missing: without it anybody could write"),
        ({**CLOUD, "access_token": ""}, "'access_token' must be a string."),
        (
            {**CLOUD, "app_secret": 0},
            "'app_secret' must be a string in quotes; without them YAML makes a number or a date "
            "of it.",
        ),
        (
            {**CLOUD, "app_secret": False},
            "'app_secret' must be a string in quotes; without them YAML ",
        ),
        ({**CLOUD, "app_secret": ["a", 83]}, "'app_secret' must be a string in quotes"),
        ({**CLOUD, "app_secret": 1.5e3}, "'app_secret' must be a string in quotes"),
        ({**CLOUD, "verify_token": 83}, "'verify_token' must be a string in quotes"),
        ({**CLOUD, "verify_token": True}, "quotes; without them YAML makes true or false of it."),
        (
            {**CLOUD, "verify_token": date(2026, 11, 29)},
            "'verify_token' must be a string in quotes",
        ),
        ({**CLOUD, "verify_token": ["a"]}, "'verify_token' must be a string."),
        ({**CLOUD, "api_version": 25}, "'api_version' must be a string in quotes"),
        ({**CLOUD, "api_version": "26.0"}, "'api_version' must be written as v26.0, not '26.0'"),
        (
            {**CLOUD, "base_url": "https://graph.facebook.com/v25.0/"},
            "'base_url' must be a URL without a version at its end",
        ),
        (
            {**ON_PREMISES, "base_url": "https://wa.internal:9090/v1"},
            "'base_url' must be a URL without a version at its end",
        ),
        ({**CLOUD, "phone_number_id": "+49 151 1234"}, "must be the id that Meta shows beside"),
        ({**CLOUD, "phone_number_id": "YOUR_PHONE_NUMBER_ID"}, "must be the id that Meta shows"),
        (
            {**CLOUD, "phone_number_id": "\u201c106540352242922\u201d"},
            "must be the id that Meta shows",
        ),
        ({**CLOUD, "access_token": "Bearer EAAG"}, "the token alone, without `Bearer`"),
        ({**CLOUD, "access_token": "<access token>"}, "the token alone, without `Bearer`"),
        ({**CLOUD, "access_token": '"EAAG"'}, "the token alone, without `Bearer`, quotes"),
        (
            {**CLOUD, "access_token": "\u201cEAAG\u201d"},
            "the token alone, without `Bearer`, quotes",
        ),
        ({**DIALOG360, "access_token": "EAAG\nEAAG"}, "the token alone, without `Bearer`"),
        (["phone_number_id"], "the block must be a map of keys, each on a line of its own"),
        ("phone_number_id", "the block must be a map of keys, each on a line of its own"),
        ({**CLOUD, "base_url": 8400}, "'base_url' must be a string in quotes"),
        ({**CLOUD, "store": 0}, "'store' must be a string in quotes"),
        ({**CLOUD, "failure_intent": True}, "'failure_intent' must be a string in quotes"),
        ({**CLOUD, "media": {"store": 7}}, "'media.store' must be a string in quotes"),
        ({**CLOUD, "phone_number_id": 0}, "'phone_number_id' must be a string in quotes"),
        ({**CLOUD, "phone_number_id": -1}, "'phone_number_id' must be a string in quotes"),
        ({**CLOUD, "phone_number_id": 1.0}, "'phone_number_id' must be a string in quotes"),
        ({**CLOUD, "phone_number_id": True}, "'phone_number_id' must be a string in quotes"),
        (
            {**CLOUD, "numbers": [{"phone_number_id": "2", "access_token": 83}]},
            "'numbers.access_token' must be a string in quotes",
        ),
        ({**ON_PREMISES, "password": 83}, "'password' must be a string in quotes"),
        ({**ON_PREMISES, "username": 83}, "'username' must be a string in quotes"),
        ({**DIALOG360, "webhook_password": None}, "'webhook_username' needs 'webhook_password'"),
        ({**ON_PREMISES, "base_url": None}, "base_url: https://your-whatsapp-client:9090"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(block, told):
    with pytest.raises(SettingsError) as caught:
        read(block)

    assert told in str(caught.value)


@pytest.mark.parametrize("key", ["phone_number_id", "access_token", "verify_token"])
def test_a_missing_key_comes_with_the_line_to_write(key):
    with pytest.raises(SettingsError) as caught:
        read({name: value for name, value in CLOUD.items() if name != key})

    assert f"'{key}' is missing" in str(caught.value)
    assert f"  rasa_whatsapp_channel.WhatsAppInput:\n    {key}: " in str(caught.value)


@pytest.mark.parametrize("block", [None, {}])
def test_an_empty_block_is_told_everything_that_is_missing_at_once(block):
    with pytest.raises(SettingsError) as caught:
        read(block)

    told = str(caught.value)
    assert all(f"'{key}' is missing" in told for key in CLOUD)


def test_unsigned_webhooks_must_be_asked_for():
    block = {name: value for name, value in CLOUD.items() if name != "app_secret"}

    assert read({**block, "allow_unsigned_webhooks": True}).app_secret == ()


def test_an_id_that_yaml_made_a_number_of_is_a_text_again():
    numbers = [{"phone_number_id": 106540352242923}]
    settings = read({**CLOUD, "phone_number_id": 106540352242922, "numbers": numbers})

    assert list(settings.by_number()) == ["106540352242922", "106540352242923"]


@pytest.mark.parametrize("written", ["0", "0123", "no", "1e3", "2026-11-29", "12:30", "0x10"])
@pytest.mark.parametrize("secret", [name for name in CLOUD if name != "phone_number_id"])
def test_a_secret_is_what_was_written_or_is_refused(secret, written):
    block = {**CLOUD, **yaml.safe_load(f"{secret}: {written}")}
    try:
        settings = read(block)
    except SettingsError as error:
        assert f"'{secret}' must be a string in quotes" in str(error)  # noqa: PT017
    else:
        assert getattr(settings, secret) in (written, (written,))

    quoted = {**CLOUD, **yaml.safe_load(f'{secret}: "{written}"')}
    assert getattr(read(quoted), secret) in (written, (written,))


def test_flags_from_the_environment_arrive_as_text():
    assert read({**CLOUD, "mark_read": "false"}).mark_read is False


def test_a_secret_may_stand_in_the_environment_only():
    block = {name: value for name, value in CLOUD.items() if name != "access_token"}

    assert read(block, {"WHATSAPP_ACCESS_TOKEN": "from-env"}).access_token == "from-env"


def test_a_secret_in_the_environment_is_checked_like_one_in_the_block():
    block = {name: value for name, value in CLOUD.items() if name != "access_token"}

    with pytest.raises(SettingsError) as caught:
        read(block, {"WHATSAPP_ACCESS_TOKEN": '"from-env-file"'})

    assert "'access_token' must be the token alone" in str(caught.value)


@pytest.mark.parametrize(
    ("written", "combine"), [("off", "off"), ("turn", "turn"), ("'off'", "off"), ("false", "off")]
)
def test_what_is_said_in_a_turn_is_combined_on_request(written, combine):
    block = yaml.safe_load(f"{{combine: {written}, combine_skip: [utter_wait], combine_wait: 1}}")

    settings = read({**CLOUD, **block})

    assert (settings.combine, settings.combine_skip, settings.combine_wait) == (
        combine,
        ("utter_wait",),
        1.0,
    )


def test_commands_are_listed_with_or_without_slash():
    assert read({**CLOUD, "commands": ["restart", "/help"]}).commands == ("/restart", "/help")


@pytest.mark.parametrize("block", [CLOUD, ON_PREMISES, TURN, DIALOG360])
def test_secrets_do_not_print(block):
    secrets = ("EAAG-secret-token", "an-app-secret", "a-verify-token", "a-password")
    secrets += ("a-webhook-token", "turn-token", "turn-secret", "d360-key", "hook-password")

    printed = repr(read({**block, "store": "redis://:redis-password@localhost/0"}))

    assert not [secret for secret in (*secrets, "redis-password") if secret in printed]


def test_secrets_do_not_print_in_mistakes_either():
    with pytest.raises(SettingsError) as caught:
        read({**CLOUD, "access_token": ["EAAG-secret-token"], "app_secret": {"a": "b-secret"}})

    assert "secret-token" not in str(caught.value)
    assert "b-secret" not in str(caught.value)


def test_words_of_consent_are_understood_however_they_are_written():
    consent = read({**CLOUD, "consent": {"languages": ["en", "fr"], "stop": ["No offers"]}}).consent

    assert consent is not None
    stops = ("STOP", " stop! ", "Opt-out", "opt_out", "no offers.", "ARRET", "arrêt")
    assert [consent.wish(text) for text in stops] == [False] * len(stops)
    assert consent.wish("Start \U0001f44d") is True
    for text in ("", "!", "please stop the music", "abmelden", "stopp"):
        assert consent.wish(text) is None


@pytest.mark.parametrize(
    ("group", "told"),
    [
        (["stop"], "'consent' must be a group of keys, such as `consent: {languages: [en]}`"),
        ({"languages": ["xx"]}, "'consent.languages' must be a list with some of de, en, es"),
        ({"languages": "en"}, "'consent.languages' must be a list"),
        ({"stop": "STOP"}, "'consent.stop' must be a list of words"),
        ({"stop": [False]}, "'consent.stop' must be a list of words"),
        ({"start": ["!"]}, "'consent.start' must be a list of words"),
        ({"stopp": ["x"]}, "did you mean 'consent.stop'?"),
    ],
)
def test_a_mistake_in_the_words_of_consent_is_told(group, told):
    with pytest.raises(SettingsError, match=re.escape(told)):
        read({**CLOUD, "consent": group})


def test_a_server_for_voice_notes_is_read_and_its_key_does_not_print():
    server = {"url": "https://speech.example/v1/", "model": "whisper-1", "api_key": "sk-secret"}
    settings = read({**CLOUD, "transcribe": server})

    assert settings.transcribe == TranscriptionSettings(
        "https://speech.example/v1", "whisper-1", "sk-secret"
    )
    assert "sk-secret" not in repr(settings)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("transcribe", "'transcribe' must be the name of a function such as my_bot.speech"),
        (["x"], 'or a group such as `{url: "https://api.openai.com/v1"'),
        ({"model": "m"}, "'transcribe.url' is missing; write `{url: "),
        ({"url": "https://a.example"}, "'transcribe.model' is missing"),
        ({"url": "a.example", "model": "m"}, "'transcribe.url' must be a URL that begins with"),
        ({"url": "https://a.example/v1?k=v", "model": "m"}, "'transcribe.url' must be the address"),
        ({"url": "https://u:p@a.example", "model": "m"}, "without a login"),
        ({"url": "https://a.example", "model": "m", "max_bytes": 0}, "'transcribe.max_bytes' must"),
        ({"url": "https://a.example", "modell": "m"}, "did you mean 'transcribe.model'?"),
        ({"url": "https://a.example", "model": "m", "api_key": 17}, "'transcribe.api_key' must be"),
    ],
)
def test_a_mistake_in_the_server_for_voice_notes_is_told(given, told):
    with pytest.raises(SettingsError, match=re.escape(told)) as refused:
        read({**CLOUD, "transcribe": given})

    assert "u:p" not in str(refused.value)


def test_the_texts_of_messages_without_words_can_be_given():
    words = {"image": "[picture] {caption}", "location": "/place{...}", "voice": " /spoken "}

    assert read({**CLOUD, "inbound": words}).inbound == {**words, "voice": "/spoken"}


@pytest.mark.parametrize("text", ["[event]", "/event", "/ignored{...}", "An event", "Nothing"])
def test_a_text_that_only_reminds_of_a_way_is_a_text(text: str) -> None:
    assert read({**CLOUD, "inbound": {"image": text}}).inbound == {"image": text}


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ("[picture]", "'inbound' must be a group of keys"),
        ({"picture": "x"}, "unknown key 'inbound.picture'; known are image, video"),
        ({"imge": "x"}, "did you mean 'inbound.image'?"),
        ({"image": ""}, "'inbound.image' must be turn, event, ignore, or a text such as"),
        ({"image": "Event"}, "'inbound.image' must be event, or a text that is not mistaken"),
        ({"image": "events"}, "'inbound.image' must be event, or a text that is not mistaken"),
        ({"image": "ignored"}, "'inbound.image' must be ignore, or a text that is not mistaken"),
        ({"image": False}, "'inbound.image' must be turn, event, ignore, or a text such as"),
        ({"image": "/picture{caption}"}, "'inbound.image' must be an intent such as"),
        ({"image": '/picture{"a": 1}'}, "'inbound.image' must be an intent such as"),
        ({"image": "/SetSlots(a=b)"}, "'inbound.image' must be an intent such as"),
        ({"image": "[{capton}]"}, "no other fields than {id}, {mime_type}"),
        ({"voice": "{...}"}, "no other fields than {id}, {mime_type}"),
        ({"location": "{"}, "no other fields than {latitude}"),
    ],
)
def test_a_text_that_cannot_be_filled_in_is_refused(group, told):
    with pytest.raises(SettingsError) as refused:
        read({**CLOUD, "inbound": group})

    assert told in str(refused.value)


def test_calls_are_ignored_unless_the_settings_reject_them() -> None:
    rejecting = {"answer": "reject", "text": "Please write to us."}

    assert read(CLOUD).calls == CallSettings("ignore", "")
    assert read({**CLOUD, "calls": rejecting}).calls == CallSettings(**rejecting)


@pytest.mark.parametrize(
    ("block", "told"),
    [
        ({**CLOUD, "calls": "reject"}, "'calls' must be a group of keys, such as"),
        ({**CLOUD, "calls": {"answer": "accept"}}, "'calls.answer' must be one of ignore, reject"),
        ({**CLOUD, "calls": {"anser": "reject"}}, "did you mean 'calls.answer'?"),
        ({**CLOUD, "calls": {"text": "No calls"}}, "'calls.text' needs `answer: reject`"),
        (
            {**CLOUD, "calls": {"answer": "reject", "text": "utter_no_calls"}},
            "'calls.text' must be the words themselves; a response of the bot is said by a rule",
        ),
        ({**TURN, "calls": {"answer": "reject"}}, "'calls'"),
    ],
)
def test_a_group_of_calls_that_cannot_be_meant_is_refused(block, told) -> None:
    with pytest.raises(SettingsError) as refused:
        read(block)

    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("group", "told"),
    [
        ({"daily_limit": 9}, "'billing.at_limit' is missing: it says what follows"),
        ({"daily_limit_per_conversation": 9}, "'billing.at_limit' is missing"),
        ({"at_limit": "warn"}, "'billing.at_limit' needs a limit beside it"),
        ({"at_limit": "halt", "daily_limit": 9}, "must be one of warn, template_only, stop"),
        ({"at_limit": "warn", "daily_limit": 0}, "must be a whole number above 0"),
        ({"at_limit": "stop", "daily_limit": 9}, "`at_limit: stop` people would hear nothing"),
        ({"at_limit": "template_only", "daily_limit": 9}, "'billing.limit_text' is missing"),
        (
            {"at_limit": "warn", "daily_limit": 9, "limit_text": "Tomorrow"},
            "'billing.limit_text' needs `at_limit: stop` or `template_only`",
        ),
        (
            {"at_limit": "stop", "daily_limit": 9, "limit_text": "utter_tomorrow"},
            "'billing.limit_text' must be the words themselves",
        ),
        (
            {"at_limit": "warn", "daily_limit": 9, "daily_limit_per_conversation": 10},
            "'billing.daily_limit_per_conversation' is above 'billing.daily_limit'",
        ),
        (
            {"at_limit": "stop", "daily_limit": 9, "limit_text": "a" * 4097},
            "'billing.limit_text' must be words of at most 4096 characters",
        ),
        (
            {"at_limit": "stop", "daily_limit": 9, "limit_text": " \n"},
            "'billing.limit_text' must be",
        ),
        ({"dayly_limit": 9}, "did you mean 'billing.daily_limit'?"),
        ({"free_messages": -1}, "'billing.free_messages' must be a whole number, 0 or more"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(group, told):
    with pytest.raises(SettingsError) as refused:
        read({**CLOUD, "billing": group})

    assert told in str(refused.value)


def test_nothing_is_limited_unless_the_settings_say_so():
    stop = {"daily_limit": 2000, "at_limit": "stop", "limit_text": "Tomorrow again."}

    assert (read(CLOUD).billing.at_limit, read(CLOUD).billing.has_limit) == (None, False)
    assert read({**CLOUD, "billing": stop}).billing.daily_limit == 2000


def test_no_message_at_all_may_be_free():
    assert read({**CLOUD, "billing": {"free_messages": 0}}).billing.free_messages == 0


@pytest.mark.parametrize(
    ("block", "key"), [(CLOUD, "app_secret"), (TURN, "webhook_secret")], ids=["cloud", "turn"]
)
def test_two_secrets_may_count_while_one_takes_the_place_of_the_other(block, key):
    settings = read({**block, key: ["the old one", "the new one"]})

    assert getattr(settings, key) == ("the old one", "the new one")
    assert "the new one" not in repr(settings)


def test_networks_are_read_as_networks():
    block = {**CLOUD, "allowed_networks": ["173.252.64.0/18"], "trusted_proxies": ["10.0.0.1"]}

    settings = read(block)

    assert [str(network) for network in settings.allowed_networks] == ["173.252.64.0/18"]
    assert [str(network) for network in settings.trusted_proxies] == ["10.0.0.1/32"]


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("app_secret", [], "'app_secret' must be a string, or a list of strings."),
        ("app_secret", ["${OLD}", "b"], "Write `app_secret: [${OLD}, …]`, without quotes."),
        ("allowed_networks", "10.0.0.0/8", "'allowed_networks' must be a list of networks"),
        ("allowed_networks", ["10.0.0.1/8"], "'allowed_networks' must be a list of networks"),
        ("trusted_proxies", ["10.0.0.0/8"], "'trusted_proxies' needs 'allowed_networks'"),
        ("max_age", 0, "'max_age' must be a number above 0"),
        ("keep_sent_days", 0, "'keep_sent_days' must be a number from 1 on"),
    ],
)
def test_what_is_wrong_at_the_door_is_told(key, value, told):
    with pytest.raises(SettingsError) as refused:
        read({**CLOUD, key: value})

    assert told in str(refused.value)


def test_each_further_number_has_the_settings_of_the_block_but_its_own_id_and_token():
    numbers = [{"phone_number_id": 206540352242922}, {"phone_number_id": "3", "access_token": "x"}]

    settings = read({**CLOUD, "numbers": numbers, "commands": ["/help"]}).by_number()

    assert [(key, one.phone_number_id, one.access_token) for key, one in settings.items()] == [
        ("106540352242922", "106540352242922", "EAAG-secret-token"),
        ("206540352242922", "206540352242922", "EAAG-secret-token"),
        ("3", "3", "x"),
    ]
    assert {one.commands for one in settings.values()} == {("/help",)}


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ("2", "'numbers' must be a list such as"),
        (["2"], "'numbers' must be a list such as"),
        ([{}], "'numbers.phone_number_id' is missing."),
        ([{"phone_id": "2"}], "unknown key 'numbers.phone_id'; did you mean 'numbers.phone_number"),
        ([{"phone_number_id": "106540352242922"}], "'numbers' names 106540352242922 twice"),
        ([{"phone_number_id": "2", "access_token": "${TOKEN}"}], "'numbers.access_token' is the"),
    ],
)
def test_a_number_that_cannot_be_used_is_refused(numbers, told):
    with pytest.raises(SettingsError) as refused:
        read({**CLOUD, "numbers": numbers})

    assert told in str(refused.value)


def test_numbers_are_for_the_cloud_api():
    with pytest.raises(SettingsError, match="'numbers' is a key for api cloud"):
        read({**TURN, "numbers": [{"phone_number_id": "2"}]})


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("auth_token", "write `access_token: ${WHATSAPP_ACCESS_TOKEN}`"),
        ("graph_api_version", "write `api_version: v26.0`"),
        ("debug_mode", "leave it out"),
        ("token", "write `access_token: ${WHATSAPP_ACCESS_TOKEN}`"),
        ("url", "write `base_url: https://…`"),
        ("hmac_secret", "write `webhook_secret: ${WHATSAPP_WEBHOOK_SECRET}`"),
        ("postgresql_url", "`store` remembers which messages were handled"),
        ("http_retries", "sent again by itself"),
        ("account_sid", "that is Twilio's"),
        ("twilio_number", "that is Twilio's"),
        ("api_key", "Rasa Pro replaces no ${VARIABLES}"),
        ("page-access-token", "write `access_token: ${WHATSAPP_ACCESS_TOKEN}`"),
        ("WABA-ID", "does not need the account's id"),
    ],
)
def test_a_key_of_another_connector_is_told_what_to_write_here(key, told):
    with pytest.raises(SettingsError) as caught:
        read({**CLOUD, key: "x"})

    assert f"unknown key '{key}', which another connector has; " in str(caught.value)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("whatsapp", "Rasa has no channel of this name"),
        ("whatsapp.WhatsAppInput", "the class of another connector"),
        ("whatsapp_connector.WhatsappInput", "the class of another connector"),
        ("custom_channels.whatsapp_new.WhatsAppInput", "the class of another connector"),
        ("rasa_whatsapp_channel", "this is the package"),
        ("rasa_whatsapp_channel.WhatsAppOutput", "the input channel"),
        ("rasa_whatsapp_channel.channel.WhatsAppInput", "at the top of the package"),
        ("rasa_whatsapp_channel.WhatsappInput", "misspelt"),
        ("rasa_whatsap_channel.WhatsAppInput", "misspelt"),
        ("turn_rasa_connector.turn.TurnInput", "`api: turn`"),
        ("rasa_whatsapp_channel.WhatsAppInput", None),
        ("rest", None),
        ("twilio", None),
    ],
)
def test_a_mistaken_class_path_is_told_apart(name, told):
    said = foreign_keys.mistaken_channel(name)

    assert said is None if told is None else told in (said or "")
