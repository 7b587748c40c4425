"""Benchmark results as markdown, on the terminal or between two marks of a page."""

from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Machine, Spread, ratios
from benchmarks.pipeline import Row

BEGIN, END = MARKS = "<!-- results: made by python -m benchmarks -->", "<!-- end of results -->"
MIB = 1 << 20


@dataclass(frozen=True)
class Compared:
    """A training step measured against its references and the machine."""

    size: str
    step: str
    seconds: dict[str, list[float]]  # "ours" and the references, round by round
    flops: dict[str, int]  # in the matrix products
    least_bytes: int
    peaks: dict[str, int]  # bytes, empty where not measured


def report(machine: Machine, about: list[str], steps: list[Compared], rows: list[Row]) -> str:
    """Return all results as markdown."""
    parts = [_about(machine, about)]
    if steps:
        parts += [_times(steps), _floors(machine, steps)]
        parts += [_peaks([step for step in steps if step.peaks])]
    if rows:
        lines = [[row.name, row.seconds.show(3), row.rate, row.over_ours] for row in rows]
        parts += [table(["work", "seconds", "rate", "times ours"], lines)]
    return "\n\n".join(part for part in parts if part) + "\n"


def fault_of_page(page: Path, marks: tuple[str, str] = MARKS) -> str | None:
    """Return why nothing can be put between the `marks` of `page`, the end of a sentence; None where it can."""
    begin, end = marks
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return "cannot be read"
    marked = text.count(begin) == text.count(end) == 1 and text.index(begin) < text.index(end)
    return None if marked else f"does not hold the marks {begin} and {end}, once each and in this order"


def put_into(page: Path, text: str, marks: tuple[str, str] = MARKS) -> None:
    """Replace what lies between the `marks` of `page` by `text`."""
    begin, end = marks
    before, rest = page.read_text(encoding="utf-8").split(begin)
    _, after = rest.split(end)
    page.write_text(f"{before}{begin}\n\n{text}\n{end}{after}", encoding="utf-8")


def _about(machine: Machine, about: list[str]) -> str:
    rates = f"best rates: {machine.flops / 1e9:.0f} GFLOP/s in float32 products, {machine.bandwidth / 1e9:.1f} GB/s"
    return "\n".join(f"- {line}" for line in [*about, rates])


def _times(steps: list[Compared]) -> str:
    """Seconds of both sides and their ratio, a line for each reference."""
    lines = []
    for step in steps:
        ours = step.seconds["ours"]
        for name, plain in step.seconds.items():
            if name != "ours":
                times = [Spread.of(ours).show(3), Spread.of(plain).show(3), f"**{ratios(plain, ours).show()}**"]
                lines.append([step.size, step.step, name, *times])
    return table(["size", "step", "compared with", "ours, s", "that, s", "times faster"], lines)


def _floors(machine: Machine, steps: list[Compared]) -> str:
    """What the machine's best rates would allow, and how near we are."""
    lines = []
    for step in steps:
        arithmetic, traffic = step.flops["ours"] / machine.flops, step.least_bytes / machine.bandwidth
        ours = Spread.of(step.seconds["ours"]).median
        others = ", ".join(f"{value / 1e9:.1f}" for name, value in step.flops.items() if name != "ours")
        cells = [f"{step.flops['ours'] / 1e9:.1f}", others, f"{arithmetic:.3f}", f"{traffic:.3f}"]
        lines.append([step.size, step.step, *cells, f"{max(arithmetic, traffic) / ours:.0%}"])
    head = ["size", "step", "GFLOP, ours", "GFLOP, references", "arithmetic, s", "traffic, s", "floor / ours"]
    return table(head, lines)


def _peaks(steps: list[Compared]) -> str:
    lines = [
        [step.size, step.step, f"{ours / MIB:.1f}", f"{plain / MIB:.1f}", f"{ours / plain:.2f}"]
        for step in steps
        for ours, plain in [(step.peaks["ours"], step.peaks["plain"])]
    ]
    return table(["size", "step", "peak, ours, MiB", "peak, plain, MiB", "share"], lines) if lines else ""


def table(head: list[str], lines: list[list[str]]) -> str:
    """Return a markdown table."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
