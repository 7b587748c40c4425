"""Settings of a data set: where its files lie, how it is read, its backbone and its attribute vectors."""

import os
import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from scegg_core.settings.base import as_mapping, settings


def expand(path: str | None) -> str | None:
    """Return `path` with `~` and environment variables filled in; an unset variable is refused by name."""
    if path is None:
        return None
    full = str(Path(os.path.expandvars(path)).expanduser())
    if re.search(r"\$(\w|{)", full):  # a lone "$" may be part of a file's name
        raise ValueError(f"the environment variable in {path!r} is not set")
    return full


@settings
class Download:
    """One archive or file to fetch."""

    url: str = Field(description="address to fetch from")
    file: str = Field(description="where the fetched file lies; a copy put there by hand is accepted")
    checksum: str | None = Field(None, description="'md5:…' or 'sha256:…'; null where none is published")
    unpack_to: str | None = Field(None, description="folder that the archive is unpacked into; null: not an archive")
    provides: tuple[str, ...] = Field(
        (), description="paths that exist after unpacking, checked; relative to unpack_to"
    )


@settings
class ImagePolicy:
    """What to do with images that cannot be used."""

    on_bad_image: Literal["stop", "skip"] = Field("stop", description="stop and list them all, or skip and record them")
    max_skipped_share: float = Field(
        0.01, ge=0, le=1, description="with skip: above this share of images, stop all the same"
    )


@settings
class BackboneSettings:
    """The network that turns an image into region features."""

    network: str = Field("resnet101", description="name of a torchvision classification model")
    weights: str = Field(
        "IMAGENET1K_V1",
        description="a torchvision weights name, 'train' (on the seen classes' training images), 'random', or the path of a local weight file",
    )
    features_up_to: str | None = Field(None, description="last module kept, e.g. layer3; null: the last feature map")
    image_size: int = Field(448, ge=16, le=4096, description="square input size in pixels")
    resize: Literal["squash", "crop"] = Field(
        "squash", description="squash to the square, or resize the short side and crop the centre"
    )
    batch_size: int | None = Field(
        32, ge=1, description="images per forward pass; null: as many as a GPU's free memory holds, 32 on a CPU"
    )
    decoder: Literal["pillow", "gpu"] = Field(
        "pillow", description="what decodes JPEG files: Pillow, or torchvision on a CUDA device; last digits differ"
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="autocast type on CUDA; the CPU always computes in float32"
    )
    training: dict = Field(default_factory=dict, description="settings of the training where weights is 'train'")

    @field_validator("weights")
    @classmethod
    def _expand(cls, value: str) -> str:
        return expand(value)

    @property
    def usual_batch(self) -> int:
        """Return the images per batch where no device's memory decides."""
        return self.batch_size or 32

    def training_part(self) -> dict:
        """Return the settings that a backbone trained here depends on."""
        names = ("network", "weights", "features_up_to", "image_size", "resize", "training")
        return {name: getattr(self, name) for name in names}

    @property
    def local_weights(self) -> bool:
        """Return whether weights is the path of a file."""
        return self.weights.endswith((".pt", ".pth", ".safetensors"))

    @property
    def fetched_to(self) -> str | None:
        """Return where torchvision's weights are fetched to; None for other weights."""
        if self.local_weights or self.weights in ("train", "random"):
            return None
        return f"data/weights/{self.network}/{self.weights}.pth"

    @property
    def fetch_record(self) -> str | None:
        """Return where it is recorded that torchvision's weights were fetched; None for other weights."""
        return str(Path(self.fetched_to).with_suffix(".json")) if self.fetched_to else None


@settings
class AttributeVectorSettings:
    """Where the word vectors of the attribute names come from."""

    source: Literal["word2vec", "gensim", "matrix", "captions"] = Field(
        "word2vec",
        description="word2vec: a text or binary file of word vectors (GloVe's too, zipped or plain); gensim: a model of gensim-data; matrix: a precomputed .npy; captions: trained by gensim on the data set's own captions",
    )
    path: str | None = Field(None, description="the file; for gensim the model's name")
    download: str | None = Field(
        None, description="entry of `downloads` that brings the file; null: it lies there already"
    )
    names: Literal["plain", "cub", "awa2", "sun"] = Field(
        "plain", description="how attribute names are turned into words"
    )
    dimensions: int = Field(300, ge=1, description="vector size; captions: the size trained")
    epochs: int = Field(10, ge=1, description="captions only: passes of the word2vec training")

    @field_validator("path")
    @classmethod
    def _expand(cls, value: str | None) -> str | None:
        return expand(value)


