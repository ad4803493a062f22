from __future__ import annotations

import errno
import os
import subprocess
import sys
import tempfile
import time

import pytest
from support.modes import mode_of, umask
from support.real_files import clip, noise, picture

from rasa_whatsapp_channel.media.convert.converter import KEPT, Converter
from rasa_whatsapp_channel.media.convert.plan import Need
from rasa_whatsapp_channel.whatsapp.errors import MediaError

MB = 1024 * 1024


async def test_a_file_is_converted_once(fit, tmp_path):
    folder = tmp_path / "converted"
    first = await fit(picture("WEBP"), "image")
    (kept,) = folder.iterdir()
    kept.write_bytes(b"so that it shows")

    again = await fit(picture("WEBP"), "image", name="another name")

    assert first != again == b"so that it shows"


@pytest.mark.slow
async def test_each_need_has_a_result_of_its_own(fit, tmp_path):
    content = picture("WEBP")

    await fit(content, "image")
    await fit(content, "sticker")
    await fit(content, "sticker", animated_stickers=False)

    assert len(list((tmp_path / "converted").iterdir())) == 3


async def test_what_nobody_used_for_long_goes_away(fit, tmp_path):
    await fit(picture("WEBP"), "image")
    (old,) = (tmp_path / "converted").iterdir()
    os.utime(old, (0, time.time() - KEPT - 60))

    await fit(picture("GIF"), "image")

    assert old not in (tmp_path / "converted").iterdir()


async def test_what_takes_too_long_is_ended(fit, tmp_path):
    content = clip("avi", "mpeg4", folder=tmp_path, size=(640, 480), frames=50)
    hurried = Converter(tmp_path / "converted", seconds=0.001)  # no process begins in that

    with pytest.raises(MediaError, match=r"takes longer to convert than 0.001 seconds"):
        await fit(content, "video", converter=hurried)

    assert list((tmp_path / "converted").iterdir()) == []


@pytest.mark.slow
async def test_what_takes_too_much_memory_is_ended(fit, tmp_path):
    poor = Converter(tmp_path / "converted", memory=150 * MB)

    with pytest.raises(MediaError, match=r"memory|cannot be (read|converted)"):
        await fit(noise("BMP", (6000, 5000)), "image", converter=poor)


async def test_a_folder_that_cannot_be_made_is_said(fit, tmp_path):
    (tmp_path / "taken").write_bytes(b"")

    with pytest.raises(MediaError, match="cannot be converted in"):
        await fit(picture("WEBP"), "image", converter=Converter(tmp_path / "taken"))


async def test_what_a_file_became_is_not_kept_for_another_content(tmp_path):
    path, folder = tmp_path / "a.webp", tmp_path / "converted"
    path.write_bytes(picture("WEBP"))

    with pytest.raises(MediaError, match="was changed before it was converted") as caught:
        await Converter(folder).fit(path, "0" * 64, Need("image"), "image/webp")

    assert caught.value.passing
    assert list(folder.iterdir()) == []


async def test_a_full_disk_is_no_fault_of_the_file(fit, tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryDirectory", full)

    with pytest.raises(MediaError, match="No space left") as caught:
        await fit(picture("WEBP"), "image")

    assert caught.value.passing


async def test_a_file_that_is_gone_is_said(tmp_path):
    with pytest.raises(MediaError, match="No such file"):
        await Converter(tmp_path / "c").fit(
            tmp_path / "none", "0" * 64, Need("image"), "image/webp"
        )


def test_a_picture_of_an_iphone_names_the_extra_where_the_package_for_it_is_missing(tmp_path):
    (tmp_path / "lake.heic").write_bytes(b"\0\0\0\x18ftypheic" + b"\0" * 64)
    code = (
        "import sys; sys.modules['pillow_heif'] = None; from pathlib import Path\n"
        "from rasa_whatsapp_channel.media.convert.converter import needs_work\n"
        "from rasa_whatsapp_channel.media.convert.plan import Need\n"
        "needs_work(Path('lake.heic'), Need('image'), 'image/heic')"
    )

    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )

    assert 'MediaError: `pip install "rasa-whatsapp-channel[convert]"`' in told.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="has permissions of another kind")
@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
async def test_what_it_makes_is_nobody_elses(fit, tmp_path, mask):
    (tmp_path / "converted").mkdir()
    (tmp_path / "converted").chmod(0o755)
    with umask(mask):
        await fit(picture("WEBP"), "image")

    (made,) = (tmp_path / "converted").iterdir()
    assert (mode_of(made), mode_of(made.parent)) == ("600", "700")
