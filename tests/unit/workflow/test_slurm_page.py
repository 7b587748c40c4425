"""What docs/slurm.md tells to write is accepted by the pinned plugin."""

import re
from types import SimpleNamespace

import pytest
import yaml
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


def test_the_profile_sends_every_rule_that_asks_for_a_gpu_and_those_grouped_with_it_to_its_partition():
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8"))
    asking = gpu_rules()
    assert {"train_scen", "train_backbone_of_seed", "train_dazle"} <= asking
    groups = {profile["groups"][rule] for rule in asking & set(profile["groups"])}
    expected = asking | {rule for rule, group in profile["groups"].items() if group in groups}
    sent = {rule for rule, own in profile["set-resources"].items() if own.get("slurm_partition") == "gpu"}
    assert sent == expected


def gpu_rules() -> set[str]:
    """The rules with gpu=1, and those that are made of them."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "rules").glob("*.smk")))
    heads = list(re.finditer(r"^(?:use rule (\w+) as|rule) (\w+)", text, re.MULTILINE))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    asking = {head[2] for head, end in zip(heads, ends, strict=True) if "gpu=1" in text[head.start() : end]}
    return asking | {head[2] for head in heads if head[1] in asking}
