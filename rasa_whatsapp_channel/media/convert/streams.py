"""Converter for sound (→ Opus in Ogg, AAC in M4A) and clips (→ H.264 and AAC in MP4), with PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.error
import av.filter

from rasa_whatsapp_channel.media.convert.plan import REMUX, Clip, Plan, check_pixels
from rasa_whatsapp_channel.whatsapp import limits
from rasa_whatsapp_channel.whatsapp.errors import MediaError
from rasa_whatsapp_channel.whatsapp.media_headers import is_index_first

# What is decoded, as FFmpeg calls it; one of several names is enough. It knows 350 more, among them
# lists of files, descriptions of streams in a network, and formats that nobody has looked at in
# years.
FORMATS: Final = (
    *("aac", "aiff", "amr", "asf", "avi", "flac", "flv", "gif", "matroska", "mov", "mp3", "mp4"),
    *("mpeg", "mpegts", "ogg", "wav", "webm"),
)
THREADS: Final = 2
RATE: Final = 48_000  # Opus knows no other
_LOOKED_AT: Final = 60  # packets
VOICE_RATE: Final = 32_000  # bits per second
MUSIC_RATE: Final = 128_000  # bits per second
_LOWEST: Final = {"libopus": 12_000, "aac": 32_000}
# The longer side, and the bits per second from which on so many pixels look better than fewer.
SIZES: Final = ((1280, 900_000), (854, 450_000), (640, 250_000), (426, 120_000), (256, 40_000))
MOST: Final = 3_000_000  # bits per second; nobody sees more on a phone
SOUND: Final = 96_000  # bits per second, of a clip
FRAMES: Final = 30  # per second
_TICKS: Final = Fraction(1, 90_000)
_MARGIN: Final = 0.9  # of the size: headers, and encoders that take a little more
_TRIES: Final = 3


@contextmanager
def open_streams(source: Path) -> Iterator[Any]:
    """Open *source* to be read. A file may not name others: playlists are files too."""
    options = {"protocol_whitelist": "file", "format_whitelist": ",".join(FORMATS)}
    try:
        with av.open(str(source), options=options) as container:
            yield container
    except av.error.FFmpegError as error:
        raise MediaError(f"cannot be read or written as sound or video: {error}") from error


def look(source: Path) -> Clip | None:
    """Return what is inside of *source*; None when that cannot be told."""
    try:
        with source.open("rb") as file:
            index_first = is_index_first(file)
        with open_streams(source) as container:
            return _describe(container, index_first=index_first)
    except MediaError:
        return None


def seconds(container: Any) -> float:
    """Return how long it plays, 0 when the file does not say."""
    if container.duration:
        return float(container.duration) / av.time_base
    lengths = (
        float(stream.duration * stream.time_base)
        for stream in container.streams
        if stream.duration and stream.time_base
    )
    return max(lengths, default=0.0)


def pictures_of(container: Any) -> Any:
    """Return the stream of moving pictures; a song's cover is none."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    return None


def sound_of(container: Any) -> Any:
    return next(iter(container.streams.audio), None)


def name_of(stream: Any) -> str:
    codec = stream.codec_context
    return str(codec.codec.canonical_name if codec is not None else "unknown")


def _describe(container: Any, *, index_first: bool) -> Clip:
    video = pictures_of(container)
    sounds = tuple(name_of(stream) for stream in container.streams.audio)
    if video is None:
        return Clip(sounds=sounds, index_first=index_first)
    codec = video.codec_context
    return Clip(
        video=name_of(video),
        profile=str(getattr(codec, "profile", None) or ""),
        colours=str(codec.pix_fmt or ""),
        b_frames=bool(codec.has_b_frames) or _is_reordered(container, video),
        sounds=sounds,
        index_first=index_first,
    )


def _is_reordered(container: Any, video: Any) -> bool:
    """Tell whether frames are shown in another order than they are stored: there are B-frames."""
    last = None
    for number, packet in enumerate(container.demux(video)):
        if number > _LOOKED_AT or packet.pts is None:
            return False
        if last is not None and packet.pts < last:
            return True
        last = packet.pts
    return False


def to_audio(source: Path, folder: Path, plan: Plan) -> Path:
    """Write the sound into *folder* and return where it is."""
    with open_streams(source) as container:
        sound = sound_of(container)
        if sound is None:
            raise MediaError("has no sound in it")
        if plan.voice:
            return _encode_sound(container, sound, folder / "sound.ogg", _voice(container, plan))
        return _encode_sound(container, sound, folder / "sound.m4a", _music(container, plan))


