"""Writing MATLAB files of level 5, which scipy.io.loadmat reads: equal content gives equal bytes."""

from pathlib import Path

import numpy as np

#: So many bytes at the beginning are a text, into which scipy puts the time.
TEXT_SIZE = 116

#: A variable of such a file has fewer bytes than this.
LIMIT = 1 << 31


def write_mat(path: Path, content: dict[str, np.ndarray], text: str = "SC-EGG", compress: bool = True) -> None:
    """Write the variables `content`; `text` says in the file's header what it is."""
    from scipy.io import savemat  # slow to import, and seldom needed

    with path.open("w+b") as file:
        savemat(file, content, do_compression=compress)
        file.seek(0)
        file.write(f"MATLAB 5.0 MAT-file, {text}".encode("ascii").ljust(TEXT_SIZE)[:TEXT_SIZE])


def image_numbers(rows: np.ndarray, images: int) -> np.ndarray:
    """Return rows, 0-based, of a set of so many images as xlsa17's files have them: a column of 1-based numbers, uint16
    as in its own files, or uint32 where that is too small."""
    return (rows[:, None] + 1).astype(np.uint16 if images <= np.iinfo(np.uint16).max else np.uint32)


def cells(texts: list[str] | tuple[str, ...]) -> np.ndarray:
    """Return a column of MATLAB cells, (n, 1)."""
    column = np.empty((len(texts), 1), dtype=object)
    column[:, 0] = texts
    return column
