"""The template that docs/simulator.md shows can be copied."""

import re
from pathlib import Path

from rasa_whatsapp_channel.simulator.templates import TemplateCatalog

PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"


def test_the_template_on_the_page_can_be_copied_into_a_folder(tmp_path):
    blocks = re.findall(r"```ya?ml.*?\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = (each for each in blocks if "name: order_update" in each)
    (tmp_path / "order.yml").write_text(block, encoding="utf-8")

    template = TemplateCatalog(tmp_path).find("order_update", "en_US")

    assert template is not None
    assert [part["type"] for part in template.components] == ["HEADER", "BODY", "FOOTER", "BUTTONS"]
