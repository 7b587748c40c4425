"""Ready features as shards: read piece by piece from the file they came in, checked, and written as they are streamed."""

import sys
import time
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import Provenance
from scegg_core.data.features import open_features
from scegg_core.data.names import printable
from scegg_core.errors import InputError
from scegg_core.regions.backbone import FeatureMap
from scegg_core.regions.store import write_shard
from scegg_core.settings.features import FeatureSettings
from scegg_core.training.progress import bar


def read_shard(settings: FeatureSettings, images: int, rows: range, shard: Path, provenance: Provenance) -> None:
    """Write the features of image `rows`, of a file with those of `images` ones, as one shard.

    Raises InputError for features that cannot be used; the log says how many MB went through a second.
    """
    start = time.perf_counter()
    with open_features(settings) as features:
        size = features.size
        if size.images != images:
            raise InputError(
                f"{printable(settings.path)} holds features of {size.images} images, but {images} are indexed; "
                "let the workflow index them again."
            )
        grid, done = FeatureMap(size.channels, size.height, size.width), rows.start
        with write_shard(shard, grid, provenance, dtype=size.dtype) as writer, _bar(rows) as progress:
            for block in features.blocks(rows):
                writer.add(np.arange(done, done + len(block)), block)
                done += len(block)
                progress.update(len(block))
    seconds, written = time.perf_counter() - start, len(rows) * size.row_bytes / 1e6
    print(
        f"{shard.stem}: {len(rows):,} images in {seconds:.1f} s, {written:,.1f} MB written, {written / seconds:.1f} MB/s",
        file=sys.stderr,
    )


def _bar(rows: range):
    return bar(len(rows), "features", unit="image")


def map_of_ready(settings: FeatureSettings) -> FeatureMap:
    """Return the size of the maps of ready features; raises InputError for a file that cannot be used."""
    with open_features(settings) as features:
        return FeatureMap(features.size.channels, features.size.height, features.size.width)
