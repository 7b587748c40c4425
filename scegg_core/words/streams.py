"""Opening a file of word vectors as a stream of bytes: what it is, its first bytes say, never its name."""

import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from scegg_core.data.names import printable
from scegg_core.errors import InputError

_BUFFER = 1 << 20

#: So many members of an archive are named in a message; the others are counted.
SHOWN = 5

#: First bytes of a zip archive: with members, and empty.
ZIP = (b"PK\x03\x04", b"PK\x05\x06")

_PACKED = ((b"\x1f\x8b\x08", gzip.open), (b"BZh", bz2.open), (b"\xfd7zXZ\0", lzma.open))

#: Files that are something else, by their first bytes: what they are, and what to do.
_REFUSED = (
    (b"\x93NUMPY", "is a .npy matrix, not a file of word vectors; set attribute_vectors.source to matrix"),
    (b"\xba\x16\x4f\x2f", "is fastText's own binary model; take the .vec file that belongs to it"),
    (b"\xff\xfe", "is UTF-16 text; save it as UTF-8"),
    (b"\xfe\xff", "is UTF-16 text; save it as UTF-8"),
    (b"\x28\xb5\x2f\xfd", "is packed by zstd, which is not read here; unpack it and name the file that was in it"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive, which is not read here; unpack it and name the file that was in it"),
    (b"Rar!\x1a\x07", "is a rar archive, which is not read here; unpack it and name the file that was in it"),
    *((magic, "is packed twice; unpack it and name the file that was in it") for magic, _ in _PACKED),
    *((magic, "holds a zip archive; unpack it and name the file that was in it") for magic in ZIP),
    *(
        (
            bytes([0x80, version]),
            "is a file of pickled Python objects, as gensim's save() writes, and such are never read; "
            "save the vectors with save_word2vec_format()",
        )
        for version in range(2, 6)
    ),
)


@contextmanager
def open_stream(path: Path, dimensions: int) -> Iterator[io.BufferedReader]:
    """Yield the bytes of the file, or of the member of a zip that fits `dimensions`, unpacked (gzip, bzip2, xz).

    What is packed is read to its end when the block ends, since its checksum stands there.
    Raises InputError for files known to be something else, and what the readers raise for damaged ones.
    """
    with ExitStack() as stack:
        file = stack.enter_context(path.open("rb", _BUFFER))
        if packed := file.peek(8).startswith(ZIP):
            archive = stack.enter_context(zipfile.ZipFile(file))
            file = stack.enter_context(io.BufferedReader(_member(archive, dimensions, path), _BUFFER))
        for magic, opened in _PACKED:
            if file.peek(8).startswith(magic):
                file, packed = stack.enter_context(io.BufferedReader(opened(file), _BUFFER)), True
                break
        _refuse_others(file, path)
        yield file
        while packed and file.read(_BUFFER):
            pass


def _refuse_others(file: io.BufferedReader, path: Path) -> None:
    head = file.peek(512)
    for magic, sentence in _REFUSED:
        if head.startswith(magic):
            raise InputError(f"{path} {sentence}.")
    if head[257:262] == b"ustar":
        raise InputError(f"{path} is a tar archive; unpack it and name the file that was in it.")


def _member(archive: zipfile.ZipFile, dimensions: int, path: Path) -> zipfile.ZipExtFile:
    members = [member for member in archive.infolist() if not member.is_dir() and "__MACOSX/" not in member.filename]
    fitting = [member for member in members if f".{dimensions}d." in member.filename]
    if len(members) != 1 and len(fitting) != 1:
        names = ", ".join(printable(member.filename) for member in members[:SHOWN]) or "nothing"
        names += f" and {len(members) - SHOWN} more" if len(members) > SHOWN else ""
        raise InputError(
            f"{path} holds {names}, but no single member with {dimensions}d in its name; "
            "unpack the right one and name it."
        )
    member = fitting[0] if fitting else members[0]
    if member.flag_bits & 1:
        raise InputError(f"{path} is encrypted; unpack it and name the file that was in it.")
    return archive.open(member)
