"""The table of classes: accuracy of each, and the class that it is most often confused with."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from scegg_core.data.tables import DatasetIndex
from scegg_core.report.runs import VariantRuns
from scegg_core.report.tables import per_class_table

if TYPE_CHECKING:
    from pandas import DataFrame


def class_rows(variants: Iterator[VariantRuns], index: DatasetIndex, task: str) -> "DataFrame":
    """Return `per_class_table` of every variant, its seeds pooled, with columns variant, title, task, seeds in front.

    `images` counts every image once, not once per seed.
    """
    from pandas import DataFrame, concat

    parts = [DataFrame()]
    for one in variants:
        table = per_class_table(*one.pooled(), index.classes, index.seen)
        table["images"] //= len(one.runs)
        for position, (name, value) in enumerate(
            {"variant": one.variant, "title": one.title, "task": task.upper(), "seeds": len(one.runs)}.items()
        ):
            table.insert(position, name, value)
        parts.append(table)
    return concat(parts, ignore_index=True)
