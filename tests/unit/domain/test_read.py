from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from rasa_whatsapp_channel.domain.marked import DomainError
from rasa_whatsapp_channel.domain.read import Domain, Slot, read_domains

Write = Callable[[str, str], Path]

GREET = 'responses:\n  utter_greet:\n  - text: "Hi"\n'
SLOTS = "slots:\n  name:\n    type: text\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    (tmp_path / ".git").mkdir()  # whatever lies above does not count

    def write(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write


def read(path: Path) -> Domain:
    [domain] = read_domains([path])
    return domain


def names(domain: Domain) -> list[str]:
    return [response.name for response in domain.responses]


def test_a_bot_is_its_domain_file_its_domain_folder_and_answers_in_its_data(
    write: Write, tmp_path: Path
) -> None:
    write("config.yml", "language: en\nintents: none of the domain's\n")
    write("domain.yml", GREET)
    write("domain/more.yaml", GREET.replace("greet", "more"))
    write("domain/deep/deeper.yml", GREET.replace("greet", "deeper"))
    write("domain/readme.md", "responses:\n")
    write("domain/flows.yml", "flows: {}\n")
    write("domain/.hidden/x.yml", GREET.replace("greet", "hidden"))
    write("data/faq.yml", GREET.replace("utter_greet", "faq/open"))
    write("data/nlu.yml", "nlu:\n- intent: greet\n  examples: |\n    - hi\n")

    domain = read(tmp_path)

    assert names(domain) == ["utter_greet", "utter_more", "utter_deeper", "faq/open"]
    assert domain.root == tmp_path


def test_a_folder_without_a_bot_is_searched_for_domains(write: Write, tmp_path: Path) -> None:
    write("shop/a.yml", GREET)
    write("shop/b.yml", "steps: []\n")

    assert names(read(tmp_path)) == ["utter_greet"]


def test_slots_and_intents_come_from_the_whole_bot(write: Write, tmp_path: Path) -> None:
    write("domain/slots.yml", SLOTS + "intents:\n- greet\n- faq: {use_entities: []}\n")
    file = write("domain/answers/greet.yml", GREET)

    domain = read(file)

    assert names(domain) == ["utter_greet"]
    assert domain.slots == {"name": Slot("name")}
    assert domain.intents == {"greet", "faq"}
    assert domain.root == tmp_path


def test_without_a_section_slots_and_intents_are_not_known(write: Write) -> None:
    domain = read(write("greet.yml", GREET))

    assert (domain.slots, domain.intents) == (None, None)


def test_two_bots_are_two_domains(write: Write, tmp_path: Path) -> None:
    first = write("one/domain.yml", GREET)
    second = write("two/domain.yml", GREET)

    assert [domain.root.name for domain in read_domains([first, second, first])] == ["one", "two"]
    assert [domain.root for domain in read_domains([first], root=tmp_path)] == [tmp_path]


def test_slots_tell_which_texts_they_can_become(write: Write) -> None:
    slots = """
slots:
  size: {type: categorical, values: [S, 5, true], initial_value: S}
  vip: {type: bool}
  count: {type: float, max_value: 20}
  name: {type: text, initial_value: "Ada"}
  things: {type: list}
  odd:
"""

    assert read(write("domain.yml", slots)).slots == {
        "size": Slot("size", ("S", "5", "True"), "S"),
        "vip": Slot("vip", ("True", "False")),
        "count": Slot("count", ("0.0", "20")),
        "name": Slot("name", (), "Ada"),
        "things": Slot("things"),
        "odd": Slot("odd"),
    }


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("steps: []\n", "is no domain"),
        ("responses: [a]\n", ":1: responses must be a map of names"),
        ("version: 1\nslots: many\n", ":2: slots must be a map of names"),
        ("- responses:\n", "is no domain"),
        ("'\nresponses:\n", "is not YAML"),
    ],
)
def test_a_file_that_is_no_domain_is_told_in_one_line(write: Write, text: str, told: str) -> None:
    path = write("domain.yml", text)

    with pytest.raises(DomainError) as caught:
        read(path)

    assert str(caught.value).startswith(str(path))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_path_without_a_domain_is_told(write: Write, tmp_path: Path) -> None:
    write("bot/config.yml", "language: en\n")

    with pytest.raises(DomainError, match="does not exist"):
        read(tmp_path / "nothing.yml")
    with pytest.raises(DomainError, match=r"bot: has no domain\.yml"):
        read(tmp_path / "bot")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "domain.yml"
    path.write_bytes(b"responses: \xff\n")

    with pytest.raises(DomainError, match="is not UTF-8"):
        read(path)
