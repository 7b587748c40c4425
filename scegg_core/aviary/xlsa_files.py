"""Writes the aviary's zero-shot split with the conventions of xlsa17's files, pitfalls of the real ones included."""

from pathlib import Path

import numpy as np

from scegg_core.artifacts.matlab import cells, image_numbers, write_mat
from scegg_core.aviary.species import Species

DATASET = "AVIARY"
# the benchmark's files hold paths of their authors' machine; a loader has to cope with that, so these do too
FOREIGN_PREFIX = "/srv/aviary/drawn/CUB_200_2011/CUB_200_2011/images/"
TEST_FRACTION = 0.2
VALIDATION_FRACTION = 1 / 3
DRAWN = "aviary"  # in the headers of the files


def write_xlsa_files(folder: Path, species: Species, paths: list[str], seed: int) -> dict[str, int]:
    """Write att_splits.mat, res101.mat and the class lists below folder; return the number of images per split."""
    target = folder / "xlsa17" / "data" / DATASET
    target.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([seed, 2])
    # as in the benchmark, a label is a row of a list of its own, not the number of the class folder
    order = rng.permutation(len(species.names))
    folders = np.repeat(np.arange(len(order)), len(paths) // len(order))
    splits = _split_images(folders, species.unseen, rng)
    original = 100.0 * species.probabilities[order].T
    names = [species.names[row] for row in order]
    write_mat(target / "att_splits.mat", {
        "allclasses_names": cells(names),
        "att": original / np.linalg.norm(original, axis=0),
        "original_att": original,
        **{key: image_numbers(rows, len(paths)) for key, rows in splits.items()},
    }, DRAWN)  # fmt: skip
    labels = np.argsort(order)[folders] + 1
    files = cells([FOREIGN_PREFIX + path for path in paths])
    write_mat(target / "res101.mat", {"image_files": files, "labels": labels[:, None].astype(float)}, DRAWN)
    _write_class_lists(target, names, species.unseen[order], rng)
    return {key.removesuffix("_loc"): len(rows) for key, rows in splits.items()}


def _split_images(folders: np.ndarray, unseen: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return zero-based image rows per split; trainval and test_seen have images of the seen classes, in random order."""
    is_test = np.zeros(len(folders), dtype=bool)
    for row in np.flatnonzero(~unseen):
        members = np.flatnonzero(folders == row)
        is_test[rng.permutation(members)[: max(1, round(TEST_FRACTION * len(members)))]] = True
    new = unseen[folders]
    return {
        "trainval_loc": rng.permutation(np.flatnonzero(~new & ~is_test)),
        "test_seen_loc": rng.permutation(np.flatnonzero(is_test)),
        "test_unseen_loc": np.flatnonzero(new),
    }


def _write_class_lists(target: Path, names: list[str], unseen: np.ndarray, rng: np.random.Generator) -> None:
    """Write the class lists; each validation split is a random third of the seen classes, as in the benchmark."""
    seen = [name for name, new in zip(names, unseen, strict=True) if not new]
    _write_list(target / "allclasses.txt", names)
    _write_list(target / "trainvalclasses.txt", seen)
    _write_list(target / "testclasses.txt", rng.permutation([name for name in names if name not in seen]))
    held_out = max(1, round(VALIDATION_FRACTION * len(seen)))
    for number in (1, 2, 3):
        shuffled = rng.permutation(seen)
        _write_list(target / f"valclasses{number}.txt", shuffled[:held_out])
        _write_list(target / f"trainclasses{number}.txt", shuffled[held_out:])


def _write_list(path: Path, names) -> None:
    path.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
