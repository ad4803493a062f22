"""The quickstart bot, grown for tests: media by link and by id too, and a slow turn."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml
from support.numbered import text_of
from support.processes import PROJECT, RASA_ENV, RasaProcess, Simulator

QUICKSTART: Final = PROJECT / "examples" / "quickstart"

# kind of attachment, file, what the attachment says beside its source, MIME type
MEDIA: Final[list[tuple[str, str, dict[str, Any], str]]] = [
    ("image", "lake.jpg", {}, "image/jpeg"),
    ("document", "guide.pdf", {"filename": "House guide.pdf"}, "application/pdf"),
    ("audio", "chime.ogg", {"voice": True}, "audio/ogg; codecs=opus"),
    ("video", "boat.mp4", {}, "video/mp4"),
    ("sticker", "sun.webp", {}, "image/webp"),
]
# People 0 to 9 may write up to ten numbered messages, see `numbered`.
NUMBERED: Final = [text_of(user, number) for user in range(10) for number in range(1, 11)]
NUMBERED_ANSWERS: Final = ("utter_numbered_a", "utter_numbered_b")
EXAMPLES: Final = {
    "send_link": "everything by link",
    "send_id_cloud": "everything by cloud number",
    "send_id_on_premises": "everything by premises number",
    "send_twice": "both together please",
    "send_invoice": "how much is my invoice",
    "answer_slowly": "answer me slowly",
    "numbered": "\n- ".join(NUMBERED),
}


async def write_bot(folder: Path, media_url: str, simulators: dict[str, Simulator]) -> None:
    shutil.copytree(
        QUICKSTART,
        folder,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("models", ".rasa", "*.db*"),
    )
    responses: dict[str, Any] = {}
    steps: dict[str, list[str]] = {}
    for source in ("link", *(f"id_{api}" for api in simulators)):
        for kind, file, extra, mime_type in MEDIA:
            where = {"link": f"{media_url}/{file}"}
            if source != "link":
                api = source.removeprefix("id_")
                where = {"id": await upload(simulators[api], api, file, mime_type)}
            name = f"utter_{kind}_by_{source}"
            responses[name] = [{"text": "", "attachment": {"type": kind, **where, **extra}}]
            steps.setdefault(f"send_{source}", []).append(name)
    both = {"type": "image", "id": "1", "link": f"{media_url}/lake.jpg"}
    responses["utter_twice"] = [{"text": "Both at once", "attachment": both}]
    steps["send_twice"] = ["utter_twice"]
    options = [{"title": title, "payload": f"/{title}"} for title in ("Pay now", "Later")]
    invoice = {"text": "Your invoice is 42 EUR", "image": f"{media_url}/gone.jpg"}
    responses["utter_invoice"] = [{**invoice, "buttons": options}]
    steps["send_invoice"] = ["utter_invoice"]
    steps["answer_slowly"] = ["utter_goodbye"]
    for name in NUMBERED_ANSWERS:
        responses[name] = [{"text": f"{{heard}} {name[-1]}"}]
    steps["numbered"] = [*NUMBERED_ANSWERS]
    heard = {
        "type": "text",
        "influence_conversation": False,
        "mappings": [{"type": "from_text", "intent": "numbered"}],
    }

    nlu = [{"intent": intent, "examples": f"- {EXAMPLES[intent]}\n"} for intent in steps]
    rules = [
        {"rule": intent, "steps": [{"intent": intent}, *({"action": name} for name in names)]}
        for intent, names in steps.items()
    ]
    config = yaml.safe_load((folder / "config.yml").read_text())
    config["pipeline"] = [{"name": "slow.Slow"}, *config["pipeline"]]
    write(folder / "config.yml", config)
    shutil.copy(Path(__file__).with_name("slow.py"), folder)
    write(folder / "data" / "more.yml", {"version": "3.1", "nlu": nlu, "rules": rules})
    domain = {
        "version": "3.1",
        "intents": [*steps],
        "slots": {"heard": heard},
        "responses": responses,
    }
    write(folder / "domain" / "more.yml", domain)
    shutil.move(folder / "domain.yml", folder / "domain" / "quickstart.yml")


def train(folder: Path, domain: str = "domain") -> None:
    args = ["train", "--domain", domain]
    training = RasaProcess("rasa-train", args, folder=folder, env=RASA_ENV)
    training.start()
    assert training.wait() == 0, training.tail()


def credentials(api: str, simulator: Simulator, **more: Any) -> str:
    """Return credentials.yml for *api*, with the values a simulator begins with."""
    block: dict[str, Any] = {
        "cloud": {
            "phone_number_id": "106540352242922",
            "access_token": "simulator-token",
            "app_secret": "simulator-secret",
            "verify_token": "simulator",
        },
        "on_premises": {
            "username": "simulator",
            "password": "simulator-password",
            "webhook_token": "simulator",
        },
    }[api]
    common = {"api": api, "base_url": simulator.url, "store": f"sqlite:///whatsapp-{api}.db"}
    media = {"media": {"store": f"received-{api}"}}
    return yaml.safe_dump({"rasa_whatsapp_channel.WhatsAppInput": common | block | media | more})


async def upload(simulator: Simulator, api: str, file: str, mime_type: str) -> str:
    """Upload *file* as the platform's page says, and return its media id."""
    content = (QUICKSTART / "media" / file).read_bytes()
    async with aiohttp.ClientSession(raise_for_status=True) as session:
        if api == "cloud":
            form = aiohttp.FormData()
            form.add_field("messaging_product", "whatsapp")
            form.add_field("type", mime_type)
            form.add_field("file", content, filename=file, content_type=mime_type)
            token = {"Authorization": "Bearer simulator-token"}
            url = f"{simulator.url}/v26.0/106540352242922/media"
            async with session.post(url, data=form, headers=token) as answer:
                return str((await answer.json())["id"])
        login = aiohttp.BasicAuth("simulator", "simulator-password")
        async with session.post(f"{simulator.url}/v1/users/login", auth=login) as answer:
            bearer = (await answer.json())["users"][0]["token"]
        headers = {"Authorization": f"Bearer {bearer}", "Content-Type": mime_type}
        async with session.post(f"{simulator.url}/v1/media", data=content, headers=headers) as sent:
            return str((await sent.json())["media"][0]["id"])


def write(path: Path, content: Any) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
