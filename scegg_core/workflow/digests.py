"""The digests of all scripts' code, remembered from one start to the next as long as no source file has changed."""

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from scegg_core.artifacts.files import write_json
from scegg_core.artifacts.json_text import parse_json
from scegg_core.errors import InputError
from scegg_core.workflow.code import digests_of, looked_at

#: Variables in the environment of a run's jobs: the folder of its code, and the file that remembers digests of this.
CODE, MEMORY = "SCEGG_CODE", "SCEGG_CODE_MEMORY"


def refuse_edited(code: str | None) -> None:
    """Raise InputError where no script has the digest `code` any more, which that of a job had when the run started.

    Nothing is compared outside a run, and for a job whose digest is not kept (None).
    """
    if code is None or CODE not in os.environ:
        return
    root, found = Path(os.environ[CODE]), {}
    with suppress(SyntaxError):  # an edit that is half done
        found = code_digests(root / "workflow_scripts", root, Path(os.environ[MEMORY]))
    if code not in found.values():
        raise InputError("the code was edited while the run was under way; start it again.")


def code_digests(scripts: Path, root: Path, memory: Path) -> dict[str, str]:
    """Return `code_digest` of each script in the folder `scripts`, by its name without suffix.

    The file `memory` holds them together with the content of every file that they depend on, and is used only where all
    of these are as they were; it may be missing, damaged or not writable.
    """
    remembered = _read(memory)
    if remembered is not None and all(_content(root / name) == was for name, was in remembered["of"].items()):
        return remembered["digests"]
    digests = {script.stem: digest for script, digest in digests_of(sorted(scripts.glob("*.py")), root).items()}
    seen = {str(path.relative_to(root)): _content(path) for path in [*looked_at(root), scripts]}
    with suppress(OSError):
        write_json(memory, {"of": seen, "digests": digests})
    return digests


def _read(memory: Path) -> dict | None:
    try:
        content = parse_json(memory.read_bytes())
        return content if isinstance(content["of"], dict) and isinstance(content["digests"], dict) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _content(path: Path) -> str | None:
    """A digest of a source file, the names of modules and folders in a folder, or None for what is not there."""
    try:
        if path.is_dir():
            return " ".join(sorted(part.name for part in path.iterdir() if part.suffix == ".py" or part.is_dir()))
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
