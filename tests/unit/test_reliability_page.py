"""docs/reliability.md names tests that there are."""

import re

from tests.conftest import ROOT

PAGE = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")


def test_every_named_test_is_there():
    named = re.findall(r"`((?:\w+/)+test_\w+\.py)(?:::(test_\w+))?`", PAGE)
    assert len(named) > 100
    for file, test in named:
        paths = [ROOT / "tests/unit" / file, ROOT / "tests" / file, ROOT / file]
        sources = [path.read_text(encoding="utf-8") for path in paths if path.is_file()]
        assert sources, file
        assert any(f"def {test}(" in source for source in sources) or not test, f"{file}::{test}"


def test_every_row_of_a_table_of_faults_names_a_test():
    part = PAGE.partition("## Nothing wrong without a word")[2]
    rows = [line for line in part.splitlines() if line.startswith("| ") and line.count(" | ") >= 2]
    faults = [row for row in rows if not row.startswith(("| fault |", "| random cases"))]
    assert len(faults) > 150
    assert [row for row in faults if "`" not in row.rstrip(" |").rpartition(" | ")[2]] == []
