"""Settings of a data set: where its files lie, how it is read and split, its rows, and its overrides of the stages."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.settings.aviary import AviarySettings
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.base import as_mapping, problem, settings
from scegg_core.settings.class_vectors import ClassVectorSettings
from scegg_core.settings.downloads import Download
from scegg_core.settings.features import FeatureSettings
from scegg_core.settings.names import Distinct, Seed, Seeds, Title, file_names
from scegg_core.settings.overrides import (
    ClassifierOverrides,
    DazleOverrides,
    EggnOverrides,
    ScenOverrides,
    SynthesisOverrides,
)
from scegg_core.settings.paths import LocalPath

FORMATS = file_names(Path(__file__).parents[1] / "data" / "formats")

#: Formats whose unseen classes and splits are in att_splits.mat.
WITH_SPLITS = ("cub", "sun", "awa2", "xlsa17")

_SPLITS_GIVEN = {"test_share": "att_splits.mat says which images are for the test"}

#: Settings that a format does not read, and what it reads instead.
_NOT_READ = {
    "folder": {
        "splits": "put splits.csv into its folder",
        "attributes": "the header of attributes.csv names the attributes",
        "image_root": "its pictures lie in images/",
    },
    "xlsa17": _SPLITS_GIVEN,
    **{
        name: {**_SPLITS_GIVEN, "image_root": "its paths are cut where its own layout says"}
        for name in ("cub", "sun", "awa2")
    },
}

#: Settings that say something of pictures, or of what lies elsewhere where there are ready features.
_OF_PICTURES = ("format", "folder", "image_root", "unseen_classes", "test_share", "generate")


@settings
class ImagePolicy:
    """What to do with images that cannot be used."""

    on_bad_image: Literal["stop", "skip"] = Field("stop", description="stop and list them all, or skip and record them")
    max_skipped_share: float = Field(
        0.01, ge=0, le=1, description="with skip: above this share of images, stop all the same"
    )


@settings
class IndexSettings:
    """What the index of a data set and its validation split depend on."""

    format: Literal[FORMATS] | None = Field(
        None, description="how its files lie; each format is a file of scegg_core/data/formats; null: ready features"
    )
    folder: LocalPath | None = Field(None, description="folder that holds the images' tree; null: ready features")
    features: FeatureSettings | None = Field(
        None, description="ready features in place of pictures and backbone; null: format and folder name pictures"
    )
    splits: LocalPath | None = Field(
        None,
        description="folder with att_splits.mat and res101.mat (xlsa17); null for format folder; with features: the folder of the file",
    )
    image_root: str | None = Field(
        None, description="format xlsa17: the folder name in image_files after which local paths begin"
    )
    attributes: LocalPath | None = Field(
        None, description="file with the attribute names; null: the format's own place"
    )
    unseen_classes: Annotated[Distinct, Field(min_length=1)] | None = Field(
        None, description="format folder: unseen classes where there is no splits.csv"
    )
    test_share: float | None = Field(
        None, gt=0, lt=1, description="format folder without splits.csv: share of seen images kept for test; null: 0.2"
    )
    images: ImagePolicy = Field(default_factory=ImagePolicy, description="what to do with images that cannot be used")
    attribute_vectors: AttributeVectorSettings = Field(
        default_factory=AttributeVectorSettings, description="where the word vectors of the attribute names come from"
    )
    class_vectors: ClassVectorSettings | None = Field(
        None, description="class vectors of real numbers that a file gives, in place of attributes; null: attributes"
    )
    split_table: LocalPath | None = Field(
        None,
        description="table of images (columns path, or image: numbers from 1 on, and split) in place of the format's own splits; null: those",
    )
    validation_list: Literal[1, 2, 3, "att_splits", "drawn"] = Field(
        1,
        description="what makes the validation split: the trainclasses/valclasses lists of this number (drawn where there are none), train_loc and val_loc of att_splits.mat, or classes drawn with split_seed",
    )
    split_seed: Seed = Field(0, description="seed of the splits that are drawn, not read from files")
    validation_share: float = Field(
        0.2, gt=0, lt=1, description="share of the remaining classes' training images held out as validation-seen"
    )
    # ASSUME: unit length, as the Proposed Splits' `att`.
    class_norm: Literal["l2", "none"] = Field(
        "l2", description="class vectors a(c): rows of length 1, or strengths as in the source"
    )

    @model_validator(mode="after")
    def _pictures_or_features(self) -> "IndexSettings":
        lacking = [name for name in ("format", "folder") if getattr(self, name) is None]
        if self.features is None and lacking:
            raise problem(f"has no {lacking[0]}: set format and folder, or features in place of pictures")
        return self

    @property
    def home(self) -> Path:
        """Return the folder that the data set's own files lie in."""
        return self.features.folder if self.features is not None else Path(self.folder)

    @property
    def lists(self) -> Path | None:
        """Return the folder of att_splits.mat and of lists of classes; None where there is none."""
        if self.splits is None and self.features is not None and self.features.kind == "xlsa17":
            return self.features.folder
        return Path(self.splits) if self.splits is not None else None


