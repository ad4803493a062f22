"""The table of docs/monitoring.md, beside what really comes out of every part."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.fake_transport import FakeTransport, answer
from support.spans import Spans, told

from rasa_whatsapp_channel.inbound.turn import Turn
from rasa_whatsapp_channel.media.convert.converter import Converter
from rasa_whatsapp_channel.media.convert.plan import Need
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import DONE, DeadLetter, Outcome, QueueItem, Retry
from rasa_whatsapp_channel.tracing import Tracing
from rasa_whatsapp_channel.tracing.seams import OpenTelemetry
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.clients import CloudClient
from rasa_whatsapp_channel.whatsapp.errors import APIError
from rasa_whatsapp_channel.whatsapp.events import Status
from rasa_whatsapp_channel.whatsapp.messages import Text
from rasa_whatsapp_channel.whatsapp.transport import File

MONITORING = (Path(__file__).parents[3] / "docs" / "monitoring.md").read_text(encoding="utf-8")
PHONE = "4915112345678"
PDF = b"%PDF-1.4 a guide"
ADDRESS = {"url": "https://lookaside.fbsbx.com/5", "mime_type": "application/pdf", "id": "5"}
FOUR = {
    *("messaging.system", "messaging.operation.name"),
    *("messaging.operation.type", "messaging.destination.name"),
}


@pytest.fixture
async def spans(tmp_path: Path) -> Spans:
    """Return what every part tells when it is used once, and once more where that tells more."""
    spans = Spans()
    tracing = OpenTelemetry(spans.provider.get_tracer("test"))
    await receive_with(tracing)
    await speak_with(tracing)
    await use_files_with(tracing, tmp_path)
    return spans


async def receive_with(tracing: Tracing) -> None:
    async def receive(_request: Any) -> Any:
        return SimpleNamespace(status=503)

    async def bot(_turn: Turn, *, repeated: bool) -> None: ...

    path = "/webhooks/whatsapp/webhook"
    request = SimpleNamespace(method="POST", path=path, scheme="https", headers={})
    await tracing.receive(receive)(request)
    await tracing.bot(bot)(Turn("hi", PHONE, "wamid.1", {}), repeated=False)


async def speak_with(tracing: Tracing) -> None:
    outcomes: dict[str, list[Outcome]] = {
        "inbox": [Retry(0.0), Retry(0.0, counted=False), DeadLetter(f"{PHONE} fails"), DONE],
        "outbox": [DeadLetter(f"{PHONE} fails")],
    }

    async def note(_status: Status) -> None: ...

    async with tracing.store(open_store("memory:")) as store:
        for _ in range(2):
            await store.inbox.put("wamid.1", PHONE, {"kind": "message", "type": "text"})
        for _ in range(2):  # a turn that is repeated
            writer = tracing.writer(OutboxWriter(store, CLOUD, turn_id="wamid.1"))
            await writer.write(PHONE, {"text": "Hello", "utter_action": "utter_greet"})
        for name, queue in (("inbox", store.inbox), ("outbox", store.outbox)):
            for outcome in outcomes[name]:

                async def handle(_item: QueueItem, outcome: Outcome = outcome) -> Outcome:
                    return outcome

                item = await queue.claim()
                assert item is not None
                await tracing.handle(name, handle, store)(item)
                await queue.retry_later(item)
        await tracing.note_status(note, store)(Status("wamid.out", "read"))


async def use_files_with(tracing: Tracing, folder: Path) -> None:
    sent = {"messages": [{"id": "wamid.out"}]}
    failed = answer({"error": {"code": 131026, "message": f"{PHONE} is gone"}}, status=400)
    answers = [answer(sent), failed, answer({"id": "5"}), answer(ADDRESS), answer(PDF)]
    transport = tracing.transport(FakeTransport(*answers, answer({"success": True})))
    client = tracing.client(
        CloudClient(
            transport,
            base_url="https://graph.facebook.com",
            api_version="v25.0",
            phone_number_id="106540352242922",
            access_token="a-token",
        )
    )
    await client.send(PHONE, Text("Hello"))
    with pytest.raises(APIError):
        await client.send(PHONE, Text("Hello"))
    await client.upload(File(PDF, "application/pdf", "guide.pdf"))
    async with client.download("5") as download:
        assert b"".join([chunk async for chunk in download.chunks]) == PDF
    await client.mark_read("wamid.1")

    path = folder / "guide.pdf"
    path.write_bytes(PDF)
    converter = tracing.converter(Converter(folder / "converted"))
    assert await converter.fit(path, "digest", Need("document"), "application/pdf") == path


def documented() -> dict[str, tuple[str, set[str]]]:
    """Return kind and attributes of each span in the table; those of an error are told apart."""
    rows: dict[str, tuple[str, set[str]]] = {}
    for names, kind, cell in re.findall(r"^\| (`.*?`) \| (\w+) \| (.*?) \|$", MONITORING, re.M):
        if kind not in ("server", "client", "producer", "consumer", "internal"):
            continue
        named = set(re.findall(r"`([a-z_]+\.[a-z_.]+)`", cell))
        if same := re.search(r"as `(.*?)`", cell):
            named |= rows[same[1]][1]
        if "the same four of `messaging`" in cell:
            named |= FOUR
        for name in re.findall(r"`(.*?)`", names):
            rows[name] = (kind, named)
    return rows


def test_the_table_names_every_span_with_its_kind_and_its_attributes_and_no_other(
    spans: Spans,
) -> None:
    real: dict[str, tuple[str, set[str]]] = {}
    for span in spans.all:
        name = re.sub(r"^status \w+$", "status …", span.name)
        _, attributes = real.get(name, ("", set()))
        attributes |= set(told(span)) - {"error.type"}
        real[name] = (span.kind.name.lower(), attributes)

    assert real == documented()


def test_every_outcome_that_the_table_names_is_one(spans: Spans) -> None:
    (cell,) = re.findall(r"^\| `process inbox` .*$", MONITORING, re.M)
    named = set(re.findall(r"`(\w+)`", cell.partition("whatsapp.outcome")[2]))

    assert {told(span).get("whatsapp.outcome") for span in spans.all} - {None} == named


def test_the_tree_in_the_documentation_names_spans_with_their_kinds() -> None:
    (tree,) = re.findall(r"^```text\n(POST .*?)^```$", MONITORING, re.S | re.M)
    rows = documented()
    for line in tree.splitlines():
        name, kind = re.fullmatch(r"[│├└─ ]*(.+?)(?:  +([A-Z]+)?.*)?", line).groups()  # type: ignore[union-attr]
        if name == "Agent.handle_message":
            continue  # Rasa Pro's
        name = re.sub(r"^status \w+$", "status …", name)
        assert rows[name][0] == (kind or "internal").lower(), line


def test_what_the_standard_has_a_word_for_is_called_that() -> None:
    incubating = pytest.importorskip(
        "opentelemetry.semconv._incubating.attributes",
        reason="these conventions are older than their list of names",
    )
    listed = set()
    for folder in (Path(path) for path in incubating.__path__):
        for file in folder.glob("*.py"):
            listed |= set(re.findall(r'Final = "([a-z_.]+)"', file.read_text(encoding="utf-8")))

    named = {name for _, names in documented().values() for name in names}
    ours = {name for name in named if name.startswith(("whatsapp.", "rasa."))}
    assert named - ours
    assert named - ours <= listed


def test_a_span_of_every_part_holds_no_person(spans: Spans) -> None:
    for secret in (PHONE, "wamid", "a-token", "Hello", "lookaside.fbsbx.com/5", "guide.pdf"):
        assert secret not in spans.text()


def test_what_nobody_listens_to_is_the_part_itself() -> None:
    off = Tracing()
    part: Any = object()

    for name, method in inspect.getmembers(off, inspect.ismethod):
        count = len(inspect.signature(method).parameters)
        given = ("inbox", part, part) if name == "handle" else (part,) * count
        assert method(*given) is part, name
