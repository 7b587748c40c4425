# Scores: predictions against labels, closed-form rows, the epochs and settings that validation chooses, attention.
#   in:  predictions, features, snapshots of generators, regions and SCEN for attention
#   out: results/{dataset}/variants/{variant}/seed{seed}/{metrics.json,outcomes.parquet,epochs.parquet}, results/{dataset}/{tuning,attention}.csv


@sentence
def closed_form_inputs(wildcards):
    """Return a space's features, and those of the validation split of its data set."""
    space, name = CONFIG.variant(wildcards.variant).space, base(wildcards.dataset)
    validation = f"{name}/validation"
    tables = {f"val_{table}": f"results/{validation}/{table}.parquet" for table in (*INDEX, "test_labels")}
    return (
        index_of(wildcards)
        | test_labels_of(wildcards)
        | tables
        | {
            "features": f"{space_folder(wildcards.dataset, space, wildcards.seed)}/features.parquet",
            "val_features": f"{space_folder(validation, space, wildcards.seed)}/features.parquet",
        }
    )


rule predict_closed_form:
    input:
        unpack(closed_form_inputs),
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_czsl.parquet",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_gzsl.parquet",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/predict.log",
    wildcard_constraints:
        variant=variants_by("prototype", "eszsl"),
    resources:
        mem_mb=memory(4000, per_mb=10),
        runtime=minutes(30),
    params:
        settings=sentence(lambda w: {"predict_by": CONFIG.variant(w.variant).predict_by}),
        code=code("predict_closed_form"),
    script:
        "../workflow_scripts/predict_closed_form.py"


@sentence
def predictions_of(wildcards):
    """Return the predictions of one run; an unknown data set or variant is named here."""
    CONFIG.dataset(wildcards.dataset), CONFIG.variant(wildcards.variant)
    folder = f"results/{wildcards.dataset}/variants/{wildcards.variant}/seed{wildcards.seed}"
    return index_of(wildcards) | {task: f"{folder}/predictions_{task}.parquet" for task in ("czsl", "gzsl")}


rule score:
    input:
        unpack(predictions_of),
        unpack(selection_of),
    output:
        metrics="results/{dataset}/variants/{variant}/seed{seed}/metrics.json",
        outcomes="results/{dataset}/variants/{variant}/seed{seed}/outcomes.parquet",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/score.log",
    resources:
        mem_mb=memory(2000, per_mb=4),
        runtime=minutes(10),
    params:
        code=code("score"),
    script:
        "../workflow_scripts/score.py"


@sentence
def snapshots_of(wildcards):
    """Return the generator at some epochs; without a comparison of epochs there is none, after training as before."""
    if CONFIG.eggn_of(wildcards.dataset, wildcards.variant).snapshots == 0:
        raise InputError(
            f"config: no epochs of {wildcards.variant} are compared on {wildcards.dataset}; set tables.oracle: true, or "
            "selection: validation for its validation split."
        )
    return generator("snapshots")(wildcards)


rule score_epochs:
    input:
        unpack(space_inputs),
        unpack(test_labels_of),
        snapshots=snapshots_of,
    output:
        epochs="results/{dataset}/variants/{variant}/seed{seed}/epochs.parquet",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/score_epochs.log",
    wildcard_constraints:
        variant=variants_by("generation"),
    threads: threads_of
    resources:
        mem_mb=memory(6000, per_mb=6),
        runtime=minutes(120, per_mb=0.5),
        gpu=1,
        device=CONFIG.run.device,
    params:
        synthesis=settings_of(lambda w: CONFIG.synthesis_of(w.dataset, w.variant)),
        classifier=settings_of(lambda w: CONFIG.classifier_of(w.dataset, w.variant)),
        deterministic=CONFIG.run.deterministic,
        threads=threads_of,
        code=code("score_epochs"),
    script:
        "../workflow_scripts/score_epochs.py"


@sentence
def scores_of_points(wildcards):
    """Return the scores on validation of the points of a data set's grids: of their best epochs, or of the last."""
    folder = f"results/{wildcards.dataset}/validation/variants"
    return [
        f"{folder}/{point['point']}/seed{seed}/{SCORES_ON_VALIDATION[CONFIG.variant(point['point']).selection]}"
        for point in CONFIG.grid_points(wildcards.dataset)
        for seed in point["seeds"]
    ]


checkpoint tune:
    input:
        scores=scores_of_points,
    output:
        **shown_table("results/{dataset}/tuning", "tuning", "6 tuning"),
    log:
        "logs/{dataset}/tune.log",
    wildcard_constraints:
        dataset=r"[A-Za-z0-9_-]+",
    params:
        settings=sentence(lambda w: {"dataset": w.dataset, "points": CONFIG.grid_points(w.dataset)}),
        code=code("tune"),
    script:
        "../workflow_scripts/tune.py"


def attention_files(dataset):
    """Return (seed, SCEN) of the space shown, at the data set's first seed."""
    seed = CONFIG.dataset(dataset).seeds[0]
    return present([(seed, f"{space_folder(dataset, CONFIG.attention.space, seed)}/scen.safetensors")])


@sentence
def attention_inputs(wildcards):
    """Return the regions, and SCEN of the space shown."""
    [(seed, scen)] = needed(attention_files(wildcards.dataset), f"attention of {wildcards.dataset}")
    return index_of(wildcards) | test_labels_of(wildcards) | {"scen": scen, "regions": shards_of(wildcards, seed)}


rule score_attention:
    input:
        unpack(attention_inputs),
    output:
        **shown_table("results/{dataset}/attention", "pointing", "pointing score", "Attention"),
    log:
        "logs/{dataset}/score_attention.log",
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        folder=pictures_of,
        raw=raw_data,
        resize=sentence(lambda w: dataset_settings(w).backbone.resize),
        code=code("score_attention"),
    script:
        "../workflow_scripts/score_attention.py"
