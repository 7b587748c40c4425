"""Where in the configuration a run's settings are written, as sentences name it."""

from scegg_core.settings.methods import plain_name
from scegg_core.settings.names import VALIDATION
from scegg_core.settings.tuning import POINT


def place_of(section: str, name: str) -> str:
    """Return where the settings of a variant or space are written: those of a point in its grid."""
    if POINT in name:
        return f"tuning.{name.partition(POINT)[0]}.grid"
    return f"{section}.{plain_name(name)}"


def layers_of(stage: str, dataset: str, place: str) -> str:
    """Return where a run's settings of a stage are written; `place` is that of its variant or space."""
    return f"{stage} (with datasets.{dataset.removesuffix(VALIDATION)} and {place})"
