from __future__ import annotations

import importlib.util

import pytest


@pytest.fixture(autouse=True)
def _needs_rasa_pro(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("rasa", reason="no Rasa in this environment")
    if importlib.util.find_spec("rasa.agents") is None:
        pytest.skip("Rasa Pro is not in this environment")
    # Something that it imports would ask the internet for prices of models, and wait for them.
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
