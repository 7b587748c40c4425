"""The commit that a page names: none where there is none, and edits of code are said."""

import subprocess

import pytest

from scegg_core.workflow.commit import CODE, commit_of


@pytest.fixture
def root(tmp_path):
    """A repository with the folders of the code, and one commit."""
    for name in CODE:
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("code")
    (tmp_path / "config.yaml").write_text("seeds: 1")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "first")
    return tmp_path


def git(root, *arguments: str) -> str:
    return subprocess.run(["git", "-C", root, *arguments], check=True, capture_output=True, text=True).stdout.strip()


def test_the_commit_is_said_and_whether_its_code_is_edited(root):
    head = git(root, "rev-parse", "HEAD")[:12]
    (root / "config.yaml").write_text("seeds: 2")
    assert commit_of(root) == head
    (root / "scegg_core/file").write_text("other code")
    assert commit_of(root) == f"{head}, with edits"


def test_without_a_repository_of_its_own_no_commit_is_said(root, tmp_path_factory):
    assert commit_of(tmp_path_factory.mktemp("none")) is None
    (root / "installed").mkdir()
    assert commit_of(root / "installed") is None  # a folder in a repository of others


def test_without_git_no_commit_is_said(root, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert commit_of(root) is None
