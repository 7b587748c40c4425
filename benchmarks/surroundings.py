"""Puts photographs that were cropped to the bird into wider pictures of their own background.

    python -m benchmarks.surroundings $SCEGG_REAL_DATA/cub100 data/cub100_wide

docs/results.md asks with them whether SCEN's lead depends on how much of a picture is bird. FOLDER and OUT are
in CUB's layout; OUT gets the pictures, bounding_boxes.txt and images.txt with where the photograph lies in each, and
attributes.txt. It appears when it is complete.
"""

import argparse
import shutil
import zlib
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from scegg_core.data.images import open_rgb
from scegg_core.errors import InputError

SIDE = 448  # of a wide picture: the paper's image size
BIRD = 224  # of the photograph in it, which so keeps the size of the table at 224 pixels
CORNER = 56  # pixels of the photograph's corner that the surroundings are made of
TILE = 2 * CORNER  # pixels it is enlarged to: what lies behind a bird is rarely in focus
EDGE = 12  # pixels over which the photograph fades into its surroundings


def surroundings(photograph: Image.Image) -> Image.Image:
    """Return SIDE x SIDE pixels: the most even corner of a BIRD x BIRD photograph, so hardly bird, mirrored on and on."""
    places = [(left, top) for left in (0, BIRD - CORNER) for top in (0, BIRD - CORNER)]
    corners = [photograph.crop((left, top, left + CORNER, top + CORNER)) for left, top in places]
    even = min(corners, key=lambda corner: float(np.asarray(corner, dtype=np.float64).std(axis=(0, 1)).sum()))
    tile = np.asarray(even.resize((TILE, TILE), Image.Resampling.BICUBIC))
    row = np.concatenate([tile, tile[:, ::-1]], axis=1)
    return Image.fromarray(np.tile(np.concatenate([row, row[::-1]]), (SIDE // TILE // 2, SIDE // TILE // 2, 1)))


def widened(photograph: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, tuple[int, int]]:
    """Return a SIDE x SIDE picture with the photograph at a random place, and the left and top of that place."""
    photograph = photograph.resize((BIRD, BIRD), Image.Resampling.BICUBIC)
    left, top = (int(place) for place in rng.integers(0, SIDE - BIRD + 1, size=2))
    wide = surroundings(photograph)
    wide.paste(photograph, (left, top), _faded())
    return wide, (left, top)


def widen_folder(folder: Path, out: Path) -> None:
    """Write every photograph of `folder`, widened, to `out`; its place in the picture depends on its path alone.

    Raises InputError if `folder` lacks photographs or attributes.txt, or if `out` exists.
    """
    images, attributes = folder / "CUB_200_2011" / "images", folder / "attributes.txt"
    paths = sorted(path.relative_to(images) for path in images.glob("*/*.jpg"))
    if not paths:
        raise InputError(f"{images} has no photographs; FOLDER has to hold CUB_200_2011/images/NNN.Name/*.jpg.")
    if not attributes.is_file():
        raise InputError(f"{attributes} is missing.")
    if out.exists():
        raise InputError(f"{out} exists already; remove it or name another folder.")
    part = out.with_name(out.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    root = part / "CUB_200_2011"
    places = [_widen(images, path, root / "images") for path in tqdm(paths, unit="image", desc="surroundings")]
    _write_boxes(root, paths, places)
    shutil.copy(attributes, part)
    part.rename(out)


def _widen(images: Path, path: Path, target: Path) -> tuple[int, int]:
    """Write one widened photograph below `target` and return the left and top of its place."""
    rng = np.random.default_rng(zlib.crc32(path.as_posix().encode()))
    wide, place = widened(open_rgb(images / path), rng)
    (target / path).parent.mkdir(parents=True, exist_ok=True)
    wide.save(target / path, quality=92)
    return place


def _write_boxes(root: Path, paths: list[Path], places: list[tuple[int, int]]) -> None:
    names = (f"{number} {path.as_posix()}\n" for number, path in enumerate(paths, start=1))
    boxes = (f"{number} {left} {top} {BIRD} {BIRD}\n" for number, (left, top) in enumerate(places, start=1))
    (root / "images.txt").write_text("".join(names), encoding="utf-8")
    (root / "bounding_boxes.txt").write_text("".join(boxes), encoding="utf-8")


def _faded() -> Image.Image:
    """Return the photograph's opacity: 0 at its edge, 255 from EDGE pixels on."""
    ramp = np.minimum(np.minimum(np.arange(BIRD), np.arange(BIRD)[::-1]) / EDGE, 1.0)
    return Image.fromarray((255 * np.minimum(ramp[:, None], ramp[None, :])).astype(np.uint8))


def main(arguments: list[str] | None = None) -> None:
    """Widen the photographs of the folder that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.surroundings", description=__doc__)
    parser.add_argument("folder", type=Path, help="data set in CUB's layout, photographs cropped to the bird")
    parser.add_argument("out", type=Path, help="folder to write; must not exist")
    given = parser.parse_args(arguments)
    try:
        widen_folder(given.folder, given.out)
    except InputError as problem:
        parser.error(str(problem))


if __name__ == "__main__":
    main()
