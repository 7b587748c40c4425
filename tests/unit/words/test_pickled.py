"""Attribute vectors in a pickle, as DAZLE's come: arrays of every protocol and both Pythons; nothing in it is ever run."""

import os
import pickle
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from scegg_core.errors import InputError
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.settings.base import parse_section
from scegg_core.words.pickled import read_pickled_array
from scegg_core.words.vectors import embed_attributes

VALUES = np.arange(12).reshape(3, 4) - 5
#: What a hostile pickle would make, if it ran.
RAN = "ran.txt"


def read(tmp_path, data: bytes) -> np.ndarray:
    path = tmp_path / "a.pkl"
    path.write_bytes(data)
    return read_pickled_array(path)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8", "i1", "i4", "u8"])
def test_arrays_are_read_as_they_were_written(tmp_path, protocol, dtype):
    for array in (VALUES.astype(dtype), np.asfortranarray(VALUES.astype(dtype)), VALUES.astype(dtype)[:, ::2]):
        found = read(tmp_path, pickle.dumps(array, protocol))
        np.testing.assert_array_equal(found, array)
        assert found.dtype == array.dtype.newbyteorder("=")


@pytest.mark.parametrize("protocol", range(4))
def test_the_module_may_have_its_name_of_numpy_1(tmp_path, protocol):
    data = pickle.dumps(VALUES, protocol)
    assert b"numpy._core" in data or b"numpy.core" in data
    np.testing.assert_array_equal(read(tmp_path, data.replace(b"numpy._core", b"numpy.core")), VALUES)


def python2(texts: bool = False) -> bytes:
    """What Python 2 wrote of VALUES as float32: its bytes are texts, by `texts` those of protocol 0."""
    raw = VALUES.astype("<f4").tobytes()
    if texts:
        raw = ("S'" + "".join(f"\\x{byte:02x}" for byte in raw) + "'\n").encode()
        state = b"(I1\n(I3\nI4\ntcnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\n" + raw + b"tb."
        return b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR" + state
    start = b"\x80\x02cnumpy.core.multiarray\n_reconstruct\nq\x01cnumpy\nndarray\nq\x02K\x00\x85U\x01b\x87Rq\x03(K\x01"
    kind = b"K\x03K\x04\x86cnumpy\ndtype\nq\x04U\x02f4K\x00K\x01\x87Rq\x05(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return start + kind + b"\x89U" + bytes([len(raw)]) + raw + b"tb."


@pytest.mark.parametrize("texts", [False, True])
def test_pickles_of_python_2_are_read(tmp_path, texts):
    data = python2(texts)
    np.testing.assert_array_equal(pickle.loads(data, encoding="latin1"), VALUES)  # they are what Python takes them for
    np.testing.assert_array_equal(read(tmp_path, data), VALUES)


class Calls:
    """Pickled as a call of `function` with `arguments`."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def text(data: str) -> bytes:
    return data.encode()


TOUCH = f"open({RAN!r}, 'w')"
NAMED = "names {}, which is no part of an array"

HOSTILE = {
    "os.system": (lambda: pickle.dumps(Calls(os.system, f"touch {RAN}")), NAMED.format("posix.system")),
    "os.system of protocol 0": (lambda: text(f"cos\nsystem\n(S'touch {RAN}'\ntR."), NAMED.format("os.system")),
    "eval": (lambda: pickle.dumps(Calls(eval, TOUCH)), NAMED.format("builtins.eval")),
    "eval of Python 2": (lambda: text(f'c__builtin__\neval\n(S"{TOUCH}"\ntR.'), NAMED.format("__builtin__.eval")),
    "exec in a nested tuple": (
        lambda: pickle.dumps((VALUES, (1, (Calls(exec, TOUCH),)))),
        NAMED.format("builtins.exec"),
    ),
    "getattr": (
        lambda: pickle.dumps(Calls(getattr, np.ndarray, "tofile")),
        NAMED.format("builtins.getattr"),
    ),
    "a dotted name": (
        lambda: b"\x80\x04\x8c\x05numpy\x8c\x13ndarray.__class__.x\x93.",
        NAMED.format("numpy.ndarray.__class__.x"),
    ),
    "a name with a module that begins alike": (
        lambda: b"cnumpy.core.multiarray.os\n_reconstruct\n.",
        NAMED.format("numpy.core.multiarray.os._reconstruct"),
    ),
    "numpy's own load": (lambda: text(f"cnumpy\nload\n(S'{RAN}'\ntR."), NAMED.format("numpy.load")),
    "numpy's own run of code": (
        lambda: text(f'cnumpy.testing._private.utils\nrunstring\n(S"{TOUCH}"\n(dtR.'),
        NAMED.format("numpy.testing._private.utils.runstring"),
    ),
    "an instance by INST": (lambda: text(f"(S'touch {RAN}'\nios\nsystem\n."), "holds an object of a class"),
    "an instance by OBJ": (lambda: text("(cnumpy\nndarray\no."), "holds an object of a class"),
    "an object by NEWOBJ": (lambda: b"\x80\x02cnumpy\nndarray\nK\x05\x85\x81.", "holds an object of a class"),
    "an extension's code": (lambda: b"\x80\x02\x82\x01.", "holds what numpy does not write for an array (EXT1)"),
    "a persistent id": (lambda: text("Pevil\n."), "holds what numpy does not write for an array (PERSID)"),
    "a call of ndarray": (
        lambda: text("cnumpy\nndarray\n(L99999999999L\ntR."),
        "calls what numpy does not call for an array",
    ),
    "a call of a text": (lambda: text("S'os.system'\n(S'x'\ntR."), "calls what numpy does not call for an array"),
    "a state for a text": (
        lambda: text("S'a'\n(I1\ntb."),
        "holds an object of another class than numpy's array",
    ),
    "another class inside": (
        lambda: text("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\ndtype\n(I0\ntS'b'\ntR."),
        "holds an object of another class than numpy's array",
    ),
    "an array of objects": (lambda: pickle.dumps(np.array([[1, "a"]], dtype=object)), "holds a list"),
    "an array of texts": (lambda: pickle.dumps(np.array(["a"])), "holds an array of type 'U1', not of real numbers"),
    "complex numbers": (lambda: pickle.dumps(np.array([1j])), "holds an array of type 'c16', not of real numbers"),
    "yes and no": (lambda: pickle.dumps(np.array([True])), "holds an array of type 'b1', not of real numbers"),
    "a dictionary of arrays": (lambda: pickle.dumps({"a": VALUES}), "holds a dictionary"),
    "a list of arrays": (lambda: pickle.dumps([VALUES]), "holds a list"),
    "a tuple of arrays": (lambda: pickle.dumps((VALUES, VALUES)), "holds no array"),
    "a number": (lambda: pickle.dumps(5), "holds no array"),
    "an array that is never filled": (
        lambda: text("cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR."),
        "holds no array",
    ),
    "bytes of another encoding": (
        lambda: text("c_codecs\nencode\n(Vabc\nVrot13\ntR."),
        "holds a text of another encoding than numpy's",
    ),
    "a shape that is not there": (
        lambda: python2().replace(b"K\x03K\x04\x86", b"J\xff\xff\xff\x7fJ\xff\xff\xff\x7f\x86"),
        "speaks of an array of shape (2147483647, 2147483647), but holds 48 bytes of it",
    ),
    "numbers without end": (lambda: b"N0" * 5000 + b"N.", "holds what numpy does not write for an array (POP)"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_what_is_no_array_is_refused_without_being_run(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    make, reason = HOSTILE[case]
    with pytest.raises(InputError) as error:
        read(tmp_path, make())
    assert str(error.value) == (
        f"{tmp_path}/a.pkl is a pickle that {reason}; nothing in it was run: save the array alone with numpy.save as .npy."
    )
    assert not Path(RAN).exists()


def test_what_the_hostile_ones_would_do_is_real(tmp_path, monkeypatch):
    """Else the test above would prove nothing."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(HOSTILE["os.system"][0]())
    assert Path(RAN).exists()


