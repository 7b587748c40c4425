"""What foreign files and names cannot do, and which stages may use the network."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from scegg_core.workflow.code import reachable

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "workflow_scripts").glob("*.py"))
NETWORK = ("requests", "urllib.request", "http", "socket", "ftplib", "ssl", "pooch", "gensim.downloader", "torch.hub")
FETCHING = {"fetch", "fetch_vectors", "fetch_weights"}


#: Calls that load what may hold code, and what each has to be told.
LOADING = {"torch.load": "weights_only=True", "np.load": "allow_pickle=False"}
RUNNING = {"os.system", "os.popen", "eval", "exec"}


@dataclass(frozen=True)
class Module:
    """Dotted names that a file imports anywhere, and its calls that load or run something, as they are written."""

    imports: set[str]
    calls: list[str]


@cache
def read(path: Path) -> Module:
    """Parse a file, once for all tests."""
    names, calls = set(), []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in LOADING.keys() | RUNNING:
            calls.append(ast.unparse(node))
    return Module(names, calls)


def uses_network(path: Path) -> bool:
    return any(name == module or name.startswith(f"{module}.") for name in read(path).imports for module in NETWORK)


@pytest.mark.slow
def test_only_fetching_rules_reach_code_that_uses_the_network():
    reaching = {path.stem for path in SCRIPTS if any(map(uses_network, [path, *reachable(path, ROOT)]))}
    assert reaching == FETCHING


@pytest.mark.parametrize("path", sorted((ROOT / "scegg_core").rglob("*.py")), ids=lambda path: path.name)
def test_nothing_unpickles_and_nothing_asks_a_shell(path):
    assert not read(path).imports & {"pickle", "joblib", "dill", "marshal", "shelve", "subprocess", "os.system"}
    for call in read(path).calls:
        function = call.partition("(")[0]
        assert function in LOADING and LOADING[function] in call, call


def test_no_rule_has_a_shell_command():
    for path in (ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")):
        assert not [line for line in path.read_text().splitlines() if line.strip().startswith(("shell:", "run:"))]
