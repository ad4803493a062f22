"""The table of docs/monitoring.md, beside what really comes out of every part."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from support.fake_transport import FakeTransport, answer
from support.spans import Spans, recording, told

from rasa_whatsapp_channel import instrumentation
from rasa_whatsapp_channel.account import AccountState
from rasa_whatsapp_channel.compose.composer import Composer
from rasa_whatsapp_channel.media.convert.converter import Converter
from rasa_whatsapp_channel.media.folder import MediaFolder
from rasa_whatsapp_channel.media.links import Links
from rasa_whatsapp_channel.media.uploads import MediaUploads
from rasa_whatsapp_channel.media.values import InboundMedia
from rasa_whatsapp_channel.outbound.failures import Failures
from rasa_whatsapp_channel.outbound.statuses import Statuses
from rasa_whatsapp_channel.outbound.writer import OutboxWriter
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.store.base import DONE, DeadLetter, Outcome, QueueItem, Retry
from rasa_whatsapp_channel.store.consumer import Consumer
from rasa_whatsapp_channel.whatsapp.apis import CLOUD
from rasa_whatsapp_channel.whatsapp.clients import CloudClient
from rasa_whatsapp_channel.whatsapp.events import Status

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
    """Return the spans of every part, used once, and once more where that tells more."""
    with recording() as spans:
        use_names()
        await use_queues()
        await use_files(tmp_path)
    return spans


def use_names() -> None:
    """Open the spans of the parts that need a whole server."""
    path = "/webhooks/whatsapp/webhook"
    with instrumentation.request_span("POST", path, "https", {}) as span:
        span.end_exchange(503)
    with instrumentation.span("turn"), instrumentation.span("mark_read"):
        pass
    with pytest.raises(ValueError, match=PHONE), instrumentation.send_span("cloud", "text"):
        raise ValueError(f"{PHONE} is gone")


async def use_queues() -> None:
    outcomes: dict[str, list[Outcome]] = {
        "inbox": [Retry(0.0), Retry(0.0, counted=False), DeadLetter(f"{PHONE} fails"), DONE],
        "outbox": [DeadLetter(f"{PHONE} fails")],
    }
    async with open_store("memory:") as store:
        for key in ("wamid.1", "wamid.1", "wamid.2"):
            await store.inbox.put(key, PHONE, {"kind": "message", "type": "text"})
        for _ in range(2):  # a turn that is repeated
            writer = OutboxWriter(store, Composer(CLOUD), turn_id="wamid.1")
            await writer.write(PHONE, {"text": "Hello", "utter_action": "utter_greet"})
        for queue in (store.inbox, store.outbox):
            left = outcomes[queue.name]

            async def handle(_item: QueueItem, left: list[Outcome] = left) -> Outcome:
                return left.pop(0)

            consumer = Consumer(queue, handle, name=queue.name)
            while left:
                await consumer.step()
                await asyncio.sleep(0)
            await consumer.stop(10)
        await Statuses(store, Failures(store.inbox), AccountState(store.values)).note(
            Status("wamid.out", "read")
        )


async def use_files(folder: Path) -> None:
    transport = FakeTransport(answer({"id": "5"}), answer(ADDRESS), answer(PDF))
    client = CloudClient(
        transport,
        base_url="https://graph.facebook.com",
        api_version="v26.0",
        phone_number_id="106540352242922",
        access_token="a-token",
    )
    path = folder / "guide.pdf"
    path.write_bytes(PDF)
    async with open_store("memory:") as store:
        uploads = MediaUploads(
            client,
            store.values,
            root=None,
            account="a",
            links=Links(transport),
            converter=Converter(folder / "converted"),
        )
        await uploads.upload(str(path), "document")
    await MediaFolder(folder, client, max_bytes=100).fetch(InboundMedia("document", "5"))


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


async def test_without_a_provider_items_carry_no_trace() -> None:
    async with open_store("memory:") as store:
        await store.inbox.put("wamid.1", PHONE, {"type": "text"})
        (item,) = await store.inbox.waiting()

    assert item.body == {"type": "text"}
