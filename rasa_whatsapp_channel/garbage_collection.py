"""
Garbage collection: what is loaded once is not looked through again and again.

A server holds half a million objects: modules and a bot's model. Messages in flight make Python's
garbage collector run, and every full run looks at all of them: 0.3 s in which nothing is answered,
a tenth of the time of a Rasa under load.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any


def leave_out_loaded() -> None:
    """
    Let further runs leave out every object that is there now.

    One that was left out before and is no longer used is freed first. It takes as long as a full
    run of the garbage collector, up to half a second with Rasa.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


class LoadedModel:
    """Leaves out the model that Rasa's agent has loaded, until another one replaces it."""

    def __init__(self) -> None:
        self._processor: Callable[[], Any] = lambda: None

    def look(self, agent: Any) -> None:
        """Leave out the model of *agent* unless that is done; free the one that it replaced."""
        processor = getattr(agent, "processor", None)  # None: no model yet
        if processor is None or processor is self._processor():
            return
        self._processor = weakref.ref(processor)
        leave_out_loaded()
