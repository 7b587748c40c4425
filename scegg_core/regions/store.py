"""Region features on disk: parquet shards, written row group by row group, streamed in shuffled windows.

A shard's row is one image: `image` (its row in images.parquet) and `regions`, R x channels half-precision numbers
in C order as fixed-size binary, which reads ten times faster than a list column. R, channels, the grid and the type of
the numbers are in the metadata: ready features that were pooled elsewhere are single-precision, to the last bit. Page checksums are written and verified.
"""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scegg_core.artifacts.files import METADATA_KEY, Provenance, describe, parse_description, whole_file
from scegg_core.errors import InputError
from scegg_core.regions.backbone import FeatureMap

GROUP_BYTES = 4 << 20  # of one row group: the smallest that is read at full speed, so shuffling is best (docs/scale.md)
HALF, SINGLE = np.dtype(np.float16), np.dtype(np.float32)


@dataclass(frozen=True)
class Group:
    """One row group of a shard: its file, its number there, and the image rows it holds."""

    path: Path
    number: int
    images: np.ndarray  # (rows,) int32


def shard_rows(images: int, shards: int, shard: int) -> range:
    """Return the image rows of one shard: contiguous, and of equal number in all shards up to one."""
    return range(images * shard // shards, images * (shard + 1) // shards)


class ShardWriter:
    """Collects rows into row groups; made by `write_shard`."""

    def __init__(self, file: pq.ParquetWriter, size: FeatureMap, dtype: np.dtype):
        self._file, self._dtype = file, dtype
        self._images: list[int] = []
        self._rows: list[np.ndarray] = []
        self._group_rows = max(1, GROUP_BYTES // (dtype.itemsize * size.regions * size.channels))
        self.digest = hashlib.sha256()

    def add(self, images: np.ndarray, regions: np.ndarray) -> None:
        """Append rows: `images` (n,), `regions` (n, R, channels)."""
        self._images.extend(int(image) for image in images)
        self._rows.extend(np.ascontiguousarray(regions, dtype=self._dtype))
        while len(self._rows) >= self._group_rows:
            self._write(self._group_rows)

    def finish(self) -> None:
        """Write the rows that do not fill a group."""
        if self._rows:
            self._write(len(self._rows))

    def _write(self, count: int) -> None:
        block = np.stack(self._rows[:count])
        images = pa.array(self._images[:count], pa.int32())
        self.digest.update(images.to_numpy().tobytes())
        self.digest.update(block)
        width = pa.binary(block[0].nbytes)
        cells = pa.FixedSizeBinaryArray.from_buffers(width, count, [None, pa.py_buffer(block)])
        self._file.write_table(pa.Table.from_arrays([images, cells], names=["image", "regions"]), row_group_size=count)
        del self._rows[:count], self._images[:count]


@contextmanager
def write_shard(
    path: str | Path,
    size: FeatureMap,
    provenance: Provenance,
    further: dict | None = None,
    dtype: np.dtype = HALF,
) -> Iterator[ShardWriter]:
    """Yield a writer of one shard; the file appears when the block ends without an error.

    `further` is what else its metadata say of how it was made; numbers are stored as `dtype`.
    """
    width = dtype.itemsize * size.regions * size.channels
    schema = pa.schema([("image", pa.int32()), ("regions", pa.binary(width))])
    extra = {
        "regions": size.regions,
        "channels": size.channels,
        "grid": [size.height, size.width],
        "type": dtype.name,
    } | (further or {})
    options = {"compression": "none", "use_dictionary": False, "write_statistics": False, "write_page_checksum": True}
    with whole_file(path) as temporary, pq.ParquetWriter(temporary, schema, **options) as file:
        writer = ShardWriter(file, size, dtype)
        yield writer
        writer.finish()
        file.add_key_value_metadata({METADATA_KEY: describe("regions", provenance, writer.digest.hexdigest(), extra)})


class RegionStore:
    """All shards of a data set, addressed by image row. Reads only what is asked for."""

    def __init__(self, paths: list[str | Path]):
        self.groups: list[Group] = []
        found = {self._open(path) for path in map(Path, paths)}
        if len(found) != 1:
            raise InputError(
                f"the region shards differ in size: {sorted(str(size) for size, _ in found)}; "
                f"delete the folder {Path(paths[0]).parent}."
            )
        self.size, self.dtype = found.pop()

    def _open(self, path: Path) -> tuple[FeatureMap, np.dtype]:
        with _reading(path) as file:
            text = (file.metadata.metadata or {}).get(METADATA_KEY.encode())
            extra = parse_description(path, text, "regions")["extra"]
            images, start = file.read(columns=["image"]).column(0).to_numpy(), 0
            for number in range(file.num_row_groups):
                end = start + file.metadata.row_group(number).num_rows
                self.groups.append(Group(path, number, images[start:end]))
                start = end
        dtype = SINGLE if extra["type"] == SINGLE.name else HALF
        return FeatureMap(extra["channels"], *extra["grid"]), dtype

    @property
    def row_bytes(self) -> int:
        """Return the bytes of one image's region features."""
        return self.dtype.itemsize * self.size.regions * self.size.channels

    def positions(self, rows: np.ndarray) -> np.ndarray:
        """Return, for every image row, its position in `rows`, or -1 if it is not among them.

        Raises InputError if the store lacks one of `rows`.
        """
        last = max(int(group.images.max()) for group in self.groups)
        position = np.full(1 + max(last, int(rows.max())), -1, np.int64)
        position[rows] = np.arange(len(rows))
        stored = sum(np.count_nonzero(position[group.images] >= 0) for group in self.groups)
        if stored != len(rows):
            raise InputError(
                f"the region shards in {self.groups[0].path.parent} hold {stored} of {len(rows)} images; delete that folder."
            )
        return position

    def read(self, group: Group) -> np.ndarray:
        """Return the features of a row group, (rows, R, channels) of `dtype`, its page checksums verified."""
        with _reading(group.path) as file:
            column = file.read_row_group(group.number, columns=["regions"], use_threads=False).column(0)
        cells = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        values = np.frombuffer(cells.buffers()[1], self.dtype)
        start = cells.offset * self.row_bytes // self.dtype.itemsize
        count = len(cells) * self.row_bytes // self.dtype.itemsize
        return values[start : start + count].reshape(len(cells), self.size.regions, self.size.channels)

    def scan(self, ahead: int = 2) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield (images, features) of every row group in order, reading ahead in a thread."""
        for group, features in zip(self.groups, read_ahead(self.read, self.groups, ahead), strict=True):
            yield group.images, features


def one_ahead(items: Iterator) -> Iterator:
    """Yield what `items` yields, the next one prepared by a thread in the meantime."""
    end = object()
    with ThreadPoolExecutor(1) as pool:
        upcoming = pool.submit(next, items, end)
        while (item := upcoming.result()) is not end:
            upcoming = pool.submit(next, items, end)
            yield item


@contextmanager
def _reading(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a shard whose page checksums are verified; what cannot be read is refused with one sentence."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield file
    except InputError:
        raise
    except Exception as error:  # flipped bits in the file's metadata make the reader raise many kinds of errors
        raise InputError(
            f"{path} is damaged or no parquet file ({str(error)[:150]}); delete it to have it made again."
        ) from None


def read_ahead(read, items: list, ahead: int = 2, workers: int = 1) -> Iterator:
    """Yield read(item) for each item in order, `ahead` of them prepared by threads in the meantime."""
    with ThreadPoolExecutor(workers) as pool:
        waiting = []
        for item in items:
            waiting.append(pool.submit(read, item))
            if len(waiting) > ahead:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()
