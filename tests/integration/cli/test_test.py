"""``rasa-whatsapp test`` plays transcripts against a bot at a simulator, and records them."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from rasa_whatsapp_channel.cli import main

GOOD = """\
name: A greeting
chat:
- user: hi
- bot: {text: ~/Wel.*/, buttons: [Picture, Guide]}
- user: {taps: Picture}
- bot: {image: lake.jpg, text: The lake}
- user: {image: mine.jpg, text: my lake}
- bot: You said my lake
"""
BAD = """\
name: A greeting
chat:
- user: hi
- bot: {text: Hello, buttons: [Picture, Guide]}
- user: {taps: Picture}
- bot: The lake follows
- bot: {image: lake.jpg, text: The lake}
"""
LAKE = Path(__file__).parents[3] / "examples" / "quickstart" / "media" / "lake.jpg"


@pytest.fixture
def whatsapp_settings():
    return {"media": {"folders": ["examples/quickstart/media"]}}


@pytest.fixture
def test(whatsapp_channel, tmp_path):
    """Play files given by name and text; return how it ended and what was printed."""

    async def bot(turn, say):
        buttons = [{"title": title, "payload": f"/{title}"} for title in ("Picture", "Guide")]
        answers = {
            "hi": {"text": "Welcome", "buttons": buttons},
            "/Picture": {"text": "The lake", "image": "examples/quickstart/media/lake.jpg"},
        }
        answer = answers.get(turn.text, {"text": f"You said {turn.text}"})
        await say({"utter_action": f"utter_{turn.text}", **answer})

    whatsapp_channel.bot(bot)
    (tmp_path / "mine.jpg").write_bytes(LAKE.read_bytes())

    def run(*args, **files):
        for name, text in files.items():
            (tmp_path / f"{name}.yml").write_text(text, encoding="utf-8")
        where = [] if "--record" in args else [str(tmp_path)]
        arguments = ["test", *where, "--simulator", whatsapp_channel.url, *args]
        done = CliRunner().invoke(main, arguments)
        return done.exit_code, done.output

    return run


def test_a_conversation_as_it_should_be_is_one_line(test):
    assert test(good=GOOD) == (
        0,
        "ok    A greeting: 3 billed messages\n1 played, 0 failed, 3 billed messages\n",
    )


def test_the_whole_conversation_is_shown_on_request(test):
    _, output = test("--verbose", good=GOOD)

    assert output.splitlines()[1:5] == [
        "      user    hi",
        "      bot     Welcome  [buttons: Picture | Guide]",
        "      user    [taps: Picture]",
        "      bot     [image: lake.jpg]  The lake",
    ]
    assert output.splitlines()[-2] == (
        "      billed  utter_hi 1, utter_/Picture 1, utter_my lake 1"
    )


def test_what_differs_is_marked_in_the_conversation(test):
    code, output = test("--timeout", "1", bad=BAD)

    assert code == 1
    assert output.splitlines() == [
        "FAIL  A greeting: 2 differences, 2 billed messages",
        "      user    hi",
        "    - bot     Hello  [buttons: Picture | Guide]",
        "    + bot     Welcome  [buttons: Picture | Guide]",
        '              text     expected "Hello"',
        '                       got      "Welcome"',
        "      user    [taps: Picture]",
        "    - bot     The lake follows",
        "      bot     [image: lake.jpg]  The lake",
        "1 played, 1 failed, 2 billed messages",
    ]


@pytest.mark.parametrize(
    ("option", "key", "told"),
    [
        ((), "budget: 3", None),
        ((), "budget: 2", "the conversation is 3 billed messages, more than 2"),
        (("--budget", "3"), "", None),
        (("--budget", "2"), "", "the conversation is 3 billed messages, more than 2"),
        (("--budget", "2"), "budget: 3", None),
        (("--turn-budget", "1"), "", None),
        ((), "turn_budget: 0", "the turn 'hi' is 1 billed message, more than 0: utter_hi 1"),
        (("--turn-budget", "0"), "turn_budget: 1", None),
    ],
)
def test_a_conversation_that_costs_more_than_its_budget_fails(test, option, key, told):
    code, output = test(*option, good=f"{key}\n{GOOD}")

    assert code == (1 if told else 0)
    first, *rest = output.splitlines()
    assert first == f"{'FAIL' if told else 'ok  '}  A greeting: 3 billed messages"
    assert any(line.startswith(f"    ! {told}") for line in rest) == bool(told)


@pytest.mark.parametrize("budget", ["many", "-1", "true", "1.5"])
def test_a_budget_is_a_number(test, budget):
    code, output = test(bad=f"budget: {budget}\n{GOOD}")

    assert code == 1
    assert "budget takes a number of billed messages, not " in output


def test_a_message_too_many_is_marked(test):
    code, output = test(bad="chat: [{user: hi}, {user: hi}, {bot: {buttons: true}}]")

    assert code == 1
    assert "    + bot     Welcome  [buttons: Picture | Guide]\n" in output


def test_a_step_that_cannot_be_done_says_why_and_ends_the_conversation(test):
    code, output = test(bad="chat: [{user: hi}, {bot: {buttons: true}}, {user: {taps: Room}}]")

    assert code == 1
    assert '    ! there is no "Room" to tap; there is "Picture", "Guide"\n' in output
    code, output = test(bad="chat: [{user: {image: none.jpg}}, {bot: x}]")
    assert code == 1
    assert "none.jpg cannot be read: No such file or directory" in output


def test_silence_is_played_too(test):
    assert test(good="chat: [{user: hi}, {bot: {buttons: true}}, {silence: 0.1s}]")[0] == 0
    assert test(good="chat: [{user: hi}, {silence: 9s}]")[0] == 1


def test_what_is_recorded_is_played_again(test, whatsapp_channel):
    ada = whatsapp_channel.user("4915100000001").sends("hi")
    ada.must_get(buttons=True)
    ada.taps("Picture").must_get(image=True)

    code, recorded = test("--record", "4915100000001")
    assert code == 0
    assert test(again=recorded)[0] == 0


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ([], "Name a transcript"),
        (["--record", "4915"], "name --simulator"),
        (["none.yml"], "none.yml cannot be read"),
        (["."], "there is no transcript in"),
        (["--record", "4915", "--simulator", "http://127.0.0.1:9"], "no simulator answers at"),
    ],
)
def test_what_cannot_be_is_one_line(args, problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["test", *args])

    assert done.exit_code != 0
    assert problem in done.output
    assert "Traceback" not in done.output
