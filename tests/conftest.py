"""What every test run does."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from support.stubs import Forge

# Of each property. Every run tries others, and --hypothesis-profile=thorough tries many.
EXAMPLES, THOROUGH = 50, 2_000

# On a busy machine anything may take long; that makes no test fail.
patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=EXAMPLES
)
settings.register_profile("patient", patient)
settings.register_profile("thorough", patient, max_examples=THOROUGH)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """The process that starts stub servers: it imports Rasa once for all tests."""
    from support.stubs import Forge

    forge = Forge(tmp_path_factory.mktemp("forge"))
    yield forge
    forge.close()


@pytest.fixture
def no_room(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no temporary file be made, as on a full disk."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
