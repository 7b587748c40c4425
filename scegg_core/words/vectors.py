"""Word vectors for attribute names: from word-vector files, gensim-data, a precomputed matrix, or captions."""

import logging
import re
import unicodedata
import zlib
from pathlib import Path

import numpy as np

from scegg_core.data.features.dazle import read_attribute_vectors
from scegg_core.data.tables import AttributeVectors, read_vectors, write_vectors
from scegg_core.data.text_files import read_text, require_readable
from scegg_core.errors import InputError
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.words.matrix import checked_rows, read_matrix

__all__ = ["AttributeVectors", "embed_attributes", "read_vectors", "write_vectors"]

log = logging.getLogger(__name__)


def embed_attributes(
    words: tuple[str, ...], settings: AttributeVectorSettings, captions: Path | None = None, seed: int = 0
) -> AttributeVectors:
    """Return the vector of each attribute, (A, d) float32: the mean over those of its words that have a vector.

    `words` are the words of each attribute, separated by blanks; only the source `captions` uses `captions` and `seed`.
    Raises InputError for an attribute without any known word, and for a source that is missing or damaged.
    """
    if settings.source in ("matrix", "dazle"):
        vectors = _as_given(_precomputed(words, settings), words)
    else:
        vectors = mean_over_words(words, _word_vectors(words, settings, captions, seed), settings)
    _report(words, vectors)
    return vectors


def _precomputed(words: tuple[str, ...], settings: AttributeVectorSettings) -> np.ndarray:
    if settings.source == "matrix":
        return read_matrix(settings.path, words, settings.dimensions)
    if not settings.path:
        raise InputError(
            "the setting attribute_vectors.path is missing; the source dazle reads w2v_att of an HDF5 file."
        )
    path = Path(settings.path)
    return checked_rows(read_attribute_vectors(path, len(words)), words, path, zeros=True)


def _as_given(rows: np.ndarray, words: tuple[str, ...]) -> AttributeVectors:
    known = rows.any(axis=1).tolist()
    used = (text if there else "" for text, there in zip(words, known, strict=True))
    unknown = ("" if there else text for text, there in zip(words, known, strict=True))
    return AttributeVectors(rows, tuple(used), tuple(unknown))


def mean_over_words(
    words: tuple[str, ...], known: dict[str, np.ndarray], settings: AttributeVectorSettings
) -> AttributeVectors:
    """Return the attribute vectors made of the word vectors `known`; InputError for an attribute without any."""
    rows, used, unknown = [], [], []
    for attribute in words:
        usable = [word for word in attribute.split() if word in known]
        if not usable:
            raise InputError(
                f"none of the words of attribute {attribute!r} has a vector in {settings.path or settings.source}; "
                "rename the attribute or take another source of vectors."
            )
        # ASSUME: an attribute's vector is the mean over its known words (the paper does not say how they are combined).
        row = np.mean([known[word] for word in usable], axis=0, dtype=np.float64).astype(np.float32)
        if not row.any():
            raise InputError(
                f"the vectors of the words of attribute {attribute!r} cancel each other out in "
                f"{settings.path or settings.source}; rename the attribute or take another source of vectors."
            )
        rows.append(row)
        used.append(" ".join(usable))
        unknown.append(" ".join(word for word in attribute.split() if word not in known))
    return AttributeVectors(np.asarray(rows, dtype=np.float32), tuple(used), tuple(unknown))


def _word_vectors(
    words: tuple[str, ...], settings: AttributeVectorSettings, captions: Path | None, seed: int
) -> dict[str, np.ndarray]:
    needed = {word for attribute in words for word in attribute.split()}
    if settings.source == "captions":
        return train_on_captions(captions, needed, settings, seed)
    from scegg_core.words.files import local_gensim_file, read_word_vectors

    if not settings.path:
        raise InputError(f"the setting attribute_vectors.path is missing; the source {settings.source} needs it.")
    file = Path(settings.path)
    if settings.source == "gensim":
        file = local_gensim_file(settings.path) or file  # rule fetch_vectors has brought it
    return read_word_vectors(file, needed, settings.dimensions)


def train_on_captions(
    captions: Path | None, needed: set[str], settings: AttributeVectorSettings, seed: int
) -> dict[str, np.ndarray]:
    """Return vectors of the words `needed` that occur, by gensim's skip-gram word2vec trained on `captions`.

    One caption a line. The result depends on captions, settings and seed alone, bit for bit.
    """
    from gensim.models import Word2Vec

    sentences = read_captions(captions)
    model = Word2Vec(
        sentences,
        vector_size=settings.dimensions,
        epochs=settings.epochs,
        seed=seed,
        sg=1,
        min_count=1,
        workers=1,  # more of them would make the result depend on their timing
        hashfxn=lambda text: zlib.crc32(text.encode()),  # Python's own hash differs from process to process
    )
    return {word: model.wv[word] for word in needed if word in model.wv}


def read_captions(path: Path | None) -> list[list[str]]:
    """Return the words of each caption in the file, one a line, in lower case; raises InputError if there are none."""
    missing = (
        f"the file of captions {path} is missing; the source captions trains word vectors on it, one caption a line."
    )
    if path is None:
        raise InputError(missing)
    require_readable(Path(path), missing)
    text = unicodedata.normalize("NFC", read_text(Path(path)))
    sentences = [re.findall(r"[^\W_]+", line) for line in text.lower().splitlines() if line.strip()]
    if not any(len(sentence) > 1 for sentence in sentences):
        raise InputError(f"{path} holds no captions of two words or more; it has to hold one a line.")
    return sentences


def _report(words: tuple[str, ...], vectors: AttributeVectors) -> None:
    """Log the words without a vector, and attributes that have none or the same one."""
    for attribute, used, missing in zip(words, vectors.used, vectors.unknown, strict=True):
        if not used:
            log.warning("attribute %r has a vector of zeros alone, so its words say nothing", attribute)
        elif missing:
            log.warning("attribute %r: no vector for %s", attribute, ", ".join(missing.split()))
    first: dict[bytes, str] = {}
    for attribute, row in zip(words, vectors.vectors, strict=True):
        other = first.setdefault(row.tobytes(), attribute)
        if other is not attribute:
            log.warning("attributes %r and %r have the same vector", other, attribute)
