"""What an action says, as Rasa itself hands it over: no key of Rasa's is taken for an author's."""

from __future__ import annotations

import inspect

import pytest

from rasa_whatsapp_channel.compose import compose
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

pytest.importorskip("rasa.core.channels.channel", reason="no Rasa in this environment")

# Rasa imports TensorFlow and pydantic, which warn of what is to come.
pytestmark = pytest.mark.filterwarnings("ignore")

RESPONSES = {"utter_ask": [{"text": "{name}, your {document}?", "id": "1", "metadata": {"x": 1}}]}


@pytest.fixture
def composed():
    """Return what becomes of what an action says."""
    from rasa.core.actions.action import RemoteAction
    from rasa.core.nlg.response import TemplatedNaturalLanguageGenerator
    from rasa.shared.core.trackers import DialogueStateTracker
    from rasa_sdk.executor import CollectingDispatcher

    from rasa_whatsapp_channel.channel import WhatsAppOutput

    async def composed(**said):
        dispatcher = CollectingDispatcher()
        dispatcher.utter_message(**said)
        utter = RemoteAction._utter_responses
        known = inspect.signature(utter).parameters
        more = {"action_name": "action_order"} if "kwargs" in known else {}
        nlg = TemplatedNaturalLanguageGenerator(RESPONSES)
        tracker = DialogueStateTracker.from_events("4915112345678", [])
        output = WhatsAppOutput(lambda: None)
        [event] = await utter(dispatcher.messages, output, nlg, tracker, **more)
        return compose(event.message(), api=CLOUD)

    return composed


async def test_a_document_that_an_action_passes_is_sent(composed):
    done = await composed(text="Invoice", document="media/guide.pdf")

    [outgoing] = done.messages
    assert outgoing.body()["document"] == {
        "path": "media/guide.pdf",
        "caption": "Invoice",
        "filename": "guide.pdf",
    }
    assert done.changes == ()


async def test_a_key_that_means_nothing_is_told(composed):
    done = await composed(text="Invoice", img="media/lake.jpg")

    [change] = done.changes
    assert change.code == "WA113"
    assert "did you mean image?" in change.text


@pytest.mark.parametrize(
    "said",
    [
        {"text": "Hello"},
        {"text": "Hello", "buttons": [{"title": "a", "payload": "/a"}]},
        {"image": "https://a.example/a.png"},
        {"json_message": {"type": "text", "text": {"body": "Hello"}}},
        {"response": "utter_ask", "name": "Ana", "document": "passport"},
    ],
)
async def test_nothing_is_told_of_what_rasa_adds(composed, said):
    done = await composed(**said)

    assert done.changes == ()
    assert len(done.messages) == 1
