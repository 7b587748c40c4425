"""What a run is asked for: a target that no rule makes ends it with one sentence that names the nearest that one makes.

rules/targets.smk turns this on.
"""

import difflib
import os
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from snakemake.io import strip_wildcard_constraints

LAYOUT = "results are files such as results/<data set>/table.csv"


def judge_first(dag: type, doubts: Callable[[Iterable[str]], Iterable[str]]) -> None:
    """Let what a run is asked for be judged before its jobs are looked for, by `refuse_unknown`; say then what `doubts`
    finds strange about it."""
    begin = dag.init

    async def init(self, *args, **named):
        if self.workflow.is_main_process:
            refuse_unknown(self.workflow)
            for sentence in doubts(self.workflow.dag_settings.targets):
                print(f"SC-EGG: {sentence}", file=sys.stderr)
        await begin(self, *args, **named)

    dag.init = init


def refuse_unknown(workflow) -> None:
    """End the run with a sentence if it is asked for what no rule is called or makes, or for a rule that needs a file's name.

    What is there already is asked for in vain, too, if no rule makes it.
    """
    asked = workflow.dag_settings
    faults = [_fault(workflow, target, of_rules=False) for target in asked.targets]
    faults += [_fault(workflow, target, True) for target in (*asked.forcerun, *asked.until, *asked.omit_from)]
    for fault in filter(None, faults):
        sys.exit(f"SC-EGG: {fault}")


def _fault(workflow, target: str, of_rules: bool) -> str | None:
    """Why there is no `target`; `of_rules` where all files of a rule may be meant."""
    if workflow.is_rule(target):
        rule = workflow.get_rule(target)
        if of_rules or not rule.has_wildcards():
            return None
        return (
            f"{target} is a rule that makes files such as {_example(_outputs(rule)[0])}; name the file that you want."
        )
    rules, target = list(workflow.rules), target if Path(target).is_absolute() else os.path.relpath(target)
    if any(rule.is_producer(target) for rule in rules):
        return None
    here = os.path.relpath(target)
    if here != target and any(rule.is_producer(here) for rule in rules):
        return f"no rule makes {target} by this path; write {here}."
    known = _known(rules, target, of_rules)
    by_name = {Path(file).name: file for file in reversed(known)}
    near = _nearest(target, known) or by_name.get(_nearest(Path(target).name, list(by_name)))
    return f"no rule makes {target}; {f'did you mean {near}?' if near else f'{LAYOUT}.'}"


def _nearest(name: str, known: list[str]) -> str | None:
    return next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.75)), None)


def _known(rules: list, target: str, of_rules: bool) -> list[str]:
    """Rules by name, and files as they make them: with the folders of `target` where these fit."""
    names = [rule.name for rule in rules if of_rules or not rule.has_wildcards()]
    for rule in rules:
        for pattern in _outputs(rule):
            file = _filled(pattern, target)
            names.append(file if rule.is_producer(file) else _example(pattern))
    return names


def _outputs(rule) -> list[str]:
    return [strip_wildcard_constraints(str(output)) for output in rule.products()]


def _filled(pattern: str, target: str) -> str:
    """The pattern of an output with the parts of `target` in the place of those that hold wildcards."""
    own, given = pattern.split("/"), target.split("/")
    if len(own) != len(given):
        return pattern
    return "/".join(there if "{" in part else part for part, there in zip(own, given, strict=True))


def _example(pattern: str) -> str:
    """What files of an output's pattern are called: results/<dataset>/table.csv."""
    return re.sub(r"\{(\w+)\}", r"<\1>", pattern)
