"""MATLAB files: every kind that MATLAB, Octave and scipy write gives its numbers and texts, all else one sentence."""

import struct
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.sparse
from cub_case import CLASSES, PERCENT, att_splits, cells, make_cub, res101
from ready_case import write_73
from scipy.io import loadmat, savemat

from scegg_core.artifacts.matlab import cells as written_cells
from scegg_core.artifacts.matlab import write_mat
from scegg_core.data.att_splits import read_res101
from scegg_core.data.attribute_names import read_names
from scegg_core.data.index import index_dataset
from scegg_core.data.mat import read_mat
from scegg_core.errors import InputError

AGAIN = "fetch xlsa17.zip from http://datasets.d2.mpi-inf.mpg.de/xian/xlsa17.zip again"


def read(path: Path, *names: str):
    return read_mat(path, names, "fetch it again")


def element(order: str, kind: int, data: bytes) -> bytes:
    return struct.pack(order + "II", kind, len(data)) + data + bytes(-len(data) % 8)


def variable(order: str, kind: int, shape: tuple[int, ...], name: bytes, *parts: bytes) -> bytes:
    """Return a variable or cell of MATLAB's class `kind`; class 17 has no shape."""
    sizes = [element(order, 5, struct.pack(f"{order}{len(shape)}i", *shape))] if shape else []
    head = [element(order, 6, struct.pack(order + "II", kind, 0)), *sizes, element(order, 1, name)]
    return element(order, 14, b"".join([*head, *parts]))


def mat_file(path: Path, *variables: bytes, order: str = "<") -> Path:
    mark = {"<": b"\x00\x01IM", ">": b"\x01\x00MI"}[order]
    path.write_bytes(b"MATLAB 5.0 MAT-file".ljust(124) + mark + b"".join(variables))
    return path


def numbers(name: bytes, shape=(1, 2), data=struct.pack("<2d", 1, 2)) -> bytes:
    return variable("<", 6, shape, name, element("<", 9, data))


@pytest.mark.parametrize("compressed", [False, True])
def test_what_scipy_writes_is_read_as_scipy_reads_it(tmp_path, compressed):
    content = att_splits() | {
        "empty": np.zeros((0, 0)),
        "cube": np.arange(24, dtype=np.int16).reshape(2, 3, 4),
        "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big": np.arange(3, dtype=">f4"),
        "yes": np.array([[True, False]]),
    }
    savemat(tmp_path / "a.mat", content, do_compression=compressed)
    found, expected = read(tmp_path / "a.mat", *content), loadmat(tmp_path / "a.mat")
    assert found.pop("allclasses_names") == CLASSES
    for name, values in found.items():
        assert np.array_equal(values, expected[name])
        assert values.shape == expected[name].shape


def test_the_real_files_are_read_as_scipy_reads_them(real_data):
    for path in sorted((real_data / "xlsa17/data").glob("*/*.mat")):
        expected = {name: value for name, value in loadmat(path).items() if not name.startswith("__")}
        for name, values in read(path, *expected).items():
            if isinstance(values, tuple):
                assert values == tuple(str(cell[0]).strip() for cell in expected[name].ravel())
            else:
                assert np.array_equal(values, expected[name])


def test_sparse_matrices_are_read_dense(tmp_path):
    sparse = scipy.sparse.csc_matrix
    dense = att_splits()
    settings = make_cub(tmp_path, dense, res101())
    expected = index_dataset(settings)
    parse = {name: sparse(np.asarray(dense[name], dtype=float)) for name in dense if name != "allclasses_names"}
    savemat(tmp_path / "xlsa17/att_splits.mat", dense | parse)
    savemat(tmp_path / "xlsa17/res101.mat", res101() | {"labels": sparse(res101()["labels"])})
    index = index_dataset(settings)
    assert np.array_equal(index.percent, expected.percent)
    assert np.array_equal(index.labels, expected.labels)
    assert index.split == expected.split


@pytest.mark.parametrize("order", ["<", ">"])
def test_files_of_both_byte_orders_are_read(tmp_path, order):
    text = element(order, 4, "Blåmes".encode("utf-16-le" if order == "<" else "utf-16-be"))
    cell = variable(order, 4, (1, 6), b"", text)
    values = element(order, 9, struct.pack(order + "4d", 1, 2, 3, 4))
    path = mat_file(
        tmp_path / "a.mat",
        variable(order, 6, (2, 2), b"x", values),
        variable(order, 1, (1, 2), b"names", cell, element(order, 14, b"")),
        order=order,
    )
    found = read(path, "x", "names")
    assert found["x"].tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert found["x"].dtype.isnative
    assert found["names"] == ("Blåmes", "")


