"""`rasa-whatsapp providers` and `stickerpacks`, against the simulator of an on-premises client."""

from __future__ import annotations

import pytest


@pytest.fixture
async def client(start):
    return await start("on_premises")


async def test_providers_are_set_listed_and_deleted(rasa_whatsapp, client):
    bearer = await rasa_whatsapp(
        "providers", "set", "shop", "--bearer-env", "SHOP", env={"SHOP": "a-secret-token"}
    )
    basic = await rasa_whatsapp("providers", "set", "files", "--username", "u", input="pass\n")
    listed = await rasa_whatsapp("providers", "list")
    deleted = await rasa_whatsapp("providers", "delete", "shop")
    left = await rasa_whatsapp("providers", "list")

    assert bearer.output == "shop is set; use it as provider: shop beside a link.\n"
    assert basic.exit_code == deleted.exit_code == 0
    assert listed.output == "shop  bearer token\nfiles  HTTP Basic as u\n"
    assert left.output == "files  HTTP Basic as u\n"
    assert "secret" not in bearer.output + listed.output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("delete", "none"), "There is no such provider"),
        (("set", "a shop", "--bearer-env", "SHOP"), "letters, digits"),
        (("set", "shop", "--bearer-env", "NOT_SET"), "The variable NOT_SET is not set"),
        (("set", "shop", "--bearer-env", "SHOP", "--username", "u"), "not both"),
    ],
)
async def test_a_mistake_is_said_in_a_sentence(rasa_whatsapp, client, arguments, words):
    result = await rasa_whatsapp("providers", *arguments, env={"SHOP": "t"})

    assert result.exit_code != 0
    assert words in result.output


async def test_other_apis_have_none_of_this(rasa_whatsapp, simulator):
    result = await rasa_whatsapp("providers", "list")

    assert result.exit_code == 1
    assert "api cloud has none of this, only on_premises" in result.output


async def test_a_pack_is_made_filled_looked_at_and_deleted(rasa_whatsapp, client, tmp_path):
    (tmp_path / "sun.webp").write_bytes(b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 64)
    media_id = (await rasa_whatsapp("media", "upload", "sun.webp")).stdout.split()[-1]
    pack = (
        await rasa_whatsapp("stickerpacks", "add", "Weather", "--publisher", "Us")
    ).output.strip()
    added = await rasa_whatsapp(
        "stickerpacks", "fill", pack, media_id, "--emoji", "\N{BLACK SUN WITH RAYS}"
    )
    shown = await rasa_whatsapp("stickerpacks", "show", pack)
    listed = await rasa_whatsapp("stickerpacks", "list", "--third-party")
    emptied = await rasa_whatsapp("stickerpacks", "delete", pack, "0")
    empty = await rasa_whatsapp("stickerpacks", "show", pack)
    deleted = await rasa_whatsapp("stickerpacks", "delete", pack)
    left = await rasa_whatsapp("stickerpacks", "list", "--third-party")

    assert added.exit_code == 0, added.output
    assert shown.output == f"0  {media_id}  \N{BLACK SUN WITH RAYS}\n"
    assert listed.output.strip() == pack
    assert (emptied.output, empty.output) == ("Sticker 0 is deleted.\n", "")
    assert (deleted.exit_code, left.output) == (0, "")
