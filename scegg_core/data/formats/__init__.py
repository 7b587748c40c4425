"""The data-set formats, each a file: where a data set's files lie and what they say.

To add one: a file here with a function `load`, and its line below. The file's name with "-" for "_" is the format's
name (`datasets.<name>.format`).
"""

from collections.abc import Callable

from scegg_core.data.formats import awa2, cub, folder, sun, xlsa17
from scegg_core.data.tables import DatasetIndex
from scegg_core.settings.datasets import IndexSettings

LOADERS: dict[str, Callable[[IndexSettings], DatasetIndex]] = {
    "awa2": awa2.load,
    "cub": cub.load,
    "folder": folder.load,
    "sun": sun.load,
    "xlsa17": xlsa17.load,
}