def test_texts_are_read_from_utf8_as_octave_writes_it_and_from_rows_of_characters(tmp_path):
    octave = variable("<", 4, (1, 7), b"", element("<", 2, "Blåmes".encode()))
    latin = variable("<", 4, (1, 6), b"", element("<", 2, "Blåmes".encode("latin-1")))
    rows = variable("<", 4, (2, 3), b"rows", element("<", 16, b"acb  d"))
    path = mat_file(tmp_path / "a.mat", variable("<", 1, (2, 1), b"names", octave, latin), rows)
    assert read(path, "names", "rows") == {"names": ("Blåmes", "Blåmes"), "rows": ("ab", "c d")}


def test_letters_beyond_the_first_plane_are_read_as_they_were_written(tmp_path):
    """MATLAB counts halves of such a letter, scipy and this project the letter."""
    names = ("𠮷野", "a 🦜", "Blåmes")
    write_mat(tmp_path / "own.mat", {"names": written_cells(names)})
    savemat(tmp_path / "scipy.mat", {"names": cells(list(names))})
    for file in ("own.mat", "scipy.mat"):
        assert read(tmp_path / file, "names")["names"] == names


def test_attribute_names_are_read_as_suns_are(tmp_path):
    savemat(tmp_path / "attributes.mat", {"attributes": cells(["sailing/ boating", "driving"])})
    assert read_names(tmp_path / "attributes.mat") == ("sailing/ boating", "driving")
    savemat(tmp_path / "attributes.mat", {"attributes": np.ones((3, 3))})
    with pytest.raises(
        InputError, match=r"attributes\.mat does not hold a readable list 'attributes'; fetch it again\."
    ):
        read_names(tmp_path / "attributes.mat")


STRANGE = {
    "struct": (
        lambda path: savemat(path, {"x": {"a": 1}}),
        "holds a struct in 'x'; save plain numbers or a cell array of texts there",
    ),
    "string array": (
        lambda path: mat_file(path, variable("<", 17, (), b"x", element("<", 1, b"MCOS"))),
        "holds an object (as MATLAB's string arrays are) in 'x'; save plain numbers or a cell array of texts there",
    ),
    "complex": (
        lambda path: savemat(path, {"x": np.array([1 + 2j])}),
        "holds complex numbers in 'x'; save real ones",
    ),
    "cells of numbers": (
        lambda path: savemat(path, {"x": cells([1.0, 2.0])}),
        "holds a cell in 'x' that is not one line of text; save a cell array of texts there",
    ),
    "cells in cells": (
        lambda path: savemat(path, {"x": cells([cells(["a"]), "b"])}),
        "holds a cell in 'x' that is not one line of text; save a cell array of texts there",
    ),
    "a table of cells": (
        lambda path: savemat(path, {"x": np.array([["a", "b"], ["c", "d"]], dtype=object)}),
        "holds cells of shape (2, 2) in 'x'; one row or column of them belongs there",
    ),
    "twice": (
        lambda path: mat_file(path, numbers(b"x"), numbers(b"x")),
        "holds the variable 'x' twice; save each variable once",
    ),
    "sparse and huge": (
        lambda path: savemat(path, {"x": scipy.sparse.csc_matrix((10**6, 10**6))}),
        "holds a sparse matrix of (1000000, 1000000) in 'x', too large for this variable",
    ),
}


@pytest.mark.parametrize("name", STRANGE)
def test_what_is_neither_numbers_nor_texts_is_one_sentence(tmp_path, name):
    write, sentence = STRANGE[name]
    write(tmp_path / "a.mat")
    with pytest.raises(InputError) as error:
        read(tmp_path / "a.mat", "x")
    assert str(error.value) == f"{tmp_path}/a.mat {sentence}."


def packed(data: bytes, flip: int | None = None) -> bytes:
    stream = bytearray(zlib.compress(data))
    if flip is not None:
        stream[flip] ^= 1
    return struct.pack("<II", 15, len(stream)) + stream


