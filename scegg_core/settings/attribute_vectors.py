"""Settings of a data set's attribute vectors: where the words of its attributes get their vectors from."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from scegg_core.settings.base import settings
from scegg_core.settings.downloads import Download
from scegg_core.settings.numbers import Count, Width
from scegg_core.settings.paths import LocalPath

#: Endings of files that hold a pickled matrix.
PICKLES = (".pkl", ".pickle")


@settings
class AttributeVectorSettings:
    """Where the word vectors of the attribute names come from."""

    source: Literal["word2vec", "gensim", "matrix", "captions", "dazle"] = Field(
        "word2vec",
        description="word2vec: a text or binary file of word vectors (GloVe's too; plain, or packed by zip, gzip, bzip2 or xz); gensim: a model of gensim-data; matrix: a precomputed .npy, or a .pkl that holds an array alone, as DAZLE's do; captions: trained by gensim on the data set's own captions; dazle: w2v_att of an HDF5 file in DAZLE's layout, which its ready features bring themselves",
    )
    path: LocalPath | None = Field(None, description="the file; for gensim the model's name")
    download: str | None = Field(
        None,
        description="entry of `downloads` that brings the file; null, or one that does not bring it: it lies there already",
    )
    names: Literal["plain", "cub", "awa2", "sun"] = Field(
        "plain", description="how attribute names are turned into words"
    )
    dimensions: Width = Field(300, description="vector size; captions: the size trained")
    epochs: Count = Field(10, description="captions only: passes of the word2vec training")

    @model_validator(mode="after")
    def _a_pickle_is_a_matrix(self) -> "AttributeVectorSettings":
        if self.path and Path(self.path).suffix.lower() in PICKLES and self.source != "matrix":
            raise ValueError(f"{self.path} is a pickled matrix, so source has to be matrix, and download null")
        return self

    def as_brought(self, downloads: Mapping[str, Download]) -> "AttributeVectorSettings":
        """Return these settings without a download that does not bring `path`, as an overlay leaves that sets it alone."""
        known = downloads.get(self.download)
        own = self.path is not None and known is not None and not known.brings(self.path)
        return replace(self, download=None) if own else self

    @model_validator(mode="after")
    def _captions_lie_in_the_folder(self) -> "AttributeVectorSettings":
        if self.source == "captions" and (self.path or self.download):
            raise ValueError(
                "source captions reads captions.txt in the data set's folder, so it takes no path or download"
            )
        return self
