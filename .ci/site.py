"""What MkDocs does beside its own work when it builds the site, see mkdocs.yml."""

from __future__ import annotations

import logging
import re
from pathlib import Path, PurePosixPath
from typing import Any, Final

from mkdocs.structure.files import File, Files

ROOT: Final = Path(__file__).resolve().parents[1]
# What the theme would fetch when the pages are read, and what stands in for it.
FETCHED: Final = "https://unpkg.com/iframe-worker/shim"
OWN: Final = "assets/frame-worker.js"
INLINE_CODE: Final = re.compile(r"(?<!</span>)<code>[^<]*</code>")
OPTION: Final = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")
LINK: Final = re.compile(r"\[([^\]\n]*)\]\((\.\./[^)\s]+)\)")

log = logging.getLogger("mkdocs.hooks.site")


def on_files(files: Files, config: Any) -> Files:
    """Add the page that lies beside docs/."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    content = changelog.replace("(docs/", "(")
    files.append(File.generated(config, "changelog.md", content=content))
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


def on_page_content(html: str, **_: Any) -> str:
    """Mark options such as --key in a sentence: browsers break lines behind their hyphens."""

    def mark(code: re.Match[str]) -> str:
        return OPTION.sub(r'<span class="option">\g<0></span>', code[0])

    return INLINE_CODE.sub(mark, html)


def on_config(config: Any) -> Any:
    """Offer to edit a page only where it is known where the pages are."""
    if not config.repo_url:
        config.edit_uri = None
    return config


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Take the script for the search in a folder from the site itself."""
    return output.replace(FETCHED, "../" * page.url.count("/") + OWN)


def on_post_template(output_content: str, template_name: str, config: Any) -> str:
    return output_content.replace(FETCHED, OWN)