def resampled(frames: Iterator[Any], resampler: Any) -> Iterator[Any]:
    for frame in frames:
        frame.pts = None  # a gap would have to be filled; players do not mind
        yield from resampler.resample(frame)
    yield from resampler.resample(None)


def bit_rate(container: Any, *, most: int, wanted: int) -> int:
    """Return the rate that is *wanted*, or the one at which *most* bytes last."""
    length = seconds(container)
    return wanted if not length else min(wanted, int(most * 8 * _MARGIN / length))


def _voice(container: Any, plan: Plan) -> tuple[str, str, int]:
    # A small voice note can be played at once; a long one may be loaded first.
    rate = bit_rate(container, most=limits.VOICE_PLAY_BYTES, wanted=VOICE_RATE)
    if rate < VOICE_RATE // 2:
        rate = bit_rate(container, most=plan.max_bytes, wanted=VOICE_RATE)
    return "libopus", "mono", _check_rate("libopus", rate)


def _music(container: Any, plan: Plan) -> tuple[str, str, int]:
    rate = bit_rate(container, most=plan.max_bytes, wanted=MUSIC_RATE)
    layout = "stereo" if sound_of(container).codec_context.channels > 1 else "mono"
    return "aac", layout, _check_rate("aac", rate)


def _check_rate(codec: str, rate: int) -> int:
    if rate < _LOWEST[codec]:
        raise MediaError("is too long: at a quality that can be heard it stays too large")
    return rate


def _encode_sound(container: Any, sound: Any, target: Path, how: tuple[str, str, int]) -> Path:
    codec, layout, rate = how
    sample = "fltp" if codec == "aac" else "s16"
    resampler = av.AudioResampler(format=sample, layout=layout, rate=RATE)
    with av.open(str(target), "w", options=_options(target)) as output:
        stream: Any = output.add_stream(codec, rate=RATE)
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


@dataclass(frozen=True)
class Shape:
    """What a clip becomes: pixels and bits per second."""

    width: int
    height: int
    rate: int
    sound: int


def to_video(source: Path, folder: Path, plan: Plan) -> Path:
    """Write the clip into *folder* and return where it is."""
    target = folder / "clip.mp4"
    if plan.way == REMUX:
        return _remux(source, target)
    share = 1.0
    for _ in range(_TRIES):
        shape = _encode(source, target, plan.max_bytes, share)
        size = target.stat().st_size
        if size <= plan.max_bytes:
            return target
        share *= _MARGIN * plan.max_bytes / size
    raise MediaError(f"stays too large as a clip of {shape.width} × {shape.height} pixels")


