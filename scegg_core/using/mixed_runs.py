"""Files of a run that were not made from each other, or stand in another one's place, are refused."""

import numpy as np

from scegg_core.artifacts.files import read_description, read_table
from scegg_core.artifacts.sets import refuse_mixture
from scegg_core.classify.classifier import read_classifier
from scegg_core.errors import InputError
from scegg_core.using.run_files import RunFiles, classifiers_in


def again(files: RunFiles) -> str:
    """Return what makes the files of a run, or of an extension, fit each other again."""
    return "add the classes again" if files.folder != files.run else "let the workflow bring the run up to date"


def refuse_mixed_space(files: RunFiles) -> None:
    """Raise InputError where space or generator were made from another index or other regions than there are now."""
    made = (files.space.scaler, files.space.scen, files.eggn)
    there = {"classes": files.index.classes, "attributes": files.index.attributes, "regions": files.regions}
    refuse_mixture([path for path in made if path and path.is_file()], there, again(files))


def refuse_mixed_classifiers(files: RunFiles) -> None:
    """Raise InputError where a classifier or its training data were made from other files than there are now, or where it
    is of the other task."""
    for path in classifiers_in(files.folder).values():
        if "classes" not in read_description(path, "classifier")["provenance"]["inputs"]:
            raise InputError(f"{path} does not say which class table it was made from; {again(files)}.")
    there = {"classes": files.index.classes, "attributes": files.index.attributes, "scaler": files.space.scaler}
    there |= {"scen": files.space.scen, "eggn": files.eggn, "synthetic": files.synthetic}
    existing = {name: path for name, path in there.items() if path and path.is_file()}
    made = [*classifiers_in(files.folder).values(), files.synthetic]
    refuse_mixture([path for path in made if path.is_file()], existing, again(files))
    _refuse_other_tasks(files)


def _refuse_other_tasks(files: RunFiles) -> None:
    """Raise InputError where a classifier tells other classes apart than its task: the file of the other task, copied."""
    seen = read_table(files.index.classes, "classes")["seen"].to_numpy()
    own = {"czsl": np.flatnonzero(~seen), "gzsl": np.arange(len(seen))}
    for task, path in classifiers_in(files.folder).items():
        if not np.array_equal(read_classifier(path).classifier.classes.numpy(), own[task]):
            raise InputError(f"{path} does not tell the {len(own[task])} classes of {task} apart; {again(files)}.")
