from __future__ import annotations

import pytest
from support.real_files import look_into, picture, sound

from rasa_whatsapp_channel.whatsapp.errors import MediaError


@pytest.mark.parametrize(
    "content",
    [
        sound("wav", "pcm_s16le"),
        sound("mp3", "libmp3lame", rate=44_100),
        sound("flac", "flac"),
        sound("ogg", "libopus", layout="stereo"),
        sound("ogg", "flac"),
        sound("webm", "libopus"),
        sound("adts", "aac"),
    ],
    ids=["wav", "mp3", "flac", "stereo", "flac in ogg", "webm", "aac"],
)
async def test_a_voice_note_becomes_mono_opus_in_ogg(fit, content):
    heard = look_into(await fit(content, "audio", voice=True))

    assert (heard["format"], heard["audio"], heard["channels"]) == ("ogg", "opus", 1)
    assert heard["seconds"] == pytest.approx(1.0, abs=0.1)
    assert heard["loud"]


@pytest.mark.parametrize(
    ("content", "channels"),
    [
        (sound("wav", "pcm_s16le", layout="stereo"), 2),
        (sound("flac", "flac"), 1),
        (sound("webm", "libopus"), 1),
    ],
    ids=["wav", "flac", "webm"],
)
async def test_music_becomes_m4a_with_its_channels(fit, content, channels):
    heard = look_into(await fit(content, "audio", name="a.bin"))

    assert "m4a" in heard["format"]
    assert (heard["audio"], heard["channels"]) == ("aac", channels)
    assert heard["seconds"] == pytest.approx(1.0, abs=0.1)


async def test_stereo_in_ogg_becomes_mono(fit):
    heard = look_into(await fit(sound("ogg", "libopus", layout="stereo"), "audio"))

    assert (heard["audio"], heard["channels"]) == ("opus", 1)


@pytest.mark.parametrize(
    ("content", "voice"),
    [
        (sound("ogg", "libopus"), True),
        (sound("ogg", "libopus"), False),
        (sound("mp3", "libmp3lame"), False),
        (sound("ipod", "aac"), False),
        (sound("adts", "aac"), False),
    ],
    ids=["voice", "opus", "mp3", "m4a", "aac"],
)
async def test_what_is_right_is_not_touched(fit, content, voice):
    assert await fit(content, "audio", voice=voice) == content


@pytest.mark.slow
async def test_a_recording_that_is_too_large_gets_smaller(fit):
    content = sound("wav", "pcm_s16le", layout="stereo", seconds=95)
    assert len(content) > 16 * 1024 * 1024

    made = await fit(content, "audio")

    assert len(made) < 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("name", "content"), [("a.wav", b"RIFF\0\0\0\0WAVE" + b"\0" * 64), ("a.flac", b"fLaC\xff\xff")]
)
async def test_a_broken_sound_is_said_to_be_so(fit, name, content):
    with pytest.raises(MediaError, match=r"cannot be read|no sound|cannot be converted"):
        await fit(content, "audio", name=name)


async def test_a_picture_is_no_sound_and_stays(fit):
    content = picture("JPEG")

    assert await fit(content, "audio") == content


@pytest.mark.parametrize("form", ["au", "caf", "w64"])
async def test_a_kind_of_sound_that_is_not_named_is_not_decoded(fit, form):
    with pytest.raises(MediaError, match="cannot be read or written as sound"):
        await fit(sound(form, "pcm_s16be" if form == "au" else "pcm_s16le"), "audio", name="a.wav")


async def test_sound_of_a_mac_is_decoded(fit):
    heard = look_into(await fit(sound("aiff", "pcm_s16be"), "audio", name="a.aiff"))

    assert heard["audio"] == "aac"
