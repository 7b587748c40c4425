"""Artifacts: files that are never half-written, carry their provenance, and are checked when read.

Tables are parquet (readable with pandas alone), weights are safetensors. Nothing is ever unpickled.
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from scegg_core.artifacts.finite import refuse_not_finite
from scegg_core.artifacts.json_text import parse_json
from scegg_core.artifacts.kinds import KINDS
from scegg_core.artifacts.provenance import METADATA_KEY, Provenance, damaged, describe, json_digest, parse_description
from scegg_core.errors import InputError

#: Key of a fetched file's sha256 in the record that stands for it among the inputs.
ARRIVED = "sha256_of_arrived"


@contextmanager
def whole_file(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; on success it is synced and renamed to `path`, else it is removed.

    Two writers at once each have their own temporary file; the last one to rename wins.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:50]}.", suffix=".part", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        sync(temporary)
        temporary.chmod(0o666 & ~current_umask())
        temporary.replace(path)
        sync(path.parent)
    except OSError as error:
        if error.filename in (None, name):  # a full disk names no file
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name: a hard link, or a copy where the file system has none (exFAT) or no more of them."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` to `path`, completely or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, content: object) -> None:
    """Write `content` as indented JSON with sorted keys, completely or not at all."""
    write_text(path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def write_record(path: str | Path, kind: str, content: dict, provenance: Provenance) -> None:
    """Write `content` (JSON-able) as a JSON artifact of `kind`, under the kind's name."""
    described = parse_json(describe(kind, provenance, json_digest(content)))
    write_json(path, described | {kind: content})


def read_record(path: str | Path, kind: str) -> dict:
    """Return the content of the JSON artifact at `path`, refused with one sentence if it is damaged or not of `kind`."""
    described = read_description(path, kind)
    content = parse_json(Path(path).read_bytes()).get(kind)
    if described["content"] != json_digest(content):
        raise damaged(path)
    return content


def write_table(path: str | Path, kind: str, columns: dict, provenance: Provenance, extra: dict | None = None) -> None:
    """Write `columns` (name → array; 2-d arrays become fixed-size lists) as a parquet table of `kind`.

    `extra` (JSON-able) goes into the metadata beside the provenance.
    """
    declared = KINDS[kind].columns
    if list(columns) != list(declared):
        raise ValueError(f"a table of kind {kind} has columns {list(declared)}, got {list(columns)}")
    refuse_not_finite(path, columns)
    arrays = [_arrow(values, declared[name]) for name, values in columns.items()]
    table = pa.Table.from_arrays(arrays, names=list(columns))
    metadata = {METADATA_KEY: describe(kind, provenance, _content_digest(table), extra)}
    with whole_file(path) as temporary:
        pq.write_table(table.replace_schema_metadata(metadata), temporary, compression="zstd")


def read_table(path: str | Path, kind: str) -> pa.Table:
    """Return the parquet table at `path`, refused with one sentence if it is damaged or not of `kind`."""
    path = Path(path)
    try:
        with pq.ParquetFile(path) as file:  # pq.read_table takes columns from the names of folders, a=b/
            table = file.read()
    except Exception as error:  # flipped bits in the file's metadata make the reader raise many kinds of errors
        raise InputError(
            f"{path} is not a readable parquet file ({_first_line(error)}); delete it to have it made again."
        ) from None
    described = parse_description(path, (table.schema.metadata or {}).get(METADATA_KEY.encode()), kind)
    try:
        columns, content = table.column_names, _content_digest(table)
    except UnicodeDecodeError:  # flipped bits in the name of a column or in a string
        raise damaged(path) from None
    if columns != list(KINDS[kind].columns):
        raise InputError(f"{path} has columns {columns}, a table of kind {kind} has {list(KINDS[kind].columns)}.")
    if described["content"] != content:
        raise damaged(path)
    return table


def write_tensors(
    path: str | Path, kind: str, tensors: dict, provenance: Provenance, extra: dict | None = None
) -> None:
    """Write torch `tensors` by name as safetensors with the provenance in the file's metadata."""
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in sorted(tensors.items())}
    refuse_not_finite(path, tensors)
    content = hashlib.sha256(save(tensors)).hexdigest()
    data = save(tensors, {METADATA_KEY: describe(kind, provenance, content, extra)})
    with whole_file(path) as temporary:
        temporary.write_bytes(data)


