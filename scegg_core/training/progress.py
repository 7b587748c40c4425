"""The progress bar of long work, on standard error; one line every half minute where that is not a terminal."""

import sys

from tqdm import tqdm


def bar(total: int, name: str, unit: str = "step", initial: int = 0, delay: float = 0) -> tqdm:
    """Return a progress bar of `total` units, shown after `delay` seconds, to be used as a context manager."""
    slow = {} if sys.stderr.isatty() else {"mininterval": 30, "maxinterval": 30}
    return tqdm(total=total, desc=name, unit=unit, initial=initial, delay=delay, dynamic_ncols=True, **slow)
