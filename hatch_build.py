"""
Metadata of the package: its addresses, and the README with links that lead to them.

Where the package is built for an index, REPOSITORY_URL names the repository; elsewhere the README
stays as it is, and there are no addresses.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface


class Metadata(MetadataHookInterface):
    def update(self, metadata: dict[str, Any]) -> None:
        address = os.environ.get("REPOSITORY_URL", "").rstrip("/")
        tag = f"v{metadata['version']}"
        text = (Path(self.root) / "README.md").read_text(encoding="utf-8")
        if address:
            text = lead_to(text, address, tag)
            metadata["urls"] = {
                "Source": address,
                "Documentation": f"{address}/tree/{tag}/docs",
                "Changelog": f"{address}/blob/{tag}/CHANGELOG.md",
                "Issues": f"{address}/issues",
            }
        metadata["readme"] = {"content-type": "text/markdown", "text": text}


def lead_to(readme: str, address: str, tag: str) -> str:
    """Return *readme* with absolute addresses in place of the paths of pictures and pages."""
    there = r"\]\((?!https?:|#)([^)\s]+)\)"
    readme = re.sub(rf"(!\[[^\]]*){there}", rf"\1]({address}/raw/{tag}/\2)", readme)
    return re.sub(there, rf"]({address}/blob/{tag}/\1)", readme)
