"""The check for people: reads everything about a data set, trains nothing, and says "ready" or what to mend."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scegg_core.data.copies import said_of_copies
from scegg_core.data.index import SHOWN, apply_policy, check_index, find_bad_images, load_with_copies
from scegg_core.data.tables import SPLITS, DatasetIndex
from scegg_core.errors import InputError
from scegg_core.regions.backbone import FeatureMap
from scegg_core.regions.ready import map_of_ready
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.downloads import Download
from scegg_core.settings.existing import is_file, is_there
from scegg_core.settings.plan import Plan
from scegg_core.using.backbone_costs import training_cost
from scegg_core.using.truths import (
    bytes_of_generators,
    held,
    images_held,
    memory_here,
    regions_on_disk,
    size_of_map,
    truths,
    weights_here,
)
from scegg_core.words.files import local_gensim_file
from scegg_core.words.vectors import embed_attributes, mean_over_words, read_captions


@dataclass(frozen=True)
class CheckReport:
    """What the check found. Sizes are bytes; counts are 0 where the data set could not be read.

    `images` counts trainval, test_seen and test_unseen; `attributes` are dimensions of `given_vectors`; `to_fetch`
    names files that a run will download, `training` says what the trainings of the backbone take, `copies` which
    images are there twice.
    """

    title: str
    seen: int = 0
    unseen: int = 0
    images: tuple[int, int, int] = (0, 0, 0)
    skipped: tuple[tuple[str, str], ...] = ()
    attributes: int = 0
    given_vectors: bool = False
    bound: int = 0
    unknown_words: tuple[str, ...] = ()
    copies: str | None = None
    disk: int = 0
    disk_free: int = 0
    memory: int = 0
    training: str = ""
    to_fetch: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether a run can start."""
        return not self.problems


def check_dataset(
    settings: DatasetSettings,
    name: str,
    plan: Plan,
    *,
    downloads: tuple[Download, ...] = (),
    captions: Path | None = None,
    results: Path = Path("results"),
    map_of: Callable[[BackboneSettings], FeatureMap] = size_of_map,
) -> CheckReport:
    """Return what there is of the data set `name`, what the run `plan` will take, and all that has to be mended.

    `map_of` gives the size of the backbone's maps; `results` is the folder whose disk is looked at. Nothing is
    downloaded, trained or written.
    """
    problems: list[str] = []
    report = CheckReport(settings.title or name, to_fetch=_to_fetch(settings, downloads))
    index, copies = _collect(problems, lambda: _load(settings, downloads)) or (None, None)
    if index is not None:
        if settings.features is None:
            index, copies = _pictures_checked(problems, index, settings)
        unknown = plan.on_maps and _collect(
            problems, lambda: _unknown_words(index, settings, captions, report.to_fetch)
        )
        report = replace(report, unknown_words=unknown or (), copies=copies)
    size = _collect(problems, lambda: _size_of_regions(settings, map_of)) or FeatureMap(0, 0, 0)
    if index is not None:
        report = _counted(report, index, settings, size, plan)
        for step in truths(index, settings, size, plan):
            _collect(problems, step)
        if not problems and (cost := training_cost(index, settings, plan, weights_here(settings.backbone))):
            report = replace(report, training=cost.sentence())
    return _with_room(report, problems, results, plan)


def _pictures_checked(
    problems: list[str], index: DatasetIndex, settings: DatasetSettings
) -> tuple[DatasetIndex, str | None]:
    """The index after the policy for unusable pictures, and what is said of copies among them."""
    bad = find_bad_images(index, Path(settings.folder))
    kept = _collect(problems, lambda: _after_policy(index, bad, settings)) or index
    return kept, said_of_copies(kept, Path(settings.folder))


def _size_of_regions(settings: DatasetSettings, map_of: Callable[[BackboneSettings], FeatureMap]) -> FeatureMap:
    return map_of(settings.backbone) if settings.features is None else map_of_ready(settings.features)


def _with_room(report: CheckReport, problems: list[str], results: Path, plan: Plan) -> CheckReport:
    """The report with its problems: what is too large for this machine is one."""
    place = _existing(results)
    free, memory = shutil.disk_usage(place).free, memory_here()
    if report.disk > free:
        problems.append(f"the run takes {_size(report.disk)}, but {_size(free)} are free at {results}; make room.")
    if not os.access(place, os.W_OK):
        problems.append(f"{place} cannot be written; change its permissions, or work in another folder.")
    if plan.here and report.memory > memory:
        problems.append(
            f"a job takes about {_size(report.memory)} of memory, but this machine has {_size(memory)}; lower "
            "memory_budget of scen or dazle, or eggn.hidden_width, or raise shards."
        )
    return replace(report, disk_free=free, problems=tuple(problems))


def render(report: CheckReport) -> str:
    """Return the report as text for people; its last line is "ready", or the last thing to mend."""
    lines = [report.title, *_sizes(report)]
    lines += [f"  trainings   {report.training}"] if report.training else []
    lines += [f"  skipped     {path} {reason}" for path, reason in report.skipped[:SHOWN]]
    lines += [f"  and {len(report.skipped) - SHOWN} more skipped"] if len(report.skipped) > SHOWN else []
    lines += [f"  note        {report.copies}"] if report.copies else []
    lines += [f"  to fetch    {item}" for item in report.to_fetch]
    if report.ready:
        return "\n".join([*lines, "ready"])
    return "\n".join([*lines, "to mend:", *(f"  {n}. {text}" for n, text in enumerate(report.problems, start=1))])