CELL = variable("<", 4, (1, 2), b"", element("<", 16, b"ab"))
DAMAGED = {
    "version 4": lambda path: savemat(path, {"x": np.ones(2)}, format="4"),
    "numbers promised that are not there": lambda path: mat_file(path, numbers(b"x", (10**8, 10**8))),
    "sizes below zero": lambda path: mat_file(path, numbers(b"x", (-1, -2))),
    "more bytes than the file has": lambda path: path.write_bytes(
        mat_file(path, numbers(b"x")).read_bytes()[:-8],
    ),
    "cells promised that are not there": lambda path: mat_file(path, variable("<", 1, (1, 10**9), b"x", CELL)),
    "cut within a tag": lambda path: path.write_bytes(mat_file(path, numbers(b"x")).read_bytes() + b"\x0e\0\0"),
    "unknown type of numbers": lambda path: mat_file(path, variable("<", 6, (1, 1), b"x", element("<", 99, bytes(8)))),
    "control character": lambda path: mat_file(path, variable("<", 4, (1, 2), b"x", element("<", 16, b"a\0"))),
    "characters promised": lambda path: mat_file(path, variable("<", 4, (1, 9), b"x", element("<", 16, b"ab"))),
    "wrong checksum": lambda path: mat_file(path, packed(numbers(b"x"), flip=-1)),
    "packed too short": lambda path: mat_file(path, packed(numbers(b"x")[:-8])),
    "rows of a sparse matrix beyond it": lambda path: mat_file(
        path,
        variable(
            "<", 5, (2, 1), b"x",
            element("<", 5, struct.pack("<i", 7)), element("<", 5, struct.pack("<2i", 0, 1)), element("<", 9, bytes(8)),
        ),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGED)
def test_sizes_that_do_not_fit_are_one_sentence(tmp_path, name):
    DAMAGED[name](tmp_path / "a.mat")
    with pytest.raises(InputError) as error:
        read(tmp_path / "a.mat", "x")
    assert str(error.value) == f"{tmp_path}/a.mat is not a readable MATLAB file; fetch it again."


def test_files_of_version_73_are_read_as_those_of_version_5(tmp_path):
    content = {
        "features": np.arange(6.0).reshape(2, 3),
        "labels": np.array([[1, 2, 3]], np.uint16),
        "names": cells(["a", "b c", "ä"]),
    }
    savemat(tmp_path / "5.mat", content)
    write_73(tmp_path / "73.mat", content)
    with h5py.File(tmp_path / "73.mat", "a") as file:
        file["empty"] = np.array([0, 0], np.uint64)
        file["empty"].attrs["MATLAB_empty"] = np.uint8(1)
    old, new = (read(tmp_path / f"{version}.mat", *content, "empty", "absent") for version in ("5", "73"))
    assert new.pop("empty").shape == (0, 0) and old.keys() == new.keys()
    assert old["names"] == new["names"] == ("a", "b c", "ä")
    for name in ("features", "labels"):
        assert np.array_equal(old[name], new[name]) and old[name].dtype == new[name].dtype


BAD_73 = {
    "a head alone": (lambda path: path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(520)), "is no whole HDF5 file ("),
    "a struct": (lambda path: h5py.File(path, "w").create_group("x/y"), ": x is no dataset; save plain numbers there"),
    "numbers in cells": (
        lambda path: cell_of(path, np.arange(3.0)),
        "holds something else than texts in x; save one row or column of cells there, each a line of text.",
    ),
    "a text of two rows in a cell": (
        lambda path: cell_of(path, np.array([[97, 98], [99, 100]], np.uint16), MATLAB_class=np.bytes_("char")),
        "holds something else than texts in x; save one row or column of cells there, each a line of text.",
    ),
    "a number in a cell that could be a letter": (
        lambda path: cell_of(path, np.array([[65]], np.uint16), MATLAB_class=np.bytes_("uint16")),
        "holds something else than texts in x; save one row or column of cells there, each a line of text.",
    ),
    "a zero character": (
        lambda path: cell_of(path, np.array([[97], [0]], np.uint16)),
        "holds something else than texts in x; save one row or column of cells there, each a line of text.",
    ),
    "half of a letter": (
        lambda path: cell_of(path, np.array([[0xD800], [97]], np.uint16)),
        "holds something else than texts in x; save one row or column of cells there, each a line of text.",
    ),
    "letters in place of numbers": (
        lambda path: numbers_of(path, np.array([[97, 98]], np.uint16), "char"),
        "holds values of MATLAB's class char in x; save plain numbers or a cell array of texts there.",
    ),
    "a string array, which is numbers there": (
        lambda path: numbers_of(path, np.array([[3707764736, 2]], np.uint32), "string"),
        "holds values of MATLAB's class string in x; save plain numbers or a cell array of texts there.",
    ),
    "an empty array of many": (
        lambda path: cell_of(path, np.array([9, 9], np.uint64), MATLAB_empty=1),
        "is no whole HDF5 file (an empty array has sizes above 0); copy it again.",
    ),
    "more than is read": (
        lambda path: h5py.File(path, "w").create_dataset("x", (1 << 28,), np.float64),
        "holds x of shape (268435456,), more than the 1 GiB that are read of it; give it as .npy.",
    ),
}


