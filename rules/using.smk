# Classes added to a finished run by description alone, features for other code, and the checks of data sets.
#   in:  the run, and the CSV that `extensions` in the configuration gives a name; regions, SCEN, the index
#   out: results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/{classes.parquet,...,metrics.json}
#        results/{dataset}/exchange/{space}[/seed{seed}]/{res101.mat,att_splits.mat,...}, exchange/feature_map_*.hdf5

from scegg_core.using.exchange import FILES as EXCHANGED
from scegg_core.using.exchange import map_name


@sentence
def extended_index(wildcards):
    """Return the index of a data set with the class table of the extension."""
    folder = "results/{w.dataset}/variants/{w.variant}/seed{w.seed}/extended/{w.extension}".format(w=wildcards)
    return index_of(wildcards) | {"classes": f"{folder}/classes.parquet"}


@sentence
def extended_space(wildcards):
    """Return the features of a run's space with the class table of the extension."""
    return space_inputs(wildcards) | extended_index(wildcards)


@sentence
def described_classes(wildcards):
    """Return the CSV of new classes that an extension's name stands for; it is there, since no rule makes one."""
    table = CONFIG.extension(wildcards.extension)
    if not is_file(table):
        raise InputError(
            f"config: extensions.{wildcards.extension} is {table}, and there is no such file; put it there."
        )
    return table


rule extend_classes:
    input:
        unpack(index_of),
        table=described_classes,
    output:
        classes="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/classes.parquet",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/extend_classes.log",
    wildcard_constraints:
        variant=variants_by("generation"),
        extension=r"[A-Za-z0-9_-]+",
    params:
        code=code("extend_classes"),
    script:
        "../workflow_scripts/extend_classes.py"


use rule synthesize as synthesize_extended with:
    input:
        unpack(extended_index),
        eggn="results/{dataset}/variants/{variant}/seed{seed}/eggn.safetensors",
    output:
        synthetic="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/synthetic_unseen.parquet",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/synthesize.log",


use rule train_classifier as train_extended_classifier with:
    input:
        unpack(extended_space),
        unpack(calibration_of),
        eggn="results/{dataset}/variants/{variant}/seed{seed}/eggn.safetensors",
        synthetic="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/synthetic_unseen.parquet",
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/classifier_czsl.safetensors",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/classifier_gzsl.safetensors",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/train_classifier.log",


use rule predict as predict_extended with:
    input:
        unpack(extended_space),
        unpack(test_labels_of),
        eggn="results/{dataset}/variants/{variant}/seed{seed}/eggn.safetensors",
        czsl="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/classifier_czsl.safetensors",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/classifier_gzsl.safetensors",
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/predictions_czsl.parquet",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/predictions_gzsl.parquet",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/predict.log",


use rule score as score_extended with:
    input:
        unpack(extended_index),
        czsl="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/predictions_czsl.parquet",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/predictions_gzsl.parquet",
    output:
        metrics="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/metrics.json",
        outcomes="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/outcomes.parquet",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/score.log",


@sentence
def exchanged(wildcards):
    """Return what is given to other code, the labels of test images too, as in the files that it knows."""
    return index_of(wildcards) | test_labels_of(wildcards) | {"regions": shards_of(wildcards)}


@sentence
def exchanged_space(wildcards):
    """Return what the features of a space are given to other code with: the validation split tells train_loc, val_loc."""
    refuse_seedless(wildcards, f"features of {wildcards.space}", "exchange/sc-egg/seed0")
    tables = {f"val_{table}": f"results/{wildcards.dataset}/validation/{table}.parquet" for table in INDEX}
    return exchanged(wildcards) | tables


@sentence
def exchanged_maps(wildcards):
    """Return what region maps are given to other code with, under the one name that it knows."""
    name = map_name(dataset_settings(wildcards).backbone.network, wildcards.dataset)
    if wildcards.file != name:
        raise InputError(
            f"results/{wildcards.dataset}/exchange/{wildcards.file}.hdf5 is not what the region maps of "
            f"{wildcards.dataset} are called: ask for results/{wildcards.dataset}/exchange/{name}.hdf5."
        )
    refuse_seedless(wildcards, "region maps", "exchange/sc-egg/seed0")
    return exchanged(wildcards) | {"vectors": f"results/{wildcards.dataset}/attribute_vectors.parquet"}


def exchange_files(folder):
    """Return the files of a set for other code in `folder`; the features come first."""
    named = {"features": EXCHANGED[0], "splits": EXCHANGED[1]}
    return {name: f"{folder}/{file}" for name, file in named.items()} | {
        "beside": [f"{folder}/{file}" for file in EXCHANGED[2:]]
    }


rule exchange_pooled:
    input:
        unpack(exchanged_space),
    output:
        **exchange_files("results/{dataset}/exchange/{space}"),
    log:
        "logs/{dataset}/exchange/{space}/exchange_pooled.log",
    wildcard_constraints:
        dataset=r"[A-Za-z0-9_-]+",
        space=spaces_of("backbone"),
    threads: threads_of
    resources:
        mem_mb=memory(4000, per_mb=0.1),
        runtime=minutes(20, per_mb=0.002),
    params:
        threads=threads_of,
        code=code("exchange_pooled"),
    script:
        "../workflow_scripts/exchange_pooled.py"


rule exchange_features:
    input:
        unpack(exchanged_space),
        scen="results/{dataset}/spaces/{space}/seed{seed}/scen.safetensors",
    output:
        **exchange_files("results/{dataset}/exchange/{space}/seed{seed}"),
    log:
        "logs/{dataset}/exchange/{space}/seed{seed}/exchange_features.log",
    wildcard_constraints:
        dataset=r"[A-Za-z0-9_-]+",
        space=spaces_of("scen"),
    threads: threads_of
    resources:
        mem_mb=memory(6000, per_mb=0.1),
        runtime=minutes(20, per_mb=0.002),
        gpu=1,
        device=CONFIG.run.device,
    params:
        deterministic=CONFIG.run.deterministic,
        threads=threads_of,
        code=code("exchange_features"),
    script:
        "../workflow_scripts/exchange_features.py"


rule exchange_maps:
    input:
        unpack(exchanged_maps),
    output:
        maps="results/{dataset}/exchange/{file}.hdf5",
        record="results/{dataset}/exchange/{file}.json",
    log:
        "logs/{dataset}/exchange/{file}.log",
    wildcard_constraints:
        dataset=r"[A-Za-z0-9_-]+",
        file=r"feature_map_[A-Za-z0-9_-]+",
    resources:
        mem_mb=memory(4000),
        runtime=minutes(20, per_mb=0.004),
    params:
        code=code("exchange_maps"),
    script:
        "../workflow_scripts/exchange_maps.py"


# check_cub, check_aviary, …: read everything, train nothing, say "ready" or what to mend
for name in CONFIG.datasets:

    rule:
        name:
            f"check_{name}"
        log:
            f"logs/{name}/check.log",
        localrule: True
        params:
            settings=as_mapping(CONFIG.dataset(name)),
            plan=plan_of(CONFIG, name, here=workflow.local_exec),
            dataset=name,
            downloads=[as_mapping(CONFIG.download(item)) for item in CONFIG.dataset(name).all_downloads],
            code=code("check"),
        script:
            "../workflow_scripts/check.py"


# a check of a data set that is not in the configuration: the sentence that says which there are
rule:
    name:
        "check"
    input:
        sentence(lambda w: CONFIG.dataset(w.dataset)),
    output:
        "check_{dataset}",
    localrule: True
