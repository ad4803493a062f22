"""Where the lines of this package go, and from which level on: wherever Rasa's own go."""

from __future__ import annotations

import logging
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
