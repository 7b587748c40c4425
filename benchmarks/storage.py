"""Compares parquet layouts for region features: bytes on disk, speed of writing, and of reading as training reads.

    python -m benchmarks.storage                          # features like a ReLU network's, half of them zero
    python -m benchmarks.storage --shard results/cub/regions/part-0000.parquet    # real ones

Prints a markdown table: medians (minimum to maximum) over rounds in which the candidates take turns. Files stay in
the page cache and processor time is counted, so the figures are the cost of the format, not of the disk, and hold on
a busy machine too.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scegg_core.regions.store import RegionStore

MIB = 1 << 20


def fixed_list(block: np.ndarray) -> pa.Array:
    """Return rows (n, R, channels) as fixed-size lists of half precision."""
    return pa.FixedSizeListArray.from_arrays(pa.array(block.reshape(-1)), block[0].size)


def fixed_tensor(block: np.ndarray) -> pa.Array:
    """Return rows as Arrow's extension type fixed_shape_tensor."""
    return pa.FixedShapeTensorArray.from_numpy_ndarray(block)


def fixed_binary(block: np.ndarray) -> pa.Array:
    """Return rows as fixed-size binary: their bytes."""
    return pa.FixedSizeBinaryArray.from_buffers(pa.binary(block[0].nbytes), len(block), [None, pa.py_buffer(block)])


def from_list(column: pa.Array) -> np.ndarray:
    """Return the values of a fixed-size list or tensor column, flat."""
    storage = column.storage if isinstance(column, pa.ExtensionArray) else column
    return storage.flatten().to_numpy(zero_copy_only=False)


def from_binary(column: pa.Array) -> np.ndarray:
    """Return the values of a fixed-size binary column, flat."""
    return np.frombuffer(column.buffers()[1], np.float16)


LAYOUTS = {
    "fixed-size list": (fixed_list, from_list),
    "fixed_shape_tensor": (fixed_tensor, from_list),
    "fixed-size binary": (fixed_binary, from_binary),
}


@dataclass
class Candidate:
    """One layout, and what its rounds took."""

    layout: str
    compression: str
    group_mib: float
    size: int = 0  # bytes on disk
    write: list[float] = field(default_factory=list)  # MB/s of feature bytes
    read: list[float] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.layout} | {self.compression} | {self.group_mib:g}"

    def measure(self, rows: np.ndarray, path: Path) -> None:
        """Write `rows` (n, R, channels) to `path`, read them back group by group, and note both speeds."""
        build, values = LAYOUTS[self.layout]
        count = max(1, int(self.group_mib * MIB // rows[0].nbytes))
        blocks = np.split(rows, range(count, len(rows), count))
        self.write.append(rows.nbytes / 1e6 / seconds(lambda: self._write(blocks, build, path)))
        self.size = path.stat().st_size
        self.read.append(rows.nbytes / 1e6 / seconds(lambda: read_groups(path, len(blocks), values)))

    def _write(self, blocks: list[np.ndarray], build: Callable, path: Path) -> None:
        options = {"use_dictionary": False, "write_statistics": False, "write_page_checksum": True}
        schema = pa.schema([("regions", build(blocks[0]).type)])
        with pq.ParquetWriter(path, schema, compression=self.compression, **options) as file:
            for block in blocks:
                file.write_table(pa.Table.from_arrays([build(block)], schema=schema), row_group_size=len(block))


def read_groups(path: Path, groups: int, values: Callable) -> None:
    """Read every row group through a reader of its own, as random access does, and touch all its numbers."""
    for number in np.random.default_rng(0).permutation(groups):
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            column = file.read_row_group(int(number), use_threads=False).column(0).chunk(0)
        values(column).view(np.uint16).max()  # a list's numbers may not be decoded before


def seconds(work: Callable) -> float:
    """Return the processor time that `work` takes, in this process and its threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def relu_like(mib: int, regions: int = 196, channels: int = 2048) -> np.ndarray:
    """Return rows as a ReLU network gives them: half zeros, the rest positive."""
    count = max(1, mib * MIB // (2 * regions * channels))
    values = np.random.default_rng(0).standard_normal((count, regions, channels), dtype=np.float32)
    return np.maximum(values, 0).astype(np.float16)


def stored(shard: Path, mib: int) -> np.ndarray:
    """Return the first rows of a shard, about `mib` of them."""
    store = RegionStore([shard])
    groups = store.groups[: max(1, mib * MIB // (store.row_bytes * len(store.groups[0].images)))]
    return np.concatenate([store.read(group) for group in groups])


def candidates() -> list[Candidate]:
    """Return what is compared: every layout under every compression, then the choice at other row-group sizes."""
    every = [Candidate(layout, compression, 8) for layout in LAYOUTS for compression in ("none", "lz4", "zstd")]
    return every + [Candidate("fixed-size binary", "none", size) for size in (1, 2, 4, 32, 128)]


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--shard", type=Path, help="take the features of this shard")
    options.add_argument("--mib", type=int, default=256, help="features per round")
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    rows = stored(given.shard, given.mib) if given.shard else relu_like(given.mib)
    compared = candidates()
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(given.rounds):
            for candidate in compared:
                candidate.measure(rows, Path(folder) / "shard.parquet")
    print(
        f"{rows.shape[0]} rows of {rows.shape[1]} x {rows.shape[2]}, {(rows == 0).mean():.0%} zeros; MB per second of processor time\n"
    )
    print("| layout | compression | row group, MiB | size | write | read |\n|---|---|---|---|---|---|")
    for candidate in compared:
        size = f"{candidate.size / rows.nbytes:.0%}"
        print(f"| {candidate.name} | {size} | {spread(candidate.write)} | {spread(candidate.read)} |")


def spread(values: list[float]) -> str:
    """Return the median of `values` with minimum and maximum."""
    return f"{statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f})"


if __name__ == "__main__":
    main()
