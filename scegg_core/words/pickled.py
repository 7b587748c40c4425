"""Reading one array of numbers out of a pickle, as DAZLE's attribute vectors come, without running anything in it.

A pickle is a program whose opcodes may call any function. Here they are interpreted as data: a name is a text, a call
is one of the three that numpy writes for an array, and every other opcode, name or call is refused.
"""

import codecs
import io
import math
import pickletools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scegg_core.data.names import printable
from scegg_core.data.text_files import require_file
from scegg_core.errors import InputError

#: What a pickled array names: numpy 2 renamed its modules, Python 2 pickles have no _codecs.
_MODULES = {"numpy._core": "numpy.core"}
_KNOWN = (
    "numpy.core.multiarray _reconstruct",
    "numpy.core.numeric _frombuffer",
    "numpy ndarray",
    "numpy dtype",
    "_codecs encode",
)

_IGNORED = ("PROTO", "FRAME")
_PUSHED = (
    *("INT", "LONG", "LONG1", "LONG4", "BININT", "BININT1", "BININT2"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
)
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}

_OPCODES = {opcode.code: opcode for opcode in pickletools.opcodes}

#: No pickle of attribute vectors is larger than this (bytes).
LARGEST = 1 << 30

#: Opcodes of one array are about 60; many more are no array.
_MOST = 1000


class _Refused(Exception):
    """What a pickle holds that is no array of numbers; says what, to follow "which" in a sentence."""


@dataclass
class _Type:
    """numpy's dtype: its letter and size, such as f4, and the order of its bytes."""

    name: str
    order: str = "|"


@dataclass
class _Array:
    """An array whose content comes later: values once it is there."""

    values: np.ndarray | None = None


class _Mark:
    """Where a tuple begins on the stack."""


def read_pickled_array(path: Path) -> np.ndarray:
    """Return the array in the pickle at `path`, of protocol 0 to 5, written by Python 2 or 3; nothing in it is run.

    Raises InputError for a file that holds anything but one array of real numbers, or is damaged.
    """
    data = _read_whole(path)
    try:
        found = _interpreted(data)
        if not isinstance(found, _Array) or found.values is None:
            raise _Refused("holds no array")
    except _Refused as reason:
        raise InputError(
            f"{printable(path)} is a pickle that {reason}; nothing in it was run: save the array alone with numpy.save "
            "as .npy."
        ) from None
    except Exception:  # opcodes that do not fit each other fail in many ways
        raise InputError(
            f"{printable(path)} is no whole pickle of an array; fetch it again, or save it as .npy."
        ) from None
    return found.values


