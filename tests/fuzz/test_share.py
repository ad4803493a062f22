"""A short share of the fuzzing, the same in every run; `fuzz_webhook.py` goes on for longer."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import samples
from support.mutations import WORDS, mutate
from support.promises import check


class Dice:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def below(self, limit: int) -> int:
        return self._random.randrange(limit)

    def text(self) -> str:
        if self.below(2):
            return WORDS[self.below(len(WORDS))]
        return "".join(chr(self._random.randrange(0x3000)) for _ in range(self.below(12)))


@pytest.mark.parametrize("name", samples.names())
def test_every_real_webhook_keeps_the_promises(name: str) -> None:
    check(samples.webhook(name))


@pytest.mark.parametrize("share", range(10))
def test_real_webhooks_with_something_wrong_keep_the_promises(share: int) -> None:
    for seed in range(300):
        body = mutate(Dice(share * 1000 + seed))

        assert check(body), body


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.binary() | st.text(st.characters()).map(lambda text: text.encode("utf-8", "replace")))
def test_bytes_that_are_no_webhook_keep_the_promises(body: bytes) -> None:
    check(body)
