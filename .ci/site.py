"""What MkDocs does beside its own work when it builds the site, see mkdocs.yml."""

from __future__ import annotations

import logging
import re
import runpy
from pathlib import Path, PurePosixPath
from typing import Any, Final

from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = runpy.run_path(str(ROOT / "docs" / "pages.py"))["PAGES"]
LINK: Final = re.compile(r"\[([^\]\n]*)\]\((\.\./[^)\s]+)\)")

log = logging.getLogger("mkdocs.hooks.site")


def on_files(files: Files, config: Any) -> Files:
    """Add the pages that are not written by hand, or lie beside docs/."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    pages = {
        "command-line.md": PAGES["command-line"](),
        "changelog.md": changelog.replace("(docs/", "("),
    }
    for name, content in pages.items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Let links to files outside of docs/ lead into the repository, or just name them."""
    here = PurePosixPath("docs", page.file.src_uri).parent

    def name_it(link: re.Match[str]) -> str:
        path = (ROOT / here / link[2].partition("#")[0]).resolve()
        if not path.is_relative_to(ROOT / "docs"):
            name = path.relative_to(ROOT).as_posix()
            if not path.exists():
                log.warning("%s links to %s, which is not there", page.file.src_uri, name)
            if not config.repo_url:
                return f"`{name}`"
            return f"[{link[1]}]({config.repo_url.rstrip('/')}/blob/main/{name})"
        return link[0]

    return LINK.sub(name_it, markdown)
