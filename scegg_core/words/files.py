"""Reading a few words' vectors out of a big file of word vectors, line by line, so that memory stays small."""

import io
import logging
import os
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import BinaryIO

import numpy as np

from scegg_core.data.names import printable
from scegg_core.data.text_files import require_readable
from scegg_core.errors import InputError
from scegg_core.settings.existing import is_file
from scegg_core.words.matrix import of_usual_size
from scegg_core.words.streams import open_stream

log = logging.getLogger(__name__)

#: No line of a text file of word vectors, and no word of a binary one, is longer than this (bytes).
LONGEST_LINE = 1 << 20

LONGEST_WORD = 1000

#: So many lines at the beginning tell the size of the vectors: a few words may hold blanks.
_JUDGED = 16

_HEADER = re.compile(rb"\s*(\d{1,12})\s+(\d{1,12})\s*")

# nan and inf are numbers here, to be named for what they are; Python's 1_000 is none
_NUMBER = re.compile(rb"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(nan|inf(inity)?)", re.IGNORECASE)

_NUMBER_CHARACTERS = frozenset(b"0123456789.+-eE \t\r")


def read_word_vectors(path: Path, needed: set[str], dimensions: int) -> dict[str, np.ndarray]:
    """Return the vectors, (dimensions,) float32, of those of the words `needed` that the file knows.

    Reads word2vec's text and binary formats and GloVe's text (no header; its words may hold blanks, which are not
    looked for), plain, packed by gzip, bzip2 or xz, or as a member of a zip archive. Of a word that is there twice
    the first vector counts. Raises InputError where the file is missing, damaged or of another kind.
    """
    require_readable(
        path,
        f"the file of word vectors {printable(path)} is missing; fetch it or correct the setting attribute_vectors.path.",
    )
    wanted = {word.encode(): word for word in needed}
    vectors: dict[str, np.ndarray] = {}
    try:
        with open_stream(path, dimensions) as stream:
            for word, vector in _vectors(stream, wanted, dimensions, path):
                vectors.setdefault(wanted[word], vector)
                if len(vectors) == len(wanted):
                    break
    except InputError:
        raise
    except Exception as error:  # each of the four ways of packing has its own for damaged files
        reason = str(error)[:80] or type(error).__name__
        raise InputError(f"{path} is damaged or cut off ({reason}); fetch it again.") from None
    return vectors


def local_gensim_file(name: str) -> Path | None:
    """Return the file of gensim-data's model `name` if it is here: as a path, or where gensim keeps it."""
    paths = (Path(name), gensim_folder() / name / f"{name}.gz")
    return next((path for path in paths if is_file(path)), None)


def gensim_folder() -> Path:
    """Return the folder in which gensim keeps what it has downloaded."""
    return Path(os.environ.get("GENSIM_DATA_DIR", Path.home() / "gensim-data"))


def _vectors(
    stream: io.BufferedReader, wanted: dict[bytes, str], dimensions: int, path: Path
) -> Iterator[tuple[bytes, np.ndarray]]:
    lines = iter(lambda: _line(stream, path), b"")
    first = next(lines, b"").removeprefix(b"\xef\xbb\xbf")  # a byte-order mark
    header = _HEADER.fullmatch(first)
    if header is None:
        ahead = [first, *islice(lines, _JUDGED - 1)]
        _match_dimensions([_size(line) for line in ahead], dimensions, path)
        return _text_vectors(chain(ahead, lines), None, wanted, dimensions, path)
    count = int(header[1])
    _match_dimensions([int(header[2])], dimensions, path)
    if _is_text(stream):
        return _text_vectors(lines, count, wanted, dimensions, path)
    return _binary_vectors(stream, count, wanted, dimensions, path)


def _size(line: bytes) -> int:
    """Return of how many numbers the vector of a line is if its word is one without blanks; 0 for another line."""
    fields = line.split()
    return len(fields) - 1 if fields and _NUMBER.fullmatch(fields[-1]) else 0


