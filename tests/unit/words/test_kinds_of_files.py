"""Files of word vectors and matrices of every kind: told by their bytes; the right vectors or one sentence."""

import bz2
import gzip
import io
import lzma
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from scegg_core.errors import InputError
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.words.files import read_word_vectors
from scegg_core.words.vectors import embed_attributes, read_captions

WORDS = ("blue wing", "tail")
EXPECTED = np.array([[0.5, 1.5], [-2.5, 5e-3]], dtype=np.float32)
TEXT = b"the 7 7\nblue 1.0 0\nwing 0 3e0\ntail -2.5 5E-3\n"
BINARY = b"2 2\nblue " + np.array([1, 0], "<f4").tobytes() + b"\ntail " + np.array([-2.5, 5e-3], "<f4").tobytes()


def embed(path: Path, content: bytes, source: str = "word2vec", words: tuple[str, ...] = WORDS) -> np.ndarray:
    path.write_bytes(content)
    return embed_attributes(words, AttributeVectorSettings(source=source, path=str(path), dimensions=2)).vectors


def zip_bytes(content: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tar_bytes() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("glove.txt"))
    return buffer.getvalue()


RIGHT = {
    "gzip": gzip.compress(TEXT),
    "bzip2": bz2.compress(TEXT),
    "xz": lzma.compress(TEXT),
    "zip": zip_bytes({"any.txt": TEXT}),
    "zip of a gzip": zip_bytes({"any.txt.gz": gzip.compress(TEXT)}),
    "zip made on a Mac": zip_bytes({"any.txt": TEXT, "__MACOSX/._any.txt": b"x"}),
    "tabs": TEXT.replace(b" ", b"\t"),
    "header and tabs": b"4\t2\n" + TEXT.replace(b" ", b"\t"),
    "ends of lines of Windows": TEXT.replace(b"\n", b"\r\n"),
    "byte-order mark": b"\xef\xbb\xbf" + TEXT.removeprefix(b"the 7 7\n"),
    "byte-order mark and header": b"\xef\xbb\xbf4 2\n" + TEXT,
    "blanks at the ends, as fastText's .vec": b"4 2\n" + TEXT.replace(b"\n", b" \n"),
    "empty lines": TEXT.replace(b"\n", b"\n\n"),
    "words with blanks, as in glove.840B": b". . . 9 9\nblue name@domain.com 9 9\nblue . 9 9\n" + TEXT,
    "no line break at the end": TEXT.removesuffix(b"\n"),
    "header and no line break at the end": b"4 2\n" + TEXT.removesuffix(b"\n"),
    "a word twice": TEXT.replace(b"wing", b"blue 9 9\nwing"),
}


@pytest.mark.parametrize("kind", RIGHT)
def test_files_are_told_by_their_bytes(tmp_path, kind):
    assert np.array_equal(embed(tmp_path / "v.txt", RIGHT[kind]), EXPECTED)


def test_a_file_that_may_be_cut_off_in_its_last_number_is_named(tmp_path, caplog):
    said = f"{tmp_path}/v.txt ends without a line break; if it was cut off there, fetch it again"
    for content, warned in ((TEXT + b"a 1 2.25\n", []), (TEXT + b"a 1 2.2", [said])):
        caplog.clear()
        embed(tmp_path / "v.txt", content, words=("blue", "a"))
        assert caplog.messages == warned


def test_an_ending_that_says_something_else_does_not_matter(tmp_path):
    for name in ("v.gz", "v.zip", "v.bin"):
        assert np.array_equal(embed(tmp_path / name, TEXT), EXPECTED)


def pickled() -> bytes:
    buffer = io.BytesIO()
    vectors = KeyedVectors(2)
    vectors.add_vectors(["tail"], np.ones((1, 2), dtype=np.float32))
    vectors.save(buffer)
    return buffer.getvalue()


def encrypted() -> bytes:
    data = bytearray(zip_bytes({"v.txt": TEXT}))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flags] |= 1
    return bytes(data)


def unknown_method() -> bytes:
    data = bytearray(zip_bytes({"v.txt": TEXT}))
    for mark, method in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(mark) + method] = 99
    return bytes(data)


def npy(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values, allow_pickle=True)
    return buffer.getvalue()


