"""Which API takes which message: said before anything is sent."""

import pytest

from rasa_whatsapp_channel.whatsapp.apis import CLOUD, DIALOG360, ON_PREMISES, TURN
from rasa_whatsapp_channel.whatsapp.errors import InvalidMessage
from rasa_whatsapp_channel.whatsapp.messages import (
    Button,
    CtaUrl,
    Header,
    Image,
    Media,
    OtherInteractive,
    Reaction,
    ReplyButtons,
    Text,
    check_sendable,
    check_support,
)

LINKED = Image(Media(link="https://shop.example/a.png"))
STORED = Image(Media(link="https://shop.example/a.png", provider="shop"))
URL = CtaUrl("Look", display_text="See", url="https://shop.example")
LINKED_HEADER = ReplyButtons(
    "Take it?",
    Header("image", media=Media(link="https://shop.example/a.png")),
    buttons=(Button("y", "Yes"),),
)


@pytest.mark.parametrize(
    ("message", "apis"),
    [
        (Text("Hello"), (CLOUD, DIALOG360, ON_PREMISES, TURN)),
        (Reaction("wamid.1", "👍"), (CLOUD, DIALOG360)),
        (URL, (CLOUD, DIALOG360, TURN)),
        (LINKED, (CLOUD, DIALOG360, ON_PREMISES)),
        (STORED, (ON_PREMISES,)),
        (LINKED_HEADER, (CLOUD, DIALOG360, ON_PREMISES, TURN)),
        (OtherInteractive(None, value={"type": "poll"}), (CLOUD, DIALOG360, ON_PREMISES, TURN)),
    ],
)
@pytest.mark.parametrize("api", [CLOUD, DIALOG360, ON_PREMISES, TURN], ids=lambda api: api.name)
def test_an_api_takes_what_it_documents(message, apis, api):
    if api in apis:
        check_support(message, api)
        return
    with pytest.raises(InvalidMessage):
        check_support(message, api)


def test_turn_says_what_to_do_instead_of_a_link():
    with pytest.raises(InvalidMessage, match=r"image\.link: api turn takes uploaded ids only"):
        check_support(LINKED, TURN)


def test_a_file_that_is_not_uploaded_yet_is_supported_but_not_sendable():
    message = Image(Media(path="media/a.png"))

    check_support(message, TURN)
    with pytest.raises(InvalidMessage, match=r"image\.path: media/a\.png must be uploaded first"):
        check_sendable(message, TURN)
