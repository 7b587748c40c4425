"""Reading a few words' vectors out of a big file of word vectors, line by line, so that memory stays small."""

import gzip
import io
import os
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import numpy as np

from scegg_core.errors import InputError

#: No line of a text file of word vectors, and no word of a binary one, is longer than this (bytes).
LONGEST_LINE = 1 << 20

LONGEST_WORD = 1000

_NUMBER_CHARACTERS = frozenset(b"0123456789.+-eE \r")


def read_word_vectors(path: Path, needed: set[str], dimensions: int) -> dict[str, np.ndarray]:
    """Return the vectors, (dimensions,) float32, of those of the words `needed` that the file knows.

    Reads word2vec's text and binary formats and GloVe's text (no header), plain, gzipped or as a member of a .zip.
    Reading stops as soon as all words are found. Raises InputError where it is missing or damaged.
    """
    if not path.is_file():
        raise InputError(
            f"the file of word vectors {path} is missing; fetch it or correct the setting attribute_vectors.path."
        )
    wanted = {word.encode(): word for word in needed}
    vectors: dict[str, np.ndarray] = {}
    try:
        with _stream(path, dimensions) as stream:
            for word, vector in _vectors(stream, wanted, dimensions, path):
                vectors.setdefault(wanted[word], vector)
                if len(vectors) == len(wanted):
                    break
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is damaged or cut off ({_short(error)}); fetch it again.") from None
    return vectors


def local_gensim_file(name: str) -> Path | None:
    """Return the file of gensim-data's model `name` if it is here: as a path, or where gensim keeps it."""
    paths = (Path(name), gensim_folder() / name / f"{name}.gz")
    return next((path for path in paths if path.is_file()), None)


def gensim_folder() -> Path:
    """Return the folder in which gensim keeps what it has downloaded."""
    return Path(os.environ.get("GENSIM_DATA_DIR", Path.home() / "gensim-data"))


def _short(error: Exception) -> str:
    return str(error)[:80] or type(error).__name__


@contextmanager
def _stream(path: Path, dimensions: int) -> Iterator[io.BufferedReader]:
    """Open the file, or the member of the archive that fits `dimensions`, as a stream of bytes."""
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive, archive.open(_member(archive, dimensions, path)) as member:
            yield io.BufferedReader(member, 1 << 20)
    elif path.suffix == ".gz":
        with gzip.open(path) as file:
            yield io.BufferedReader(file, 1 << 20)
    else:
        with path.open("rb", 1 << 20) as file:
            yield file


def _member(archive: zipfile.ZipFile, dimensions: int, path: Path) -> str:
    names = [name for name in archive.namelist() if not name.endswith("/")]
    fitting = [name for name in names if f".{dimensions}d." in name]
    if len(names) != 1 and len(fitting) != 1:
        raise InputError(
            f"{path} holds {', '.join(names) or 'nothing'}, but no single member with {dimensions}d in its name; "
            "unpack the right one and name it."
        )
    return fitting[0] if fitting else names[0]


def _vectors(
    stream: io.BufferedReader, wanted: dict[bytes, str], dimensions: int, path: Path
) -> Iterator[tuple[bytes, np.ndarray]]:
    lines = iter(lambda: _line(stream, path), b"")
    first = next(lines, b"")
    fields = first.split()
    if len(fields) == 2 and all(field.isdigit() for field in fields):
        _match_dimensions(int(fields[1]), dimensions, path)
        if not _is_text(stream):
            return _binary_vectors(stream, int(fields[0]), wanted, dimensions, path)
        return _text_vectors(lines, int(fields[0]), wanted, dimensions, path)
    _match_dimensions(len(fields) - 1, dimensions, path)
    return _text_vectors(chain([first], lines), 0, wanted, dimensions, path)


def _match_dimensions(size: int, dimensions: int, path: Path) -> None:
    if size < 1:
        raise InputError(
            f"{path} is not a file of word vectors: its first line is not a word and its numbers; "
            "check what was fetched."
        )
    if size != dimensions:
        raise InputError(
            f"{path} holds vectors of {size} numbers, but attribute_vectors.dimensions is {dimensions}; "
            f"set it to {size}."
        )


def _is_text(stream: io.BufferedReader) -> bool:
    """Tell whether numbers, not raw bytes, follow the first word."""
    ahead = stream.peek(LONGEST_WORD + 32).partition(b" ")[2][:32].partition(b"\n")[0]
    return bool(ahead) and all(byte in _NUMBER_CHARACTERS for byte in ahead)


def _text_vectors(
    lines: Iterable[bytes], count: int, wanted: dict[bytes, str], dimensions: int, path: Path
) -> Iterator[tuple[bytes, np.ndarray]]:
    read = 0
    for line in lines:
        read += 1
        word, _, numbers = line.partition(b" ")
        if word in wanted:
            yield word, _parsed(numbers, word, dimensions, path)
    _require_count(read, count, path)


def _binary_vectors(
    stream: io.BufferedReader, count: int, wanted: dict[bytes, str], dimensions: int, path: Path
) -> Iterator[tuple[bytes, np.ndarray]]:
    for read in range(count):
        word, data = _word(stream, path), stream.read(4 * dimensions)
        if len(data) < 4 * dimensions:
            _require_count(read, count, path)
        if word in wanted:
            yield word, _finite(np.frombuffer(data, dtype="<f4"), word, path)


def _require_count(read: int, count: int, path: Path) -> None:
    if read < count:
        raise InputError(f"{path} promises {count} words but ends after {read}; fetch it again.")


def _word(stream: BinaryIO, path: Path) -> bytes:
    word = bytearray()
    while (byte := stream.read(1)) not in (b" ", b""):
        word += byte
        if len(word) > LONGEST_WORD:
            raise InputError(
                f"{path} is not a binary file of word vectors: a word has more than {LONGEST_WORD} bytes; "
                "check what was fetched."
            )
    return bytes(word.lstrip(b"\n"))


def _line(stream: BinaryIO, path: Path) -> bytes:
    line = stream.readline(LONGEST_LINE)
    if len(line) == LONGEST_LINE:
        raise InputError(
            f"{path} is not a file of word vectors: a line has more than {LONGEST_LINE} bytes; check what was fetched."
        )
    return line


def _parsed(numbers: bytes, word: bytes, dimensions: int, path: Path) -> np.ndarray:
    try:
        vector = np.array(numbers.split(), dtype=np.float32)
    except ValueError:
        vector = np.empty(0, dtype=np.float32)
    if len(vector) != dimensions:
        raise InputError(
            f"{path} gives the word {word.decode()!r} no {dimensions} numbers; the file is damaged, fetch it again."
        )
    return _finite(vector, word, path)


def _finite(vector: np.ndarray, word: bytes, path: Path) -> np.ndarray:
    if not np.isfinite(vector).all():
        raise InputError(
            f"{path} gives the word {word.decode()!r} a vector that is not finite; the file is damaged, fetch it again."
        )
    return vector
