"""docs/results.md and the README's table, from the kept tables: python -m benchmarks.results_page [--keep NAME …].

    python -m benchmarks.results_page                                   # fills both pages again (make results-page)
    python -m benchmarks.results_page --keep aviary --run results/aviary --command "make demo"

With --keep the tables of a finished run are copied to docs/results/NAME first, with the commit, days and settings that its
own records tell of. RUN is its folder in the checkout that made it, COMMAND what makes it again. In a page,
`<!-- run: NAME PART -->` begins what is filled in (PART: about, table, paired, spaces, or leads: whether SC-EGG's lead holds
over backbones) and `<!-- run end -->` ends it.
"""

import argparse
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pandas as pd

from benchmarks.reference_runs import FOLDER, TABLES, ReferenceRun, keep, read_run
from benchmarks.spread import SIGNS, leads
from scegg_core.artifacts.files import write_text
from scegg_core.errors import InputError
from scegg_core.report.results import read_results
from scegg_core.report.spaces import answers, in_print
from scegg_core.report.typeset import to_markdown

PAGES = (Path("docs/results.md"), Path("README.md"))

PART = re.compile(
    r"(<!-- run: ([\w-]+) (about|table|paired|spaces|leads) -->\n)(?:(?!<!--).)*(<!-- run end -->)", re.DOTALL
)


def filled(page: str, folder: Path = FOLDER) -> str:
    """Return the text of a page with every part between marks made again from the kept runs in `folder`; InputError for a
    comment besides, a mark that begins or ends no part."""
    for mark in re.findall(r"<!--.*", PART.sub("", page)):
        raise InputError(
            f"{mark} begins or ends no part of the page; write <!-- run: NAME PART --> and <!-- run end -->, one of each."
        )
    return PART.sub(lambda found: f"{found[1]}\n{part(folder / found[2], found[3])}\n{found[4]}", page)


def part(folder: Path, kind: str) -> str:
    """Return a part of a page on the kept run in `folder`: about, table, paired, spaces or leads. InputError if it is
    damaged, or has no such table."""
    run = read_run(folder)
    if kind == "about":
        return about(run)
    name = "paired.csv" if kind == "leads" else f"{kind}.csv"
    if name not in run.tables:
        raise InputError(f"{folder} keeps no {name}; take its mark ({kind}) out of the page, or keep the run again.")
    table = read_results(folder / name)
    if kind == "leads" and SIGNS not in table:
        raise InputError(
            f"{folder / name} is not over several backbones, so it says nothing of leads; take that mark out."
        )
    if kind == "leads":
        return "".join(f"- {sentence}\n" for sentence in leads(table))
    return {"table": shown_table, "paired": shown_differences, "spaces": shown_spaces}[kind](table)


def shown_table(table: pd.DataFrame, remarks: Sequence[str] = ()) -> str:
    """Return a table of results as markdown; old ones, which do not say in what rows differ, are not ranked."""
    return to_markdown(table.drop(columns="dataset"), remarks, ranked="differs" in table)


def shown_differences(paired: pd.DataFrame, remarks: Sequence[str] = ()) -> str:
    """Return a table of differences as markdown, below a sentence that says what they are."""
    if paired.empty:
        return "There is no other row to compare with.\n"
    named = paired["reference"].iloc[0]
    text = to_markdown(paired.drop(columns=["dataset", "reference"]), remarks, ranked=False)
    return f"Each row minus `{named}`, seed by seed: below zero, `{named}` is better.\n\n{text}"


def shown_spaces(table: pd.DataFrame) -> str:
    """Return a table of methods on both spaces as markdown, with a sentence for each space compared."""
    return to_markdown(in_print(table), answers(table))


def about(run: ReferenceRun) -> str:
    """Return what a run was made by, as a table of two columns; what is not known is left out."""
    time = f"{spoken(run.seconds)} in which its jobs ran; added up they took {spoken(run.added_up)}"
    rows = {
        "command": f"`{run.command}`",
        "commit": f"`{run.commit[:12]}`",
        "finished": f"{date.fromisoformat(run.finished):%-d %B %Y}",
        "time": time if run.seconds else "",
        "machine": run.machine,
        "digest of the settings": run.settings,
        "remark": run.remark,
    }
    lines = [f"| {name} | {text.replace('|', chr(92) + '|')} |" for name, text in rows.items() if text]
    return "\n".join(["| | |", "|---|---|", *lines]) + "\n"


def spoken(seconds: float) -> str:
    """Return a time as people say it: 50 s, 17 min, 2 h 5 min."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def main(arguments: list[str] | None = None) -> None:
    """Keep a run if the command line names one, and fill the pages."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.results_page", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--keep", metavar="NAME", help="folder below docs/results to write first")
    parser.add_argument("--run", type=Path, help="with --keep: results/<data set> of the finished run")
    parser.add_argument("--command", help="with --keep: the command that makes the run")
    parser.add_argument("--machine", default="", help="with --keep: where it was made, if not on this machine")
    parser.add_argument("--remark", default="", help="with --keep: what else is to be said of it")
    given = parser.parse_args(arguments)
    if given.keep and not (given.run and given.command):
        parser.error("--keep needs --run and --command")
    try:
        if given.keep:
            keep_run(given.keep, given.run, given.command, given.machine, given.remark)
        texts = {page: filled(page.read_text(encoding="utf-8")) for page in PAGES}
    except InputError as problem:
        parser.error(str(problem))
    for page, text in texts.items():
        write_text(page, text)


def keep_run(name: str, run: Path, command: str, machine: str = "", remark: str = "") -> ReferenceRun:
    """Keep the tables of the finished run in the folder `run`, results/<data set> of its checkout, under `name`.

    Without runs of `tables.reference` paired.csv is empty, and is left out.
    """
    run = run.resolve()
    rows, spaces = [run / table for table in TABLES[:2]], run / TABLES[2]
    paths = [spaces] if spaces.is_file() else []
    if rows[0].is_file() or not paths:
        paths = rows + paths
    if absent := [str(path) for path in paths if not path.is_file()]:
        raise InputError(f"{absent[0]} is missing; run the command first.")
    tables = {path.name: content for path in paths if (content := path.read_bytes()).strip()}
    return keep(FOLDER / name, tables, paths, run.parents[1], command, machine=machine, remark=remark)


if __name__ == "__main__":
    main()
