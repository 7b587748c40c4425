"""Loads JPEG files that are whole: libjpeg, behind Pillow, fills up what is missing of a picture and says nothing.

A picture is coded in scans, and a scan may be parted into intervals. Each interval has to end with its last pixel,
neither before nor after.
"""

import io
import itertools
import random
import re
from dataclasses import dataclass, field

from PIL import Image

#: So many bytes may be left over after the last pixel; some writers pad the data.
SPARE = 8
#: libjpeg reads so far ahead of what it decodes.
AHEAD = 8

_MARKER = re.compile(rb"\xff[^\x00\xff]")
_RESTARTS = range(0xD0, 0xD8)
_PROGRESSIVE = 0xC2
_FRAMES = {0xC0, 0xC1, _PROGRESSIVE}  # with Huffman codes
_OTHER_FRAMES = set(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}
_END, _SCAN, _INTERVAL, _NO_LENGTH = 0xD9, 0xDA, 0xDD, {0x01, 0xD8, *_RESTARTS}

#: Coded data of nothing, to be put behind an interval: bytes that are no marker.
_MORE = bytes(random.Random(0).choices(range(1, 255), k=64))


class Incomplete(Exception):
    """The file has less, or more, than its picture."""


@dataclass(frozen=True)
class Scan:
    """A scan: the components in it, its coefficients first..last, the bits `low` that it leaves out, restart markers.

    `ends`: where each interval's data end; `restarts`: the numbers of the restart markers between the intervals.
    """

    components: tuple[int, ...]
    first: int
    last: int
    low: int
    interval: int
    ends: tuple[int, ...]
    restarts: tuple[int, ...]


@dataclass
class Layout:
    """What a JPEG says of itself: size in pixels, sampling factors by component, scans; known: Huffman-coded."""

    known: bool = False
    progressive: bool = False
    width: int = 0
    height: int = 0
    sampling: dict[int, tuple[int, int]] = field(default_factory=dict)
    scans: list[Scan] = field(default_factory=list)

    @property
    def streamed(self) -> bool:
        """Whether the whole picture is one piece of data, decoded row by row as they come in."""
        if not self.known or self.progressive or len(self.scans) != 1:
            return False
        (scan,) = self.scans
        return not scan.interval and len(scan.ends) == 1 and len(scan.components) == len(self.sampling)


def load_whole(image: Image.Image) -> None:
    """Decode the opened JPEG `image`; raises Incomplete where its data are not those of a whole picture."""
    image.fp.seek(0)
    data = image.fp.read()
    layout = read_layout(data)
    if not layout.known:
        image.load()
        return
    if layout.streamed:
        _load_streamed(image, data, layout.scans[0].ends[0])
    else:
        _check_scans(layout)
        image.load()
        _refuse_short_intervals(image, data, layout)


def read_layout(data: bytes) -> Layout:
    """Return what the markers of a JPEG file say, up to its end marker; not `known` where it has no Huffman codes."""
    layout, interval, position = Layout(), 0, 2
    while (found := _MARKER.search(data, position)) and (marker := data[found.end() - 1]) != _END:
        position = found.end()
        if marker in _NO_LENGTH:
            continue
        start, position = position + 2, position + int.from_bytes(data[position : position + 2])
        body = data[start:position]
        if marker in _OTHER_FRAMES:
            return Layout()
        if marker in _FRAMES:
            layout = _frame(marker, body)
        elif marker == _INTERVAL:
            interval = int.from_bytes(body[:2])
        elif marker == _SCAN:
            layout.scans.append(_scan(data, body, position, interval))
            position = layout.scans[-1].ends[-1]
    return layout


def _frame(marker: int, body: bytes) -> Layout:
    height, width = int.from_bytes(body[1:3]), int.from_bytes(body[3:5])
    sampling = {body[n]: (body[n + 1] >> 4, body[n + 1] & 15) for n in range(6, len(body) - 2, 3)}
    return Layout(True, marker == _PROGRESSIVE, width, height, sampling)


def _scan(data: bytes, header: bytes, start: int, interval: int) -> Scan:
    ends, restarts = [], []
    for found in _MARKER.finditer(data, start):
        end = found.start()
        while data[end - 1] == 0xFF:  # fill bytes before the marker
            end -= 1
        ends.append(end)
        marker = data[found.end() - 1]
        if marker not in _RESTARTS:
            break
        restarts.append(marker - _RESTARTS.start)
    count = header[0] if header else 0
    first, last, bits = (*header[1 + 2 * count :][:3], 0, 0, 0)[:3]
    ends = ends or [len(data)]
    return Scan(tuple(header[1 : 1 + 2 * count : 2]), first, last, bits & 15, interval, tuple(ends), tuple(restarts))


def _check_scans(layout: Layout) -> None:
    """Raise Incomplete if a scan, or a restart marker within one, is missing."""
    left = {(component, k): 16 for component in layout.sampling for k in range(64)}  # bits yet to come
    for scan in layout.scans:
        count = _intervals(layout, scan)
        if list(scan.restarts) != [number % 8 for number in range(count - 1)]:
            raise Incomplete(f"it has {len(scan.restarts)} of {count - 1} restart markers in order")
        coefficients = range(scan.first, scan.last + 1) if layout.progressive else range(64)
        low = scan.low if layout.progressive else 0
        left |= {(component, k): low for component in scan.components for k in coefficients}
    if any(left.values()):
        raise Incomplete("its last scans are missing")


def _intervals(layout: Layout, scan: Scan) -> int:
    """Return the number of intervals of a scan."""
    if not scan.interval or not layout.sampling:
        return 1
    widest, highest = (max(factors) for factors in zip(*layout.sampling.values(), strict=True))
    if len(scan.components) > 1:
        units = -(-layout.width // (8 * widest)) * -(-layout.height // (8 * highest))
    else:
        across, down = layout.sampling.get(scan.components[0], (1, 1)) if scan.components else (1, 1)
        units = -(-layout.width * across // (8 * widest)) * -(-layout.height * down // (8 * highest))
    return max(1, -(-units // scan.interval))


def _load_streamed(image: Image.Image, data: bytes, end: int) -> None:
    """Decode, and see when the decoder has all pixels: it has to be with the last bytes before `end`, no sooner."""
    pieces = [b"", data[end - SPARE : end] + bytes(AHEAD), data[: end - SPARE]]

    def read(_size: int) -> bytes:
        """Return the next piece of the data, however much is asked for; raise Incomplete after the last one."""
        piece = pieces.pop()
        if not pieces:
            raise Incomplete("truncated" if end == len(data) else "its coded data end before its last pixel")
        return piece

    image.load_read = read
    image.load()
    if len(pieces) > 1:
        raise Incomplete("coded data are left over after its last pixel")


def _refuse_short_intervals(image: Image.Image, data: bytes, layout: Layout) -> None:
    """Raise Incomplete if more data at the end of each interval change the picture: then the interval was too short."""
    ends = [0, *(end for scan in layout.scans for end in scan.ends), len(data)]
    parts = [data[start:end] for start, end in itertools.pairwise(ends)]
    with Image.open(io.BytesIO(_MORE.join(parts))) as longer:
        longer.draft(None, image.size)
        if longer.tobytes() != image.tobytes():
            raise Incomplete("its coded data end before its last pixel")
