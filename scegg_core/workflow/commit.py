"""Which commit of the project's repository the code at work is."""

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SHORT = 12  # digits of a commit

#: Where the code lies that makes results; other files, as config.yaml, may be edited.
CODE = ("scegg_core", "rules", "workflow_scripts", "Snakefile")


def commit_of(root: Path = ROOT) -> str | None:
    """Return the commit that is checked out in `root`, and whether its code is edited; None without git or a checkout."""
    if _git(root, "ls-files", "--error-unmatch", *CODE) is None:  # no repository, or one of others around it
        return None
    commit = _git(root, "rev-parse", f"--short={SHORT}", "HEAD")
    edited = _git(root, "diff", "--quiet", "HEAD", "--", *CODE) is None
    return f"{commit}, with edits" if commit and edited else commit


def _git(root: Path, *arguments: str) -> str | None:
    """What git says; None where it fails, or is not there."""
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
