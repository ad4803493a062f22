"""What preview and linter foresee of responses and turns is what the simulator bills for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from support.conversations import Turn, corpus, sent, spells_of
from support.real_files import clip, picture, sound
from unit.compose.test_rules import CASES, written_out

from rasa_whatsapp_channel.compose.foresee import OutgoingSettings, foresee, foresee_turn
from rasa_whatsapp_channel.whatsapp.apis import CLOUD

SETTINGS = OutgoingSettings()
TURNS = [turn for conversation in corpus() for turn in conversation.turns]


@pytest.fixture
async def bills(start, host, tmp_path):
    """Return how many messages the simulator bills, for each of several lists of bodies."""
    simulator = await start(window=False, limits=False)
    links = {
        "image": await host(picture("png"), "image/png"),
        "sticker": await host(picture("webp", size=(512, 512)), "image/webp"),
        "audio": await host(sound("ogg", "libopus"), "audio/ogg"),
        "video": await host(clip("mp4", "libx264", folder=tmp_path), "video/mp4"),
        "document": await host(b"%PDF-1.7", "application/pdf"),
    }

    async def bill(person: str, bodies: Sequence[dict[str, Any]]) -> int:
        for body in bodies:
            for kind, media in files(body):
                for name in ("id", "path", "link"):
                    media.pop(name, None)
                media["link"] = links[kind]
            status, answer = await simulator.cloud({**body, "to": person})
            assert status == 200, (body, answer)
        chat = await simulator.shows(len(bodies), person)
        assert [each["errors"] for each in chat if each["status"] == "failed"] == []
        return sum(each["pricing"] is not None for each in chat)

    async def ask(lists: Sequence[Sequence[dict[str, Any]]]) -> list[int]:
        return [await bill(f"49151{n:08}", bodies) for n, bodies in enumerate(lists)]

    return ask


def files(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every file in a body with its kind."""
    for kind, part in value.items() if isinstance(value, dict) else ():
        if kind in ("image", "sticker", "audio", "video", "document") and isinstance(part, dict):
            yield kind, part
        else:
            yield from files(part)
    for part in value if isinstance(value, list) else ():
        yield from files(part)


@pytest.mark.parametrize("together", [False, True])
async def test_the_turns_of_sixty_conversations_cost_what_is_foreseen(bills, together):
    turns = TURNS[:: 1 if together else 3]

    assert await bills([sent(turn, together=together).bodies for turn in turns]) == [
        foreseen(turn, together=together) for turn in turns
    ]


def foreseen(turn: Turn, *, together: bool) -> int:
    spells = [
        foresee_turn([("utter_x", each) for each in spell], api=CLOUD, settings=SETTINGS)
        for spell in spells_of(turn)
    ]
    return sum(spell.combined if together else spell.messages for spell in spells)


async def test_a_response_of_every_kind_costs_what_is_foreseen(bills):
    responses = [
        written_out(case.values[0]["response"])
        for case in CASES
        if case.values[0].get("api", "cloud") == "cloud"
    ]
    bodies = [
        [
            {"messaging_product": "whatsapp", **each.message.body()}
            for each in SETTINGS.compose(response, CLOUD).messages
        ]
        for response in responses
    ]

    assert await bills(bodies) == [
        foresee(response, api=CLOUD, settings=SETTINGS).messages for response in responses
    ]