@settings
class DatasetSettings:
    """One data set."""

    format: Literal["cub", "awa2", "sun", "xlsa17", "folder"] = Field(description="which loader reads it")
    title: str | None = Field(None, description="name in tables and plots; null: the section's name")
    folder: str = Field(description="folder that holds the images' tree")
    splits: str | None = Field(
        None, description="folder with att_splits.mat and res101.mat (xlsa17); null for format folder"
    )
    image_root: str | None = Field(
        None, description="format xlsa17: the folder name in image_files after which local paths begin"
    )
    attributes: str | None = Field(None, description="file with the attribute names; null: the format's own place")
    unseen_classes: tuple[str, ...] | None = Field(
        None, description="format folder: unseen classes where there is no splits.csv"
    )
    test_share: float = Field(
        0.2, gt=0, lt=1, description="format folder without splits.csv: share of seen images kept for test"
    )
    images: ImagePolicy = Field(default_factory=ImagePolicy)
    downloads: tuple[str, ...] = Field((), description="entries of `downloads` that this data set needs")
    generate: dict | None = Field(None, description="settings of the aviary generator; null: not generated")
    backbone: BackboneSettings = Field(default_factory=BackboneSettings)
    attribute_vectors: AttributeVectorSettings = Field(default_factory=AttributeVectorSettings)
    threads: int = Field(2, ge=1, description="CPU threads of one training or extraction job")
    shards: int = Field(8, ge=1, le=1000, description="region-feature shards, each one an independent job")
    seeds: tuple[int, ...] = Field((0, 1, 2, 3, 4), min_length=1, description="seeds of the runs")
    variants: tuple[str, ...] = Field(
        ("sc-egg", "baseline", "len", "prototype", "eszsl"), min_length=1, description="rows of the table"
    )
    published: str | None = Field(None, description="the data set's name in the published tables; null: none")
    validation_list: int = Field(
        1, ge=1, le=3, description="which trainclasses/valclasses lists make the validation split"
    )
    split_seed: int = Field(0, ge=0, description="seed of the splits that are drawn, not read from files")
    validation_share: float = Field(
        0.2, gt=0, lt=1, description="share of the remaining classes' training images held out as validation-seen"
    )
    # ASSUME: unit length, as the Proposed Splits' `att`.
    class_norm: Literal["l2", "none"] = Field(
        "l2", description="class vectors a(c): rows of length 1, or strengths as in the source"
    )
    # ASSUME: each channel by its own range; the paper says nothing of scaling.
    feature_scaling: Literal["channel", "all"] = Field(
        "channel", description="features are scaled to [0, 1] for stage 3: each channel by its range, or all by one"
    )
    scen: dict = Field(default_factory=dict, description="overrides of section scen")
    eggn: dict = Field(default_factory=dict, description="overrides of section eggn")
    synthesis: dict = Field(default_factory=dict, description="overrides of section synthesis")
    classifier: dict = Field(default_factory=dict, description="overrides of section classifier")

    @field_validator("folder", "splits", "attributes")
    @classmethod
    def _expand(cls, value: str | None) -> str | None:
        return expand(value)

    @property
    def all_downloads(self) -> tuple[str, ...]:
        """Return the entries of `downloads` that this data set and its attribute vectors need."""
        words = self.attribute_vectors.download
        return (*self.downloads, words) if words else self.downloads

    def index_part(self) -> dict:
        """Return the settings that the index depends on, but for the places of files on this machine."""
        names = (
            "format",
            "image_root",
            "unseen_classes",
            "test_share",
            "split_seed",
            "validation_list",
            "validation_share",
            "class_norm",
        )
        words = {"names": self.attribute_vectors.names}
        return {name: getattr(self, name) for name in names} | {
            "images": as_mapping(self.images),
            "attribute_vectors": words,
        }

    def places(self) -> dict:
        """Return where the raw files lie on this machine; never part of an artifact."""
        return {name: getattr(self, name) for name in ("folder", "splits", "attributes")}
