"""SUN Attribute: where its files lie."""

from scegg_core.data.formats import xlsa17
from scegg_core.data.tables import DatasetIndex
from scegg_core.settings.datasets import IndexSettings

LAYOUT = xlsa17.Layout(
    root="SUN",
    prefix="",
    images="images",
    attributes=("SUNAttributeDB/attributes.mat", "attributes.mat", "attributes.txt"),
    origin="SUNAttributeDB_Images.tar.gz from https://cs.brown.edu/people/gmpatter/Attributes/SUNAttributeDB_Images.tar.gz",
)


def load(settings: IndexSettings) -> DatasetIndex:
    """Return the index of SUN."""
    return xlsa17.load_layout(settings, LAYOUT)
