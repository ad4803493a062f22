"""A loaded model is not looked through again and again, and one that was replaced is freed."""

from __future__ import annotations

import gc
import types
import weakref

import pytest

from rasa_whatsapp_channel.garbage_collection import LoadedModel


class Model:
    def __init__(self) -> None:
        self.itself = self  # as models are: only the garbage collector can free it


@pytest.fixture(autouse=True)
def _as_before():
    yield
    gc.unfreeze()


def is_looked_through(model: object) -> bool:
    return any(each is model for each in gc.get_objects())


def test_a_loaded_model_is_left_out_of_further_runs():
    agent, loaded = types.SimpleNamespace(processor=Model()), LoadedModel()
    assert is_looked_through(agent.processor)

    loaded.look(agent)

    assert not is_looked_through(agent.processor)


def test_a_model_that_was_replaced_is_freed():
    agent, loaded = types.SimpleNamespace(processor=Model()), LoadedModel()
    loaded.look(agent)
    freed: list[object] = []
    weakref.finalize(agent.processor, freed.append, "the old one")

    agent.processor = Model()
    gc.collect()
    assert not freed, "nothing is shown if it was freed without us"
    loaded.look(agent)

    assert freed == ["the old one"]
    assert not is_looked_through(agent.processor)


def test_it_is_done_once_for_a_model():
    agent, loaded = types.SimpleNamespace(processor=Model()), LoadedModel()
    loaded.look(agent)
    newer = Model()

    loaded.look(agent)

    assert is_looked_through(newer)


@pytest.mark.parametrize("agent", [None, types.SimpleNamespace(processor=None)])
def test_without_a_model_nothing_is_left_out(agent):
    newer = Model()

    LoadedModel().look(agent)

    assert is_looked_through(newer)