def read_tensors(path: str | Path, kind: str) -> dict:
    """Return the tensors at `path` by name, refused with one sentence if the file is damaged or not of `kind`."""
    from safetensors import safe_open
    from safetensors.torch import save

    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in sorted(file.keys())}
            text = (file.metadata() or {}).get(METADATA_KEY)
        content = hashlib.sha256(save(tensors)).hexdigest()
    except Exception as error:  # sizes that no tensor can have fail in torch, not in the reader
        raise InputError(
            f"{path} is not a readable safetensors file ({_first_line(error)}); delete it to have it made again."
        ) from None
    described = parse_description(path, text, kind)
    if described["content"] != content:
        raise damaged(path)
    return tensors


def read_description(path: str | Path, kind: str | None = None) -> dict:
    """Return the metadata of the parquet, safetensors or JSON artifact at `path` without reading its data.

    Refused with one sentence if it is damaged or, where a `kind` is named, of another kind.
    """
    path = Path(path)
    try:
        text = _description_text(path)
    except Exception as error:  # whatever a damaged file makes the readers raise
        raise InputError(f"{path} is not an artifact of this project ({_first_line(error)}).") from None
    return parse_description(path, text, kind)


def _description_text(path: Path) -> str | bytes | None:
    if path.suffix == ".parquet":
        return (pq.read_metadata(path).metadata or {}).get(METADATA_KEY.encode())
    if path.suffix == ".json":
        return path.read_bytes()
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        return (file.metadata() or {}).get(METADATA_KEY)


def input_digest(path: str | Path) -> str:
    """Return a digest of an input: the recorded one of an artifact or of a fetched file, sha256 of any other file.

    Those of its artifacts where `path` is a folder.
    """
    if Path(path).is_dir():
        return "+".join(input_digest(file) for file in sorted(Path(path).glob("*.safetensors")))
    described = _input_description(path)
    return described["content"] if described else _arrived(path) or file_digest(path)


def input_origin(path: str | Path) -> dict | None:
    """Return the provenance that an input records, or None where it is no artifact."""
    described = _input_description(path)
    return described["provenance"] if described else None


def _arrived(path: str | Path) -> str | None:
    """The sha256 that the record of a fetched file holds; None for any other file."""
    if Path(path).suffix != ".json":
        return None
    try:
        record = parse_json(Path(path).read_bytes())
    except ValueError:
        return None
    return record.get(ARRIVED) if isinstance(record, dict) else None


def _input_description(path: str | Path) -> dict | None:
    try:
        return read_description(path) if Path(path).suffix in (".parquet", ".safetensors", ".json") else None
    except InputError:  # a user's own file, such as the weights of a backbone; readers of artifacts refuse it
        return None


def file_digest(path: str | Path, algorithm: str = "sha256") -> str:
    """Return the hexadecimal digest of the file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def matrix(column: pa.ChunkedArray) -> np.ndarray:
    """Return a fixed-size-list column as a (rows, size) array."""
    array = column.combine_chunks()
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array.flatten().to_numpy(zero_copy_only=False).reshape(len(array), array.type.list_size)


def _arrow(values, declared: str) -> pa.Array:
    if declared == "list<float>":
        values = np.ascontiguousarray(values, dtype=np.float32)
        if values.ndim != 2:
            raise ValueError(f"a list column takes a 2-d array, got shape {values.shape}")
        return pa.FixedSizeListArray.from_arrays(pa.array(values.reshape(-1)), values.shape[1])
    if isinstance(values, pa.Array):
        return values
    types = {
        "string": pa.string(),
        "bool": pa.bool_(),
        "int32": pa.int32(),
        "double": pa.float64(),
        "binary": pa.binary(),
    }
    return pa.array(values, type=types[declared])


def _content_digest(table: pa.Table) -> str:
    """Digest of names, types and values, independent of chunks and compression."""
    digest = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        listed = pa.types.is_fixed_size_list(column.type)  # parquet renames the type's inner field
        digest.update(f"{name}:{column.type.list_size if listed else column.type}:{len(column)}".encode())
        for buffer in _value_buffers(column):
            digest.update(buffer)
    return digest.hexdigest()


def _value_buffers(column: pa.ChunkedArray) -> Iterator[bytes | memoryview]:
    if pa.types.is_fixed_size_list(column.type):
        for chunk in column.chunks:
            yield memoryview(np.ascontiguousarray(chunk.flatten().to_numpy(zero_copy_only=False))).cast("B")
    elif pa.types.is_fixed_size_binary(column.type) or pa.types.is_binary(column.type):
        for chunk in column.chunks:
            yield from (scalar.as_buffer() for scalar in chunk)
    else:
        yield json.dumps(column.to_pylist()).encode()


def sync(path: Path) -> None:
    """Wait until the file or folder is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def current_umask() -> int:
    """Return the permissions that new files of this process do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
