"""The two tasks, CZSL and GZSL (section 4): between which classes a prediction chooses, and which images are tested."""

import numpy as np

from scegg_core.data.tables import DatasetIndex

TASKS = ("czsl", "gzsl")


def task_classes(index: DatasetIndex, task: str) -> np.ndarray:
    """Return the classes that a prediction chooses from: the unseen ones in czsl, all in gzsl."""
    return np.flatnonzero(~index.seen) if task == "czsl" else np.arange(len(index.classes))


def task_images(index: DatasetIndex, task: str) -> np.ndarray:
    """Return the positions of the test images: of unseen classes in czsl, of all classes in gzsl."""
    unseen = index.in_split("test_unseen")
    return unseen if task == "czsl" else np.sort(np.concatenate([index.in_split("test_seen"), unseen]))
