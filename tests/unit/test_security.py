"""What foreign files and names cannot do, and which stages may use the network."""

import ast
from pathlib import Path

import pytest

from scegg_core.workflow.code import reachable

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*.py"))
NETWORK = ("requests", "urllib.request", "http", "socket", "ftplib", "ssl", "pooch", "gensim.downloader", "torch.hub")
FETCHING = {"fetch", "fetch_vectors", "fetch_weights"}


def imports(path: Path) -> set[str]:
    """Dotted names that a file imports anywhere."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return names


def calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


def uses_network(path: Path) -> bool:
    return any(name == module or name.startswith(f"{module}.") for name in imports(path) for module in NETWORK)


@pytest.mark.slow
def test_only_fetching_rules_reach_code_that_uses_the_network():
    reaching = {path.stem for path in SCRIPTS if any(map(uses_network, [path, *reachable(path, ROOT)]))}
    assert reaching == FETCHING


@pytest.mark.parametrize("path", sorted((ROOT / "scegg_core").rglob("*.py")), ids=lambda path: path.name)
def test_nothing_unpickles_and_nothing_asks_a_shell(path):
    assert not imports(path) & {"pickle", "joblib", "dill", "marshal", "shelve", "subprocess", "os.system"}
    for call in calls(path):
        written = ast.unparse(call)
        if written.startswith("torch.load("):
            assert "weights_only=True" in written
        if written.startswith("np.load("):
            assert "allow_pickle=False" in written
        assert not written.startswith(("os.system(", "os.popen(", "eval(", "exec("))


def test_no_rule_has_a_shell_command():
    for path in (ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")):
        assert not [line for line in path.read_text().splitlines() if line.strip().startswith(("shell:", "run:"))]
