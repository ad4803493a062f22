from __future__ import annotations

import asyncio
import unicodedata

import pytest
from support.uploads import (
    ANIMATED,
    JPEG,
    MP4,
    OPUS,
    PAGE,
    PDF,
    PNG,
    STICKER,
    VORBIS,
    Uploader,
    Web,
    put,
)

from rasa_whatsapp_channel.media.access import FileAccess
from rasa_whatsapp_channel.media.links import Links
from rasa_whatsapp_channel.media.uploads import MediaUploads
from rasa_whatsapp_channel.store import open_store
from rasa_whatsapp_channel.unix_time import DAY
from rasa_whatsapp_channel.whatsapp.apis import CLOUD, ON_PREMISES, TURN
from rasa_whatsapp_channel.whatsapp.errors import MediaError, TransportError
from rasa_whatsapp_channel.whatsapp.messages import (
    Audio,
    Button,
    Card,
    CardButton,
    Component,
    Document,
    Header,
    Image,
    Media,
    MediaCarousel,
    Parameter,
    ReplyButtons,
    Sticker,
    Template,
    Text,
    Video,
)


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def values(clock):
    store = open_store("memory:", clock=clock)
    await store.open()
    yield store.values
    await store.close()


@pytest.fixture
def bot(tmp_path):
    (tmp_path / "bot" / "media").mkdir(parents=True)
    return tmp_path / "bot"


@pytest.fixture
def make(values, bot):
    def make(client, account="1065", access=None):
        links = Links(Web(), private=True)
        return MediaUploads(client, values, root=bot, account=account, links=links, access=access)

    return make


async def test_a_path_becomes_the_id_of_the_uploaded_file(bot, make):
    client = Uploader()
    message = Image(put(bot, "lake.jpg", JPEG), caption="The lake")

    prepared = await make(client).prepare(message)

    assert prepared == Image(Media(id="id1"), caption="The lake")
    (file,) = client.files
    assert (file.content.read_bytes(), file.mime_type, file.filename) == (
        JPEG,
        "image/jpeg",
        "lake.jpg",
    )