DAMAGED = {
    "empty": b"",
    "no pickle": b"\x00\x01\x02",
    "cut": pickle.dumps(VALUES)[:-20],
    "without its end": pickle.dumps(VALUES)[:-1],
    "a stack that is empty": b"\x80\x02R.",
    "a mark that is not there": b"t.",
    "a memo that is not there": b"h\x05.",
    "bytes that are not there": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 60) + b"abc.",
    "a text that is not there": b"\x80\x02X" + struct.pack("<I", 0xFFFFFFFF) + b"abc.",
    "a number of a million digits": b"L" + b"9" * 1_000_000 + b"L\n.",
}


@pytest.mark.parametrize("case", DAMAGED)
def test_damaged_pickles_are_one_sentence(tmp_path, case):
    with pytest.raises(InputError) as error:
        read(tmp_path, DAMAGED[case])
    assert str(error.value) == (f"{tmp_path}/a.pkl is no whole pickle of an array; fetch it again, or save it as .npy.")


def test_sizes_that_are_declared_alone_take_no_memory(tmp_path):
    memo = (
        b"\x80\x02Nr" + struct.pack("<I", 0xFFFFFFF0) + b"."
    )  # the C unpickler would make room for 4 thousand million
    tracemalloc.start()
    for data in (memo, DAMAGED["bytes that are not there"], HOSTILE["a shape that is not there"][0]()):
        with pytest.raises(InputError):
            read(tmp_path, data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.slow
def test_every_cut_and_every_changed_byte_gives_an_array_or_a_sentence(tmp_path):
    whole, rng = pickle.dumps(VALUES.astype("f4"), 2), np.random.default_rng(0)
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] = rng.integers(256)
        for data in (whole[:place], bytes(changed)):
            try:
                assert isinstance(read(tmp_path, data), np.ndarray)
            except InputError as error:
                assert str(error).endswith(".") and "\n" not in str(error)


def test_attribute_vectors_of_a_pickle_are_those_of_the_matrix(tmp_path):
    values = np.random.default_rng(0).normal(size=(2, 3))
    (tmp_path / "CUB_attribute.pkl").write_bytes(pickle.dumps(values.astype("f4"), 2))
    given = AttributeVectorSettings(source="matrix", path=str(tmp_path / "CUB_attribute.pkl"), dimensions=3)
    np.testing.assert_array_equal(embed_attributes(("blue wing", "tail"), given).vectors, values.astype("f4"))
    with pytest.raises(InputError) as error:
        embed_attributes(("tail",), given)
    assert "holds an array of shape (2, 3), expected numbers of shape (1, 3)" in str(error.value)


def test_a_pickle_as_word_vectors_is_refused_by_the_settings():
    with pytest.raises(InputError) as error:
        parse_section(AttributeVectorSettings, {"path": "w/CUB_attribute.pkl"}, "attribute_vectors")
    assert str(error.value).endswith(
        "w/CUB_attribute.pkl is a pickled matrix, so source has to be matrix, and download null."
    )
