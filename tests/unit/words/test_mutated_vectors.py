"""Damaged files of word vectors and matrices: a sentence or usable vectors, never a traceback or a library's warning."""

import bz2
import gzip
import io
import lzma
import warnings
import zipfile

import numpy as np
import pytest
from mutations import each_mutated

from scegg_core.errors import InputError
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.words.vectors import embed_attributes

WORDS = ("blue wing", "tail", "blue thingumajig")
VECTORS = {"the": (0.5, -1.0), "blue": (1.0, 0.0), "wing": (0.0, 3.0), "tail": (-2.5, 5e-3), "straße": (9.0, 9.0)}
TEXT = "".join(f"{word} {x} {y}\n" for word, (x, y) in VECTORS.items()).encode()
RAW = b"5 2\n" + b"".join(f"{word} ".encode() + np.array(v, "<f4").tobytes() + b"\n" for word, v in VECTORS.items())


def zip_bytes(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("glove.2d.txt", TEXT)
    return buffer.getvalue()


def npy_bytes(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


#: By the source that reads them.
FILES = {
    "word2vec": {
        "glove": TEXT,
        "tabs": TEXT.replace(b" ", b"\t"),
        "word2vec": b"5 2\n" + TEXT,
        "binary": RAW,
        "gzip": gzip.compress(TEXT, mtime=0),
        "bzip2": bz2.compress(TEXT),
        "xz": lzma.compress(RAW),
        "zip": zip_bytes(zipfile.ZIP_DEFLATED),
        "stored": zip_bytes(zipfile.ZIP_STORED),
    },
    "matrix": {
        "float32": npy_bytes(np.arange(1, 7, dtype=np.float32).reshape(3, 2)),
        "fortran": npy_bytes(np.asfortranarray(np.arange(1, 7, dtype=">f8").reshape(3, 2))),
    },
}


@pytest.mark.parametrize("source", FILES)
@pytest.mark.slow
def test_damaged_files_are_refused_or_give_usable_vectors(tmp_path, source):
    settings = AttributeVectorSettings(source=source, path=str(tmp_path / "v"), dimensions=2)
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _, data in each_mutated(FILES[source], 500):
            (tmp_path / "v").write_bytes(data)
            try:
                found = embed_attributes(WORDS, settings)
            except InputError as error:
                assert "\n" not in str(error)
                refused += 1
            else:
                assert found.vectors.shape == (3, 2)
                assert np.isfinite(found.vectors).all()
                assert found.vectors.any(axis=1).all()
    assert refused > 50


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zip"])
def test_what_is_packed_is_right_or_refused(tmp_path, name):
    settings = AttributeVectorSettings(source="word2vec", path=str(tmp_path / "v"), dimensions=2)
    expected = np.array([[0.5, 1.5], [-2.5, 5e-3], [1.0, 0.0]], dtype=np.float32)
    refused = 0
    for _, data in each_mutated({name: FILES["word2vec"][name]}, 60):
        (tmp_path / "v").write_bytes(data)
        try:
            found = embed_attributes(WORDS, settings)
        except InputError:
            refused += 1
        else:
            assert np.array_equal(found.vectors, expected)
    assert refused > 30
