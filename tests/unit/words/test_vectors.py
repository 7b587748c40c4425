"""Attribute vectors from every source: known answers, small memory, the same bits in every process."""

import gzip
import logging
import os
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from scegg_core.artifacts.files import Provenance
from scegg_core.errors import InputError
from scegg_core.fetch.vectors import fetch_gensim
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.words.vectors import embed_attributes, read_vectors, write_vectors
from tests.conftest import ROOT

WORDS = ("blue wing", "tail", "blue thingumajig")
VECTORS = {"blue": [1.0, 0.0], "wing": [0.0, 3.0], "tail": [-2.5, 5e-3], "straße": [9.0, 9.0]}
EXPECTED = np.array([[0.5, 1.5], [-2.5, 5e-3], [1.0, 0.0]], dtype=np.float32)


def settings(path=None, source="word2vec", dimensions=2, **more) -> AttributeVectorSettings:
    return AttributeVectorSettings(source=source, path=path and str(path), dimensions=dimensions, **more)


def glove_text() -> str:
    return "".join(f"{word} {' '.join(map(str, vector))}\n" for word, vector in VECTORS.items())


def write_glove(path: Path) -> None:
    path.write_text(glove_text(), encoding="utf-8")


def write_gzip(path: Path) -> None:
    path.write_bytes(gzip.compress(glove_text().encode()))


def write_zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("glove.6B.50d.txt", "the 1\n")
        archive.writestr("glove.6B.2d.txt", glove_text())


def write_by_gensim(path: Path, binary: bool) -> None:
    vectors = KeyedVectors(2)
    vectors.add_vectors(list(VECTORS), np.array(list(VECTORS.values()), dtype=np.float32))
    vectors.save_word2vec_format(str(path), binary=binary)


SOURCES = {
    "glove.txt": write_glove,
    "glove.txt.gz": write_gzip,
    "glove.6B.zip": write_zip,
    "word2vec.txt": lambda path: write_by_gensim(path, binary=False),
    "word2vec.bin": lambda path: write_by_gensim(path, binary=True),
    "unnamed.gz": lambda path: write_by_gensim(path, binary=True),
}


@pytest.mark.parametrize("name", SOURCES)
def test_files_of_word_vectors_give_the_mean_over_known_words(tmp_path, name):
    SOURCES[name](tmp_path / name)
    vectors = embed_attributes(WORDS, settings(tmp_path / name))
    assert np.array_equal(vectors.vectors, EXPECTED)
    assert vectors.vectors.dtype == np.float32
    assert vectors.used == ("blue wing", "tail", "blue")
    assert vectors.unknown == ("", "", "thingumajig")


def test_unknown_words_and_equal_vectors_are_logged(tmp_path, caplog):
    write_glove(tmp_path / "a.txt")
    with caplog.at_level(logging.WARNING):
        embed_attributes(("blue", "blue thingumajig"), settings(tmp_path / "a.txt"))
    assert caplog.messages == [
        "attribute 'blue thingumajig': no vector for thingumajig",
        "attributes 'blue' and 'blue thingumajig' have the same vector",
    ]


def test_gensim_data_is_read_where_gensim_keeps_it(tmp_path, monkeypatch):
    monkeypatch.setenv("GENSIM_DATA_DIR", str(tmp_path))
    (tmp_path / "tiny").mkdir()
    write_by_gensim(tmp_path / "tiny/tiny.gz", binary=False)
    assert np.array_equal(embed_attributes(WORDS, settings("tiny", "gensim")).vectors, EXPECTED)


def test_a_matrix_is_taken_as_it_is(tmp_path):
    np.save(tmp_path / "a.npy", EXPECTED.astype(np.float64))
    vectors = embed_attributes(WORDS, settings(tmp_path / "a.npy", "matrix"))
    assert np.array_equal(vectors.vectors, EXPECTED)
    assert vectors.used == WORDS


def test_written_vectors_are_read_back(tmp_path):
    write_glove(tmp_path / "a.txt")
    vectors = embed_attributes(WORDS, settings(tmp_path / "a.txt"))
    write_vectors(tmp_path / "v.parquet", ("a", "b", "c"), vectors, Provenance("embed_attributes"))
    read = read_vectors(tmp_path / "v.parquet")
    assert np.array_equal(read.vectors, vectors.vectors)
    assert (read.used, read.unknown) == (vectors.used, vectors.unknown)


@pytest.mark.slow
def test_a_big_file_takes_little_memory(tmp_path):
    numbers = " ".join(["0.12345"] * 300)
    with (tmp_path / "big.txt").open("w") as file:
        file.writelines(f"word{number} {numbers}\n" for number in range(20_000))
    tracemalloc.start()
    vectors = embed_attributes(("word5 word19999", "nowhere word7"), settings(tmp_path / "big.txt", dimensions=300))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert vectors.unknown == ("", "nowhere")
    assert peak < 8 << 20  # the file has 48 MB


CAPTIONS = "\n".join(f"the bird number {n} has a {c} wing and a {c} tail" for n in range(40) for c in ("blue", "red"))
PROGRAM = """
import sys, hashlib
from pathlib import Path
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.words.vectors import embed_attributes
settings = AttributeVectorSettings(source="captions", dimensions=20, epochs=3)
vectors = embed_attributes(("blue wing", "red tail"), settings, Path(sys.argv[1]), 7)
print(hashlib.sha256(vectors.vectors.tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_captions_train_the_same_bits_in_every_process(tmp_path):
    (tmp_path / "captions.txt").write_text(CAPTIONS)
    command = [sys.executable, "-c", PROGRAM, str(tmp_path / "captions.txt")]
    started = [
        subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, stdout=subprocess.PIPE)
        for seed in ("1", "2")
    ]
    digests = [process.communicate()[0] for process in started]
    assert digests[0] == digests[1]
    assert len(digests[0].strip()) == 64


def test_captions_with_another_seed_train_other_vectors(tmp_path):
    (tmp_path / "captions.txt").write_text(CAPTIONS)
    wanted = settings(source="captions", dimensions=20, epochs=3)
    first, second = (embed_attributes(("blue wing",), wanted, tmp_path / "captions.txt", seed) for seed in (0, 1))
    assert first.vectors.shape == (1, 20)
    assert not np.array_equal(first.vectors, second.vectors)


def test_an_unreachable_gensim_model_is_one_sentence(tmp_path, monkeypatch):
    def fail(name, return_path):
        raise OSError("name resolution failed")

    monkeypatch.setenv("GENSIM_DATA_DIR", str(tmp_path))
    monkeypatch.setattr("gensim.downloader.load", fail)
    with pytest.raises(InputError) as error:
        fetch_gensim("glove-wiki-gigaword-300")
    assert str(error.value) == (
        "the gensim-data model 'glove-wiki-gigaword-300' is neither here nor to be had (name resolution failed); "
        "fetch https://github.com/piskvorky/gensim-data/releases/download/glove-wiki-gigaword-300/"
        "glove-wiki-gigaword-300.gz (sha256 0a7aebbe49097dc6e5ffff7a25e9aa20181a6e862050ca68bd2f36e056739e00) "
        f"elsewhere and put it at {tmp_path}/glove-wiki-gigaword-300/glove-wiki-gigaword-300.gz, "
        "or take another source of vectors."
    )
