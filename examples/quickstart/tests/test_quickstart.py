"""
The bot, tried by people with phones: run `pytest` in the folder above, after `rasa train`.

The fixture `whatsapp` comes with rasa-whatsapp-channel. It starts a simulator of WhatsApp and this
bot once for all tests.
"""

from __future__ import annotations

from pathlib import Path

MEDIA = Path(__file__).parents[1] / "media"


async def test_a_greeting_is_answered_with_everything_whatsapp_can_show(whatsapp):
    ada = whatsapp.user("+49 151 12345678", name="Ada")

    ada.sends("hi")

    await ada.gets(text="~/Welcome to the .*/")
    await ada.gets(image=MEDIA / "lake.jpg", text="The lake, this evening")
    await ada.gets(document="House guide.pdf")
    await ada.gets(voice="chime.ogg")
    await ada.gets(video="boat.mp4")
    await ada.gets(sticker="sun.webp")
    await ada.gets_nothing()


async def test_a_button_and_a_row_are_tapped(whatsapp):
    ada = whatsapp.user().sends("menu")
    await ada.gets(buttons=["The lake", "The house guide", "The house"])

    await ada.taps("The lake").gets(image="lake.jpg")
    await ada.taps("The house").gets(rows=True)
    await ada.taps("Sauna").gets("~/The sauna is open .*/")


async def test_a_picture_and_a_place_are_understood(whatsapp):
    ada = whatsapp.user()

    await ada.sends_image(MEDIA / "lake.jpg").gets("Thank you for the picture!")
    await ada.sends_location(47.65, 9.17, name="Pier").gets("~/.*where you are./")
