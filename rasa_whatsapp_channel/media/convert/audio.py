"""Any sound → mono Opus in Ogg for voice notes, else AAC in M4A."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import av

from rasa_whatsapp_channel.media.convert import streams
from rasa_whatsapp_channel.media.convert.plan import Plan
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import MediaError

VOICE_RATE: Final = 32_000  # bits per second
MUSIC_RATE: Final = 128_000
_LOWEST: Final = {"libopus": 12_000, "aac": 32_000}
_MARGIN: Final = 0.9  # of the size: headers, and encoders that take a little more


def convert(source: Path, folder: Path, plan: Plan) -> Path:
    """Write the sound into *folder* and return where it is."""
    with streams.open_streams(source) as container:
        sound = streams.sound_of(container)
        if sound is None:
            raise MediaError("has no sound in it")
        if plan.voice:
            return _encode(container, sound, folder / "sound.ogg", _voice(container, plan))
        return _encode(container, sound, folder / "sound.m4a", _music(container, plan))


def resampled(frames: Iterator[Any], resampler: Any) -> Iterator[Any]:
    for frame in frames:
        frame.pts = None  # a gap would have to be filled; players do not mind
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def bit_rate(container: Any, *, most: int, wanted: int) -> int:
    """Return the rate that is *wanted*, or the one at which *most* bytes last."""
    length = streams.seconds(container)
    return wanted if not length else min(wanted, int(most * 8 * _MARGIN / length))


def _voice(container: Any, plan: Plan) -> tuple[str, str, int]:
    # A small voice note can be played at once; a long one may be loaded first.
    rate = bit_rate(container, most=limits.VOICE_PLAY_BYTES, wanted=VOICE_RATE)
    if rate < VOICE_RATE // 2:
        rate = bit_rate(container, most=plan.max_bytes, wanted=VOICE_RATE)
    return "libopus", "mono", _check_rate("libopus", rate)


def _music(container: Any, plan: Plan) -> tuple[str, str, int]:
    rate = bit_rate(container, most=plan.max_bytes, wanted=MUSIC_RATE)
    layout = "stereo" if streams.sound_of(container).codec_context.channels > 1 else "mono"
    return "aac", layout, _check_rate("aac", rate)


def _check_rate(codec: str, rate: int) -> int:
    if rate < _LOWEST[codec]:
        raise MediaError("is too long: at a quality that can be heard it stays too large")
    return rate


def _encode(container: Any, sound: Any, target: Path, how: tuple[str, str, int]) -> Path:
    codec, layout, rate = how
    sample = "fltp" if codec == "aac" else "s16"
    resampler = av.AudioResampler(format=sample, layout=layout, rate=streams.RATE)
    with av.open(str(target), "w", options=_options(target)) as output:
        stream: Any = output.add_stream(codec, rate=streams.RATE)
        stream.layout = layout
        stream.bit_rate = rate
        empty = True
        for frame in resampled(container.decode(sound), resampler):
            empty = False
            output.mux(stream.encode(frame))
        if empty:
            raise MediaError("has no sound in it")
        output.mux(stream.encode(None))
    return target


def _options(target: Path) -> dict[str, str]:
    return {"movflags": "+faststart"} if target.suffix == ".m4a" else {}
