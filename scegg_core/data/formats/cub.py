"""CUB_200_2011, and data sets in its layout: where files lie, and which part of the bird an attribute speaks of."""

from dataclasses import replace
from pathlib import Path

from scegg_core.data.formats import xlsa17
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.text_files import is_given
from scegg_core.settings.datasets import IndexSettings

LAYOUT = xlsa17.Layout(
    root="CUB_200_2011",
    prefix="CUB_200_2011",
    images="CUB_200_2011/images",
    attributes=("attributes.txt", "CUB_200_2011/attributes.txt", "CUB_200_2011/attributes/attributes.txt"),
    origin="CUB_200_2011.tgz from https://data.caltech.edu/records/65de6-vp158/files/CUB_200_2011.tgz",
    class_is_folder=True,
)

#: The part, in the words of parts/parts.txt (left and right taken as one), that an attribute group speaks of.
# ASSUME: head patterns are bound to the crown, upperparts to the back, underparts to the belly.
PART_OF_GROUP = {
    "bill": "beak",
    "wing": "wing",
    "upperparts": "back",
    "underparts": "belly",
    "breast": "breast",
    "back": "back",
    "tail": "tail",
    "upper tail": "tail",
    "under tail": "tail",
    "head": "crown",
    "throat": "throat",
    "eye": "eye",
    "forehead": "forehead",
    "nape": "nape",
    "belly": "belly",
    "leg": "leg",
    "crown": "crown",
}


def load(settings: IndexSettings) -> DatasetIndex:
    """Return the index of CUB or of a data set in its layout; parts come from attribute_parts.csv or from the names."""
    index = xlsa17.load_layout(settings, LAYOUT)
    if is_given(Path(settings.folder) / "attribute_parts.csv"):
        return index
    return replace(index, parts=tuple(part_of(name) for name in index.attributes))


def part_of(attribute: str) -> str:
    """Return the part of a CUB attribute: has_bill_shape::hooked → beak; '' for size, shape and primary colour."""
    group = attribute.partition("::")[0].removeprefix("has_").rpartition("_")[0]
    return PART_OF_GROUP.get(group.replace("_", " "), "")
