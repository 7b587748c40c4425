# Classes added to a finished run by description alone, and the checks of data sets.
#   in:  the run, and the CSV that `extensions` in the configuration gives a name
#   out: results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/{classes.parquet,...,metrics.json}


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
    """Return the CSV of new classes that an extension's name stands for."""
    return CONFIG.extension(wildcards.extension)


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
        eggn="results/{dataset}/variants/{variant}/seed{seed}/eggn.safetensors",
        synthetic="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/synthetic_unseen.parquet",
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/classifier_czsl.safetensors",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/classifier_gzsl.safetensors",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/train_classifier.log",
    benchmark:
        "logs/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/train_classifier.benchmark.tsv"


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
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/extended/{extension}/score.log",


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
