"""What is said of a store, by what was found of it."""

from __future__ import annotations

import pytest

from rasa_whatsapp_channel.doctor.checks.store import StoreFacts, check_store
from rasa_whatsapp_channel.doctor.results import State

MB = 1_000_000
REDIS = {"redis_version": "7.2.4", "aof_enabled": 1, "maxmemory": 0}


@pytest.mark.parametrize(
    ("free", "state"), [(5000 * MB, State.OK), (300 * MB, State.WARNING), (10 * MB, State.ERROR)]
)
def test_little_room_is_told_before_there_is_none(free, state):
    found = {
        each.check: each for each in check_store(StoreFacts("sqlite", "whatsapp.db", free=free))
    }

    assert found["store.room"].state is state
    assert found["store.write"].state is State.OK


@pytest.mark.parametrize(
    ("info", "state", "told"),
    [
        (REDIS, State.OK, "Redis 7.2.4"),
        ({**REDIS, "redis_version": "5.0.7"}, State.ERROR, "6.0 is the oldest"),
        ({**REDIS, "aof_enabled": 0}, State.WARNING, "`appendonly yes`"),
        (
            {**REDIS, "maxmemory": 100, "maxmemory_policy": "allkeys-lru"},
            State.ERROR,
            "`maxmemory-policy noeviction`",
        ),
    ],
)
def test_redis_must_be_new_enough_and_keep_what_it_is_given(info, state, told):
    pytest.importorskip("redis", reason="without it there is no store in Redis")

    found = {each.check: each for each in check_store(StoreFacts("redis", "redis://x", info=info))}

    assert found["store.redis"].state is state
    assert told in f"{found['store.redis'].text} {found['store.redis'].remedy}"


def test_a_redis_that_was_not_asked_is_no_mistake():
    [found] = check_store(StoreFacts("redis", tried=False))

    assert found.state is State.SKIPPED


def test_a_folder_for_files_that_cannot_be_written_is_told():
    *_, found = check_store(
        StoreFacts("sqlite", "whatsapp.db", media="the folder x cannot be written")
    )

    assert (found.check, found.state) == ("store.media", State.ERROR)
    assert "`media: {store: …}`" in found.remedy


def test_a_role_that_no_process_has_is_told_with_what_to_start():
    found = [*check_store(StoreFacts("sqlite", "whatsapp.db", missing=("bot", "sender")))]

    told = [(each.text, each.remedy) for each in found if each.check == "store.roles"]
    assert told == [
        (
            "No process runs the bot, so what comes in waits.",
            "Start Rasa, and see that `roles` in the channel's block has `bot`.",
        ),
        (
            "No process sends, so what the bot says waits.",
            "Start `rasa-whatsapp serve`, or write `sender` into `roles`.",
        ),
    ]