UNPACK = "which is not read here; unpack it and name the file that was in it."
DAMAGED = "the file is damaged, fetch it again."
CUT = "is cut off in its last line, which has not all of its numbers; fetch it again."
REFUSED = {
    "encrypted": (encrypted(), "is encrypted; unpack it and name the file that was in it."),
    "unknown method": (
        unknown_method(),
        "is damaged or cut off (That compression method is not supported); fetch it again.",
    ),
    "empty zip": (
        zip_bytes({}),
        "holds nothing, but no single member with 2d in its name; unpack the right one and name it.",
    ),
    "packed twice": (gzip.compress(gzip.compress(TEXT)), "is packed twice; unpack it and name the file that was in it."),
    "zip in gzip": (
        gzip.compress(zip_bytes({"v": TEXT})),
        "holds a zip archive; unpack it and name the file that was in it.",
    ),
    "tar in gzip": (
        gzip.compress(tar_bytes()),
        "is a tar archive; unpack it and name the file that was in it.",
    ),
    "cut gzip": (
        gzip.compress(TEXT)[:-9],
        "is damaged or cut off (Compressed file ended before the end-of-stream marker was reached); fetch it again.",
    ),
    "zstd": (b"\x28\xb5\x2f\xfd1234", f"is packed by zstd, {UNPACK}"),
    "7z": (b"7z\xbc\xaf\x27\x1c", f"is a 7z archive, {UNPACK}"),
    "rar": (b"Rar!\x1a\x07\0", f"is a rar archive, {UNPACK}"),
    "pickle": (
        pickled(),
        "is a file of pickled Python objects, as gensim's save() writes, and such are never read; "
        "save the vectors with save_word2vec_format().",
    ),
    "fastText": (b"\xba\x16\x4f\x2f\x0c\0\0\0", "is fastText's own binary model; take the .vec file that belongs to it."),
    "npy": (
        npy(EXPECTED),
        "is a .npy matrix, not a file of word vectors; set attribute_vectors.source to matrix.",
    ),
    "UTF-16": (TEXT.decode().encode("utf-16"), "is UTF-16 text; save it as UTF-8."),
    "a page": (
        b"<!DOCTYPE html>\n<p>Not found 404</p>\n",
        "is not a file of word vectors: its first line is not a word and its numbers; check what was fetched.",
    ),
    "zeros": (
        b"blue 1 2\nwing 1 2\ntail 0 0.0\n",
        "gives the word 'tail' a vector of zeros, which says nothing; "
        "rename the attribute or take another source of vectors.",
    ),
    "too small for float32": (
        b"blue 1 2\nwing 1 2\ntail 0 1e-60\n",
        "gives the word 'tail' a vector of zeros, which says nothing; "
        "rename the attribute or take another source of vectors.",
    ),
    "too large for float32": (
        b"blue 1 2\nwing 1 2\ntail 0 1e60\n",
        f"gives the word 'tail' a vector that is not finite; {DAMAGED}",
    ),
    "binary with zeros": (
        BINARY[:-8] + bytes(8),
        "gives the word 'tail' a vector of zeros, which says nothing; "
        "rename the attribute or take another source of vectors.",
    ),
    "binary in the other byte order": (
        BINARY[:-8] + np.array([0.5, 2], ">f4").tobytes(),
        "gives the word 'tail' a vector with values of up to 9e-44, as bytes of another order or type give; "
        "take a file of word2vec's or GloVe's format.",
    ),
    "cut off between numbers": (b"wing 1 2\nblue 1 2\ntail 1", CUT),
    "cut off behind a number's sign": (b"wing 1 2\nblue 1 2\ntail 1 -", CUT),
    "cut off in another word's vector": (b"wing 1 2\nblue 1 2\ntail 1 2\nbeak 1", CUT),
    "cut off, and a line break set": (b"wing 1 2\nblue 1 2\ntail 1 2\nbeak 1\n", CUT),
    "an underscore": (b"blue 1 2\nwing 1 2\ntail 1_0 2\n", f"gives the word 'tail' no 2 numbers; {DAMAGED}"),
    "a zero byte": (b"blue 1 2\nwing 1 2\ntail 1.2\0 2\n", f"gives the word 'tail' no 2 numbers; {DAMAGED}"),
    "decimal commas": (b"blue 1 2\nwing 1 2\ntail 1,5 2,5\n", f"gives the word 'tail' no 2 numbers; {DAMAGED}"),
    "more words than promised": (b"1 2\nblue 1 2\nwing 1 2\n", "promises 1 words but holds more; fetch it again."),
    "more than promised in binary": (BINARY + b"\nmore", "promises 2 words but holds more; fetch it again."),
    "vectors that cancel": (
        b"blue 1 2\nwing -1 -2\ntail 1 2\n",
        None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
def test_other_files_are_one_sentence(tmp_path, kind):
    content, sentence = REFUSED[kind]
    path, words = tmp_path / "v.txt", (*WORDS, "nowhere tail")
    cancel = (
        f"the vectors of the words of attribute 'blue wing' cancel each other out in {path}; "
        "rename the attribute or take another source of vectors."
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as error:
            embed(path, content, words=words)
    assert str(error.value) == (f"{path} {sentence}" if sentence else cancel)


MATRICES = {
    "float64": EXPECTED.astype(np.float64),
    "big-endian": EXPECTED.astype(">f4"),
    "Fortran order": np.asfortranarray(EXPECTED),
    "float16": EXPECTED.astype(np.float16),
    "whole numbers": np.array([[1, 2], [3, -4]], dtype=">i2"),
}


@pytest.mark.parametrize("kind", MATRICES)
def test_matrices_of_real_numbers_are_read(tmp_path, kind):
    found = embed(tmp_path / "v.npy", npy(MATRICES[kind]), "matrix")
    assert found.dtype == np.float32
    assert found.dtype.isnative
    assert found.flags.c_contiguous
    assert np.array_equal(found, MATRICES[kind].astype(np.float32))


def claiming(shape: str) -> bytes:
    return npy(EXPECTED).replace(b"(2, 2), }" + b" " * (len(shape) - 6), f"{shape}, }}".encode())


def npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, a=EXPECTED)
    return buffer.getvalue()


PLAIN = "is not a plain .npy matrix; save it with numpy.save as float32."
WRONG_MATRICES = {
    "complex": (npy(EXPECTED + 1j), "holds values of type complex64, expected real numbers; save it as float32."),
    "texts": (npy(np.full((2, 2), "1.5")), "holds values of type <U3, expected real numbers; save it as float32."),
    "yes and no": (npy(np.ones((2, 2), bool)), "holds values of type bool, expected real numbers; save it as float32."),
    "spans of time": (
        npy(np.ones((2, 2), "m8[s]")),
        "holds values of type timedelta64[s], expected real numbers; save it as float32.",
    ),
    "fields": (
        npy(np.zeros((2, 2), dtype=[("a", "f4")])),
        "holds values of type [('a', '<f4')], expected real numbers; save it as float32.",
    ),
    "objects": (npy(np.array([[1, "a"]], dtype=object)), PLAIN),
    "an archive": (npz(), PLAIN),
    "text": (b"1 2\n3 4\n", PLAIN),
    "a larger array than the file": (claiming("(100000000, 100000000)"), PLAIN),
    "more bytes than the array": (
        npy(EXPECTED) + b"more",
        "has 148 bytes, but its header speaks of 144; save it again with numpy.save.",
    ),
    "too large for float32": (
        npy(np.array([[1, 2], [3, 1e60]])),
        "has no vector for attribute 'tail': row 1 is all zeros or not finite in float32; "
        "fill it or take another source.",
    ),
    "too small for float32": (
        npy(np.array([[1, 2], [0, 1e-60]])),
        "has no vector for attribute 'tail': row 1 is all zeros or not finite in float32; "
        "fill it or take another source.",
    ),
    "so large that products are infinite": (
        npy(np.array([[1, 2], [3, 1e30]])),
        "gives attribute 'tail' values of up to 1e+30; scale the matrix, so that each row's largest is between "
        "1e-06 and 1e+06.",
    ),
    "one axis": (
        npy(np.ones(4)),
        "holds an array of shape (4,), expected numbers of shape (2, 2), attributes × attribute_vectors.dimensions.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG_MATRICES)
def test_other_matrices_are_one_sentence(tmp_path, kind):
    content, sentence = WRONG_MATRICES[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(InputError) as error:
            embed(tmp_path / "v.npy", content, "matrix")
    assert str(error.value) == f"{tmp_path}/v.npy {sentence}"


def test_a_turned_matrix_is_said_to_be_one(tmp_path):
    with pytest.raises(InputError, match=r"attributes × attribute_vectors\.dimensions; transpose it\.$"):
        embed(tmp_path / "v.npy", npy(np.ones((2, 3))), "matrix", ("a", "b", "c"))


@pytest.mark.parametrize("text", ["...\n!?\n", "\ufeff-\n", "one\nword\n"])
def test_captions_without_sentences_are_refused(tmp_path, text):
    (tmp_path / "c.txt").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_captions(tmp_path / "c.txt")
    assert str(error.value) == f"{tmp_path}/c.txt holds no captions of two words or more; it has to hold one a line."


def test_captions_are_read_in_composed_letters_without_their_mark(tmp_path):
    (tmp_path / "c.txt").write_text("\ufeffA Bla\u030ames!\n--\n", encoding="utf-8")
    assert read_captions(tmp_path / "c.txt") == [["a", "blåmes"], []]


def test_members_of_an_archive_are_named_in_one_short_line(tmp_path):
    path = tmp_path / "v.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for number in range(300):
            archive.writestr(f"picture\n{number}.jpg", b"x")
    with pytest.raises(InputError) as error:
        read_word_vectors(path, {"a"}, 3)
    names = ", ".join(f"picture\\n{number}.jpg" for number in range(5))
    assert str(error.value) == (
        f"{path} holds {names} and 295 more, but no single member with 3d in its name; unpack the right one and name it."
    )
