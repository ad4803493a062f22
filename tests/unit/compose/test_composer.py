"""A response that was said before becomes the same messages, taken from memory."""

from datetime import datetime, timezone

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.compose.composer import LONGEST, REMEMBERED, Composer
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

PHONE = "4915112345678"
GROUP = "Y2FwaV9ncm91cDox"
MENU = {
    "text": "What would you like to **see**?",
    "buttons": [{"title": title, "payload": f"/{title}"} for title in ("lake", "house")],
    "utter_action": "utter_menu",
}
LONG_TITLE = {"text": "Go?", "buttons": [{"title": "Yes, and right now, do", "payload": "/go"}]}


def test_what_was_said_before_is_not_composed_again():
    composer = Composer(CLOUD)
    first = composer.compose(MENU)
    assert composer.compose({**MENU}) is first
    assert first == compose(MENU, api=CLOUD)


def test_the_times_the_session_and_the_model_that_rasa_adds_make_no_difference():
    composer = Composer(CLOUD)
    monday, tuesday = (
        {
            "timestamp": day,
            "execution_times": {"prediction_loop": day},
            "session_id": f"session {day}",
            "model_id": f"model {day}",
            "model_name": f"{day}.tar.gz",
        }
        for day in (1.5, 2.5)
    )
    first = composer.compose({**MENU, **monday})
    assert composer.compose({**MENU, **tuesday}) is first


def test_what_was_changed_to_fit_is_said_each_time():
    composer = Composer(CLOUD)
    for _ in range(2):
        assert [change.code for change in composer.compose(LONG_TITLE).changes] == ["WA301"]


def test_the_name_of_a_response_is_that_of_its_changes():
    composer = Composer(CLOUD)
    names = ("utter_a", "utter_b")
    said = [composer.compose({**LONG_TITLE, "utter_action": name}) for name in names]
    assert [each.changes[0].response for each in said] == list(names)


def test_an_action_may_go_on_with_the_list_that_it_passed():
    composer, buttons = Composer(CLOUD), [{"title": "Yes", "payload": "/yes"}]
    first = composer.compose({"text": "Sure?", "buttons": buttons})
    before = [outgoing.body() for outgoing in first.messages]
    buttons.append({"title": "No", "payload": "/no"})
    second = composer.compose({"text": "Sure?", "buttons": buttons})
    assert [outgoing.body() for outgoing in first.messages] == before
    assert len(second.messages[0].message.buttons) == 2


def test_a_response_quotes_the_message_that_it_answers():
    composer = Composer(CLOUD)
    response = {"text": "Yes", "metadata": {"whatsapp": {"reply_to": True}}}
    ids = ["wamid.1", "wamid.2"]
    said = [composer.compose(response, reply_to=message_id) for message_id in ids]
    assert [each.messages[0].reply_to for each in said] == ids


def test_a_body_for_somebody_else_is_refused_for_everybody_else():
    composer = Composer(CLOUD)
    body = {"type": "text", "text": {"body": "Hello"}, "to": PHONE}
    assert composer.compose({"custom": body}, recipient_id=PHONE).messages
    assert not composer.compose({"custom": body}, recipient_id="4930999999").messages


def test_a_group_has_what_groups_can_have():
    composer = Composer(CLOUD)
    for recipient in (PHONE, GROUP, PHONE):
        expected = compose(MENU, api=CLOUD, recipient_id=recipient)
        assert composer.compose(MENU, recipient_id=recipient) == expected


def test_an_action_may_pass_anything():
    composer = Composer(CLOUD)
    endless = {"text": "Hello"}
    endless["elements"] = endless
    for response in (
        {"text": datetime(2026, 11, 30, tzinfo=timezone.utc)},
        {"text": {"a", "b"}},
        {("a",): 1, "text": "Hello"},
        endless,
        "Hello",
        None,
    ):
        assert composer.compose(response) == compose(response, api=CLOUD)


def test_memory_has_an_end():
    composer = Composer(CLOUD)
    for number in range(2 * REMEMBERED + 1):
        composer.compose({"text": f"Order {number}"})
    assert len(composer._said) <= REMEMBERED
    long = {"text": "a" * LONGEST}
    assert composer.compose(long) is not composer.compose(long)
