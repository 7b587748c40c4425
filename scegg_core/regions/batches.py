"""Batches of region features for training: kept in memory where they fit, else streamed in shuffled windows.

Either way every image comes exactly once an epoch, in an order that depends on seed and epoch alone, so training can
start again in the middle of an epoch.
"""

import copy
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from scegg_core.errors import InputError
from scegg_core.regions.store import HALF, Group, RegionStore, one_ahead, read_ahead
from scegg_core.training.device import moved, pinned

GIB = 1 << 30

WINDOW_FRACTION = 1 / 6  # of the budget, for one of at most three windows: streaming uses half of the budget

DEVICE_FRACTION = 0.7  # of a GPU's free memory, at most, for resident features


class ResidentBatches:
    """All features in memory (or on the device), shuffled anew each epoch, or drawn evenly over the classes."""

    def __init__(self, features: Tensor, labels: np.ndarray, batch_size: int, seed: int, balanced: bool = False):
        """`features` (images, R, channels) half precision, `labels` (images,)."""
        self.features, self.labels = features, torch.from_numpy(labels.astype(np.int64)).to(features.device)
        self.beside = self.labels  # what comes with an image's features
        self.batch_size, self.seed, self.balanced = batch_size, seed, balanced
        self.steps = -(-len(labels) // batch_size)

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (features, labels) of each step of epoch `number` from step `start` on."""
        order = torch.from_numpy(self._order(number)).to(self.features.device)
        for rows in order.split(self.batch_size)[start:]:
            yield self.features[rows], self.beside[rows]

    def numbered(self) -> "ResidentBatches":
        """Return the same batches with each image's number in `scan` in place of its label."""
        same = copy.copy(self)
        same.beside = torch.arange(len(self.labels), device=self.labels.device)
        return same

    def scan(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (features, labels) of all images, each once, a batch at a time."""
        return zip(self.features.split(self.batch_size), self.labels.split(self.batch_size), strict=True)

    def _order(self, number: int) -> np.ndarray:
        generator = np.random.default_rng([self.seed, number])
        if not self.balanced:
            return generator.permutation(len(self.labels))
        return balanced_order(self.labels.cpu().numpy(), self.steps, self.batch_size, generator)


class StreamedBatches:
    """Features read from shards: row groups in random order, gathered into windows whose rows are mixed.

    One window is in use while the next is read; for a moment, when they change, there are three.
    """

    def __init__(
        self, store: RegionStore, rows: np.ndarray, labels: np.ndarray, batch_size: int, seed: int, window_bytes: int
    ):
        """`rows` (images,) are the image rows to train on, `labels` (images,) their labels."""
        self.store, self.batch_size, self.seed = store, batch_size, seed
        self.labels, self.position = labels.astype(np.int64), store.positions(rows)
        self.groups = [group for group in store.groups if len(self._wanted(group))]
        self.window_rows = max(batch_size, window_bytes // store.row_bytes)
        self.steps = -(-len(rows) // batch_size)

    def epoch(self, number: int, start: int = 0) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (features, labels) of each step of epoch `number` from step `start` on."""
        plan = self._plan(number)
        first = 0
        while first < len(plan) - 1 and sum(len(order) for _, order in plan[: first + 1]) <= start * self.batch_size:
            first += 1
        behind = sum(len(order) for _, order in plan[:first])
        skip = start * self.batch_size - behind
        yield from self._batches(plan[first:], skip)

    def scan(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield (features, labels) of all images, each once, a batch at a time."""
        return self.epoch(0)

    def _wanted(self, group: Group) -> np.ndarray:
        """Which rows of the group are trained on."""
        return np.flatnonzero(self.position[group.images] >= 0)

    def _plan(self, number: int) -> list[tuple[list[Group], np.ndarray]]:
        """Windows of an epoch: the row groups of each and the order of their wanted rows."""
        generator = np.random.default_rng([self.seed, number])
        windows, current, count = [], [], 0
        for index in generator.permutation(len(self.groups)):
            current.append(self.groups[index])
            count += len(self._wanted(current[-1]))
            if count >= self.window_rows:
                windows.append((current, generator.permutation(count)))
                current, count = [], 0
        if current:
            windows.append((current, generator.permutation(count)))
        return windows

    def _load(self, window: tuple[list[Group], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        groups, order = window
        labels = np.empty(len(order), np.int64)
        features = np.empty((len(order), self.store.size.regions, self.store.size.channels), np.float16)
        target = np.argsort(order)  # row k of the window goes to position target[k] of the batches
        for group in groups:
            wanted = self._wanted(group)
            here, target = np.split(target, [len(wanted)])
            features[here] = self.store.read(group)[wanted]
            labels[here] = self.labels[self.position[group.images[wanted]]]
        return features, labels

    def _batches(self, windows: list, skip: int) -> Iterator[tuple[Tensor, Tensor]]:
        rest: tuple[np.ndarray, np.ndarray] | None = None
        for features, labels in read_ahead(self._load, windows, ahead=1):
            features, labels, skip = features[skip:], labels[skip:], 0
            if rest is not None:  # fill the batch that the last window left incomplete
                missing = self.batch_size - len(rest[1])
                rest = np.concatenate([rest[0], features[:missing]]), np.concatenate([rest[1], labels[:missing]])
                features, labels = features[missing:], labels[missing:]
                if len(rest[1]) == self.batch_size:
                    yield _tensors(*rest)
                    rest = None
            complete = len(labels) // self.batch_size * self.batch_size
            for at in range(0, complete, self.batch_size):
                yield _tensors(features[at : at + self.batch_size], labels[at : at + self.batch_size])
            if complete < len(labels):
                rest = features[complete:].copy(), labels[complete:].copy()
        if rest is not None:
            yield _tensors(*rest)


def on_device(batches: Iterator[tuple[Tensor, Tensor]], device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the batches on `device`; for a GPU a thread puts the next one together while it computes."""
    if device.type == "cuda":
        batches = one_ahead(tuple(pinned(part, device) for part in batch) for batch in batches)
    for regions, beside in batches:
        yield moved(regions, device), moved(beside, device)


def region_batches(
    store: RegionStore,
    rows: np.ndarray,
    labels: np.ndarray,
    batch_size: int,
    seed: int,
    budget: float,
    balanced: bool,
    device: torch.device,
    section: str = "scen",
) -> ResidentBatches | StreamedBatches:
    """Return batches of the image `rows` with `labels`, resident where they fit into `budget` GiB.

    `section` has the settings of the network that is trained.
    """
    if store.dtype != HALF:  # pooled elsewhere, and kept in single precision
        raise InputError(
            f"the data set's features are one vector an image, but {section.upper()} needs region maps; leave its rows out."
        )
    check_budget(len(rows) * store.row_bytes, budget, balanced, section)
    if len(rows) * store.row_bytes / GIB <= budget:
        return ResidentBatches(_near(load_rows(store, rows), device), labels, batch_size, seed, balanced)
    return StreamedBatches(store, rows, labels, batch_size, seed, int(budget * GIB * WINDOW_FRACTION))


def check_budget(size: int, budget: float, balanced: bool, section: str = "scen") -> None:
    """Refuse batches that are drawn evenly over the classes from `size` bytes of features, if `budget` GiB is less."""
    need = size / GIB
    if balanced and need > budget:
        raise InputError(
            f"{section}.sampling class_balanced needs all {need:.3g} GiB of region features in memory, but "
            f"{section}.memory_budget is {budget:g} GiB; raise it, or set sampling: shuffled."
        )


def load_rows(store: RegionStore, rows: np.ndarray) -> Tensor:
    """Return the features of image `rows` in their order, (rows, R, channels) half precision."""
    position = store.positions(rows)
    features = np.empty((len(rows), store.size.regions, store.size.channels), np.float16)
    groups = [group for group in store.groups if (position[group.images] >= 0).any()]
    for group, values in zip(groups, read_ahead(store.read, groups), strict=True):
        target = position[group.images]
        features[target[target >= 0]] = values[target >= 0]
    return torch.from_numpy(features)


def _near(features: Tensor, device: torch.device) -> Tensor:
    """Return the features on the device, or unmoved if they would take too much of its memory."""
    return features.to(device) if features.nbytes <= room_on(device) else features


def room_on(device: torch.device) -> float:
    """Return the bytes that may be kept on the device: on a GPU most of what is free there."""
    return DEVICE_FRACTION * torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else float("inf")


def balanced_order(labels: np.ndarray, steps: int, batch_size: int, generator: np.random.Generator) -> np.ndarray:
    """Return the rows of `steps` batches; in a batch, the counts of any two classes differ by at most one.

    Classes come in random order; for each, one of its images is drawn with replacement.
    """
    by_class = np.argsort(labels, kind="stable")
    classes, starts, sizes = np.unique(labels[by_class], return_index=True, return_counts=True)
    turns = -(-batch_size // len(classes))
    drawn = generator.permuted(np.tile(np.arange(len(classes)), (steps * turns, 1)), axis=1)
    drawn = drawn.reshape(steps, -1)[:, :batch_size].ravel()
    return by_class[starts[drawn] + (generator.random(len(drawn)) * sizes[drawn]).astype(np.int64)]


def _tensors(features: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(features), torch.from_numpy(labels)
