"""
Rasa's own logging, set up as its programs do it, with lines that come on stdin.

    python -m support.rasa_log LEVEL [CONFIG]

A line of stdin is JSON: a logger's name, a level, a message, its arguments, and what goes along as
``extra``. Rasa's logger says "rasa here" first.
"""

from __future__ import annotations

import json
import logging
import sys

import rasa.utils.io
from rasa.utils.common import configure_logging_and_warnings
from rasa.utils.log_utils import configure_structlog

from rasa_whatsapp_channel.logs import follow_rasa


def main() -> None:
    level, *config = sys.argv[1:]
    # As in `rasa.__main__.main` of 3.6 and of Rasa Pro, and in the workers that Rasa Pro spawns.
    number = logging.getLevelName(level)
    configure_logging_and_warnings(number, *config)
    rasa.utils.io.configure_colored_logging(number)
    configure_structlog(number)
    # As setuptools' distutils does it in the middle of a start, see `rasa_whatsapp_channel.logs`.
    logging.getLogger().setLevel(logging.WARNING)
    follow_rasa()
    follow_rasa()  # a channel that is started again in the same process
    logging.getLogger("rasa.core.processor").info("rasa here")
    for line in sys.stdin:
        name, at, message, args, extra = json.loads(line)
        logging.getLogger(name).log(logging.getLevelName(at), message, *args, extra=extra)


if __name__ == "__main__":
    main()
