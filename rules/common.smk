# Helpers of the rules: the validated configuration, the paths that names stand for, and the code that a script reaches.
import functools
import os
import re
import shlex
import sys
from pathlib import Path

from scegg_core.artifacts.provenance import json_digest
from scegg_core.data.raw import raw_digest
from scegg_core.errors import InputError
from scegg_core.settings.base import as_mapping
from scegg_core.settings.existing import is_file, is_there
from scegg_core.settings.plan import plan_of
from scegg_core.settings.resolve import VALIDATION, read_configuration
from scegg_core.settings.tuning import winners
from scegg_core.settings.written import check_written, typed
from scegg_core.workflow import digests, forks
from scegg_core.workflow.digests import code_digests

ROOT = Path(workflow.basedir)
INDEX = ("classes", "images", "attributes")
#: The scores of a run on validation by its variant's `selection`: of its last epoch, or of all that are compared.
SCORES_ON_VALIDATION = {"last": "metrics.json", "validation": "epochs.parquet"}


def sentence(function):
    """Let `function` end the run with one sentence on bad input, before any job starts."""

    @functools.wraps(function)
    def wrapped(*args, **named):
        try:
            return function(*args, **named)
        except InputError as error:
            sys.exit(f"SC-EGG: {error}")

    return wrapped


CORES = workflow.resource_settings.cores  # None on a cluster, where --jobs counts
if CORES is not None and CORES < 1:  # Snakemake would wait for ever
    sys.exit(f"SC-EGG: --cores has to be at least 1, got {CORES}.")

#: What most jobs load before they begin.
LIBRARIES = (
    "torch",
    "pandas",
    "pyarrow.parquet",
    "pydantic",
    "safetensors.torch",
    "PIL.Image",
    "snakemake.iocontainers",
)
#: What many load later: the first optimizer torch._dynamo, which takes as long as torch itself; and what draws figures.
FURTHER = ("torch._dynamo", "matplotlib.figure", "matplotlib.backends.backend_agg", "matplotlib.backends.backend_pdf")
# Snakemake puts this into the shell commands that start a job's script as it stands, also with blanks and quotes in it.
# On a cluster a process starts one job alone, so nothing is won by forks there.
quick_start = CORES is not None and workflow.is_main_process
sys.executable = shlex.join(forks.command(sys.executable, LIBRARIES, FURTHER) if quick_start else [sys.executable])

sentence(check_written)(workflow.configfiles)  # overlays too
CONFIG = sentence(read_configuration)(sentence(typed)(config, workflow.config_settings.config_args))


def variants_by(*ways):
    """Return a wildcard constraint: the variants that predict in one of these ways."""
    names = (name for name, variant in CONFIG.with_points().items() if variant.predict_by in ways)
    return "|".join(map(re.escape, names)) or "none"


def spaces_of(kind):
    """Return a wildcard constraint: the spaces of this kind."""
    names = dict.fromkeys([*CONFIG.spaces, *(variant.space for variant in CONFIG.with_points().values())])
    return "|".join(re.escape(name) for name in names if CONFIG.space(name).kind == kind) or "none"


def datasets_by(ready):
    """Return a wildcard constraint: the data sets of ready features, or all others."""
    names = "|".join(re.escape(name) for name, own in CONFIG.datasets.items() if own.features is not None) or "none"
    return names if ready else rf"(?!({names})/)[A-Za-z0-9_-]+(/validation)?"


wildcard_constraints:
    dataset=r"[A-Za-z0-9_-]+(/validation)?",
    variant=r"[A-Za-z0-9_.@+~-]+",
    space=r"[A-Za-z0-9_.@-]+",
    seed=r"0|[1-9]\d{0,17}|[1-8]\d{18}",  # those of the settings: up to LARGEST_SEED
    shard=r"\d+",


CODE_MEMORY = Path(".snakemake/scegg_code.json")
DIGESTS = code_digests(ROOT / "workflow_scripts", ROOT, CODE_MEMORY)
# jobs import the code that is there when they start: each sees that it is still the one whose digest is recorded
os.environ |= {digests.CODE: str(ROOT), digests.MEMORY: str(CODE_MEMORY.absolute())}


def code(rule):
    """Return the digest of the definitions that the script of `rule` can reach: a rule's `params` carry it."""
    return DIGESTS[rule]


def base(dataset):
    """Return the name of a data set, also if `dataset` is its validation split."""
    return dataset.removesuffix(VALIDATION)


