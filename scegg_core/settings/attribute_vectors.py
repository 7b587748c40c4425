"""Settings of a data set's attribute vectors: where the words of its attributes get their vectors from."""

from typing import Literal

from pydantic import Field, model_validator

from scegg_core.settings.base import settings
from scegg_core.settings.numbers import Count, Width
from scegg_core.settings.paths import LocalPath


@settings
class AttributeVectorSettings:
    """Where the word vectors of the attribute names come from."""

    source: Literal["word2vec", "gensim", "matrix", "captions", "dazle"] = Field(
        "word2vec",
        description="word2vec: a text or binary file of word vectors (GloVe's too; plain, or packed by zip, gzip, bzip2 or xz); gensim: a model of gensim-data; matrix: a precomputed .npy; captions: trained by gensim on the data set's own captions; dazle: w2v_att of an HDF5 file in DAZLE's layout, which its ready features bring themselves",
    )
    path: LocalPath | None = Field(None, description="the file; for gensim the model's name")
    download: str | None = Field(
        None, description="entry of `downloads` that brings the file; null: it lies there already"
    )
    names: Literal["plain", "cub", "awa2", "sun"] = Field(
        "plain", description="how attribute names are turned into words"
    )
    dimensions: Width = Field(300, description="vector size; captions: the size trained")
    epochs: Count = Field(10, description="captions only: passes of the word2vec training")

    @model_validator(mode="after")
    def _captions_lie_in_the_folder(self) -> "AttributeVectorSettings":
        if self.source == "captions" and (self.path or self.download):
            raise ValueError(
                "source captions reads captions.txt in the data set's folder, so it takes no path or download"
            )
        return self
