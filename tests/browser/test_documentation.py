"""What readers see before they have anything: the site from a folder, and the moving picture."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from support.chromium import Chromium
from support.documents import ROOT
from support.pictures import QUICKSTART, animate
from support.tools import find_tool


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """The pages as `make docs` shows them, in a folder."""
    mkdocs = find_tool(beside=[ROOT / ".venv-lint" / "bin" / "mkdocs"])
    if mkdocs is None:
        pytest.skip("no mkdocs runs here; `make lint` would put one into .venv-lint")
    subprocess.run(
        [mkdocs, "build", "--quiet", "--site-dir", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        check=True,
        timeout=120,
    )
    return tmp_path


async def test_the_search_finds_a_line_of_the_log_in_pages_opened_from_a_folder(
    site: Path, chromium: Chromium
) -> None:
    async with chromium.tab() as tab:
        await tab.size(1280, 900)
        await tab.call("Page.navigate", url=f"{site.as_uri()}/index.html")
        assert tab.complaints == []  # nothing was fetched from the network either
        await tab.click(".md-search__input")
        await tab.type("whatsapp.not_delivered")
        # The search listens to keys, and text that is inserted presses none.
        await tab.call("Input.dispatchKeyEvent", type="keyUp", key="Shift", code="ShiftLeft")

        await tab.shows(
            "[...document.querySelectorAll('.md-search-result__link')]"
            ".some((link) => link.href.includes('troubleshooting.html'))"
        )


# Options of a command that begin in one line and end in another.
BROKEN = """
[...document.querySelectorAll('.md-typeset code')].filter((code) => {
    const words = document.createRange();
    words.selectNodeContents(code);
    const tops = new Set([...words.getClientRects()].map(({ top }) => Math.round(top)));
    return /^--?\\w[\\w-]*$/.test(code.textContent) && tops.size > 1;
}).map((code) => code.textContent)
"""


async def test_the_site_is_read_whole_on_a_phone(site: Path, chromium: Chromium) -> None:
    async with chromium.tab() as tab:
        await tab.size(390, 844)
        await tab.call("Page.navigate", url=f"{site.as_uri()}/index.html")
        first, second = await tab.shows(
            "((boxes) => boxes.length === 2 && boxes)([...document.querySelectorAll('.md-button')]"
            ".map((button) => button.getBoundingClientRect().toJSON()))"
        )
        assert second["top"] - first["bottom"] >= 6 or second["top"] == first["top"]
        name = "document.querySelector('.md-header__topic .md-ellipsis')"
        assert await tab.js(f"{name}.scrollWidth <= {name}.clientWidth")

        for page in ("command-line", "changelog"):
            await tab.call("Page.navigate", url=f"{site.as_uri()}/{page}.html")
            await tab.shows("document.querySelector('.md-typeset code')")
            assert await tab.js(BROKEN) == [], page


@pytest.mark.parametrize("name", ["simulator", "tutorial"])
@pytest.mark.parametrize("scheme", ["", "-dark"], ids=["light", "dark"])
def test_a_picture_keeps_the_colours_of_the_page_and_is_small(name: str, scheme: str) -> None:
    path = ROOT / "docs" / "images" / f"{name}{scheme}.webp"
    assert path.stat().st_size < 100_000
    with Image.open(path) as picture:
        colours = picture.convert("RGB").getcolors(maxcolors=1 << 24) or []

    sail = [(red, green) for _, (red, green, _) in colours if red > 200 and red - green > 80]
    assert sail


async def test_the_moving_picture_shows_each_answer_and_is_small(
    tmp_path: Path, chromium: Chromium
) -> None:
    await animate(tmp_path / "demo.webp", chromium)

    for made in (tmp_path / "demo.webp", ROOT / "docs" / "images" / "demo.webp"):
        assert made.stat().st_size < 150_000
        with Image.open(made) as picture:
            assert getattr(picture, "n_frames", 1) == len(QUICKSTART) + 1
