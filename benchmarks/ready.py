"""Indexes a large HDF5 file of region maps and turns it into shards; prints MB per second and peak resident memory.

    python -m benchmarks.ready                     # 20,000 images of 2048 x 14 x 14, packed by gzip as DAZLE's files
    python -m benchmarks.ready --images 2000 --values 400000     # values that gzip can hardly pack, as real ones
    python -m benchmarks.ready --plain --images 2000             # not packed at all

The file lies in a temporary folder and is made of one chunk over and over, so that it takes little disk; shards are
removed as they are made. The smallest chunks are those that h5py chooses by itself, which reach over many images.
"""

import argparse
import itertools
import tempfile
import time
import zlib
from pathlib import Path

import h5py
import numpy as np

from benchmarks.stream import measured
from scegg_core.artifacts.files import Provenance
from scegg_core.data.index import load_index
from scegg_core.regions.ready import read_shard
from scegg_core.regions.store import RegionStore, shard_rows
from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import DatasetSettings

CHANNELS, SIDE, CLASSES, ATTRIBUTES = 2048, 14, 10, 8


def make_file(path: Path, images: int, values: int, plain: bool) -> None:
    """Write a file in DAZLE's layout whose chunks repeat `values` different numbers."""
    numbers = np.maximum(np.random.default_rng(0).standard_normal(values, dtype=np.float32), 0) + np.float32(0.01)
    shape = (images, CHANNELS, SIDE, SIDE)
    with h5py.File(path, "w") as file:
        if plain:
            maps = file.create_dataset("feature_map", shape, np.float32)
            for image in range(images):
                maps[image] = np.resize(numbers, shape[1:])
        else:
            maps = file.create_dataset("feature_map", shape, np.float32, chunks=True, compression="gzip")
            packed = zlib.compress(np.resize(numbers, maps.chunks).tobytes(), 4)
            starts = (range(0, side, step) for side, step in zip(shape, maps.chunks, strict=True))
            for corner in itertools.product(*starts):
                maps.id.write_direct_chunk(corner, packed)
        for name, content in _the_rest(images).items():
            file[name] = content


def _the_rest(images: int) -> dict[str, np.ndarray]:
    labels = np.arange(images) % CLASSES
    unseen, part = labels >= CLASSES - 2, np.arange(images) // CLASSES % 5
    strengths = np.random.default_rng(1).random((CLASSES, ATTRIBUTES))
    return {
        "labels": labels,
        "trainval_loc": np.flatnonzero(~unseen & (part > 0)),
        "test_seen_loc": np.flatnonzero(~unseen & (part == 0)),
        "test_unseen_loc": np.flatnonzero(unseen),
        "original_att": strengths,
        "w2v_att": np.random.default_rng(2).standard_normal((ATTRIBUTES, 300)),
    }


def convert(settings: DatasetSettings, images: int, shards: int, folder: Path) -> None:
    """Make the first `shards` shards, and remove all but the first."""
    for number in range(shards):
        shard = folder / f"part-{number:04d}.parquet"
        read_shard(settings.features, images, shard_rows(images, settings.shards, number), shard, Provenance("ready"))
        if number:
            shard.unlink()


def touched(rows) -> None:
    """Read every value once."""
    for block in rows:
        block.sum(dtype=np.float32)


def main() -> None:
    """Make the file, index and convert it, and read the first shard again beside the same images in place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--values", type=int, default=1000, help="how many different numbers a chunk repeats")
    parser.add_argument("--shards", type=int, default=8, help="how many of the 8 shards are made")
    parser.add_argument("--plain", action="store_true", help="neither chunks nor gzip")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        path = folder / "feature_map.hdf5"
        make_file(path, given.images, given.values, given.plain)
        section = {"features": {"path": str(path), "kind": "dazle"}}
        settings = parse_section(DatasetSettings, section, "datasets.large")
        with h5py.File(path) as file:
            print(f"{path.stat().st_size / 1e6:,.0f} MB on disk, chunks {file['feature_map'].chunks}")
        indexed = measured(lambda: load_index(settings))
        print(f"indexed in {indexed.seconds:.1f} s, peak {indexed.peak:.2f} GiB")
        taken = measured(lambda: convert(settings, given.images, given.shards, folder))
        rows = shard_rows(given.images, settings.shards, given.shards - 1).stop
        megabytes = 2 * rows * CHANNELS * SIDE**2 / 1e6
        print(
            f"{megabytes:,.0f} MB written in {taken.seconds:.0f} s ({taken.processor:.0f} s of processor time), "
            f"{megabytes / taken.seconds:.0f} MB/s, peak {taken.peak:.2f} GiB"
        )
        _compare(settings, folder, given.images)


def _compare(settings: DatasetSettings, folder: Path, images: int) -> None:
    from scegg_core.data.features import open_features

    rows = shard_rows(images, settings.shards, 0)
    megabytes = 2 * len(rows) * CHANNELS * SIDE**2 / 1e6
    with open_features(settings.features) as features:
        in_place = measured(lambda: touched(features.blocks(rows)))
    start = time.process_time()
    touched(block for _, block in RegionStore([folder / "part-0000.parquet"]).scan())
    shards = time.process_time() - start
    print(
        f"an eighth read in place: {megabytes / in_place.processor:.0f} MB, of our shards: {megabytes / shards:.0f} MB "
        "per second of processor time"
    )


if __name__ == "__main__":
    main()
