"""Ready features, each kind a file: what they hold, and what the images and classes are.

To add one: a file here with a function `open_features`, its line below, and its endings in `settings/features.py`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager

from scegg_core.data.features import arrays, dazle, xlsa17
from scegg_core.data.features.ready import ReadyFeatures
from scegg_core.data.names import printable
from scegg_core.errors import InputError
from scegg_core.settings.features import FeatureSettings

KINDS: dict[str, Callable[[FeatureSettings], AbstractContextManager[ReadyFeatures]]] = {
    "xlsa17": xlsa17.open_features,
    "dazle": dazle.open_features,
    "arrays": arrays.open_features,
}


def open_features(settings: FeatureSettings) -> AbstractContextManager[ReadyFeatures]:
    """Return the features that `settings` names, to be used as a context manager; InputError for what cannot be read."""
    return KINDS[settings.kind](settings)


def require_maps(settings: FeatureSettings) -> None:
    """Raise InputError unless the features have several regions an image, as SCEN needs them."""
    with open_features(settings) as features:
        if features.size.regions == 1:
            raise InputError(
                f"{printable(settings.path)} holds one vector an image, but rows with SCEN need region maps; leave these rows "
                "out of the data set's variants."
            )