def _sizes(report: CheckReport) -> list[str]:
    """The lines of counts and sizes, which are not known where the data set could not be read."""
    if not any(report.images):
        return [
            f"  disk        {_size(report.disk_free)} are free; what a run takes is known once the data can be read"
        ]
    train, test_seen, test_unseen = report.images
    words = f"; words without a vector: {', '.join(report.unknown_words)}" if report.unknown_words else ""
    return [
        f"  classes     {report.seen + report.unseen} ({report.seen} seen, {report.unseen} unseen)",
        f"  images      {sum(report.images)} ({train} trainval, {test_seen} test seen, {test_unseen} test unseen)",
        _described_by(report, words),
        f"  disk        {_size(report.disk)} for regions, features and generators; {_size(report.disk_free)} are free",
        f"  memory      about {_size(report.memory)} besides the libraries and the networks",
    ]


def _described_by(report: CheckReport, words: str) -> str:
    if report.given_vectors:
        return f"  vectors     {report.attributes} numbers for each class, from class_vectors"
    return f"  attributes  {report.attributes} ({report.bound} bound to a part){words}"


def _collect(problems: list[str], step: Callable):
    """Return the result of `step`, or None after noting the sentence of its InputError, once."""
    try:
        return step()
    except InputError as error:
        if str(error) not in problems:
            problems.append(str(error))
        return None


def _load(settings: DatasetSettings, downloads: tuple[Download, ...]) -> tuple[DatasetIndex, str | None]:
    """Return the index, and what is said of equal ready features in it.

    Raises InputError that does not blame the user for what a run is going to fetch.
    """
    drawn = settings.home / "aviary.json"
    if settings.generate is not None and not is_file(drawn):
        raise InputError(
            f"nothing can be checked before {settings.folder} is drawn, as a run does first; make {drawn}."
        )
    awaited = [item.file for item in downloads if item.unpack_to is not None and not _is_there(item)]
    if awaited:
        there = "are there; a run fetches them." if len(awaited) > 1 else "is there; a run fetches it."
        raise InputError(f"nothing can be checked before {' and '.join(awaited)} {there}")
    return load_with_copies(settings)


def _after_policy(index: DatasetIndex, bad: dict[int, str], settings: DatasetSettings) -> DatasetIndex:
    kept = apply_policy(index, bad, settings.images)
    check_index(kept)
    return kept


def _counted(
    report: CheckReport, index: DatasetIndex, settings: DatasetSettings, size: FeatureMap, plan: Plan
) -> CheckReport:
    images = len(index.paths)
    features = 4 * images * size.channels
    shard = regions_on_disk(-(-images // settings.shards), size)
    generators, trained = bytes_of_generators(plan, size.channels, len(index.attributes))
    return replace(
        report,
        seen=int(index.seen.sum()),
        unseen=int((~index.seen).sum()),
        images=tuple(len(index.in_split(split)) for split in SPLITS),
        skipped=index.skipped,
        attributes=len(index.attributes),
        given_vectors=index.given_vectors,
        bound=sum(map(bool, index.parts)),
        disk=_regions(index, size, plan) + features * len(settings.seeds) + generators,
        memory=2 * features + max(shard, held(index, size, plan), trained, images_held(index, settings, plan)),
    )


def _regions(index: DatasetIndex, size: FeatureMap, plan: Plan) -> int:
    """The bytes of all regions; those of a validation split are of the training images alone."""
    times, on_validation = plan.extractions
    training = regions_on_disk(len(index.in_split("trainval")), size)
    return times * regions_on_disk(len(index.paths), size) + on_validation * training


def _unknown_words(
    index: DatasetIndex, settings: DatasetSettings, captions: Path | None, to_fetch: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the words without a vector, and attributes without one; () where the vectors are yet to be fetched, or
    there are no words."""
    if index.given_vectors:
        return ()
    source = settings.vectors
    if source.source == "captions":
        known = {word: np.ones(1) for caption in read_captions(captions) for word in caption}
        vectors = mean_over_words(index.words, known, source)
    elif any(str(source.path) in item for item in to_fetch):
        return ()
    else:
        vectors = embed_attributes(index.words, source)
    pairs = zip(vectors.used, vectors.unknown, strict=True)
    return tuple(sorted({word for used, unknown in pairs for word in (unknown.split() if used else [unknown])}))


def _to_fetch(settings: DatasetSettings, downloads: tuple[Download, ...]) -> tuple[str, ...]:
    files = [f"{item.file} from {item.url}" for item in downloads if not _is_there(item)]
    source, backbone = settings.attribute_vectors, settings.backbone
    named = settings.class_vectors is None
    if settings.features is None and backbone.fetched_to and not is_there(backbone.fetched_to):
        files.append(
            f"the weights {backbone.weights} of {backbone.network} from {'timm' if backbone.of_timm else 'torchvision'}"
        )
    if named and source.source == "gensim" and source.path and local_gensim_file(source.path) is None:
        files.append(f"{source.path} from gensim-data")
    return tuple(files)


def _is_there(download: Download) -> bool:
    content = [Path(download.unpack_to or ".") / name for name in download.provides]
    return is_there(download.file) or (bool(content) and all(map(is_there, content)))


def _existing(path: Path) -> Path:
    return next(parent for parent in (path.absolute(), *path.absolute().parents) if is_there(parent))


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
