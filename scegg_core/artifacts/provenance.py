"""Provenance: what an artifact says of itself in its own metadata, and how that is checked."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from scegg_core.artifacts.json_text import parse_json
from scegg_core.artifacts.kinds import KINDS
from scegg_core.errors import InputError

PACKAGES = ("torch", "torchvision", "numpy", "pandas", "pyarrow", "gensim")

METADATA_KEY = "scegg"  # of parquet and safetensors files

FIELDS = ("kind", "schema", "content", "provenance", "extra")


def package_versions() -> dict[str, str]:
    """Return the versions of the libraries that results depend on, as installed."""
    versions = {}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions


@dataclass(frozen=True)
class Provenance:
    """What an artifact was made from. Holds nothing of the host and no time, so equal runs give equal bytes.

    `computed` says on what kinds of devices the artifact and those before it were computed, and whether the same bits
    come out again. `backbones` are short digests of the weights that the region features come from.
    """

    stage: str
    settings: dict = field(default_factory=dict)
    code: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    seed: int | None = None
    versions: dict[str, str] = field(default_factory=package_versions)
    computed: tuple[str, ...] = ()
    backbones: tuple[str, ...] = ()


def devices_of(computed: Sequence[str]) -> tuple[str, ...]:
    """Return the kinds of devices (cpu, cuda) that `Provenance.computed` names."""
    return tuple(sorted({text.split(", ")[0] for text in computed}))


def threads_of(computed: Sequence[str]) -> tuple[int, ...]:
    """Return the numbers of CPU threads that `Provenance.computed` names."""
    parts = (part for text in computed for part in text.split(", "))
    return tuple(sorted({int(part.split()[0]) for part in parts if part.endswith((" thread", " threads"))}))


def computed_on(device_type: str, deterministic: bool, threads: int | None = None) -> tuple[str, ...]:
    """Return what `Provenance.computed` says of one stage's work on a device (cpu, cuda) with so many CPU threads.

    The number of threads decides the last digits of what a CPU adds up, so it is named where a CPU computes.
    """
    counted = f", {threads} thread{'s' if threads > 1 else ''}" if threads and device_type == "cpu" else ""
    return (f"{device_type}{counted}, {'deterministic' if deterministic else 'not deterministic'}",)


def describe(kind: str, provenance: Provenance, content: str, extra: dict | None = None) -> str:
    """Return the JSON text of an artifact's metadata: kind, schema version, provenance, content digest, extra, and a
    digest of all that, since results depend on it too."""
    described = {
        "kind": kind,
        "schema": KINDS[kind].version,
        "content": content,
        "provenance": asdict(provenance),
        "extra": extra or {},
    }
    return json.dumps(described | {"digest": json_digest(described)}, sort_keys=True)


def parse_description(path: str | Path, text: str | bytes | None, kind: str | None) -> dict:
    """Return the metadata in `text`, refused with one sentence unless it is undamaged and describes an artifact of `kind`
    (None: of any kind) in the schema of today."""
    try:
        metadata = parse_json(text)
        named, digest = (metadata["kind"], metadata["schema"]), metadata["digest"]
        described = {name: metadata[name] for name in FIELDS}
        whole = digest == json_digest(described)
    except (TypeError, ValueError, KeyError, RecursionError):
        raise InputError(f"{path} carries no provenance, so it was not made by this project; move it away.") from None
    if not whole:
        raise damaged(path, "its metadata do")
    wanted = kind or named[0]
    if wanted not in KINDS:
        raise InputError(f"{path} is a {wanted} artifact, a kind that this version does not know.")
    if named != (wanted, KINDS[wanted].version):
        raise InputError(
            f"{path} is a {named[0]} artifact of schema {named[1]}, "
            f"expected {wanted} of schema {KINDS[wanted].version}; have it made again."
        )
    return described


def damaged(path: str | Path, what: str = "its content does") -> InputError:
    """Return the error of an artifact that is not what was written."""
    return InputError(
        f"{path} is damaged: {what} not match the digest in its metadata; delete it to have it made again."
    )


def json_digest(content: object) -> str:
    """Return a digest of JSON-able content, whatever the order of its keys."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