def _read_whole(path: Path) -> bytes:
    try:
        require_file(path)
        if path.stat().st_size > LARGEST:
            raise InputError(
                f"{printable(path)} has {path.stat().st_size} bytes, more than the {LARGEST} that are read of a pickle; "
                "save the array alone with numpy.save as .npy."
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be read ({error.strerror}); put the file there.") from None


def _interpreted(data: bytes) -> Any:
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for number, (name, argument) in enumerate(_opcodes(io.BytesIO(data))):
        if number > _MOST:
            raise _Refused("holds more than one array")
        _step(name, argument, stack, memo)
    if len(stack) != 1:
        raise ValueError("the stack does not hold one value")
    return stack[0]


def _opcodes(stream: io.BytesIO) -> Iterator[tuple[str, Any]]:
    """Names and arguments of the opcodes up to STOP; ValueError where the bytes end before.

    As pickletools.genops, which takes the texts of protocol 0 for ASCII, though Python 2 wrote an array's bytes so.
    """
    while (opcode := _OPCODES.get(stream.read(1).decode("latin-1"))) is None or opcode.name != "STOP":
        if opcode is None:
            raise ValueError("the bytes end, or are none of a pickle")
        if opcode.name == "STRING":
            yield opcode.name, codecs.escape_decode(stream.readline().strip()[1:-1])[0]
        else:
            yield opcode.name, opcode.arg.reader(stream) if opcode.arg else None


def _step(name: str, argument: Any, stack: list[Any], memo: dict[int, Any]) -> None:
    if name in _IGNORED:
        return
    if name in _PUSHED:
        stack.append(argument)
    elif name in _CONSTANTS:
        stack.append(_CONSTANTS[name])
    elif name == "MARK":
        stack.append(_Mark)
    elif name in _TUPLES or name == "TUPLE":
        stack.append(_popped(stack, _TUPLES.get(name)))
    elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
        memo[len(memo) if argument is None else argument] = stack[-1]
    elif name in ("GET", "BINGET", "LONG_BINGET"):
        stack.append(memo[argument])
    elif name in ("GLOBAL", "STACK_GLOBAL"):
        stack.append(_named(*(argument.split(" ", 1) if name == "GLOBAL" else _popped(stack, 2))))
    elif name == "REDUCE":
        function, arguments = _popped(stack, 2)
        stack.append(_called(function, arguments))
    elif name == "BUILD":
        instance, state = _popped(stack, 2)
        stack.append(_filled(instance, state))
    else:
        raise _Refused(f"holds {_SHOWN.get(name, f'what numpy does not write for an array ({name})')}")


_SHOWN = {
    **dict.fromkeys(("EMPTY_LIST", "LIST", "APPEND", "APPENDS"), "a list"),
    **dict.fromkeys(("EMPTY_DICT", "DICT", "SETITEM", "SETITEMS"), "a dictionary"),
    **dict.fromkeys(("INST", "OBJ", "NEWOBJ", "NEWOBJ_EX"), "an object of a class"),
}


def _popped(stack: list[Any], count: int | None) -> tuple[Any, ...]:
    """The last `count` values of the stack, or those after the last mark, which are taken off."""
    if count is None:
        count = stack[::-1].index(_Mark)
        values = tuple(stack[len(stack) - count :])
        del stack[len(stack) - count - 1 :]
        return values
    if len(stack) < count:
        raise ValueError("the stack is too short")
    values = tuple(stack[len(stack) - count :])
    del stack[len(stack) - count :]
    return values


@dataclass(frozen=True)
class _Name:
    """One of _KNOWN: a text, and not what it names."""

    text: str


def _named(module: str, name: str) -> _Name:
    for new, old in _MODULES.items():
        module = old + module.removeprefix(new) if module.startswith(f"{new}.") else module
    if f"{module} {name}" not in _KNOWN:
        raise _Refused(f"names {printable(f'{module}.{name}')[:60]}, which is no part of an array")
    return _Name(f"{module} {name}")


def _called(function: Any, arguments: Any) -> Any:
    if not isinstance(function, _Name) or function.text not in _CALLS or not isinstance(arguments, tuple):
        raise _Refused("calls what numpy does not call for an array")
    return _CALLS[function.text](*arguments)


def _empty(kind: _Name, shape: tuple, letter: bytes | str) -> _Array:
    if kind != _Name("numpy ndarray"):
        raise _Refused("holds an object of another class than numpy's array")
    return _Array()


def _type(name: str | bytes, align: Any = False, copy: Any = False) -> _Type:
    return _Type(_text(name))


def _encoded(text: str, encoding: str = "latin1") -> bytes:
    if _text(encoding) not in ("latin1", "latin-1"):
        raise _Refused("holds a text of another encoding than numpy's")
    return text.encode("latin1")


def _from_buffer(data: bytes, kind: _Type, shape: Any, order: str) -> _Array:
    return _Array(_values(data, kind, shape, order == "F"))


_CALLS: dict[str, Callable[..., Any]] = {
    "numpy.core.multiarray _reconstruct": _empty,
    "numpy.core.numeric _frombuffer": _from_buffer,
    "numpy dtype": _type,
    "_codecs encode": _encoded,
}


def _filled(instance: Any, state: tuple) -> Any:
    """The dtype or array with the state that numpy gives it."""
    if isinstance(instance, _Type):
        instance.order = _text(state[1])
    elif isinstance(instance, _Array) and instance.values is None:
        _, shape, kind, by_columns, data = state
        instance.values = _values(data, kind, shape, bool(by_columns))
    else:
        raise _Refused("holds an object of another class than numpy's array")
    return instance


def _values(data: Any, kind: Any, shape: Any, by_columns: bool) -> np.ndarray:
    if not isinstance(kind, _Type) or kind.name[:1] not in ("f", "i", "u") or kind.name[1:] not in ("1", "2", "4", "8"):
        raise _Refused(f"holds an array of {_shown_type(kind)}, not of real numbers")
    if isinstance(data, str):  # Python 2 wrote bytes as texts
        data = data.encode("latin1")
    dtype = np.dtype((kind.order if kind.order in "<>" else "=") + kind.name)
    shape = (shape,) if isinstance(shape, int) else shape
    if not all(isinstance(length, int) and length >= 0 for length in shape):
        raise ValueError("a shape is no tuple of counts")
    if math.prod(shape) * dtype.itemsize != len(data):
        raise _Refused(f"speaks of an array of shape {shape}, but holds {len(data)} bytes of it")
    values = np.frombuffer(data, dtype).reshape(shape, order="F" if by_columns else "C")
    return values.astype(dtype.newbyteorder("="))


def _shown_type(kind: Any) -> str:
    return f"type {printable(kind.name)[:20]!r}" if isinstance(kind, _Type) else "another type"


def _text(value: str | bytes) -> str:
    return value.decode("latin1") if isinstance(value, bytes) else value
