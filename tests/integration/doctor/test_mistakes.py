"""Mistakes that people make, planted one by one: each is found, and its remedy named."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from rasa_whatsapp_channel.doctor.collect import load_in_rasa
from rasa_whatsapp_channel.doctor.results import State, is_healthy

from .conftest import Setup

DAY = 86_400


@dataclass(frozen=True)
class Mistake:
    """*plant* makes it; then *check* tells *text* and *remedy*."""

    name: str
    plant: Callable[[Setup], object]
    check: str
    text: str
    remedy: str
    online: bool = False
    state: State = State.ERROR


def planted(*args: object, **kwargs: object) -> Callable[[Callable[[Setup], object]], None]:
    def note(plant: Callable[[Setup], object]) -> None:
        name = plant.__name__.replace("_", " ")
        MISTAKES.append(Mistake(name, plant, *args, **kwargs))  # type: ignore[arg-type]

    return note


MISTAKES: list[Mistake] = []


@planted("credentials.file", "There is no", "`rasa-whatsapp init` writes one")
def no_credentials(setup):
    setup.credentials.unlink()


@planted("credentials.file", "is not YAML", "YAML takes no tabs")
def a_tab(setup):
    setup.add("\tcaptions: merge")


@planted("credentials.file", "is not YAML", "each with `- ` in front")
def a_list_in_brackets_with_a_variable(setup):
    setup.replace('app_secret: "simulator-secret"', "app_secret: [ ${ONE}, ${TWO} ]")


@planted("credentials.file", "is duplicated", "Keep one of them")
def a_key_twice(setup):
    setup.add("verify_token: another")


@planted("credentials.block", "There is no block", "`rasa-whatsapp init`")
def another_channel_only(setup):
    setup.credentials.write_text("rest:\n")


@planted("credentials.block", "of another connector", "`rasa_whatsapp_channel.WhatsAppInput:`")
def a_copied_class_path(setup):
    setup.replace("rasa_whatsapp_channel.WhatsAppInput", "whatsapp_connector.WhatsappInput")


@planted("credentials.block", "no channel of this name", "`rasa_whatsapp_channel.WhatsAppInput:`")
def the_key_whatsapp(setup):
    setup.replace("rasa_whatsapp_channel.WhatsAppInput", "whatsapp")


@planted("credentials.block", "wants the input channel", "`rasa_whatsapp_channel.WhatsAppInput:`")
def the_way_out(setup):
    setup.replace("WhatsAppInput", "WhatsAppOutput")


@planted("credentials.block", "Only Twilio's channel", "with the keys of Meta's dashboard")
def twilio_only(setup):
    setup.credentials.write_text("twilio:\n  account_sid: x\n  auth_token: y\n")


@planted("credentials.other_block", "is a second channel", "away", state=State.WARNING)
def two_channels_for_whatsapp(setup):
    text = setup.credentials.read_text()
    setup.credentials.write_text(f"{text}whatsapp.WhatsAppInput:\n  auth_token: x\n")


@planted("credentials.variables", "TOKEN_OF_MINE is not set", "`export TOKEN_OF_MINE=…`")
def a_variable_that_is_not_set(setup):
    setup.replace('"simulator-token"', "${TOKEN_OF_MINE}")


@planted("credentials.variables", "stands in .env", "`set -a; . ./.env; set +a`")
def a_variable_in_a_file_that_nobody_loads(setup):
    setup.replace('"simulator-token"', "${TOKEN_OF_MINE}")
    (setup.root / ".env").write_text("export TOKEN_OF_MINE=secret\n")


@planted("credentials.variables", "Rasa knows no defaults", "Write ${TOKEN_OF_MINE}")
def a_variable_with_a_default(setup):
    setup.replace('"simulator-token"', "${TOKEN_OF_MINE:-x}")


@planted("credentials.settings", "not the variable's value", "without quotes")
def a_variable_in_quotes(setup):
    setup.environ["TOKEN_OF_MINE"] = "set"
    setup.replace('"simulator-token"', '"${TOKEN_OF_MINE}"')


@planted("credentials.ids", "the number 6540352242922 of 06540352242922", '"06540352242922"')
def an_id_without_quotes(setup):
    setup.replace('"106540352242922"', "06540352242922")


@planted("credentials.ids", "verify_token: YAML makes another number of it", "in quotes")
def a_secret_without_quotes(setup):
    setup.replace('verify_token: "simulator"', "verify_token: 0987654")


@planted("credentials.ids", "is the number, not its id", "WhatsApp → API Setup")
def the_number_instead_of_its_id(setup):
    setup.replace('"106540352242922"', '"+1 555 078-3881"')


@planted("credentials.settings", "unknown key 'acces_token'", "'access_token'?")
def a_misspelt_key(setup):
    setup.replace("access_token", "acces_token")


@planted("credentials.settings", "'auth_token', which another", "`access_token: ${WHATSAPP")
def a_key_of_the_connector_before(setup):
    setup.replace("access_token", "auth_token")


@planted(
    "credentials.api_version", "v19.0 is older than v26.0", "Leave it out", state=State.WARNING
)
def an_old_graph_version(setup):
    setup.replace("access_token", 'api_version: "v19.0"\n  access_token')


@planted("credentials.api_version", "v31.0 is newer than v26.0", "changelog", state=State.WARNING)
def a_graph_version_of_tomorrow(setup):
    setup.replace("access_token", 'api_version: "v31.0"\n  access_token')


@planted("credentials.settings", "'app_secret' is missing", "app_secret: ${WHATSAPP_APP_SECRET}")
def no_proof(setup):
    setup.replace('  app_secret: "simulator-secret"\n', "")


@planted("account.reach", "Nobody answers", "`rasa-whatsapp simulate`")
def nobody_at_base_url(setup):
    setup.offline = False


@planted("account.token", "refuses the access token", "System users", online=True)
def a_token_that_is_refused(setup):
    setup.replace("simulator-token", "yesterday's-token")


@planted("account.expiry", "in 20 hours", "never expires, for a system user", online=True)
def a_token_of_the_dashboard(setup):
    setup.account(token_ends=int(time.time()) + 20 * 3600 + 1800)


@planted("account.scopes", "may not send", "whatsapp_business_messaging and", online=True)
def a_token_without_the_right_to_send(setup):
    setup.account(scopes=("whatsapp_business_management",))


@planted("account.number", "no number with the id 1234", '"106540352242922"', online=True)
def an_id_of_nobody(setup):
    setup.replace("106540352242922", "1234")


@planted("account.number", "that of the business account", '"106540352242922"', online=True)
def the_id_of_the_account(setup):
    setup.replace("106540352242922", "102290129340398")


@planted("account.number", "is BANNED", "WhatsApp Manager", online=True)
def a_number_that_was_banned(setup):
    setup.account(status="BANNED")


@planted("account.number", "quality RED", "Insights", online=True, state=State.WARNING)
def a_number_that_people_block(setup):
    setup.account(quality="RED")


@planted(
    "account.subscription", "No app is subscribed", "/102290129340398/subscribed_apps", online=True
)
def no_app_subscribed(setup):
    setup.account(apps={})


@planted("account.subscription", "but Old bot is", "curl -X POST", online=True)
def another_app_subscribed(setup):
    setup.account(apps={"1": "Old bot"})


@planted("account.subscription", "answered twice", "DELETE", online=True, state=State.WARNING)
def two_apps_subscribed(setup):
    setup.account(apps={"670843887433847": "New bot", "1": "Old bot"})


@planted("account.app_secret", "not that of the token's app", "App settings → Basic", online=True)
def the_secret_of_another_app(setup):
    setup.replace("simulator-secret", "another-secret")


@planted("store.write", "does not exist", "Make the folder")
def a_store_in_no_folder(setup):
    setup.replace("sqlite:///whatsapp.db", "sqlite:///data/whatsapp.db")


@planted("store.write", "not a database", "", state=State.ERROR)
def a_store_that_is_something_else(setup):
    (setup.root / "whatsapp.db").write_text("not a database, but a text of some length" * 40)


@planted("store.write", "cannot be reached", "its address in `store:`", online=True)
def a_redis_that_is_not_there(setup):
    setup.replace("sqlite:///whatsapp.db", "redis://127.0.0.1:9/0")


@planted("store.write", "forgets", "`store: sqlite:///whatsapp.db`", state=State.WARNING)
def a_store_that_forgets(setup):
    setup.replace("sqlite:///whatsapp.db", '"memory:"')


@planted("bot.lock_store", "one worker only", "lock_store: {type: redis")
def workers_without_common_locks(setup):
    setup.environ["SANIC_WORKERS"] = "2"


@planted("bot.workers", "'two'", "`export SANIC_WORKERS=2`")
def workers_that_are_no_number(setup):
    setup.environ["SANIC_WORKERS"] = "two"


@planted("bot.model", "There is no model", "`rasa train`")
def no_model(setup):
    (setup.root / "models" / "today.tar.gz").unlink()


@planted("bot.model", "domain.yml is newer", "`rasa train`", state=State.WARNING)
def an_old_model(setup):
    os.utime(setup.domain)
    os.utime(setup.root / "models" / "today.tar.gz", (0, 0))
    for name in ("config.yml",):
        os.utime(setup.root / name, (0, 0))


@planted("bot.model", "data/flows.yml is newer", "`rasa train`", state=State.WARNING)
def a_flow_that_is_not_trained(setup):
    (setup.root / "data").mkdir()
    (setup.root / "data" / "flows.yml").touch()
    soon = time.time() + 60
    os.utime(setup.root / "data" / "flows.yml", (soon, soon))


@planted("bot.intents", "no intent of the", "`rasa-whatsapp init`", state=State.WARNING)
def no_intents(setup):
    text = setup.domain.read_text()
    lines = [line for line in text.splitlines() if not line.startswith("- whatsapp_")]
    setup.domain.write_text("\n".join(lines))
    os.utime(setup.domain, (0, 0))


@planted("bot.intents", "no sending_failed, the failure_intent", "then train")
def a_failure_intent_that_is_not_there(setup):
    setup.add("failure_intent: sending_failed")


@planted("bot.channels", "'whatsap'", "`channel: whatsapp`", state=State.WARNING)
def a_variation_for_no_channel(setup):
    setup.replace('"See you at the lake!"', '"Bye"\n    channel: whatsap', file="domain.yml")


@planted("bot.responses", "WA601", "`rasa-whatsapp lint .`")
def a_response_that_rasa_refuses(setup):
    setup.replace('"See you at the lake!"', '"Bye"\n    video: x.mp4', file="domain.yml")


@planted("bot.responses", "ignored_intents of say_form", "docs/lint.md", state=State.WARNING)
def a_form_that_takes_stickers(setup):
    text = setup.domain.read_text()
    setup.domain.write_text(f"{text}\nforms:\n  say_form:\n    required_slots: [heard]\n")
    os.utime(setup.domain, (0, 0))


@planted("versions.together", "Sanic 23.3.0", "Sanic 21.12 to below 21.13", state=State.WARNING)
def another_sanic(setup):
    setup.versions["sanic"] = "23.3.0"


@planted("versions.rasa", "Both rasa and rasa-pro", "pip uninstall")
def two_rasas(setup):
    setup.versions["rasa-pro"] = "3.21.0"


@planted("versions.rasa", "There is no Rasa", "into the bot's environment")
def another_environment(setup):
    del setup.versions["rasa"]


@planted("versions.packages", "aiohttp 3.8.6 is too old", '"aiohttp>=3.9.5"')
def an_old_package(setup):
    setup.versions["aiohttp"] = "3.8.6"


@planted("versions.extras", "needs the extra [convert]", "[convert]", state=State.WARNING)
def nothing_to_convert_with(setup):
    del setup.versions["av"]


@planted("versions.extras", "media.store: s3://…, needs", "[files]")
def nothing_to_reach_a_bucket_with(setup):
    setup.add('media: {store: "s3://bucket/x"}')
    del setup.versions["fsspec"]


@planted("versions.extras", "media.sources: gs://…, needs", "[files]")
def nothing_to_read_a_source_with(setup):
    setup.add('media: {sources: ["gs://bucket/x"]}')
    del setup.versions["fsspec"]


@planted("versions.extras", "media.sources cannot be opened: ", "the store's own package")
def a_source_without_its_package(setup):
    setup.add('media: {sources: ["oss://bucket/x"]}')


@planted("bot.responses", "x.jpg: lies outside of the folders", "rasa-whatsapp lint")
def a_file_that_is_not_sent_from_there(setup):
    setup.replace('"See you at the lake!"', '"Bye"\n    image: x.jpg', file="domain.yml")


@planted("versions.transcribe", "my_bot.speech.hear cannot be imported", "dotted path")
def a_function_that_is_not_there(setup):
    setup.add("transcribe: my_bot.speech.hear")


@planted("credentials.settings", "'transcribe.url' must be the address before", "Correct it")
def a_server_for_voice_notes_with_its_whole_address(setup):
    url = "https://api.openai.com/v1/audio/transcriptions"
    setup.add(f"transcribe: {{url: '{url}', model: whisper-1}}")


@planted("credentials.transcribe", "without encryption", "https://", state=State.WARNING)
def a_server_for_voice_notes_without_encryption(setup):
    setup.add('transcribe: {url: "http://speech.example/v1", model: whisper-1}')


@planted("versions.shadow", "aiohttp.py beside the bot", "another name")
def a_file_that_hides_a_package(setup):
    (setup.root / "aiohttp.py").touch()


@planted("versions.load", "No module named 'regex'", "install again")
def a_package_that_cannot_be_loaded(setup):
    setup.load = "ModuleNotFoundError: No module named 'regex'"


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
async def test_a_mistake_is_found_and_its_remedy_named(setup, online, mistake):
    mistake.plant(setup)
    if mistake.online:
        await online()

    results = await setup.run_checks()

    found = [each for each in results if each.check == mistake.check]
    assert [each.state for each in found] == [mistake.state], results
    assert mistake.text in found[0].text
    assert mistake.remedy in found[0].remedy
    said = " ".join(f"{each.text} {each.remedy}" for each in results)
    assert not any(secret in said for secret in ("simulator-secret", "simulator-token", "0987654"))
    assert is_healthy(results) == (mistake.state is State.WARNING)
    # Nothing else is blamed for it, but for what cannot be right either.
    others = {each.check for each in results if each.state in (State.ERROR, State.WARNING)}
    assert others - {mistake.check} <= _FOLLOWING.get(mistake.name, set())


_FOLLOWING = {
    "a redis that is not there": {"bot.lock_store"},
    # The channel does not take these either.
    "a secret without quotes": {"credentials.settings"},
    "the number instead of its id": {"credentials.settings"},
}


def test_why_rasa_cannot_load_the_channel_is_told_in_its_own_words(tmp_path):
    """Rasa would say "failed to find input channel class", whatever it was."""
    pytest.importorskip("rasa", reason="no Rasa in this environment")
    (tmp_path / "regex.py").write_text("raise ImportError('no such letter')\n")

    assert "no such letter" in (load_in_rasa(tmp_path) or "")
