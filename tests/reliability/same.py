"""Whether two result folders hold the same numbers: python -m tests.reliability.same RESULTS OTHER.

Every artifact of RESULTS is compared with the one of the same name in OTHER by the digest of its content: tensors, tables
and metrics, without what made them (settings, code, versions). Ends with 1 and the names where they differ.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import records
from scegg_core.artifacts.files import read_description
from scegg_core.errors import InputError

SUFFIXES = {".parquet", ".safetensors", ".json"}


def contents(folder: Path) -> dict[str, str]:
    """Return the content digest of every artifact below `folder`, by its path in it."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES and path.parent.name != records.FOLDER)
    return {path.relative_to(folder).as_posix(): read_content(path) for path in files}


def read_content(path: Path) -> str:
    """Return the digest that an artifact carries of its content; what is wrong with it where it carries none."""
    try:
        return read_description(path)["content"]
    except InputError as error:
        return str(error)


def differences(ours: dict[str, str], theirs: dict[str, str]) -> Iterator[str]:
    """Yield what is said of the names that differ, or are there once only."""
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            yield f"{name} {'differs' if name in ours and name in theirs else 'is there once only'}"


def main() -> int:
    """Compare the folders of the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.reliability.same", description=__doc__)
    parser.add_argument("folders", nargs=2, type=Path)
    ours, theirs = map(contents, parser.parse_args().folders)
    found = list(differences(ours, theirs))
    print("\n".join([*found, f"{len(ours)} artifacts compared, {len(found)} differ"]))
    return 1 if found or not ours else 0


if __name__ == "__main__":
    sys.exit(main())