def settings_of(chooser):
    """Return a params function: the mapping of the settings that `chooser(wildcards)` picks."""
    return sentence(lambda wildcards: as_mapping(chooser(wildcards)))


def dataset_settings(wildcards):
    """Return the settings of the data set in the wildcards."""
    return CONFIG.dataset(wildcards.dataset)


@sentence
def threads_of(wildcards):
    """Return the CPU threads of a training job."""
    return dataset_settings(wildcards).threads


@functools.cache
def digest_of_raw(places, there):
    """Return the digest of the files at `places`, read once a run; those that are fetched in it are looked at when they
    are `there`."""
    return raw_digest(places, records.MEMORY)


def raw_of(dataset, places):
    """Return a digest of a data set's files at `places`, own or fetched ones; of a drawn data set the places, since its
    record among a rule's inputs tells the rest."""
    if dataset.generate is not None:
        return places
    return digest_of_raw(places, any(map(is_there, places)))


@sentence
def raw_data(wildcards):
    """Return what `raw_of` says of a data set's files, wherever they lie."""
    dataset = dataset_settings(wildcards)
    return raw_of(dataset, dataset.files())


@sentence
def raw_lists(wildcards):
    """Return what `raw_of` says of lists of classes that the validation split alone reads."""
    dataset = dataset_settings(wildcards)
    return raw_of(dataset, dataset.class_lists())


@sentence
def folder_of(wildcards, input):
    """Return the folder of a data set's own files. Snakemake does not record params of functions that ask for `input`:
    `raw_data` says when the files are others, and a data set that is moved stays what it was."""
    return str(dataset_settings(wildcards).home)


@sentence
def pictures_of(wildcards, input):
    """Return the folder of a data set's pictures, None for one of ready features; not recorded, as `folder_of`."""
    return dataset_settings(wildcards).folder


@sentence
def features_of(wildcards, input):
    """Return the file of ready features and its kind; not recorded, as `folder_of`."""
    return as_mapping(dataset_settings(wildcards).features)


@sentence
def digest_of_features(wildcards, input):
    """Return, by its name among what an artifact is made from, the digest of a data set's ready features and of what
    lies beside them; nothing of pictures. `raw_data` records it for Snakemake."""
    dataset = dataset_settings(wildcards)
    return {} if dataset.features is None else {"ready_features": raw_of(dataset, dataset.files())}


@sentence
def digest_of_pictures(wildcards, input):
    """Return, by its name among what an artifact is made from, the digest of a data set's files, or of how they are
    generated, so that a training does not go on from a state of other pictures."""
    dataset = dataset_settings(wildcards)
    drawn = dataset.generate
    return {"pictures": raw_of(dataset, dataset.files()) if drawn is None else json_digest(as_mapping(drawn))}


@sentence
def places_of(wildcards, input):
    """Return where a data set's own files lie; not recorded, as `folder_of`."""
    return dataset_settings(wildcards).placed()


@sentence
def scaling_of(wildcards):
    """Return how the features of a data set are scaled for stage 3."""
    return {"feature_scaling": dataset_settings(wildcards).feature_scaling}


def index_of(wildcards):
    """Return the three tables of a data set's index: all that training may know."""
    return {name: f"results/{wildcards.dataset}/{name}.parquet" for name in INDEX}


def test_labels_of(wildcards):
    """Return the labels of a data set's test images: for predictions, scores and pictures alone."""
    return {"test_labels": f"results/{wildcards.dataset}/test_labels.parquet"}


def backbone_folder(dataset, seed):
    """Return where the regions that a run reads lie, and the weights that made them where they are trained here.

    What is trained here belongs to one data set or validation split, and maybe to one seed; else a split shares all.
    """
    backbone = CONFIG.dataset(dataset).backbone
    if not backbone.trained:
        return f"results/{base(dataset)}"
    return f"results/{dataset}/backbones/seed{seed}" if backbone.seeds == "own" else f"results/{dataset}"


@sentence
def shards_of(wildcards, seed=None):
    """Return the region shards that a run reads; `seed` where it is not in the wildcards."""
    folder = backbone_folder(wildcards.dataset, wildcards.get("seed", seed))
    return [f"{folder}/regions/part-{shard:04d}.parquet" for shard in range(dataset_settings(wildcards).shards)]


@functools.cache
def refuse_pooled(features):
    if is_there(features.path):  # else it is fetched first
        from scegg_core.data.features import require_maps  # its imports take 0.3 s, and few data sets need it

        require_maps(features)


