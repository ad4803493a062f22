"""The package as people get it: built, installed apart from this tree, without Rasa."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import aiohttp
import pytest
from support.ports import free_port
from support.processes import PROJECT, Process
from support.tools import find_tool

REPOSITORY = "https://forge.example/team/rasa-whatsapp-channel"
PACKAGE = PROJECT / "rasa_whatsapp_channel"
# Enough for the command line; a whole environment would be downloaded for nothing.
NEEDED = ("lint", "preview", "queue", "send", "simulate")


def run(*args: str | Path, folder: Path, env: Mapping[str, str] = MappingProxyType({})) -> str:
    ended = subprocess.run(
        [str(arg) for arg in args],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def uv() -> str:
    uv = find_tool("uv", beside=[PROJECT / ".venv-tools" / "bin" / "uv"])
    if uv is None:
        pytest.skip("no uv runs here; `make` would put one into .venv-tools")
    return uv


@pytest.fixture(scope="module")
def built(uv: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel and an sdist, as they are made for a package index."""
    folder = tmp_path_factory.mktemp("dist")
    build = (uv, "build", "-q", "--python", sys.executable, "--out-dir", folder)
    run(*build, PROJECT, folder=folder, env={"REPOSITORY_URL": REPOSITORY})
    return folder


@pytest.fixture(scope="module")
def installed(uv: str, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that holds the wheel."""
    folder = tmp_path_factory.mktemp("installed")
    (wheel,) = built.glob("*.whl")
    run(uv, "venv", "-q", "--python", sys.executable, folder / "env", folder=folder)
    python = folder / "env" / "bin" / "python"
    run(uv, "pip", "install", "-q", "--python", python, wheel, folder=folder)
    return folder / "env" / "bin"


def shipped() -> set[str]:
    """Everything in the package's folder that is not made by running it."""
    files = (path for path in PACKAGE.rglob("*") if path.is_file())
    return {
        path.relative_to(PROJECT).as_posix() for path in files if "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_package_and_nothing_else(built):
    (wheel,) = built.glob("*.whl")

    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert names == shipped()


def metadata(wheel: Path) -> str:
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith("/METADATA")]
        return archive.read(name).decode()


def test_an_index_shows_a_readme_whose_links_lead_somewhere(built):
    (wheel,) = built.glob("*.whl")

    told = metadata(wheel)

    links = re.findall(r"\]\(([^)\s]+)\)", told)
    assert f"Project-URL: Source, {REPOSITORY}\n" in told
    assert [link for link in links if not re.match(r"https://|#", link)] == []
    version = re.search(r"^Version: (.+)$", told, re.M)
    assert version
    for kind in ("blob", "raw"):
        there = f"{REPOSITORY}/{kind}/v{version[1]}/"
        paths = [link.removeprefix(there) for link in links if link.startswith(there)]
        assert paths
        assert [path for path in paths if not (PROJECT / path.partition("#")[0]).exists()] == []


def test_a_wheel_made_of_the_sdist_is_the_same(uv, built, tmp_path):
    (wheel,), (sdist,) = built.glob("*.whl"), built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    [source] = tmp_path.iterdir()

    build = (uv, "build", "-q", "--wheel", "--python", sys.executable)
    run(*build, "--out-dir", tmp_path / "again", source, folder=tmp_path)

    [again] = (tmp_path / "again").glob("*.whl")
    assert metadata(again) == metadata(wheel)
    assert set(zipfile.ZipFile(again).namelist()) == set(zipfile.ZipFile(wheel).namelist())


def test_the_sdist_can_be_tested_and_built_from(built):
    (sdist,) = built.glob("*.tar.gz")

    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile"} <= names
    assert shipped() <= names
    assert any(name.startswith("tests/unit/") for name in names)


def test_the_command_line_works_without_rasa(installed, tmp_path):
    version = run(installed / "rasa-whatsapp", "--version", folder=tmp_path)
    overview = run(installed / "rasa-whatsapp", "--help", folder=tmp_path)

    assert version.startswith("rasa-whatsapp 0.")
    assert all(f"  {name} " in overview for name in NEEDED)
    for name in NEEDED:
        assert "Usage" in run(installed / "rasa-whatsapp", name, "--help", folder=tmp_path)


async def test_the_simulator_serves_its_whole_page(installed, tmp_path):
    port = free_port()
    simulator = Process(
        "simulator",
        [str(installed / "rasa-whatsapp"), "simulate", "--port", str(port)],
        folder=tmp_path,
        env={"PYTHONPATH": ""},
    )
    simulator.start()
    try:
        await simulator.ready(f"http://127.0.0.1:{port}/")
        page = PACKAGE / "simulator" / "page"
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            for file in sorted(path for path in page.rglob("*") if path.is_file()):
                async with session.get(f"/{file.relative_to(page).as_posix()}") as answer:
                    assert answer.status == 200, file
                    assert await answer.read() == file.read_bytes()
    finally:
        assert simulator.stop() == 0
