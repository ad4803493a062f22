"""examples/calm, as Rasa Pro's own readers and validators see it. Talking to it takes a licence."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from rasa_whatsapp_channel.whatsapp.limits import TEXT_BODY

EXAMPLE = Path(__file__).parents[3] / "examples" / "calm"
CHECKS = (
    "verify_domain_validity",
    "verify_flows",
    "verify_slot_mappings",
    "verify_slot_validation",
    "validate_CALM_slot_mappings",
    "validate_button_payloads",
    "check_for_no_empty_parenthesis_in_responses",
)

pytestmark = pytest.mark.filterwarnings("ignore")  # what Rasa Pro's own imports warn of


@pytest.fixture
def bot(tmp_path: Path) -> Path:
    shutil.copytree(EXAMPLE, tmp_path / "bot", ignore=shutil.ignore_patterns("media"))
    return tmp_path / "bot"


def validator(bot: Path) -> Any:
    from rasa.shared.importers.importer import TrainingDataImporter
    from rasa.validator import Validator

    importer = TrainingDataImporter.load_from_config(
        str(bot / "config.yml"), str(bot / "domain.yml"), [str(bot / "data")]
    )
    return Validator.from_importer(importer)


def test_rasa_pro_finds_nothing_wrong_with_domain_and_flows(bot: Path) -> None:
    read = validator(bot)

    assert {check: getattr(read, check)() for check in CHECKS} == dict.fromkeys(CHECKS, True)
    read.warn_if_config_mandatory_keys_are_not_set()
    flows = {flow.id for flow in read.flows.underlying_flows}
    assert {"show_house", "book_room", "thank_for_photo"} <= flows


@pytest.mark.parametrize(
    ("file", "right", "wrong", "check"),
    [
        ("data/flows.yml", "action: utter_booked", "action: utter_boked", "verify_flows"),
        ("data/flows.yml", "collect: room", "collect: rooms", "verify_flows"),
    ],
)
def test_rasa_pro_would_find_a_mistake(
    bot: Path, file: str, right: str, wrong: str, check: str
) -> None:
    text = (bot / file).read_text()
    assert right in text
    (bot / file).write_text(text.replace(right, wrong))

    assert getattr(validator(bot), check)() is False


def test_a_text_may_be_as_long_as_on_whatsapp(bot: Path) -> None:
    import yaml
    from rasa.dialogue_understanding.generator import CommandGenerator
    from rasa.shared.nlu.training_data.message import Message

    pipeline = yaml.safe_load((bot / "config.yml").read_text())["pipeline"]
    [config] = [part for part in pipeline if part["name"].endswith("CommandGenerator")]

    for length, is_too_long in ((TEXT_BODY, False), (TEXT_BODY + 1, True)):
        message = Message({"text": "a" * length})
        assert CommandGenerator(config).check_if_message_exceeds_limit(message) is is_too_long


def test_every_component_of_the_pipeline_is_one_of_rasa_pro(bot: Path) -> None:
    import yaml
    from rasa.engine.recipes.default_recipe import DefaultV1Recipe

    config = yaml.safe_load((bot / "config.yml").read_text())
    named = [part["name"] for key in ("pipeline", "policies") for part in config[key]]

    known = DefaultV1Recipe()
    assert [known._from_registry(name).clazz.__name__ for name in named] == named
