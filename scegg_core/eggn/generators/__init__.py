"""The generators: methods of making features of classes that have no images, each a file that says what is its own.

To add one: a file here with a subclass of `FeatureGenerator` (`base.py` says what it can override), its lines
below, and its settings in config.yaml. The file's name with "-" for "_" is the generator's name (`eggn.generator`).
"""

from scegg_core.eggn.generators.base import FeatureGenerator
from scegg_core.eggn.generators.f_clswgan import FClswgan
from scegg_core.eggn.generators.f_vaegan import FVaegan
from scegg_core.eggn.generators.tf_vaegan import TfVaegan, TfVaeganNetworks
from scegg_core.eggn.model import EGGN

GENERATORS: dict[str, type[FeatureGenerator]] = {
    "f-clswgan": FClswgan,
    "f-vaegan": FVaegan,
    "tf-vaegan": TfVaegan,
}

#: The networks of each: all that synthesis and predictions need, so that an edit of a loss leaves those as they are.
NETWORKS: dict[str, type[EGGN]] = {
    "f-clswgan": EGGN,
    "f-vaegan": EGGN,
    "tf-vaegan": TfVaeganNetworks,
}
