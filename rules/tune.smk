# Selection on the validation split: the scores of a generator's epochs, and of the points of a grid of settings.
#   in:  snapshots and features; scores of the points' runs
#   out: results/{dataset}/variants/{variant}/seed{seed}/epochs.parquet, results/{dataset}/tuning.csv


rule score_epochs:
    input:
        unpack(space_inputs),
        unpack(test_labels_of),
        snapshots=generator("snapshots"),
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
        code=code("score_epochs"),
    script:
        "../workflow_scripts/score_epochs.py"


@sentence
def scores_of_points(wildcards):
    """Return the scores on validation of the points of a data set's grids: of their best epochs, or of the last."""
    folder = f"results/{wildcards.dataset}/validation/variants"
    names = {"last": "metrics.json", "validation": "epochs.parquet"}
    return [
        f"{folder}/{point['point']}/seed{seed}/{names[CONFIG.variant(point['point']).selection]}"
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
