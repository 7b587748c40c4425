"""Animals with Attributes 2: where its files lie."""

from scegg_core.data.formats import xlsa17
from scegg_core.data.tables import DatasetIndex
from scegg_core.settings.datasets import IndexSettings

LAYOUT = xlsa17.Layout(
    root="Animals_with_Attributes2",
    prefix="Animals_with_Attributes2",
    images="Animals_with_Attributes2/JPEGImages",
    attributes=("Animals_with_Attributes2/predicates.txt", "predicates.txt", "attributes.txt"),
    origin="AwA2-data.zip from https://cvml.ista.ac.at/AwA2/AwA2-data.zip",
    class_is_folder=True,
)


def load(settings: IndexSettings) -> DatasetIndex:
    """Return the index of AWA2."""
    return xlsa17.load_layout(settings, LAYOUT)
