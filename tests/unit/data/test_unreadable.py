"""Paths of settings at which nothing can be looked at, or what lies there is no file: one sentence, and no traceback."""

import os
from pathlib import Path

import pytest

from scegg_core.data.index import index_dataset
from scegg_core.data.raw import raw_digest
from scegg_core.errors import InputError
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.existing import is_file, is_folder, is_there
from scegg_core.words.vectors import embed_attributes, read_captions
from tests.unit import ready_case as case

#: At such a path, as at one in a folder that may not be entered, pathlib's is_file raises OSError.
LONG = f"/tmp/{'x' * 300}"
WORD_SOURCES = ("word2vec", "gensim", "matrix")


def vectors(source: str, path: str):
    return embed_attributes(("striped",), AttributeVectorSettings(source=source, path=path, dimensions=3))


def said(run) -> str:
    with pytest.raises(InputError) as error:
        run()
    return str(error.value)


@pytest.mark.parametrize("source", WORD_SOURCES)
def test_word_vectors_that_may_not_be_looked_at(source):
    sentence = f"{LONG} cannot be read (File name too long); allow reading it, or correct the path."
    assert said(lambda: vectors(source, LONG)) == sentence


@pytest.mark.parametrize("source", WORD_SOURCES)
@pytest.mark.parametrize(("make", "what"), [(os.mkfifo, "a pipe"), (os.mkdir, "a folder")])
def test_word_vectors_that_are_no_file_are_not_called_missing(tmp_path, source, make, what):
    make(tmp_path / "v")
    assert (
        said(lambda: vectors(source, str(tmp_path / "v"))) == f"{tmp_path}/v is {what}, not a file; put a file there."
    )


def test_folders_that_may_not_be_looked_at(tmp_path):
    sentence = "cannot be read (File name too long); allow reading it, or correct the data set's settings."
    pictures = DatasetSettings(format="folder", folder=LONG, unseen_classes=("zebra",))
    assert said(lambda: index_dataset(pictures)) == f"the folder {LONG}/images {sentence}"
    cub = DatasetSettings(format="cub", folder=str(tmp_path), splits=LONG)
    assert said(lambda: index_dataset(cub)) == f"the folder {LONG} {sentence}"
    ready = case.settings_of(case.write_xlsa17(tmp_path), "xlsa17", splits=LONG)
    sentence = "cannot be read (File name too long); allow reading it, or correct the path."
    assert said(lambda: index_dataset(ready)) == f"{LONG}/att_splits.mat {sentence}"


def test_what_may_not_be_looked_at_is_not_there(tmp_path):
    assert not any(ask(LONG) for ask in (is_file, is_folder, is_there))
    assert is_folder(tmp_path) and is_there(tmp_path) and not is_file(tmp_path)
    assert raw_digest((LONG,), tmp_path) == raw_digest((str(tmp_path / "nothing"),), tmp_path)


def test_captions_are_read_as_all_texts_are(tmp_path):
    file = tmp_path / "captions.txt"
    file.write_text("a striped zebra\n", encoding="utf-16")
    assert read_captions(file) == [["a", "striped", "zebra"]]
    file.write_bytes("a striped zebra\n".encode("utf-16-le"))
    assert said(lambda: read_captions(file)) == f"{file} holds zero bytes, so it is no UTF-8 text; save it as UTF-8."
    assert said(lambda: read_captions(Path(LONG))).startswith(f"{LONG} cannot be read (File name too long)")
