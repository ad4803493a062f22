"""Small values that expire, and buckets of tokens, over every store."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from rasa_whatsapp_channel.store.base import StoreError
from rasa_whatsapp_channel.store.token_bucket import Limit
from rasa_whatsapp_channel.unix_time import DAY

# Values


@pytest.mark.parametrize("value", ["text", 1, 1.5, True, None, [1, "a"], {"a": [{"b": None}]}])
async def test_a_value_comes_back_as_it_was(store, value):
    await store.values.set("k", value, ttl=60)

    assert await store.values.get("k") == value


async def test_a_value_is_gone_at_its_end(store, clock):
    await store.values.set("k", "v", ttl=60)
    clock.now += 59
    assert await store.values.get("k") == "v"
    clock.now += 1

    assert await store.values.get("k") is None


async def test_setting_a_value_again_sets_its_end_again(store, clock):
    await store.values.set("k", "old", ttl=60)
    await store.values.set("k", "new", ttl=600)
    clock.now += 300
    await store.expire()

    assert await store.values.get("k") == "new"


async def test_a_value_may_be_set_again_and_again(store):
    for n in range(300):
        await store.values.set("k", n, ttl=60)

    assert await store.values.get("k") == 299


async def test_several_values_are_set_in_one_step(store, clock):
    await store.values.set("a", "before", ttl=10)
    await store.values.set_many({"a": 1, "b": {"c": ["half of one \ud83d"]}}, ttl=60)
    await store.values.set_many({}, ttl=60)

    assert await store.values.get("a") == 1
    assert await store.values.get("b") == {"c": ["half of one \ud83d"]}
    clock.now += 60
    assert await store.values.get("a") is None
    assert await store.values.get("b") is None


async def test_several_values_are_read_in_one_step(store, clock):
    await store.values.set("short", 1, ttl=10)
    await store.values.set_many({"a": 2, "half of one \ud83d": ["c"], "none": None}, ttl=60)
    clock.now += 10

    found = await store.values.get_many("a", "half of one \ud83d", "short", "none", "never")

    assert found == {"a": 2, "half of one \ud83d": ["c"], "none": None}
    assert await store.values.get_many() == {}


async def test_a_key_is_taken_until_its_value_ends(store, clock):
    assert await store.values.add("k", "first", ttl=60)
    assert not await store.values.add("k", "second", ttl=60)
    assert await store.values.get("k") == "first"
    clock.now += 60

    assert await store.values.add("k", "third", ttl=60)
    assert await store.values.get("k") == "third"


async def test_of_fifty_who_add_at_once_one_succeeds(store):
    answers = await asyncio.gather(*(store.values.add("k", n, ttl=60) for n in range(50)))

    assert answers.count(True) == 1
    assert await store.values.get("k") == answers.index(True)


@pytest.mark.parametrize("before", ["text", 1.25, {"b": [1, None], "a": "ü \ud83d"}])
async def test_a_value_is_replaced_only_while_it_is_what_was_read(store, clock, before):
    values = store.values
    assert await values.compare_and_set("k", None, before, ttl=60)
    assert not await values.compare_and_set("k", None, "other", ttl=60)
    assert not await values.compare_and_set("k", "other", "new", ttl=60)
    assert await values.get("k") == before
    clock.now += 59

    assert await values.compare_and_set("k", await values.get("k"), "new", ttl=60)
    assert await values.get("k") == "new"
    clock.now += 60
    assert not await values.compare_and_set("k", "new", "late", ttl=60)
    assert await values.compare_and_set("k", None, "first again", ttl=60)


async def test_of_fifty_who_replace_a_value_at_once_one_succeeds(store):
    await store.values.set("k", "before", ttl=60)

    answers = await asyncio.gather(
        *(store.values.compare_and_set("k", "before", n, ttl=60) for n in range(50))
    )

    assert answers.count(True) == 1
    assert await store.values.get("k") == answers.index(True)


async def test_whatever_many_make_of_a_value_at_once_is_in_it(store, clock):
    def add(number: int) -> Any:
        return lambda kept: [*(kept or []), number]

    changes = await asyncio.gather(
        *(store.values.change("k", add(number), ttl=60) for number in range(20))
    )

    kept = await store.values.get("k")
    assert sorted(kept) == list(range(20))
    assert [after for before, after in changes if before is None] == [kept[:1]]
    clock.now += 59
    assert await store.values.change("k", lambda kept: None, ttl=60) == (kept, kept)
    clock.now += 1
    assert await store.values.get("k") is None


async def test_a_value_that_others_change_for_ever_is_given_up(store, monkeypatch):
    async def never(*_: Any) -> bool:
        return False

    monkeypatch.setattr(store.values, "compare_and_set", never)

    with pytest.raises(StoreError, match="changed too often"):
        await store.values.change("k", lambda kept: 1, ttl=60)


async def test_a_deleted_value_is_gone_and_its_key_is_free(store):
    await store.values.set("k", "v", ttl=60)
    await store.values.delete("k")
    await store.values.delete("never there")

    assert await store.values.get("k") is None
    assert await store.values.add("k", "w", ttl=60)


async def test_values_are_found_by_what_their_keys_begin_with(store, clock):
    for key in ("wrote:1", "wrote:12", "wrote", "a wrote:1"):
        await store.values.set(key, {"of": key}, ttl=60)
    await store.values.set("wrote:short", 1, ttl=30)
    clock.now += 30
    await store.expire()

    assert sorted([each async for each in store.values.find("wrote:")]) == [
        ("wrote:1", {"of": "wrote:1"}),
        ("wrote:12", {"of": "wrote:12"}),
    ]
    assert [each async for each in store.values.find("nothing")] == []


async def test_more_values_are_found_than_are_read_together(store):
    keys = [f"many:{number:05d}" for number in range(2500)]
    await store.values.set_many(dict.fromkeys(keys, 1), ttl=60)

    assert sorted([key async for key, _ in store.values.find("many:")]) == keys


@pytest.mark.parametrize("prefix", ["a*", "a?", "a[bc]", "a%", "a_", "a\\"])
async def test_a_prefix_means_nothing_but_itself(store, prefix):
    await store.values.set(f"{prefix}:1", 1, ttl=60)
    await store.values.set("abc:1", 2, ttl=60)

    assert [each async for each in store.values.find(prefix)] == [(f"{prefix}:1", 1)]


# Tokens


async def take(store, key, rate, burst):
    (wait,) = await store.values.take(Limit(key, rate, burst))
    return wait


async def test_a_full_bucket_gives_its_tokens_and_then_tells_how_long_to_wait(store, clock):
    takes = [await take(store, "pair", 0.5, 3) for _ in range(4)]

    assert takes == [0.0, 0.0, 0.0, 2.0]


async def test_there_is_a_token_after_the_wait_and_not_before(store, clock):
    await take(store, "pair", 1 / 6, 1)
    clock.now += 2
    wait = await take(store, "pair", 1 / 6, 1)
    assert wait == pytest.approx(4)

    clock.now += wait - 0.5
    assert await take(store, "pair", 1 / 6, 1) == pytest.approx(0.5)
    clock.now += 0.5
    assert await take(store, "pair", 1 / 6, 1) == 0.0


async def test_who_always_waits_as_long_as_told_gets_the_whole_rate(store, clock):
    start = clock.now
    taken = 0
    while clock.now < start + 5:
        if wait := await take(store, "all", 80, 1):
            clock.now += wait
        else:
            taken += 1

    assert 399 <= taken <= 402


async def test_a_bucket_never_holds_more_than_its_burst(store, clock):
    await take(store, "pair", 1, 2)
    clock.now += DAY
    await store.expire()

    takes = [await take(store, "pair", 1, 2) for _ in range(3)]

    assert takes == [0.0, 0.0, 1.0]


async def test_of_a_hundred_who_take_at_once_as_many_get_a_token_as_there_are(store):
    takes = await asyncio.gather(*(take(store, "all", 1, 45) for _ in range(100)))

    assert takes.count(0.0) == 45
    assert {wait for wait in takes if wait} == {1.0}


async def test_from_several_buckets_a_token_each_is_taken_or_none_at_all(store, clock):
    pair, all_ = Limit("pair", 1 / 6, 1), Limit("all", 80, 3)

    assert await store.values.take(all_, pair) == [0.0, 0.0]
    assert await store.values.take(all_, pair) == [0.0, pytest.approx(6)]
    clock.now += 6
    assert [await take(store, *all_) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert await store.values.take(all_, pair) == [pytest.approx(1 / 80), 0.0]
    clock.now += 1 / 80
    assert await store.values.take(all_, pair) == [0.0, 0.0]


async def test_who_finds_no_token_in_one_bucket_leaves_the_other_as_it_was(store):
    pair, all_ = Limit("pair", 1, 1), Limit("all", 1, 2)
    await store.values.take(all_, pair)

    for _ in range(5):
        assert await store.values.take(all_, pair) == [0.0, 1.0]

    assert await take(store, *all_) == 0.0


async def test_buckets_know_nothing_of_each_other_nor_of_values(store):
    await store.values.set("one", "v", ttl=60)

    assert await take(store, "one", 1, 1) == 0.0
    assert await take(store, "two", 1, 1) == 0.0
    assert await take(store, "one", 1, 1) == 1.0
    assert await store.values.get("one") == "v"


async def test_a_clock_that_was_set_back_keeps_nobody_from_the_next_token(store, clock):
    await take(store, "all", 1, 1)
    clock.now -= 3600

    assert await take(store, "all", 1, 1) == 1.0
    clock.now += 1
    assert await take(store, "all", 1, 1) == 0.0


# Counters


async def count(store, key, *, beyond=False, **limits):
    return list(await store.values.count(key, limits, 600, beyond=beyond))


async def test_a_key_is_counted_once_until_it_is_taken_out(store):
    assert await count(store, "a", day=2, one=9) == [0, 0]
    assert await count(store, "b", day=2, one=9) == [1, 1]
    assert await count(store, "a", day=2, one=9) == [0, 0]  # as it was then
    assert await count(store, "c", day=2, one=9) == [2, 2]  # not counted
    for _ in range(2):
        await store.values.uncount("a")
    await store.values.uncount("never there")

    assert await count(store, "c", day=2, one=9) == [1, 1]
    assert await count(store, "d", day=2, other=9) == [2, 0]
    assert await count(store, "e", other=9) == [0]


async def test_a_counted_key_goes_by_counters_that_came_later_and_by_those_it_knows(store):
    await count(store, "other", day=9)
    await count(store, "a", day=9)

    assert await count(store, "a", one=1, day=9) == [0, 1]
    assert await count(store, "b", one=1) == [0]  # it is in the counters of the first time


async def test_who_may_go_beyond_a_limit_is_counted_beyond_it(store):
    assert [await count(store, key, beyond=True, day=1) for key in "abc"] == [[0], [1], [2]]

    assert await count(store, "d", day=3) == [3]
    await store.values.uncount("b")
    assert await count(store, "d", day=3) == [2]


async def test_of_fifty_who_count_at_once_as_many_are_counted_as_there_is_room(store):
    places = await asyncio.gather(*(count(store, f"k{n}", day=20) for n in range(50)))

    assert sorted(place for (place,) in places) == [*range(20), *([20] * 30)]


async def test_counters_and_keys_end_with_their_time(store, clock):
    await count(store, "a", day=1)
    clock.now += 600
    await store.expire()
    await store.values.uncount("a")

    assert await count(store, "b", day=1) == [0]


async def test_a_counter_names_whoever_it_likes(store):
    counter = "billed:2026-11-29:half of one \ud83d"

    assert await count(store, "key of \ud83d", **{counter: 1}) == [0]
    await store.values.uncount("key of \ud83d")
    assert await count(store, "b", **{counter: 1}) == [0]