@pytest.mark.parametrize(("written", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
async def test_a_file_is_found_however_its_umlauts_are_written(bot, make, written, stored):
    """Archives made on a Mac have two characters for "ü", what is typed has one."""
    name = "Übersicht/Größe.pdf"
    path = bot / "media" / unicodedata.normalize(stored, name)
    path.parent.mkdir()
    path.write_bytes(PDF)
    client = Uploader()

    await make(client).prepare(
        Document(Media(path="media/" + unicodedata.normalize(written, name)))
    )

    (file,) = client.files
    assert file.filename == path.name


@pytest.mark.parametrize(
    ("message", "name", "content", "uploaded"),
    [
        (Audio, "song.opus", OPUS, ("song.ogg", "audio/ogg; codecs=opus")),
        (Audio, "memo.mp4", MP4, ("memo.m4a", "audio/mp4")),
        (Video, "clip.m4v", MP4, ("clip.mp4", "video/mp4")),
        (Image, "photo.png", JPEG, ("photo.jpg", "image/jpeg")),
        (Image, "photo", JPEG, ("photo.jpg", "image/jpeg")),
        (Sticker, "sun.img", STICKER, ("sun.webp", "image/webp")),
        (Document, "guide.PDF", PDF, ("guide.PDF", "application/pdf")),
    ],
)
async def test_the_extension_of_an_upload_is_that_of_its_type(
    bot, make, message, name, content, uploaded
):
    """WhatsApp goes by the extension: Opus with another name is no sound for it."""
    client = Uploader()

    await make(client).prepare(message(put(bot, name, content)))

    (file,) = client.files
    assert (file.filename, file.mime_type) == uploaded


async def test_what_has_no_path_stays_as_it_is(make):
    client = Uploader()
    uploads = make(client)

    for message in (Text("Hi"), Image(Media(id="1")), Image(Media(link="https://a.example/i.png"))):
        assert await uploads.prepare(message) is message
    assert client.files == []


async def test_files_in_headers_cards_and_templates_are_uploaded_too(bot, make):
    image, video = put(bot, "i.png", PNG), put(bot, "v.mp4", MP4)
    uploads = make(Uploader())

    buttons = await uploads.prepare(
        ReplyButtons("So?", Header("image", media=image), buttons=(Button("/a", "a"),))
    )
    card = Card(video, "video", buttons=(CardButton("/a", "a"),))
    cards = await uploads.prepare(MediaCarousel("So?", cards=(card, card)))
    template = await uploads.prepare(
        Template("t", "en", (Component("header", (Parameter("image", image),)),))
    )

    assert buttons.header == Header("image", media=Media(id="id1"))
    assert [card.media for card in cards.cards] == [Media(id="id2")] * 2
    assert template.components[0].parameters[0].value == Media(id="id1")


async def test_the_same_content_is_uploaded_once_whatever_the_name(bot, make):
    client = Uploader()
    uploads = make(client)

    first = await uploads.prepare(Image(put(bot, "a.png", PNG)))
    second = await uploads.prepare(Image(put(bot, "b.png", PNG)))

    assert first == second == Image(Media(id="id1"))
    assert len(client.files) == 1


async def test_a_hundred_at_once_cause_one_upload(bot, make):
    client = Uploader()
    client.gate.clear()
    uploads = make(client)
    message = Image(put(bot, "a.png", PNG))

    waiting = [asyncio.create_task(uploads.prepare(message)) for _ in range(100)]
    await client.started.wait()
    client.gate.set()

    assert set(await asyncio.gather(*waiting)) == {Image(Media(id="id1"))}
    assert len(client.files) == 1


async def test_who_stops_waiting_does_not_end_the_upload_of_the_others(bot, make):
    client = Uploader()
    client.gate.clear()
    uploads = make(client)
    message = Image(put(bot, "a.png", PNG))
    first, second = (asyncio.create_task(uploads.prepare(message)) for _ in range(2))
    await client.started.wait()

    first.cancel()
    client.gate.set()

    assert await second == Image(Media(id="id1"))
    assert len(client.files) == 1


async def test_a_changed_file_is_uploaded_again(bot, make):
    uploads = make(Uploader())
    await uploads.prepare(Image(put(bot, "a.png", PNG)))

    again = await uploads.prepare(Image(put(bot, "a.png", PNG + b"more")))

    assert again == Image(Media(id="id2"))


async def test_the_id_of_a_file_that_changes_while_it_goes_up_is_not_kept(bot, make):
    """It would stand for the old content, for a month."""
    client = Uploader()
    client.gate.clear()
    uploads = make(client)
    message = Image(put(bot, "a.png", PNG))
    first = asyncio.create_task(uploads.prepare(message))
    await client.started.wait()
    put(bot, "a.png", PNG + b"of somebody else")
    client.gate.set()

    with pytest.raises(MediaError, match=r"a\.png: was changed while it was uploaded") as caught:
        await first
    put(bot, "a.png", PNG)

    assert caught.value.passing
    assert await uploads.prepare(message) == Image(Media(id="id2"))


async def test_a_file_that_is_deleted_once_it_is_up_is_sent(bot, make):
    client = Uploader()
    client.gate.clear()
    sending = asyncio.create_task(make(client).prepare(Image(put(bot, "a.png", PNG))))
    await client.started.wait()
    (bot / "media" / "a.png").unlink()
    client.gate.set()

    assert await sending == Image(Media(id="id1"))


@pytest.mark.parametrize(("api", "days"), [(CLOUD, 30), (ON_PREMISES, 14), (TURN, 7)])
async def test_an_id_is_used_until_shortly_before_it_ends(bot, make, clock, api, days):
    uploads = make(Uploader(api))
    message = Image(put(bot, "a.png", PNG))
    await uploads.prepare(message)

    clock.now += days * DAY - 7200
    assert await uploads.prepare(message) == Image(Media(id="id1"))
    clock.now += 7100
    assert await uploads.prepare(message) == Image(Media(id="id2"))


async def test_each_account_has_ids_of_its_own(bot, make):
    message = Image(put(bot, "a.png", PNG))
    one, other = Uploader(), Uploader()

    await make(one, "1").prepare(message)
    await make(other, "2").prepare(message)

    assert (len(one.files), len(other.files)) == (1, 1)


async def test_a_forgotten_id_is_uploaded_again(bot, make):
    uploads = make(Uploader())
    message = Image(put(bot, "a.png", PNG))
    await uploads.prepare(message)

    await uploads.forget("id1")
    await uploads.forget("never seen")

    assert await uploads.prepare(message) == Image(Media(id="id2"))


async def test_a_failed_upload_is_told_to_all_and_tried_anew_next_time(bot, make):
    client = Uploader()
    client.error = TransportError("no answer")
    uploads = make(client)
    message = Image(put(bot, "a.png", PNG))

    failed = await asyncio.gather(
        *(uploads.prepare(message) for _ in range(3)), return_exceptions=True
    )
    client.error = None

    assert all(isinstance(error, TransportError) for error in failed)
    assert isinstance(await uploads.prepare(message), Image)


async def test_closing_ends_what_nobody_waits_for(bot, make):
    client = Uploader()
    client.gate.clear()
    uploads = make(client)
    waiting = asyncio.create_task(uploads.prepare(Image(put(bot, "a.png", PNG))))
    await client.started.wait()

    await uploads.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize(
    ("kind", "name", "content", "mime_type"),
    [
        (Image, "a.jpg", PNG, "image/png"),
        (Image, "without ending", JPEG, "image/jpeg"),
        (Audio, "a.ogg", OPUS, "audio/ogg; codecs=opus"),
        (Audio, "a.m4a", MP4, "audio/mp4"),
        (Audio, "a.mp3", b"no known start", "audio/mpeg"),
        (Video, "a.mp4", MP4, "video/mp4"),
        (Video, "a.3gp", b"\0\0\0\x18ftyp3gp4" + b"\0" * 64, "video/3gpp"),
        (Sticker, "a.webp", STICKER, "image/webp"),
        (Document, "a.pdf", PDF, "application/pdf"),
        (Document, "a.docx", b"PK\x03\x04" + b"\0" * 64, "application/vnd.openxmlformats-"),
        (Document, "a.csv", b"a;b", "text/plain"),
        (Document, "a.strange", b"a;b", "application/octet-stream"),
        (Document, "a.html", PAGE, "text/plain"),
        (Document, "a.xls", PAGE, "text/plain"),
    ],
)
async def test_the_content_tells_the_type_else_the_ending(
    bot, make, kind, name, content, mime_type
):
    client = Uploader()

    await make(client).prepare(kind(put(bot, name, content)))

    assert client.files[0].mime_type.startswith(mime_type)


@pytest.mark.parametrize(
    ("kind", "name", "content", "problem"),
    [
        (Image, "a.png", b"", "is empty"),
        (Image, "a.png", b"\0" * (5 * 1024 * 1024 + 1), "takes at most 5242880 as image"),
        (Image, "a.gif", b"GIF89a" + b"\0" * 64, "image/gif; WhatsApp takes image/jpeg, image/png"),
        (Document, "a.pdf", PAGE, "is a web page inside, and not application/pdf"),
        (Document, "a.PDF", b"\xef\xbb\xbf\n<HTML lang='en'>", "is a web page inside"),
        (Image, "a.jpg", PAGE, "is text/html; WhatsApp takes image/jpeg, image/png"),
        (Video, "a.mov", b"\0\0\0\x14ftypqt  " + b"\0" * 64, "is video/quicktime"),
        (Audio, "a.ogg", VORBIS, "not Opus"),
        (Audio, "a.wav", b"RIFF\0\0\0\0WAVE" + b"\0" * 64, "is audio/wav"),
        (Sticker, "a.webp", STICKER + b"\0" * 100 * 1024, "at most 102400 as static sticker"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
async def test_what_whatsapp_would_refuse_is_not_uploaded(bot, make, kind, name, content, problem):
    client = Uploader()

    with pytest.raises(MediaError, match=problem) as raised:
        await make(client).prepare(kind(put(bot, name, content)))

    assert str(raised.value).startswith(f"media/{name}: ")
    assert client.files == []


@pytest.mark.parametrize(("filename", "shown"), [(None, "a.pdf"), ("Contract.pdf", "Contract.pdf")])
async def test_a_document_above_buttons_has_a_name_too(bot, make, filename, shown):
    header = Header("document", media=put(bot, "a.pdf", b"%PDF-1.7"), filename=filename)
    message = ReplyButtons("Sign?", header, buttons=(Button("/y", "Yes"),))

    sent = await make(Uploader()).prepare(message)

    assert sent.body()["interactive"]["header"]["document"] == {"id": "id1", "filename": shown}


async def test_an_animated_sticker_goes_where_the_api_takes_it(bot, make):
    sticker = Sticker(put(bot, "a.webp", ANIMATED + b"\0" * 200 * 1024))

    assert await make(Uploader(CLOUD)).prepare(sticker) == Sticker(Media(id="id1"))
    with pytest.raises(MediaError, match="api on_premises takes no animated stickers"):
        await make(Uploader(ON_PREMISES)).prepare(sticker)


OUTSIDE = "lies outside of the folders that files are sent from: media;"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("../secret.png", OUTSIDE),
        ("media/../../secret.png", OUTSIDE),
        ("media/../own.png", OUTSIDE),
        ("own.png", OUTSIDE),
        ("mediator/own.png", OUTSIDE),
        ("/etc/passwd", OUTSIDE),
        ("~/.ssh/id_rsa", OUTSIDE),
        ("media/leads_out.png", OUTSIDE),
        ("media/folder_out/secret.png", OUTSIDE),
        ("media", "is no file"),
        ("media/none.png", "does not exist"),
        ("media/circle", "circle: "),
        ("media/a\0b", "cannot be read"),
        ("media/" + "a" * 5000, "cannot be read"),
    ],
)
async def test_only_files_in_the_named_folders_go(bot, make, path, problem):
    (bot.parent / "secret.png").write_bytes(PNG)
    (bot / "own.png").write_bytes(PNG)
    (bot / "mediator").mkdir()
    (bot / "mediator" / "own.png").write_bytes(PNG)
    (bot / "media" / "leads_out.png").symlink_to(bot.parent / "secret.png")
    (bot / "media" / "folder_out").symlink_to(bot.parent)
    (bot / "media" / "circle").symlink_to("circle")
    client = Uploader()

    with pytest.raises(MediaError, match=problem) as raised:
        await make(client).prepare(Image(Media(path=path)))

    assert str(raised.value).startswith(path)
    assert client.files == []


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("credentials.yml", "YAML is never sent"),
        ("CREDENTIALS.YML", "YAML is never sent"),
        ("endpoints.yml", "YAML is never sent"),
        ("domain/more.yaml", "YAML is never sent"),
        ("media/leads_to_yaml.txt", "YAML is never sent"),
        (".env", "a hidden file is never sent"),
        ("media/.env", "a hidden file is never sent"),
        (".git/config", "a hidden file is never sent"),
        ("media/../.rasa/cache/x", "a hidden file is never sent"),
        ("whatsapp.db", "a database is never sent"),
        ("whatsapp.db-wal", "a database is never sent"),
        ("media/tracker.pdf", "a database is never sent"),
        ("models/20261129.tar.gz", "a model is never sent"),
        ("models/unpacked/metadata.json", "a model is never sent"),
        ("media/leads_to_model.pdf", "a model is never sent"),
    ],
)
@pytest.mark.parametrize("folders", [("media",), ("media", "."), ("models", "..", ".")])
async def test_the_insides_of_a_bot_never_go_whatever_the_folders_say(
    bot, make, path, problem, folders
):
    for name in (
        *("credentials.yml", "CREDENTIALS.YML", "endpoints.yml", "domain/more.yaml", ".env"),
        *("media/.env", ".git/config", ".rasa/cache/x", "whatsapp.db", "whatsapp.db-wal"),
        *("models/20261129.tar.gz", "models/unpacked/metadata.json"),
    ):
        (bot / name).parent.mkdir(parents=True, exist_ok=True)
        (bot / name).write_bytes(b"secret")
    (bot / "media" / "tracker.pdf").write_bytes(b"SQLite format 3\0" + b"\0" * 64)
    (bot / "media" / "leads_to_yaml.txt").symlink_to(bot / "credentials.yml")
    (bot / "media" / "leads_to_model.pdf").symlink_to(bot / "models" / "20261129.tar.gz")
    client = Uploader()

    with pytest.raises(MediaError, match=f"{problem}|{OUTSIDE}"):
        await make(client, access=FileAccess(folders)).prepare(Document(Media(path=path)))

    assert client.files == []


@pytest.mark.parametrize("path", ["invoices/42.pdf", "media/models/car.pdf", "../menus/today.pdf"])
async def test_folders_that_the_settings_name_are_sent_from(bot, make, path):
    (bot / path).parent.mkdir(parents=True, exist_ok=True)
    (bot / path).write_bytes(PDF)
    client = Uploader()
    access = FileAccess(("media", "invoices", "../menus"))

    await make(client, access=access).prepare(Document(Media(path=path)))

    assert [file.content.read_bytes() for file in client.files] == [PDF]


@pytest.mark.parametrize("store", ["kept", "../elsewhere/kept"])
async def test_what_a_person_sent_can_be_sent_back(bot, make, store):
    kept = bot / store / "2026-11-29" / "1037_2bb80d537b1d.jpg"
    kept.parent.mkdir(parents=True)
    kept.write_bytes(JPEG)
    uploads = make(Uploader(), access=FileAccess(store=store))

    assert await uploads.prepare(Image(Media(path=str(kept)))) == Image(Media(id="id1"))


@pytest.mark.parametrize("name", ["private.jpg", "orders/private.jpg", "2026-11-29/a/b.jpg"])
async def test_what_lies_beside_it_in_its_folder_does_not_go(bot, make, name):
    (bot / name).parent.mkdir(parents=True, exist_ok=True)
    (bot / name).write_bytes(JPEG)
    client = Uploader()

    with pytest.raises(MediaError, match="lies outside of the folders"):
        await make(client, access=FileAccess(store=".")).prepare(Image(Media(path=name)))

    assert client.files == []


async def test_a_whole_path_into_the_folder_goes_as_actions_hear_it_of_what_came_in(bot, make):
    path = str(bot / put(bot, "a.png", PNG).path)

    assert await make(Uploader()).prepare(Image(Media(path=path))) == Image(Media(id="id1"))


async def test_a_symbolic_link_inside_the_folder_is_followed(bot, make):
    put(bot, "a.png", PNG)
    (bot / "link.png").symlink_to(bot / "media" / "a.png")

    assert await make(Uploader()).prepare(Image(Media(path="link.png"))) == Image(Media(id="id1"))


async def test_the_folder_itself_may_be_a_symbolic_link(bot, make):
    (bot.parent / "shared").mkdir()
    (bot.parent / "shared" / "a.png").write_bytes(PNG)
    (bot / "menus").symlink_to(bot.parent / "shared")
    uploads = make(Uploader(), access=FileAccess(("menus",)))

    assert await uploads.prepare(Image(Media(path="menus/a.png"))) == Image(Media(id="id1"))


async def test_where_the_api_takes_no_links_their_files_are_uploaded(make):
    link = Media(link="https://a.example/i.png")
    header = ReplyButtons("So?", Header("image", media=link), buttons=(Button("/a", "a"),))
    uploader = Uploader(TURN)
    uploads = make(uploader)

    sent = await uploads.prepare(Image(link, caption="Our lake"))

    assert (sent.media.link, sent.caption) == (None, "Our lake")
    assert [file.mime_type for file in uploader.files] == ["image/png"]
    assert await uploads.prepare(header) is header


async def test_a_link_that_cannot_be_fetched_is_said(make):
    with pytest.raises(MediaError, match=r"https://a.example/none.png: answers HTTP 404"):
        await make(Uploader(TURN)).prepare(Image(Media(link="https://a.example/none.png")))
