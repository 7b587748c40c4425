"""The page of what a GPU showed, from its gpu.json."""

from benchmarks.gpu.record import Figure, Outcome, Record
from benchmarks.report import table

HEAD = """# Benchmarks on a GPU

```
{command}
python -m benchmarks.gpu --page docs/benchmarks_gpu.md DIR/gpu.json       # wrote this page
```

What each step is, and what it needs: [benchmarks.md](benchmarks.md#on-a-gpu).
"""
TINY = "Everything was tiny: these numbers try the script and say nothing of speed.\n"


def page(record: Record) -> str:
    """Return the page: the goals, then every step with its figures or the sentence that says why they are missing."""
    command = f"python -m benchmarks.gpu {'--tiny ' if record.tiny else ''}--minutes {record.minutes:g} --out DIR"
    parts = [HEAD.format(command=command), *([TINY] if record.tiny else []), _goals(record)]
    return "\n".join([*parts, *map(_section, record.outcomes)])


def _goals(record: Record) -> str:
    """How many of the figures with a goal reached it, and which did not."""
    with_goal = [figure for outcome in record.outcomes for figure in outcome.figures if figure.goal is not None]
    reached = sum(figure.reached for figure in with_goal)
    return f"{reached} of {len(with_goal)} figures that have a goal reached it.\n"


def _section(outcome: Outcome) -> str:
    lines = [[_in_cell(figure.name), _value(figure), _goal(figure)] for figure in outcome.figures]
    parts = [f"## {outcome.title}", f"{outcome.seconds:.0f} s."]
    parts += [f"It did not end as it should: {outcome.error}"] if outcome.error else []
    parts += [table(["what", "found", "goal"], lines)] if lines else []
    return "\n\n".join(parts) + "\n"


def _value(figure: Figure) -> str:
    if figure.value is None:
        return f"failed: {_in_cell(figure.error)}"
    return f"{_number(figure.value)} {figure.unit}".strip()


def _number(value: float | str) -> str:
    if isinstance(value, str):
        return _in_cell(value)
    return f"{value:,.0f}" if abs(value) >= 1000 or float(value).is_integer() else f"{value:.3g}"


def _goal(figure: Figure) -> str:
    if figure.goal is None:
        return ""
    said = f"{'at most' if figure.less else 'at least'} {figure.goal:g}"
    return f"{said}: {'reached' if figure.reached else '**not reached**'}"


def _in_cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
