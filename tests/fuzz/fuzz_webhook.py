"""
Fuzz the way in with atheris: bytes of a webhook → events → what Rasa hears.

Needs Python 3.11 or later, `pip install atheris` and the package; no Rasa. From the project's root:

    PYTHONPATH=.:tests python tests/fuzz/fuzz_webhook.py -runs=1000000

It stops at the first input that breaks a promise of `support.promises`, and writes it to a file.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["rasa_whatsapp_channel"]):
    from support.mutations import WORDS, mutate
    from support.promises import check


class Provided:
    """What the fuzzer wants to be drawn next."""

    def __init__(self, data: atheris.FuzzedDataProvider) -> None:
        self._data = data

    def below(self, limit: int) -> int:
        return int(self._data.ConsumeIntInRange(0, limit - 1))

    def text(self) -> str:
        number = self.below(2 * len(WORDS))
        return WORDS[number] if number < len(WORDS) else self._data.ConsumeUnicode(20)


def try_one(data: bytes) -> None:
    # One in eight is taken as it is, so that bytes that are no JSON get their share.
    if data[:1] < b"\x20":
        check(data[1:])
    else:
        check(mutate(Provided(atheris.FuzzedDataProvider(data[1:]))))


if __name__ == "__main__":
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()