def numbers_of(path: Path, values: np.ndarray, kind: str) -> None:
    """Write `values` as x, a variable of MATLAB's class `kind`."""
    with h5py.File(path, "w") as file:
        file["x"] = values
        file["x"].attrs["MATLAB_class"] = np.bytes_(kind)


def cell_of(path: Path, values: np.ndarray, **attributes) -> None:
    """Write `values` as the only cell of x."""
    with h5py.File(path, "w") as file:
        file["cell"] = values
        file["cell"].attrs.update(attributes)
        file["x"] = np.array([[file["cell"].ref]], h5py.ref_dtype)


@pytest.mark.parametrize("name", BAD_73)
def test_what_a_file_of_version_73_may_not_hold_is_one_sentence(tmp_path, name):
    write, sentence = BAD_73[name]
    write(tmp_path / "a.mat")
    with pytest.raises(InputError) as error:
        read(tmp_path / "a.mat", "x")
    assert f"{tmp_path}/a.mat" in str(error.value) and sentence in str(error.value)


def test_variables_that_are_not_asked_for_are_passed_over(tmp_path):
    savemat(tmp_path / "a.mat", {"features": {"a": 1}, "x": np.ones((1, 1))}, do_compression=True)
    assert list(read(tmp_path / "a.mat", "x", "y")) == ["x"]


WRONG = {
    "transposed": ({"original_att": PERCENT}, "names 4 classes but its original_att has 3 columns, one a class; transpose it."),
    "too large": ({"original_att": np.full((3, 4), 1e60)}, f"holds values in original_att that are larger than 1e+15; {AGAIN}."),
    "names are numbers": ({"allclasses_names": np.ones((4, 1))}, f"holds numbers in allclasses_names, where texts belong; {AGAIN}."),
    "places are texts": ({"trainval_loc": cells(["a"])}, f"holds values in trainval_loc that are not finite numbers; {AGAIN}."),
    "a matrix of places": ({"trainval_loc": np.ones((3, 3))}, f"holds a matrix of (3, 3) in trainval_loc, where one row or column belongs; {AGAIN}."),
    "place not a number": ({"trainval_loc": np.array([[np.nan]])}, f"holds values in trainval_loc that are not finite numbers; {AGAIN}."),
    "an image twice": ({"test_seen_loc": np.array([[4, 8, 16, 8]])}, "puts image 8 into test_seen_loc twice; every image has one split."),
    "counted from 0": ({"test_seen_loc": np.array([[0, 8, 16]])}, "puts image 0 into test_seen_loc, but res101.mat lists 16 images; use files of one set."),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_splits_that_do_not_fit_are_one_sentence(tmp_path, name):
    changes, sentence = WRONG[name]
    settings = make_cub(tmp_path, att_splits() | changes)
    with pytest.raises(InputError) as error:
        index_dataset(settings)
    assert str(error.value) == f"{tmp_path}/xlsa17/att_splits.mat {sentence}"


def test_labels_counted_from_0_are_one_sentence(tmp_path):
    savemat(tmp_path / "res101.mat", res101() | {"labels": res101()["labels"] - 1})
    with pytest.raises(InputError, match=r"holds the label 0, but labels run from 1 to 4"):
        read_res101(tmp_path / "res101.mat", 4)


def test_an_image_that_lies_in_no_class_folder_is_one_sentence(tmp_path):
    names = [name.split("/")[-1] for name in (cell[0] for cell in res101()["image_files"])]
    settings = make_cub(tmp_path, None, res101() | {"image_files": cells([f"/far/CUB_200_2011/{n}" for n in names])})
    with pytest.raises(InputError, match=r"but it lies in another class's folder"):
        index_dataset(settings)


def test_a_matrix_of_cells_is_refused_in_version_73_too(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["cell"] = np.array([[97]], np.uint16)
        file["x"] = np.full((2, 2), file["cell"].ref, h5py.ref_dtype)
    with pytest.raises(InputError, match="save one row or column of cells there, each a line of text"):
        read(tmp_path / "a.mat", "x")


def test_a_single_number_has_a_side_and_the_file_itself_is_no_variable(tmp_path):
    with h5py.File(tmp_path / "a.mat", "w") as file:
        file["x"] = 3.0
    assert read(tmp_path / "a.mat", "x", "/", ".")["x"].tolist() == [3.0]
    assert set(read(tmp_path / "a.mat", "x", "/", ".")) == {"x"}
