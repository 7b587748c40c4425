"""Reading weights and training states: files of tensors that users bring, and what torch.save wrote."""

import json
import struct
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from textwrap import shorten

import torch
from torch import Tensor

from scegg_core.artifacts.files import read_tensors
from scegg_core.artifacts.provenance import METADATA_KEY
from scegg_core.errors import InputError

#: Types that weights can have; networks also keep counts and positions, which are whole numbers.
_WEIGHT_TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_WHOLE_TYPES = (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)

#: No weight has more axes; those of convolutions over video have 5.
MOST_AXES = 8

#: Dictionaries that weights lie within, one in another.
MOST_LEVELS = 3

#: How lines of torch's message begin that say nothing of the file.
ADVICE = ("Weights only load failed", "Please file an issue", "Check the documentation")

Weights = dict[str, Tensor]


def read_weights(path: str | Path, used: Callable[[Weights], Weights] = dict) -> Weights:
    """Return the tensors at `path` by name: of a backbone trained here, checked, or of a user's own file.

    A user's file is safetensors by its name's ending, else what torch.save wrote; there, entries that are no tensors
    are left out, and those of inner dictionaries are named `state_dict.conv1.weight`. `used` takes what is needed from
    all of them; the rest may be anything. Raises InputError for a file that is damaged or of another kind, and for
    values that are no weights.
    """
    path = Path(path)
    if path.suffix.lower() == ".safetensors":
        return used(read_tensors(path, "backbone")) if _is_ours(path) else _checked(used(_safetensors(path)), path)
    try:
        content = load_plain(path)
    except Exception as error:  # unpickling refuses foreign objects with many kinds of errors
        raise InputError(
            f"{path} is refused: it is not a plain file of tensors ({_reason(error)}); save its state dict alone, by torch.save or as safetensors."
        ) from None
    if not isinstance(content, dict) or not all(isinstance(name, str) for name in content):
        raise InputError(
            f"{path} holds a {type(content).__name__}, expected a dictionary of tensors by name (a state dict)."
        )
    return _checked(used(_unwrapped(content, MOST_LEVELS)), path)


def _unwrapped(content: dict, levels: int) -> Weights:
    """Return the tensors of a dictionary and of those within it, under names with the keys before them."""
    found: Weights = {}
    for name, value in content.items():
        if isinstance(value, Tensor):
            found[name] = value
        elif isinstance(value, dict) and levels > 1:
            inner = {key: part for key, part in value.items() if isinstance(key, str)}
            found |= {f"{name}.{key}": part for key, part in _unwrapped(inner, levels - 1).items()}
    return found


def load_plain(path: Path) -> object:
    """Return what torch.save wrote to `path`: tensors and plain values alone, on the CPU.

    Raises ValueError where a checksum in the file does not match, which torch itself does not look at.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
        if damaged:
            raise ValueError(f"{damaged} in it does not match its checksum")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about ways of pickling; what cannot be read is an error
        return torch.load(path, map_location="cpu", weights_only=True)


def _is_ours(path: Path) -> bool:
    """Whether the file says that this project made it, be the rest of it damaged or not."""
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as file:
            return METADATA_KEY in (file.metadata() or {})
    except Exception:  # told by the reader of users' files
        return False


def _safetensors(path: Path) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
        twice = _named_twice(path)
    except Exception as error:  # sizes that no tensor can have fail in torch, not in the reader
        raise InputError(f"{path} is not a readable safetensors file ({_reason(error)}).") from None
    if twice:
        raise InputError(f"{path} names the tensor {twice[0]!r} twice; save it again.")
    return tensors


def _named_twice(path: Path) -> list[str]:
    """Return the names that occur more than once in the header of a readable safetensors file."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        pairs = json.loads(file.read(length), object_pairs_hook=list)
    return [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]


def _checked(tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    for name, tensor in tensors.items():
        if not _is_plain(tensor):
            what = f"{tensor.dtype} of shape {tuple(tensor.shape[:9])}"
            raise InputError(f"{path} holds {name!r} as {what}, which no network has; save it dense, as float32.")
        if tensor.is_floating_point() and not tensor.float().isfinite().all():
            raise InputError(f"{path} holds values in {name!r} that are not finite in float32; take other weights.")
    return tensors


def _is_plain(tensor: Tensor) -> bool:
    """Whether it is an array of a usual type whose values all lie in memory: a file can claim a view of any size."""
    return (
        tensor.dtype in _WEIGHT_TYPES + _WHOLE_TYPES
        and tensor.layout is torch.strided
        and tensor.device.type == "cpu"
        and tensor.ndim <= MOST_AXES
        and tensor.nbytes <= tensor.untyped_storage().nbytes()
    )


def _reason(error: Exception) -> str:
    """What the library says of the file, without its advice, which is on calls that are not the user's."""
    lines = [line.strip().rstrip(".") for line in str(error).splitlines()]
    said = [line for line in lines if line and not line.startswith(ADVICE)]
    return shorten(said[0] if said else type(error).__name__, 150, placeholder=" …")
