"""Log handlers and levels of this package, taken over from Rasa's own."""

from __future__ import annotations

import logging
import traceback
from typing import Final

OURS: Final = "rasa_whatsapp_channel"
RASAS: Final = "rasa"


def follow_rasa() -> None:
    """
    Give our lines the level and the handlers of Rasa's. What somebody set for ours stays.

    `--debug`, `--quiet` and ``LOG_LEVEL`` set the level of the logger ``rasa`` only. Ours would
    follow the root logger, which a model with scikit-learn sets to WARNING while it is loaded:
    numpy imports distutils, and setuptools' distutils does that. Handlers are shared through the
    root logger already, unless a logging configuration gave Rasa's logger some of its own.
    """
    ours, rasas = logging.getLogger(OURS), logging.getLogger(RASAS)
    if ours.level == logging.NOTSET:
        ours.setLevel(rasas.level)
    handlers = [each for each in rasas.handlers if not isinstance(each, logging.NullHandler)]
    if handlers and not ours.handlers:
        for handler in handlers:
            ours.addHandler(handler)
        ours.propagate = rasas.propagate


def in_one_line(error: BaseException) -> str:
    """Return *error* and its root cause in one line: Rasa wraps what a component raises."""
    cause = error
    while cause.__cause__ is not None and cause.__cause__ is not error:
        cause = cause.__cause__
    return _line(error) if cause is error else f"{_line(error)} (from {_line(cause)})"


def _line(error: BaseException) -> str:
    return traceback.format_exception_only(type(error), error)[-1].strip()