@settings
class DatasetSettings(IndexSettings):
    """One data set."""

    title: Title | None = Field(None, description="name in tables and plots; null: the section's name")
    downloads: Distinct = Field((), description="entries of `downloads` that this data set needs")
    generate: AviarySettings | None = Field(None, description="how its birds are drawn; null: not generated")
    backbone: BackboneSettings = Field(default_factory=BackboneSettings, description="what turns images into regions")
    threads: int = Field(
        2,
        ge=1,
        le=1024,
        description="CPU threads of one training or extraction job, whatever --cores says: they decide the last digits, so another number trains again",
    )
    shards: int = Field(8, ge=1, le=1000, description="region-feature shards, each one an independent job")
    seeds: Seeds = Field((0, 1, 2, 3, 4), description="seeds of the runs")
    variants: Distinct = Field(
        ("sc-egg", "baseline", "len", "prototype", "eszsl"), min_length=1, description="rows of the table"
    )
    published: Literal["CUB", "SUN", "AWA2", "CUB, fine-tuned", "SUN, fine-tuned", "AWA2, fine-tuned"] | None = Field(
        None, description="the data set's name in the published tables (resources/); null: none"
    )
    # ASSUME: each channel by its own range; the paper says nothing of scaling.
    feature_scaling: Literal["channel", "all"] = Field(
        "channel", description="features are scaled to [0, 1] for stage 3: each channel by its range, or all by one"
    )
    scen: ScenOverrides = Field(default_factory=dict, description="overrides of section scen")
    dazle: DazleOverrides = Field(default_factory=dict, description="overrides of section dazle")
    eggn: EggnOverrides = Field(default_factory=dict, description="overrides of section eggn")
    synthesis: SynthesisOverrides = Field(default_factory=dict, description="overrides of section synthesis")
    classifier: ClassifierOverrides = Field(default_factory=dict, description="overrides of section classifier")

    @model_validator(mode="after")
    def _generated_where_the_rule_writes(self) -> "DatasetSettings":
        folder = self.folder or ""
        below = folder.startswith("data/") and ".." not in Path(folder).parts
        if self.features is None and self.generate is not None and (self.format != "cub" or not below):
            raise ValueError("a generated data set has format cub and a folder below data/")
        return self

    @model_validator(mode="after")
    def _nothing_is_left_out_unsaid(self) -> "DatasetSettings":
        if self.unseen_classes is not None and self.format in WITH_SPLITS:
            raise ValueError(
                f"format {self.format} reads the unseen classes from splits, so it takes no unseen_classes"
            )
        reads = self.format in WITH_SPLITS if self.features is None else self.lists is not None
        if self.validation_list == "att_splits" and not reads:
            what = f"format {self.format}" if self.features is None else f"kind {self.features.kind} of features"
            raise ValueError(f"{what} reads no att_splits.mat, so validation_list cannot name it")
        for name, instead in _NOT_READ.get(self.format, {}).items():
            if getattr(self, name) is not None:
                raise ValueError(f"format {self.format} does not read {name}: {instead}; leave {name} out")
        return self

    @model_validator(mode="after")
    def _features_stand_for_pictures(self) -> "DatasetSettings":
        if self.features is None:
            return self
        given = [name for name in _OF_PICTURES if getattr(self, name) is not None]
        given += ["backbone"] * (self.backbone != BackboneSettings())
        given += ["images"] * (self.images != ImagePolicy())
        elsewhere = ("splits", "attributes", "split_table") if self.features.kind == "arrays" else ()
        given += [name for name in elsewhere if getattr(self, name) is not None]
        if given:
            raise ValueError(
                f"features of kind {self.features.kind} stand in place of pictures, so there is no {given[0]}; leave it out"
            )
        return self

    def shown_backbone(self) -> dict:
        """Return what a table says of where the data set's features come from."""
        if self.features is not None:
            name = Path(self.features.path).name
            return {"backbone": name, "weights": "ready features", "image_size": None, "backbone_state": ""}
        return {
            "backbone": self.backbone.network,
            "weights": Path(self.backbone.weights).name,
            "image_size": self.backbone.image_size,
            "backbone_state": "trained here" if self.backbone.trained else "frozen",
        }

    @property
    def vectors(self) -> AttributeVectorSettings:
        """Return the settings of the attribute vectors: with features of kind dazle, w2v_att where nothing is set."""
        own = self.attribute_vectors
        ready = self.features is not None and self.features.kind == "dazle"
        if not ready or own.path or own.source not in ("word2vec", "dazle"):
            return own
        return replace(own, source="dazle", path=self.features.path)

    def as_brought(self, downloads: Mapping[str, Download]) -> "DatasetSettings":
        """Return these settings without a download of word vectors that does not bring them."""
        return replace(self, attribute_vectors=self.attribute_vectors.as_brought(downloads))

    @property
    def all_downloads(self) -> tuple[str, ...]:
        """Return the entries of `downloads` that this data set and its attribute vectors need."""
        words = self.attribute_vectors.download if self.class_vectors is None else None
        return (*self.downloads, words) if words else self.downloads

    def index_part(self) -> dict:
        """Return the settings that the index depends on, but for the places of files on this machine; not those of the
        validation split, or they would make all that follows again."""
        names = (
            "format",
            "image_root",
            "unseen_classes",
            "test_share",
            "split_seed",
            "class_norm",
        )
        words = {"names": self.attribute_vectors.names}
        ready = {"features": {"kind": self.features.kind}} if self.features is not None else {}
        part = {name: getattr(self, name) for name in names} | {
            "images": as_mapping(self.images),
            "attribute_vectors": words,
            **ready,
        }
        if self.class_vectors is not None:
            part["class_vectors"] = {name: getattr(self.class_vectors, name) for name in ("found_kind", "variable")}
        return part

    def validation_part(self) -> dict:
        """Return the settings that the validation split depends on, as `index_part` those of the index."""
        names = ("validation_list", "validation_share")
        return self.index_part() | {name: getattr(self, name) for name in names}

    def places(self) -> dict:
        """Return where the raw files lie on this machine; never part of an artifact."""
        ready = {"features": as_mapping(self.features)} if self.features is not None else {}
        return {name: getattr(self, name) for name in ("folder", "splits", "attributes")} | ready

    def own_files(self) -> dict:
        """Return single files of the user's that the index is read from, by what they hold, where settings name them."""
        vectors = self.class_vectors
        files = {
            "split_table": self.split_table,
            "class_vectors": vectors and vectors.path,
            "class_names": vectors and vectors.classes,
        }
        return {name: path for name, path in files.items() if path is not None}

    def placed(self) -> dict:
        """Return the settings that name places on this machine, as `index_part` leaves them out."""
        vectors = {} if self.class_vectors is None else {"class_vectors": as_mapping(self.class_vectors)}
        table = {} if self.split_table is None else {"split_table": self.split_table}
        return self.places() | table | vectors

    def files(self) -> tuple[str, ...]:
        """Return the files and folders whose contents the index and the regions are made from."""
        if self.features is None:
            return tuple(filter(None, self.places().values()))
        beside = (self.features.folder / name for name in ("attribute_parts.csv", "captions.txt", "sent_splits.mat"))
        given = filter(None, (self.splits, self.attributes))
        return tuple(map(str, (self.features.path, *self.features.beside, *beside, *given)))

    def class_lists(self) -> tuple[str, ...]:
        """Return the files beside ready features that the validation split alone is made from; of pictures, `files` has
        their folder."""
        if self.features is None:
            return ()
        lists = (self.features.folder / f"{kind}classes{self.validation_list}.txt" for kind in ("train", "val"))
        return tuple(map(str, lists))
