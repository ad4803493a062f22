"""
The bot of examples/photo-form, as its readme starts it: simulator, action server and Rasa.

It has the action for forms of WhatsApp as well that docs/how-to/incoming-media.md shows.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from support.bot import QUICKSTART, train
from support.documents import blocks_of
from support.ports import free_port
from support.processes import (
    PHONE,
    PROJECT,
    RASA_ENV,
    Person,
    RasaProcess,
    RasaServer,
    Simulator,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXAMPLE = PROJECT / "examples" / "photo-form"
ASKS = "Please send a photo of what is broken, or write _stop_."


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def simulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Simulator]:
    """A simulator, and the bot beside it."""
    folder = tmp_path_factory.mktemp("photo-form") / "bot"
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("models", ".rasa", "*.db*"))
    add_what_the_page_shows(folder)
    port, actions_port = free_port(), free_port()
    simulator = Simulator(folder, api="cloud", bot_port=port)
    args = ["run", "actions", "--port", str(actions_port)]
    actions = RasaProcess("actions", args, folder=folder, env=RASA_ENV)
    async with AsyncExitStack() as stack:
        stack.callback(simulator.process.stop)
        await simulator.start()
        stack.callback(actions.stop)
        actions.start()
        replace(folder / "endpoints.yml", "127.0.0.1:5055", f"127.0.0.1:{actions_port}")
        replace(folder / "credentials.yml", "http://127.0.0.1:8400", simulator.url)
        train(folder, "domain.yml")
        block = (folder / "credentials.yml").read_text()
        rasa = RasaServer(folder, port=port, name="photo-form", credentials=block)
        stack.callback(rasa.process.stop)
        rasa.process.start()
        await actions.ready(f"http://127.0.0.1:{actions_port}/health")
        await rasa.ready()
        yield simulator


@pytest_asyncio.fixture(loop_scope="session")
async def maya(simulator: Simulator) -> AsyncIterator[Person]:
    async with aiohttp.ClientSession() as session:
        maya = Person(session, simulator, PHONE)
        await maya.looks()
        yield maya


async def test_what_runs_here_is_what_the_readme_says(simulator):
    [printed] = blocks_of(EXAMPLE / "README.md", "sh")

    assert printed.commands == [
        "rasa train",
        "rasa-whatsapp simulate",
        "rasa run actions",
        "rasa run",
    ]


def replace(file: Path, before: str, after: str) -> None:
    text = file.read_text()
    assert before in text
    file.write_text(text.replace(before, after))


def add_what_the_page_shows(folder: Path) -> None:
    for block in blocks_of(PROJECT / "docs" / "how-to" / "incoming-media.md", "yaml", "python"):
        if block.title:
            with (folder / block.title).open("a") as file:
                file.write(f"\n\n{block.text}")
    replace(folder / "domain.yml", "actions:\n", "actions:\n- action_read_form\n")


async def asked_for_a_photo(person: Person) -> None:
    await person.says("Something is broken")
    [question] = await person.gets(1, within=60)
    assert question["content"]["body"] == ASKS


async def test_a_photo_comes_back_as_an_answer_to_itself(maya: Person) -> None:
    lake = (QUICKSTART / "media" / "lake.jpg").read_bytes()
    await asked_for_a_photo(maya)

    sent = await maya.sends_file(
        "image", lake, filename="me.jpg", mime_type="image/jpeg", caption="The door, look"
    )

    [answer] = await maya.gets(1, within=60)
    assert answer["type"] == "image"
    assert answer["content"]["caption"].startswith("Thank you, we have your photo (")
    assert answer["context"] == {"message_id": sent["id"]}
    assert await maya.file_of(answer) == lake


async def test_the_form_asks_until_a_file_is_a_picture(maya: Person) -> None:
    await asked_for_a_photo(maya)

    await maya.says("I have no camera")
    [question] = await maya.gets(1, within=60)
    assert question["content"]["body"] == ASKS

    await maya.sends_file("image", b"no picture", filename="me.jpg", mime_type="image/jpeg")
    reason, question = await maya.gets(2, within=60)
    assert reason["content"]["body"] == "We cannot open that as a picture."
    assert question["content"]["body"] == ASKS

    lake = (QUICKSTART / "media" / "lake.jpg").read_bytes()
    await maya.sends_file("image", lake, filename="me.jpg", mime_type="image/jpeg")
    [answer] = await maya.gets(1, within=60)
    assert answer["type"] == "image"


async def test_somebody_without_a_photo_can_leave_the_form(maya: Person) -> None:
    await asked_for_a_photo(maya)

    await maya.says("stop")

    [answer] = await maya.gets(1, within=60)
    assert answer["content"]["body"] == "All right, nothing was reported."
    await maya.says("hello?")
    [answer] = await maya.gets(1, within=60)
    assert answer["content"]["body"].startswith("Write _damage_")


async def test_an_action_opens_the_photos_of_a_form_of_whatsapp(maya: Person) -> None:
    media = QUICKSTART / "media"
    chosen = {
        "front": [await choose(maya, media / "lake.jpg", "image/jpeg")],
        "papers": [
            await choose(maya, media / "guide.pdf", "application/pdf"),
            {"id": "1", "file_name": "of-others.jpg", "mime_type": "image/jpeg"},
        ],
    }
    answers = json.dumps({"flow_token": "unused", "note": "The door", **chosen})
    reply = {"name": "flow", "body": "Sent", "response_json": answers}
    await maya.sends(
        {"type": "interactive", "interactive": {"type": "nfm_reply", "nfm_reply": reply}}
    )

    said = await maya.gets(2, within=60)
    assert [message["content"]["body"] for message in said] == [
        f"{field}: {file}, {(media / file).stat().st_size} bytes"
        for field, file in (("front", "lake.jpg"), ("papers", "guide.pdf"))
    ]


async def choose(person: Person, file: Path, mime_type: str) -> Any:
    return await person.chooses(file.read_bytes(), filename=file.name, mime_type=mime_type)
