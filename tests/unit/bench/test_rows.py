"""Each row of the bench and each kind of soak run still fits the code: `make test` runs few."""

from __future__ import annotations

import importlib
import pkgutil

import bench.rows
import pytest
import soak

MODULES = [
    name.name
    for package in (bench.rows, soak)
    for name in pkgutil.iter_modules(package.__path__, f"{package.__name__}.")
    if not name.name.endswith("__main__")
]


@pytest.mark.parametrize("name", MODULES)
def test_it_can_be_imported(name):
    assert importlib.import_module(name).__doc__
