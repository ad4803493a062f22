"""Any clip → H.264 and AAC in MP4, with the index in front, under a size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import av
import av.filter

from rasa_whatsapp_channel.media.convert import streams
from rasa_whatsapp_channel.media.convert.image import check_pixels
from rasa_whatsapp_channel.media.convert.plan import REMUX, Plan
from rasa_whatsapp_channel.whatsapp.errors import MediaError

# The longer side, and the bits per second from which on so many pixels look better than fewer.
SIZES: Final = ((1280, 900_000), (854, 450_000), (640, 250_000), (426, 120_000), (256, 40_000))
MOST: Final = 3_000_000  # bits per second; nobody sees more on a phone
SOUND: Final = 96_000
FRAMES: Final = 30  # per second
_TICKS: Final = Fraction(1, 90_000)
_MARGIN: Final = 0.9
_TRIES: Final = 3


@dataclass(frozen=True)
class Shape:
    """What a clip becomes: pixels and bits per second."""

    width: int
    height: int
    rate: int
    sound: int


def convert(source: Path, folder: Path, plan: Plan) -> Path:
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
    with streams.open_streams(source) as container:
        pictures, sound = streams.pictures_of(container), streams.sound_of(container)
        if pictures is None:
            raise MediaError("has no moving pictures in it")
        check_pixels(pictures.width, pictures.height)
        pictures.thread_type, pictures.codec_context.thread_count = "AUTO", streams.THREADS
        frames = _Frames(container, pictures, sound)
        first = frames.first()
        shape = plan_shape(
            *_upright_size(first),
            streams.seconds(container),
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
        self._video.codec_context.thread_count = streams.THREADS
        self._video.options = {
            **{"profile": "main", "preset": "veryfast", "bf": "0", "crf": "23"},
            **{"maxrate": str(shape.rate), "bufsize": str(shape.rate)},
        }
        self._sound: Any = None
        if shape.sound:
            self._sound = output.add_stream("aac", rate=streams.RATE)
            self._sound.layout = "stereo"
            self._sound.bit_rate = shape.sound
        self._next = -1  # when the next picture is due
        self._heard: int | None = None  # samples so far, with the silence before the first
        self._graph: Any = None

    def write(self, frames: _Frames) -> None:
        resampler = av.AudioResampler(format="fltp", layout="stereo", rate=streams.RATE)
        for frame in frames:
            if isinstance(frame, av.VideoFrame):
                self._write_picture(frame)
            elif self._sound is not None:
                if self._heard is None:
                    self._heard = max(int((frame.time or 0) * streams.RATE), 0)
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
            frame.pts, frame.time_base = self._heard, Fraction(1, streams.RATE)
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
        streams.open_streams(source) as container,
        av.open(str(target), "w", options={"movflags": "+faststart"}) as output,
    ):
        taken = [streams.pictures_of(container), streams.sound_of(container)]
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
