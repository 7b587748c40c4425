"""Which commit of the project's repository the code at work is."""

from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

SHORT = 12  # digits of a commit

#: Where the code lies that makes results; other files, as config.yaml, may be edited.
CODE = ("scegg_core", "rules", "workflow_scripts", "Snakefile")


def commit_of(root: Path = ROOT) -> str | None:
    """Return the commit that is checked out in `root`, and whether its code is edited; None without git or a checkout."""
    with suppress(ImportError):  # where the program git is not there
        from git import Repo
        from git.exc import GitError

        # GitError: no repository, or none of the project's own; ValueError: one without a commit
        with suppress(GitError, OSError, ValueError):
            work = Repo(root)
            work.git.ls_files("--error-unmatch", *CODE)
            edited = work.git.diff("HEAD", "--name-only", "--", *CODE)
            return work.head.commit.hexsha[:SHORT] + (", with edits" if edited else "")
    return None
