from __future__ import annotations

import importlib.util

import pytest


@pytest.fixture(autouse=True)
def _needs_rasa_pro() -> None:
    pytest.importorskip("rasa", reason="no Rasa in this environment")
    if importlib.util.find_spec("rasa.agents") is None:
        pytest.skip("Rasa Pro is not in this environment")
