"""What docs/slurm.md tells to write is accepted by the pinned plugin."""

import re
from types import SimpleNamespace

import pytest
from snakemake_executor_plugin_slurm.validation import validate_slurm_extra
from snakemake_interface_common.exceptions import WorkflowError

from tests.conftest import ROOT


def accept(extra: str) -> None:
    validate_slurm_extra(SimpleNamespace(resources=SimpleNamespace(slurm_extra=extra)))


def test_the_options_of_the_page_are_accepted():
    examples = re.findall(r'slurm_extra: "(.*?)"', (ROOT / "docs/slurm.md").read_text(encoding="utf-8"))
    assert examples
    for example in examples:
        accept(example)
    with pytest.raises(WorkflowError, match="not allowed in the 'slurm_extra' parameter"):
        accept("'--qos=normal'")
