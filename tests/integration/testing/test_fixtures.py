"""The fixtures for tests of people's own bots, with a function as the bot."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

MEDIA = Path(__file__).parents[3] / "examples" / "quickstart" / "media"
GREETING = {
    "text": "Welcome",
    "buttons": [
        {"title": "Picture", "payload": "/ask_picture"},
        {"title": "Guide", "payload": "/ask_guide"},
    ],
}
ROOMS = {
    "text": "Which room?",
    "buttons": [{"title": f"Room {n}", "payload": f"/{n}"} for n in range(5)],
}
LAKE = {"text": "The lake", "image": "examples/quickstart/media/lake.jpg"}


async def hotel(turn, say):
    answers = {"hi": GREETING, "/ask_picture": LAKE, "rooms": ROOMS}
    await say(answers.get(turn.text, f"You said: {turn.text}"))


@pytest.fixture
def channel(whatsapp_channel):
    whatsapp_channel.bot(hotel)
    return whatsapp_channel


async def test_a_text_is_answered_and_a_button_tapped(channel):
    ada = channel.user("+49 151 98765432", name="Ada").sends("hi")

    assert ada.phone == "4915198765432"
    shown = await ada.gets(text="Welcome", buttons=["Picture", "Guide"])
    assert shown == {"text": "Welcome", "buttons": ["Picture", "Guide"]}
    ada.taps("Picture")
    await ada.gets(image="lake.jpg", text="The lake")
    await ada.gets_nothing()


async def test_a_chat_that_was_saved_as_a_test_plays(channel):
    from rasa_whatsapp_channel.transcript.pytest_code import dump_test
    from rasa_whatsapp_channel.transcript.steps import parse_transcript

    chat = (
        "chat: [{user: hi}, {bot: {text: Welcome, buttons: [Picture, Guide]}}, "
        "{user: {taps: Picture}}, {bot: {image: lake.jpg, text: The lake}}, {silence: 1s}, "
        f"{{user: {{image: '{MEDIA}/lake.jpg', text: mine}}}}, {{bot: 'You said: mine'}}]"
    )
    module: dict = {}
    exec(dump_test(parse_transcript(f"{{{chat}}}", name="menu")), module)

    await module["test_menu"](channel)

    wrong = dump_test(parse_transcript(f"{{{chat.replace('Welcome', 'Hello')}}}", name="menu"))
    exec(wrong, module)
    with pytest.raises(AssertionError, match="Welcome"):
        await module["test_menu"](channel)


async def test_a_picture_is_compared_by_its_bytes(channel):
    ada = channel.user().sends("hi")
    await ada.gets(buttons=True)
    ada.taps("Picture")
    await ada.gets(image=MEDIA / "lake.jpg")
    ada.taps("Picture")

    with pytest.raises(AssertionError, match=r"image +expected .*boat\.mp4"):
        await ada.gets(image=MEDIA / "boat.mp4")


async def test_a_pattern_fits_the_whole_text(channel):
    ada = channel.user().sends("one two")

    await ada.gets(text="~/You said: .*/")
    ada.sends("one two")
    await ada.gets(re.compile("You said: (one|two)+.*"))
    ada.sends("one two")
    with pytest.raises(AssertionError, match=r"expected ~/You/\n +got +\"You said: one two\""):
        await ada.gets(text="~/You/")


async def test_a_difference_says_what_was_expected_what_came_and_the_chat(channel):
    ada = channel.user(name="Ada").sends("hi")

    with pytest.raises(AssertionError) as failed:
        await ada.gets(text="Welcome!", buttons=["Picture", "Guides"])

    assert str(failed.value) == "\n".join(
        (
            "Ada got something else:",
            '  text     expected "Welcome!"',
            '           got      "Welcome"',
            '  buttons  expected ["Picture", "Guides"]',
            '           got      ["Picture", "Guide"]',
            "The chat:",
            "  Ada: hi",
            "  bot: Welcome  [buttons: Picture | Guide]",
        )
    )


async def test_another_kind_of_message_is_a_difference_even_with_the_same_text(channel):
    ada = channel.user().sends("hi")

    with pytest.raises(AssertionError, match=r"kind +expected \"text\"\n +got +\"buttons\""):
        await ada.gets(text="Welcome")


async def test_nothing_and_too_much_are_said(channel):
    ada = channel.user(name="Ada")

    with pytest.raises(AssertionError, match=r"Ada got nothing within 0.2 s, expected text=\"x\""):
        await ada.gets("x", within=0.2)
    ada.sends("hi")
    with pytest.raises(AssertionError, match="Ada got a message, expected none:\n  Welcome"):
        await ada.gets_nothing()


async def test_people_have_chats_of_their_own(channel):
    ada, bob = channel.user(), channel.user()
    ada.sends("from Ada")
    bob.sends("from Bob")

    await bob.gets("You said: from Bob")
    await ada.gets("You said: from Ada")
    await bob.gets_nothing()


async def test_what_cannot_be_tapped_says_what_can(channel):
    from rasa_whatsapp_channel.transcript.steps import TranscriptError

    ada = channel.user().sends("hi")
    await ada.gets(buttons=True)

    with pytest.raises(TranscriptError, match='no "Room" to tap; there is "Picture", "Guide"'):
        ada.taps("Room")


async def test_a_row_of_a_list_is_tapped(channel):
    ada = channel.user().sends("rooms")

    await ada.gets(rows=[f"Room {n}" for n in range(5)])
    await ada.taps("Room 3").gets("You said: /3")


@pytest.mark.parametrize(
    ("does", "heard"),
    [
        (lambda user: user.sends_image(MEDIA / "lake.jpg"), "~/You said: /?whatsapp_image.*/"),
        (lambda user: user.sends_image(MEDIA / "lake.jpg", "Look"), "You said: Look"),
        (lambda user: user.sends_video(MEDIA / "boat.mp4"), "~/.*whatsapp_video.*/"),
        (lambda user: user.sends_audio(MEDIA / "chime.ogg"), "~/.*whatsapp_audio.*/"),
        (lambda user: user.sends_voice(MEDIA / "chime.ogg"), "~/.*whatsapp_voice.*/"),
        (lambda user: user.sends_document(MEDIA / "guide.pdf"), "~/.*whatsapp_document.*/"),
        (lambda user: user.sends_sticker(MEDIA / "sun.webp"), "~/.*whatsapp_sticker.*/"),
        (lambda user: user.sends_location(48.85, 2.35, name="Paris"), "~/.*_location.*Paris.*/"),
        (lambda user: user.sends_contacts("Bob Jones"), "~/.*whatsapp_contacts.*Bob.*/"),
        (
            lambda user: user.sends_message(
                {
                    "type": "order",
                    "order": {
                        "catalog_id": "7",
                        "product_items": [
                            {
                                "product_retailer_id": "p1",
                                "quantity": 1,
                                "item_price": 2,
                                "currency": "EUR",
                            }
                        ],
                    },
                }
            ),
            "~/.*whatsapp_order.*p1.*/",
        ),
    ],
    ids=[
        "image",
        "caption",
        "video",
        "audio",
        "voice",
        "document",
        "sticker",
        "location",
        "contacts",
        "order",
    ],
)
async def test_everything_people_send_is_sent(channel, does, heard):
    await does(channel.user()).gets(heard)


@pytest.mark.parametrize("whatsapp_settings", [{"inbound": {"reaction": "turn"}}], indirect=True)
async def test_a_reaction_goes_to_the_last_message(channel):
    ada = channel.user().sends("x")
    await ada.gets("You said: x")

    await ada.reacts("👍").gets("~/.*whatsapp_reaction.*/")
    answered = next(message for message in ada.messages if message["direction"] == "outbound")
    assert list(answered["reactions"].values()) == ["👍"]


async def test_reading_turns_the_ticks_blue(channel):
    ada = channel.user().sends("x")
    await ada.gets("You said: x")

    ada.reads()
    assert ada.messages[-1]["status"] == "read"


def test_without_async_there_are_the_same_words(channel):
    ada = channel.user().sends("x")

    ada.must_get("You said: x")
    ada.must_get_nothing()


async def test_a_word_that_is_none_is_a_mistake_of_the_test(channel):
    ada = channel.user()

    with pytest.raises(TypeError, match="knows no picture"):
        await ada.gets(picture="x")
    with pytest.raises(TypeError, match="wants to know what"):
        await ada.gets()


@pytest.fixture
def whatsapp_settings(request):
    return {"media": {"folders": ["examples/quickstart/media"]}, **getattr(request, "param", {})}


@pytest.mark.parametrize("whatsapp_settings", [{"captions": "separate"}], indirect=True)
async def test_the_channel_takes_its_settings_from_a_fixture(channel):
    ada = channel.user().sends("hi")
    await ada.gets(buttons=True)
    ada.taps("Picture")

    await ada.gets("The lake")
    await ada.gets(image="lake.jpg")


async def test_the_clock_moves_and_is_put_back(channel):
    ada = channel.user().sends("one")
    await ada.gets("You said: one")
    before = channel.clock.now

    channel.clock.advance(hours=25)
    assert channel.clock.now >= before + 25 * 3600

    ada.sends("two")
    await ada.gets("You said: two")
    first, second = (m["timestamp"] for m in ada.messages if m["direction"] == "inbound")
    assert second - first >= 25 * 3600
    channel.clock.restore()
    assert channel.clock.now < before + 3600


async def test_a_refusal_is_got_over_and_nothing_is_lost(channel):
    ada = channel.user()
    channel.fails(code=131000, match={"type": "text"})

    ada.sends("one")
    await ada.gets("You said: one", within=30)
    await ada.gets_nothing()
    refused = [request for request in channel.requests if request["status"] != 200]
    assert len(refused) == 1


async def test_faults_go_on_until_they_are_healed(channel):
    ada = channel.user()
    channel.fails(status=503, times=None)

    ada.sends("one")
    with pytest.raises(AssertionError, match="got nothing"):
        await ada.gets(text=True, within=0.5)
    channel.clear_faults()
    await ada.gets("You said: one", within=60)


async def test_one_thing_goes_wrong_at_a_time(channel):
    with pytest.raises(TypeError, match="wants one thing to go wrong"):
        channel.fails(code=1, status=500)
    with pytest.raises(TypeError, match="wants one thing to go wrong"):
        channel.fails()


async def test_what_the_channel_gives_up_is_told_with_its_response_and_reason(channel):
    async def bot(turn, say):
        await say({"utter_action": "utter_bill", "image": "media/none.jpg"})

    channel.bot(bot)
    ada = channel.user().sends("hi")
    await ada.gets_nothing()

    (dead_letter,) = channel.refusals
    assert (dead_letter["by"], dead_letter["person"]) == ("channel", ada.phone)
    assert dead_letter["response"] == "utter_bill"
    assert "media/none.jpg" in dead_letter["rule"]
    assert dead_letter["request"]["body"] == {"type": "image", "image": {"path": "media/none.jpg"}}


async def test_what_is_billed_is_counted_by_response(channel):
    async def bot(turn, say):
        await say({"utter_action": "utter_menu", "text": "Menu"})
        await say({"utter_action": "utter_hint", "text": "Hint"})

    channel.bot(bot)
    ada = channel.user().sends("hi")
    assert ada.billed == {"utter_menu": 1, "utter_hint": 1}

    referral = {"source_url": "https://fb.me/1", "source_type": "ad", "source_id": "1"}
    ada.sends_message({"type": "text", "text": {"body": "from an ad"}, "referral": referral})

    assert ada.billed == {"utter_menu": 1, "utter_hint": 1}  # its 72 hours are free


BUDGETS = """
import pytest


