"""Transcripts as pytest: the code of every step, and a module that Python takes."""

from __future__ import annotations

import ast

from rasa_whatsapp_channel.transcript.pytest_code import dump_test
from rasa_whatsapp_channel.transcript.steps import parse_transcript

TRANSCRIPT = """
name: "The chat of Maya: 1"
chat:
- user: hi
- bot: {text: "What would you like to see?", buttons: [The lake, The house guide, The house]}
- user: {taps: The lake}
- bot: {image: lake.jpg, text: The lake}
- clock: 25h
- user: {image: me.jpg, text: it's me}
- user: {location: {latitude: 54.3, longitude: 10.1, name: Kiel}}
- user: {contacts: [Bob, Eve]}
- user: {reaction: "👍"}
- user: {message: {type: unsupported}}
- silence: 2s
"""

CODE = '''"""Recorded from a chat. Files of the person belong beside this module."""


async def test_the_chat_of_maya_1(whatsapp):
    user = whatsapp.user()

    user.sends('hi')
    await user.gets(
        text='What would you like to see?',
        buttons=['The lake', 'The house guide', 'The house'],
    )

    user.taps('The lake')
    await user.gets(image='lake.jpg', text='The lake')
    whatsapp.clock.advance(seconds=90000)

    user.sends_image('me.jpg', "it's me")

    user.sends_location(54.3, 10.1, name='Kiel')

    user.sends_contacts('Bob', 'Eve')

    user.reacts('👍')

    user.sends_message({'type': 'unsupported'})
    await user.gets_nothing(within=2)
'''


def test_every_step_has_its_line():
    code = dump_test(parse_transcript(TRANSCRIPT, name="chat"))

    assert code == CODE
    ast.parse(code)


def test_a_name_without_letters_is_a_test_all_the_same():
    code = dump_test(parse_transcript('{name: "מאיה", chat: [{user: hi}]}', name="chat"))

    assert "async def test_the_chat(whatsapp):" in code
