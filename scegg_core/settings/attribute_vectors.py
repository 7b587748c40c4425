"""Settings of a data set's attribute vectors: where the words of its attributes get their vectors from."""

from typing import Literal

from pydantic import Field

from scegg_core.settings.base import settings
from scegg_core.settings.paths import LocalPath


@settings
class AttributeVectorSettings:
    """Where the word vectors of the attribute names come from."""

    source: Literal["word2vec", "gensim", "matrix", "captions"] = Field(
        "word2vec",
        description="word2vec: a text or binary file of word vectors (GloVe's too; plain, or packed by zip, gzip, bzip2 or xz); gensim: a model of gensim-data; matrix: a precomputed .npy; captions: trained by gensim on the data set's own captions",
    )
    path: LocalPath | None = Field(None, description="the file; for gensim the model's name")
    download: str | None = Field(
        None, description="entry of `downloads` that brings the file; null: it lies there already"
    )
    names: Literal["plain", "cub", "awa2", "sun"] = Field(
        "plain", description="how attribute names are turned into words"
    )
    dimensions: int = Field(300, ge=1, description="vector size; captions: the size trained")
    epochs: int = Field(10, ge=1, description="captions only: passes of the word2vec training")
