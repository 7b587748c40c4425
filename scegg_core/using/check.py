"""The check for people: reads everything about a data set, trains nothing, and says "ready" or what to mend."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scegg_core.data.index import SHOWN, apply_policy, check_index, find_bad_images, load_index
from scegg_core.data.tables import SPLITS, DatasetIndex
from scegg_core.errors import InputError
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.downloads import Download
from scegg_core.words.files import local_gensim_file
from scegg_core.words.vectors import embed_attributes, mean_over_words, read_captions


@dataclass(frozen=True)
class CheckReport:
    """What the check found. Sizes are bytes; counts are 0 where the data set could not be read.

    `images` counts trainval, test_seen and test_unseen; `to_fetch` names files that a run will download.
    """

    title: str
    seen: int = 0
    unseen: int = 0
    images: tuple[int, int, int] = (0, 0, 0)
    skipped: tuple[tuple[str, str], ...] = ()
    attributes: int = 0
    bound: int = 0
    unknown_words: tuple[str, ...] = ()
    disk: int = 0
    disk_free: int = 0
    memory: int = 0
    to_fetch: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def ready(self) -> bool:
        """Whether a run can start."""
        return not self.problems


def check_dataset(
    settings: DatasetSettings,
    name: str,
    *,
    regions: int,
    channels: int,
    downloads: tuple[Download, ...] = (),
    captions: Path | None = None,
    results: Path = Path(),
) -> CheckReport:
    """Return what there is of the data set `name`, what a run on it will take, and all that has to be mended.

    `regions` and `channels` are R and d of the backbone's maps; `results` is the folder whose disk is looked at.
    Nothing is downloaded, trained or written.
    """
    problems: list[str] = []
    report = CheckReport(settings.title or name, to_fetch=_to_fetch(settings, downloads))
    index = _collect(problems, lambda: _load(settings, downloads))
    if index is not None:
        bad = find_bad_images(index, Path(settings.folder))
        kept = _collect(problems, lambda: _after_policy(index, bad, settings))
        report = _counted(report, index if kept is None else kept, settings, regions, channels)
        unknown = _collect(problems, lambda: _unknown_words(index, settings, captions, report.to_fetch))
        report = replace(report, unknown_words=unknown or ())
    _collect(problems, lambda: _check_weights(settings))
    free = shutil.disk_usage(_existing(results)).free
    if report.disk > free:
        problems.append(f"the run takes {_size(report.disk)}, but {_size(free)} are free at {results}; make room.")
    return replace(report, disk_free=free, problems=tuple(problems))


def render(report: CheckReport) -> str:
    """Return the report as text for people; its last line is "ready", or the last thing to mend."""
    lines = [report.title, *_sizes(report)]
    lines += [f"  skipped     {path} {reason}" for path, reason in report.skipped[:SHOWN]]
    lines += [f"  and {len(report.skipped) - SHOWN} more skipped"] if len(report.skipped) > SHOWN else []
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
        f"  attributes  {report.attributes} ({report.bound} bound to a part){words}",
        f"  disk        {_size(report.disk)} for regions and features; {_size(report.disk_free)} are free",
        f"  memory      about {_size(report.memory)} besides the libraries and the networks",
    ]


def _collect(problems: list[str], step: Callable):
    """Return the result of `step`, or None after noting the sentence of its InputError."""
    try:
        return step()
    except InputError as error:
        problems.append(str(error))
        return None


def _load(settings: DatasetSettings, downloads: tuple[Download, ...]) -> DatasetIndex:
    """Return the index; raises InputError that does not blame the user for what a run is going to fetch."""
    awaited = [item.file for item in downloads if item.unpack_to is not None and not _is_there(item)]
    if awaited:
        there = "are there; a run fetches them." if len(awaited) > 1 else "is there; a run fetches it."
        raise InputError(f"nothing can be checked before {' and '.join(awaited)} {there}")
    return load_index(settings)


def _after_policy(index: DatasetIndex, bad: dict[int, str], settings: DatasetSettings) -> DatasetIndex:
    kept = apply_policy(index, bad, settings.images)
    check_index(kept)
    return kept


def _counted(
    report: CheckReport, index: DatasetIndex, settings: DatasetSettings, regions: int, channels: int
) -> CheckReport:
    images = len(index.paths)
    features = 4 * images * channels
    shard = 2 * -(-images // settings.shards) * regions * channels
    return replace(
        report,
        seen=int(index.seen.sum()),
        unseen=int((~index.seen).sum()),
        images=tuple(len(index.in_split(split)) for split in SPLITS),
        skipped=index.skipped,
        attributes=len(index.attributes),
        bound=sum(map(bool, index.parts)),
        disk=2 * images * regions * channels + features * len(settings.seeds),
        memory=2 * features + shard,
    )


def _unknown_words(
    index: DatasetIndex, settings: DatasetSettings, captions: Path | None, to_fetch: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the words without a vector; () where the vectors are yet to be fetched."""
    source = settings.attribute_vectors
    if source.source == "captions":
        known = {word: np.ones(1) for caption in read_captions(captions) for word in caption}
        vectors = mean_over_words(index.words, known, source)
    elif any(str(source.path) in item for item in to_fetch):
        return ()
    else:
        vectors = embed_attributes(index.words, source)
    return tuple(sorted({word for unknown in vectors.unknown for word in unknown.split()}))


def _check_weights(settings: DatasetSettings) -> None:
    weights = settings.backbone.weights
    if settings.backbone.local_weights and not Path(weights).is_file():
        raise InputError(f"the weight file backbone.weights {weights} is missing; put it there or correct the setting.")


def _to_fetch(settings: DatasetSettings, downloads: tuple[Download, ...]) -> tuple[str, ...]:
    files = [f"{item.file} from {item.url}" for item in downloads if not _is_there(item)]
    source, backbone = settings.attribute_vectors, settings.backbone
    if backbone.fetched_to and not Path(backbone.fetched_to).exists():
        files.append(f"the weights {backbone.weights} of {backbone.network} from torchvision")
    if source.source == "gensim" and source.path and local_gensim_file(source.path) is None:
        files.append(f"{source.path} from gensim-data")
    return tuple(files)


def _is_there(download: Download) -> bool:
    content = [Path(download.unpack_to or ".") / name for name in download.provides]
    return Path(download.file).exists() or (bool(content) and all(path.exists() for path in content))


def _existing(path: Path) -> Path:
    return next(parent for parent in (path.absolute(), *path.absolute().parents) if parent.exists())


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