def plan_shape(width: int, height: int, length: float, *, max_bytes: int, sound: bool) -> Shape:
    """
    Return the best shape for a clip of *length* seconds, 0: not known; raise `MediaError` if none.

    H.264 wants even sides.
    """
    total = max_bytes * 8 * _MARGIN / length if length else MOST
    for_sound = 0 if not sound else SOUND if total > 4 * SOUND else SOUND // 3
    rate = min(total - for_sound, MOST)
    longest = next((side for side, least in SIZES if rate >= least), None)
    if longest is None:
        minutes = max_bytes * 8 * _MARGIN / (SIZES[-1][1] + SOUND // 3) / 60
        raise MediaError(f"plays too long; about {minutes:.0f} minutes fit")
    scale = min(1.0, longest / max(width, height))
    return Shape(_even(width * scale), _even(height * scale), int(rate), for_sound)


def _even(side: float) -> int:
    return max(int(side) // 2 * 2, 2)


def _encode(source: Path, target: Path, max_bytes: int, share: float) -> Shape:
    with open_streams(source) as container:
        pictures, sound = pictures_of(container), sound_of(container)
        if pictures is None:
            raise MediaError("has no moving pictures in it")
        check_pixels(pictures.width, pictures.height)
        pictures.thread_type, pictures.codec_context.thread_count = "AUTO", THREADS
        frames = _Frames(container, pictures, sound)
        first = frames.first()
        shape = plan_shape(
            *_upright_size(first),
            seconds(container),
            max_bytes=int(max_bytes * share),
            sound=sound is not None,
        )
        with av.open(str(target), "w", options={"movflags": "+faststart"}) as output:
            _Writer(output, shape, pictures).write(frames)
    return shape


class _Frames:
    """The frames of both streams as they come, the first picture looked at beforehand."""

    def __init__(self, container: Any, pictures: Any, sound: Any) -> None:
        wanted = [stream for stream in (pictures, sound) if stream is not None]
        self._frames = container.decode(*wanted)
        self._early: list[Any] = []

    def first(self) -> Any:
        for frame in self._frames:
            self._early.append(frame)
            if isinstance(frame, av.VideoFrame):
                return frame
            if len(self._early) > 5000:
                break
        raise MediaError("has no moving pictures in it")

    def __iter__(self) -> Iterator[Any]:
        yield from self._early
        self._early = []
        yield from self._frames


class _Writer:
    def __init__(self, output: Any, shape: Shape, pictures: Any) -> None:
        self._output = output
        self._shape = shape
        rate = pictures.average_rate or Fraction(25)
        self._video = output.add_stream("libx264", rate=min(Fraction(rate), Fraction(FRAMES)))
        self._video.width, self._video.height = shape.width, shape.height
        self._video.pix_fmt = "yuv420p"
        self._video.codec_context.time_base = _TICKS
        self._video.codec_context.thread_count = THREADS
        self._video.options = {
            **{"profile": "main", "preset": "veryfast", "bf": "0", "crf": "23"},
            **{"maxrate": str(shape.rate), "bufsize": str(shape.rate)},
        }
        self._sound: Any = None
        if shape.sound:
            self._sound = output.add_stream("aac", rate=RATE)
            self._sound.layout = "stereo"
            self._sound.bit_rate = shape.sound
        self._next = -1  # when the next picture is due
        self._heard: int | None = None  # samples so far, with the silence before the first
        self._graph: Any = None

    def write(self, frames: _Frames) -> None:
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=RATE)
        for frame in frames:
            if isinstance(frame, av.VideoFrame):
                self._write_picture(frame)
            elif self._sound is not None:
                if self._heard is None:
                    self._heard = max(int((frame.time or 0) * RATE), 0)
                frame.pts = None
                self._write_sound(resampler.resample(frame))
        if self._sound is not None:
            self._write_sound(resampler.resample(None))
            self._output.mux(self._sound.encode(None))
        self._output.mux(self._video.encode(None))

    def _write_picture(self, frame: Any) -> None:
        if frame.time is None:
            return
        at = int(frame.time / _TICKS)
        if at < self._next:
            return
        # A little earlier than a whole frame, so that 30 frames per second stay 30.
        self._next = at + int(0.9 / FRAMES / _TICKS)
        turned = self._turn(frame)
        scaled = turned.reformat(
            width=self._shape.width, height=self._shape.height, format="yuv420p"
        )
        scaled.pts, scaled.time_base = at, _TICKS
        scaled.pict_type = 0  # else the encoder repeats the choice of the one before it
        self._output.mux(self._video.encode(scaled))

    def _write_sound(self, frames: list[Any]) -> None:
        for frame in frames:
            # Counted anew: the times in a file may jump back, and players do not mind a gap.
            frame.pts, frame.time_base = self._heard, Fraction(1, RATE)
            self._heard = (self._heard or 0) + frame.samples
            self._output.mux(self._sound.encode(frame))

    def _turn(self, frame: Any) -> Any:
        """Turn the picture as the phone was held: the note of it does not survive."""
        rotation = _rotation(frame)
        if not rotation:
            return frame
        if self._graph is None:
            self._graph = _make_graph(frame, rotation)
        self._graph.push(frame)
        return self._graph.pull()


def _rotation(frame: Any) -> int:
    """Return by how many degrees the frame is to be turned, against the clock."""
    return int(getattr(frame, "rotation", 0) or 0) % 360 // 90 * 90


def _upright_size(frame: Any) -> tuple[int, int]:
    lies = _rotation(frame) in (90, 270)
    return (frame.height, frame.width) if lies else (frame.width, frame.height)


def _make_graph(frame: Any, rotation: int) -> Any:
    turns = {90: ("cclock",), 180: ("clock", "clock"), 270: ("clock",)}[rotation]
    graph = av.filter.Graph()
    nodes = [
        graph.add_buffer(
            template=None,
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=frame.time_base,
        )
    ]
    nodes += [graph.add("transpose", turn) for turn in turns]
    nodes.append(graph.add("buffersink"))
    graph.link_nodes(*nodes).configure()
    return graph


def _remux(source: Path, target: Path) -> Path:
    """Write the same streams with the index in front of them."""
    with (
        open_streams(source) as container,
        av.open(str(target), "w", options={"movflags": "+faststart"}) as output,
    ):
        taken = [pictures_of(container), sound_of(container)]
        copies = {
            stream.index: output.add_stream_from_template(stream)
            for stream in taken
            if stream is not None
        }
        for packet in container.demux(*(stream for stream in taken if stream is not None)):
            if packet.dts is None:
                continue
            packet.stream = copies[packet.stream.index]
            output.mux(packet)
    return target
