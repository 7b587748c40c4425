"""The generators: methods of making features of classes that have no images, each a file that says what is its own.

To add one: a file here with a subclass of `Method` or `FeatureGenerator` (`base.py` says what it can override), its lines
below, and its settings in config.yaml. The file's name with "-" for "_" is the generator's name (`eggn.generator`).
"""

from scegg_core.eggn.generators.base import Method
from scegg_core.eggn.generators.cada_vae import CadaVae, CadaVaeNetworks
from scegg_core.eggn.generators.ce_gzsl import CeGzsl, CeGzslNetworks
from scegg_core.eggn.generators.f_clswgan import FClswgan
from scegg_core.eggn.generators.f_vaegan import FVaegan
from scegg_core.eggn.generators.f_vaegan_d2 import FVaeganD2
from scegg_core.eggn.generators.free import Free, FreeNetworks
from scegg_core.eggn.generators.lisgan import LisGan
from scegg_core.eggn.generators.tf_vaegan import TfVaegan, TfVaeganNetworks
from scegg_core.eggn.model import EGGN, Networks

GENERATORS: dict[str, type[Method]] = {
    "cada-vae": CadaVae,
    "ce-gzsl": CeGzsl,
    "f-clswgan": FClswgan,
    "f-vaegan": FVaegan,
    "f-vaegan-d2": FVaeganD2,
    "free": Free,
    "lisgan": LisGan,
    "tf-vaegan": TfVaegan,
}

#: The networks of each: all that synthesis and predictions need, so that an edit of a loss leaves those as they are.
NETWORKS: dict[str, type[Networks]] = {
    "cada-vae": CadaVaeNetworks,
    "ce-gzsl": CeGzslNetworks,
    "f-clswgan": EGGN,
    "f-vaegan": EGGN,
    "f-vaegan-d2": EGGN,
    "free": FreeNetworks,
    "lisgan": EGGN,
    "tf-vaegan": TfVaeganNetworks,
}