@pytest.fixture
def channel(whatsapp_channel):
    @whatsapp_channel.bot
    async def bot(turn, say):
        for name in ("utter_menu", "utter_hint"):
            await say({"utter_action": name, "text": name})

    return whatsapp_channel


def test_more_than_the_option_allows(channel):
    channel.user(name="Ada").sends("hi").must_get("utter_menu")


@pytest.mark.whatsapp_budget(2)
def test_as_much_as_the_marker_allows(channel):
    channel.user(name="Ada").sends("hi").must_get("utter_menu")


@pytest.mark.whatsapp_budget(turn=1)
def test_more_than_the_marker_allows_in_a_turn(channel):
    channel.user(name="Ada").sends("hi").must_get("utter_menu")


def test_that_fails_by_itself(channel):
    channel.user(name="Bob").sends("hi").must_get("nothing")


def test_without_a_conversation():
    pass
"""


def test_a_test_fails_whose_conversation_is_more_than_its_budget(tmp_path):
    (tmp_path / "test_budgets.py").write_text(BUDGETS)
    command = [*(sys.executable, "-m", "pytest", "-q"), *("--whatsapp-budget", "1"), str(tmp_path)]

    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    told = re.findall("^Ada: .*", done.stdout, re.MULTILINE)
    billed = "is 2 billed messages, more than 1: utter_menu 1, utter_hint 1"
    assert told == [f"Ada: the conversation {billed}", f"Ada: the turn 'hi' {billed}"], done.stdout
    assert "3 failed, 2 passed" in done.stdout


def test_the_channel_of_the_fixture_keeps_its_messages_in_a_file(channel, tmp_path):
    channel.user().sends("hi").must_get(text="Welcome", buttons=True)

    assert (tmp_path / "whatsapp.db").read_bytes().startswith(b"SQLite format 3")


class TestInRoughWeather:
    @pytest.fixture
    def whatsapp_weather(self):
        return "rough"

    @pytest.fixture
    def whatsapp_seed(self):
        return 3

    async def test_every_answer_comes_and_what_was_rough_is_told(self, channel):
        ada = channel.user("+49 151 98765432", name="Ada")
        for n in range(12):
            ada.sends(f"message {n}")
            await ada.gets(f"You said: message {n}")

        assert channel.weather_faults
        assert all(fault["words"] for fault in channel.weather_faults)
        channel.turns("calm")
        assert channel.weather_faults == []