def _match_dimensions(sizes: list[int], dimensions: int, path: Path) -> None:
    if dimensions in sizes:
        return
    size = min(filter(None, sizes), default=0)
    if size < 1:
        raise InputError(
            f"{path} is not a file of word vectors: its first line is not a word and its numbers; "
            "check what was fetched."
        )
    raise InputError(
        f"{path} holds vectors of {size} numbers, but attribute_vectors.dimensions is {dimensions}; set it to {size}."
    )


def _is_text(stream: io.BufferedReader) -> bool:
    """Tell whether numbers, not raw bytes, follow the first word."""
    ahead = re.split(rb"[ \t]", stream.peek(LONGEST_WORD + 32), maxsplit=1)[-1][:32].partition(b"\n")[0]
    return bool(ahead) and all(byte in _NUMBER_CHARACTERS for byte in ahead)


def _text_vectors(
    lines: Iterable[bytes], count: int | None, wanted: dict[bytes, str], dimensions: int, path: Path
) -> Iterator[tuple[bytes, np.ndarray]]:
    read = 0
    written = (line for line in lines if not line.isspace())
    for line, following in pairwise(chain(written, (b"",))):
        if not following:
            _require_end(line, dimensions, path)
        read += 1
        word = line.split(None, 1)[0]
        if word in wanted and line.startswith(word) and _is_whole_word(line, dimensions):
            yield word, _parsed(line, word, dimensions, path)
    _require_count(read, count, path)


def _is_whole_word(line: bytes, dimensions: int) -> bool:
    """Tell whether the word ends at the first blank: not so in 'and name@domain.com 0.1 …' of glove.840B."""
    between = line.split()[1:-dimensions]
    return all(_NUMBER.fullmatch(field) for field in between)


def _require_end(line: bytes, dimensions: int, path: Path) -> None:
    """Refuse a last line without all its numbers; of one that may have lost a number's last digits it is said."""
    fields, ended = line.split(), line.endswith(b"\n")
    if len(fields) <= dimensions or not (ended or _NUMBER.fullmatch(fields[-1])):
        raise InputError(f"{path} is cut off in its last line, which has not all of its numbers; fetch it again.")
    if not ended:
        log.warning("%s ends without a line break; if it was cut off there, fetch it again", path)


def _binary_vectors(
    stream: io.BufferedReader, count: int, wanted: dict[bytes, str], dimensions: int, path: Path
) -> Iterator[tuple[bytes, np.ndarray]]:
    for read in range(count):
        word, data = _word(stream, path), stream.read(4 * dimensions)
        if len(data) < 4 * dimensions:
            _require_count(read, count, path)
        if word in wanted:
            yield word, _usable(np.frombuffer(data, dtype="<f4"), word, path)
    _require_count(count + bool(stream.read(2).strip()), count, path)


def _require_count(read: int, count: int | None, path: Path) -> None:
    if count is not None and read != count:
        what = f"ends after {read}" if read < count else "holds more"
        raise InputError(f"{path} promises {count} words but {what}; fetch it again.")


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


def _parsed(line: bytes, word: bytes, dimensions: int, path: Path) -> np.ndarray:
    fields = line.split()[1:]
    if len(fields) != dimensions or not all(map(_NUMBER.fullmatch, fields)):
        raise InputError(
            f"{path} gives the word {word.decode()!r} no {dimensions} numbers; the file is damaged, fetch it again."
        )
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite
        return _usable(np.array(fields, dtype=np.float32), word, path)


def _usable(vector: np.ndarray, word: bytes, path: Path) -> np.ndarray:
    if not np.isfinite(vector).all():
        raise InputError(
            f"{path} gives the word {word.decode()!r} a vector that is not finite; the file is damaged, fetch it again."
        )
    if not vector.any():
        raise InputError(
            f"{path} gives the word {word.decode()!r} a vector of zeros, which says nothing; "
            "rename the attribute or take another source of vectors."
        )
    if not of_usual_size(vector):
        raise InputError(
            f"{path} gives the word {word.decode()!r} a vector with values of up to {np.abs(vector).max():.0e}, as "
            "bytes of another order or type give; take a file of word2vec's or GloVe's format."
        )
    return vector
