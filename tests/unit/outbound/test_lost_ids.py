from __future__ import annotations

import pytest

from rasa_whatsapp_channel.whatsapp.errors import APIError, PlatformError, Remedy
from rasa_whatsapp_channel.whatsapp.messages import Image, Media

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64


def refused(code: int) -> APIError:
    return APIError(PlatformError(code, "no"), status=400, remedy=Remedy.GIVE_UP)


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


async def test_it_is_uploaded_again_once_only(office, tmp_path):
    (tmp_path / "a.png").write_bytes(PNG)
    office.client.answers = [refused(100), refused(100), refused(100)]
    await office.put("1", Image(Media(path="a.png")))

    await office.run()

    assert len(office.client.uploaded) == 2
    assert len(office.client.answers) == 1
    assert (await office.store.outbox.depth()).given_up == 1


async def test_an_id_of_the_author_cannot_be_made_anew(office):
    office.client.answers = [refused(100)]
    await office.put("1", Image(Media(id="1037")))

    await office.run()

    assert (await office.store.outbox.depth()).given_up == 1
