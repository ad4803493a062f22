"""The templates of the simulator, and the one that docs/simulator.md shows."""

import re
from pathlib import Path

import pytest

from rasa_whatsapp_channel.simulator.templates import TemplateCatalog
from rasa_whatsapp_channel.whatsapp.template_rules import find_flaws

PAGE = Path(__file__).parents[3] / "docs" / "simulator.md"


def test_the_template_on_the_page_can_be_copied_into_a_folder(tmp_path):
    blocks = re.findall(r"```ya?ml.*?\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = (each for each in blocks if "name: order_update" in each)
    (tmp_path / "order.yml").write_text(block, encoding="utf-8")

    template = TemplateCatalog(tmp_path).find("order_update", "en_US")

    assert template is not None
    assert [part["type"] for part in template.components] == ["HEADER", "BODY", "FOOTER", "BUTTONS"]


@pytest.mark.parametrize("template", list(TemplateCatalog()), ids=lambda each: each.name)
def test_whatsapp_would_take_a_template_that_is_built_in(template):
    assert list(find_flaws(template)) == []
