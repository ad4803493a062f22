from __future__ import annotations

import pytest

from rasa_whatsapp_channel.whatsapp.error_codes import Verdict
from rasa_whatsapp_channel.whatsapp.errors import APIError, PlatformError
from rasa_whatsapp_channel.whatsapp.events import DeliveryFailed, Status, from_body
from rasa_whatsapp_channel.whatsapp.messages import Image, Media

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


def refused(code: int) -> APIError:
    return APIError(PlatformError(code, "no"), status=400, verdict=Verdict.DO_NOT_RETRY)


@pytest.mark.parametrize("code", [100, 131009, 1006])
async def test_a_file_whose_id_is_not_known_any_more_is_uploaded_again(office, tmp_path, code):
    (tmp_path / "a.png").write_bytes(PNG)
    await office.put("1", Image(Media(path="a.png")))
    await office.run()
    await office.put("2", Image(Media(path="a.png")))
    office.client.answers = [refused(code)]
    office.clock.now += 60
    await office.run()

    assert [body["image"]["id"] for _, body in office.client.sent] == ["media1", "media2"]
    assert len(office.client.uploaded) == 2


async def test_it_is_uploaded_again_twice_only(office, tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    office.client.answers = [refused(100)] * 4
    await office.put("1", Image(Media(path="a.png")))

    await office.run()

    assert len(office.client.uploaded) == 3
    assert len(office.client.answers) == 1
    assert (await office.store.outbox.depth()).dead_letters == 1


async def test_an_id_of_the_author_cannot_be_made_anew(office):
    office.client.answers = [refused(100)]
    await office.put("1", Image(Media(id="1037")))

    await office.run()

    assert (await office.store.outbox.depth()).dead_letters == 1


# refused only after it was accepted


async def fail(office, message_id: str, code: int) -> None:
    errors = (PlatformError(code, "Media upload error"),)
    await office.statuses.note(Status(message_id, "failed", errors=errors))
    await office.run()


def ids(office) -> list[str]:
    return [body["image"]["id"] for _, body in office.client.sent]


@pytest.mark.parametrize("code", [131052, 131053, 131014, 1014, 100, 131009])
async def test_a_file_whose_id_a_status_refuses_is_uploaded_again(office, tmp_path, code):
    (tmp_path / "a.png").write_bytes(PNG)
    await office.put("1", Image(Media(path="a.png"), caption="Look"))
    await office.run()

    await fail(office, "wamid.1", code)

    assert ids(office) == ["media1", "media2"]
    assert office.client.sent[-1][1]["image"]["caption"] == "Look"
    assert len(office.client.uploaded) == 2


async def test_an_id_that_dies_after_whatsapp_failed_with_the_file_is_made_anew_too(
    office, tmp_path
):
    (tmp_path / "a.png").write_bytes(PNG)
    await office.put("1", Image(Media(path="a.png")))
    await office.run()
    office.client.answers = [refused(100)]

    await fail(office, "wamid.1", 131053)

    assert ids(office) == ["media1", "media3"]


async def test_after_a_third_refusal_the_bot_is_told(office, tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    await office.put("1", Image(Media(path="a.png")))
    await office.run()
    await fail(office, "wamid.1", 131053)

    await fail(office, "wamid.2", 131053)
    await fail(office, "wamid.3", 131053)

    assert ids(office) == ["media1", "media2", "media3"]
    item = await office.store.inbox.claim()
    event = from_body(item.body)
    assert isinstance(event, DeliveryFailed)
    assert (event.code, event.response) == (131053, "utter_x")


async def test_two_who_were_refused_the_same_id_share_the_new_one(office, tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    for who in ("491", "492"):
        await office.wrote(hours_ago=1, who=who)
        await office.put(who, Image(Media(path="a.png")), to=who)
    await office.run()

    await fail(office, "wamid.1", 131053)
    await fail(office, "wamid.2", 131053)

    assert ids(office) == ["media1", "media1", "media2", "media2"]
    assert len(office.client.uploaded) == 2


async def test_a_status_about_something_else_uploads_nothing(office, tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    await office.put("1", Image(Media(path="a.png")))
    await office.run()

    await fail(office, "wamid.1", 131026)

    assert ids(office) == ["media1"]


@pytest.mark.parametrize(("code", "tries"), [(100, 1), (131053, 2)])
async def test_an_id_of_the_author_is_tried_again_where_whatsapp_knows_it(office, code, tries):
    await office.put("1", Image(Media(id="1037")))
    await office.run()

    for number in range(tries):
        await fail(office, f"wamid.{number + 1}", code)

    assert ids(office) == ["1037"] * tries
    assert (await office.store.inbox.depth()).waiting == 1
