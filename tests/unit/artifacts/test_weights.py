"""Files of weights: what a network can have comes back as it is; damaged, lying and foreign ones are one sentence."""

import json
import struct
import warnings
from pathlib import Path

import pytest
import torch
from mutations import each_mutated
from safetensors.torch import save, save_file

from scegg_core.artifacts.files import ARRIVED, Provenance, input_digest, write_tensors
from scegg_core.artifacts.weights import read_weights
from scegg_core.errors import InputError
from scegg_core.training.checkpoint import Checkpoint

TENSORS = {"a.weight": torch.arange(12.0).reshape(4, 3), "a.bias": torch.ones(4), "n": torch.tensor(3)}


def flip(path: Path, values: torch.Tensor) -> None:
    """Flip a bit within `values` as they stand in the file."""
    data = bytearray(path.read_bytes())
    data[data.index(values.numpy().tobytes()) + 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_plain_weights_are_read_as_they_are(tmp_path, name):
    path = tmp_path / name
    save_file(TENSORS, path) if name.endswith("safetensors") else torch.save({**TENSORS, "epoch": 5}, path)
    found = read_weights(path)
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in TENSORS.items())


def header(entries: str, data: bytes = bytes(4)) -> bytes:
    return struct.pack("<Q", len(entries)) + entries.encode() + data


def entry(kind: str = "F32", shape: tuple[int, ...] = (1,), end: int = 4) -> str:
    return json.dumps({"dtype": kind, "shape": shape, "data_offsets": [0, end]})


ONE = entry()
LYING = {
    "named twice": (header(f'{{"a": {ONE}, "a": {ONE}}}'), "names the tensor 'a' twice; save it again."),
    "complex": (
        header(f'{{"a": {entry("C64", (1,), 8)}}}', bytes(8)),
        "holds 'a' as torch.complex64 of shape (1,), which no network has; save it dense, as float32.",
    ),
    "8 bits": (
        header(f'{{"a": {entry("F8_E4M3", (4,))}}}'),
        "holds 'a' as torch.float8_e4m3fn of shape (4,), which no network has; save it dense, as float32.",
    ),
    "axes without end": (
        header(f'{{"a": {entry(shape=(1,) * 200)}}}'),
        f"holds 'a' as torch.float32 of shape {(1,) * 9}, which no network has; save it dense, as float32.",
    ),
    "not finite": (
        header(f'{{"a": {ONE}}}', struct.pack("<f", float("nan"))),
        "holds values in 'a' that are not finite in float32; take other weights.",
    ),
}
UNREADABLE = {
    "more than the file has": header(f'{{"a": {entry(shape=(10**8, 10**8))}}}'),
    "sizes that overflow": header(f'{{"a": {entry(shape=(0, 2**64 - 1), end=0)}}}', b""),
    "a list": header("[]", b""),
    "a header without end": struct.pack("<Q", 2**63) + b"{}",
    "brackets without end": header("[" * 100_000, b""),
    "text": b"not safetensors",
    "nothing": b"",
}


@pytest.mark.parametrize("kind", [*LYING, *UNREADABLE])
def test_lying_headers_are_one_sentence(tmp_path, kind):
    content, sentence = LYING.get(kind) or (UNREADABLE[kind], "is not a readable safetensors file (")
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(InputError) as error:
        read_weights(tmp_path / "w.safetensors")
    assert str(error.value).startswith(f"{tmp_path}/w.safetensors {sentence}")
    assert "\n" not in str(error.value)


NO_WEIGHTS = {
    "a list": ([1, 2], "holds a list, expected a dictionary of tensors by name (a state dict)."),
    "a tensor": (torch.ones(2), "holds a Tensor, expected a dictionary of tensors by name (a state dict)."),
    "a view larger than its values": (
        {"a": torch.ones(1).expand(100_000, 100_000)},
        "holds 'a' as torch.float32 of shape (100000, 100000), which no network has; save it dense, as float32.",
    ),
    "sparse": (
        {"a": torch.ones(2, 2).to_sparse()},
        "holds 'a' as torch.float32 of shape (2, 2), which no network has; save it dense, as float32.",
    ),
    "too large for float32": (
        {"a": torch.tensor([1e60], dtype=torch.float64)},
        "holds values in 'a' that are not finite in float32; take other weights.",
    ),
}


@pytest.mark.parametrize("kind", NO_WEIGHTS)
def test_what_torch_saved_that_is_no_weights_is_one_sentence(tmp_path, kind):
    content, sentence = NO_WEIGHTS[kind]
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(InputError) as error:
        read_weights(tmp_path / "w.pth")
    assert str(error.value) == f"{tmp_path}/w.pth {sentence}"


def test_a_flipped_bit_in_what_torch_saved_is_found(tmp_path):
    torch.save(TENSORS, tmp_path / "w.pth")
    flip(tmp_path / "w.pth", TENSORS["a.weight"])
    with pytest.raises(InputError, match=r"is refused: .*does not match its checksum"):
        read_weights(tmp_path / "w.pth")


def test_a_flipped_bit_in_a_training_state_is_found(tmp_path, capsys):
    checkpoint = Checkpoint(tmp_path / "state", "key")
    values = torch.arange(1000.0)
    for step in (5, 6):
        checkpoint.save({"step": step, "values": values})
    flip(tmp_path / "state", values)
    assert checkpoint.load()["step"] == 5
    assert "/data/0 in it does not match its checksum)" in capsys.readouterr().err


def test_weights_trained_here_stay_checked_when_what_they_say_of_themselves_is_damaged(tmp_path):
    path = tmp_path / "backbone.safetensors"
    write_tensors(path, "backbone", TENSORS, Provenance("train_backbone"))
    path.write_bytes(path.read_bytes().replace(b"train_backbone", b"train_backbonf"))
    with pytest.raises(InputError, match="is damaged: its metadata do not match"):
        read_weights(path)


@pytest.mark.parametrize("text", ["[]", "5", '"x"', "null", "[" * 100_000, "{", "\xff", f'[{{"{ARRIVED}": "x"}}]'])
def test_a_record_that_is_no_record_is_digested_as_a_file(tmp_path, text):
    (tmp_path / "r.json").write_text(text, encoding="latin-1")
    assert len(input_digest(tmp_path / "r.json")) == 64


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
@pytest.mark.slow
def test_damaged_files_are_refused_or_hold_finite_weights(tmp_path, name):
    path = tmp_path / name
    torch.save(TENSORS, path)
    whole = save(TENSORS) if name.endswith("safetensors") else path.read_bytes()
    refused = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _, data in each_mutated({name: whole}, 300):
            path.write_bytes(data)
            try:
                found = read_weights(path)
            except InputError as error:
                assert "\n" not in str(error)
                refused += 1
            else:
                assert all(tensor.double().isfinite().all() for tensor in found.values())
    assert refused > 50