@sentence
def maps_of(wildcards):
    """Return the region shards for SCEN or DAZLE, which ready features of one vector an image cannot serve."""
    if (features := dataset_settings(wildcards).features) is not None:
        refuse_pooled(features)
    return shards_of(wildcards)


def space_folder(dataset, space, seed):
    """Return the folder of a space; the features of a backbone that all seeds share have no seed."""
    folder, shared = f"results/{dataset}/spaces/{space}", CONFIG.dataset(dataset).backbone.seeds == "shared"
    return folder if CONFIG.space(space).kind == "backbone" and shared else f"{folder}/seed{seed}"


def chosen(dataset, variant):
    """Return the variant whose runs a row shows: itself, or the point of its grid that validation selected."""
    tuned = CONFIG.tuned(variant)
    table = f"results/{base(dataset)}/tuning.csv"
    if tuned is None or (CONFIG.tables.missing == "name" and not Path(table).is_file()):
        return variant
    if not Path(table).is_file():  # else a table that is there would stay, although a row of it becomes a tuned one
        workflow.dag.forcefiles.add(table)
    return winners(checkpoints.tune.get(dataset=base(dataset)).output.tuning)[tuned]


@sentence
def selection_of(wildcards):
    """Return the scores of epochs on validation that say how long a run is trained, where its variant asks for it."""
    if wildcards.dataset.endswith(VALIDATION) or CONFIG.variant(wildcards.variant).selection == "last":
        return {}
    folder = "results/{w.dataset}/validation/variants/{w.variant}/seed{w.seed}".format(w=wildcards)
    return {"selection": f"{folder}/epochs.parquet"}


@sentence
def calibration_of(wildcards):
    """Return the scores on validation that hold the constant of a run's calibration, where its variant asks for it."""
    own = CONFIG.variant(wildcards.variant)
    if wildcards.dataset.endswith(VALIDATION) or own.calibration == "none":
        return {}
    folder = "results/{w.dataset}/validation/variants/{w.variant}/seed{w.seed}".format(w=wildcards)
    return {"calibration": f"{folder}/{SCORES_ON_VALIDATION[own.selection]}"}


@sentence
def space_inputs(wildcards):
    """Return the features of a variant's space, their scaler, and SCEN where it has one."""
    space = CONFIG.variant(wildcards.variant).space
    folder = space_folder(wildcards.dataset, space, wildcards.seed)
    files = {name: f"{folder}/{name}" for name in ("features.parquet", "scaler.safetensors", "scen.safetensors")}
    if CONFIG.space(space).kind == "backbone":
        del files["scen.safetensors"]
    return index_of(wildcards) | {name.split(".")[0]: path for name, path in files.items()}


def generator(name):
    """Return an input function: the file `name` of the run whose generator a variant's run takes."""

    @sentence
    def file(wildcards):
        variant = CONFIG.generator_of(wildcards.dataset, wildcards.variant)
        return f"results/{wildcards.dataset}/variants/{variant}/seed{wildcards.seed}/{name}"

    return file


@sentence
def semantics_of(wildcards):
    """Return the semantic embeddings, LEN's or DAZLE's, for a variant that predicts by them."""
    folder = space_folder(wildcards.dataset, CONFIG.variant(wildcards.variant).space, wildcards.seed)
    return f"{folder}/semantics.parquet"


def present(pairs):
    """Return (thing, file) pairs; those whose file does not exist are left out if the settings say so."""
    return [(thing, file) for thing, file in pairs if CONFIG.tables.missing == "make" or Path(file).is_file()]


def needed(pairs, picture):
    """Return `pairs`, the runs that `picture` is made of; refuses it if none is there yet and none is to be made."""
    if not pairs:
        raise InputError(
            f"{picture} has no run yet, and tables.missing is 'name'; set it to make, or make the run first."
        )
    return pairs


def shown(path, caption, category, label, form="picture", of="{dataset}"):
    """Mark an output for the report."""
    labels = {"data set": of, "shows": label, "as": form}
    return report(path, caption=f"../report/{caption}.rst", category=category, labels=labels)


def shown_table(stem, caption, label, category="Tables", of="{dataset}"):
    """Return a table's outputs, as a page and as CSV, marked for the report."""
    name = Path(stem).name
    return {
        name: shown(f"{stem}.csv", caption, category, label, "spreadsheet", of),
        f"{name}_page": shown(f"{stem}.html", caption, category, label, "page", of),
    }
