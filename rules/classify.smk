# The final classifier (section 3.3), predictions of every kind of variant, and their scores.
#   in:  features and synthetic features, or LEN's semantics
#   out: results/{dataset}/variants/{variant}/seed{seed}/{classifier_*.safetensors,predictions_*.parquet,metrics.json}


rule train_classifier:
    input:
        unpack(space_inputs),
        eggn=generator("eggn.safetensors"),
        synthetic="results/{dataset}/variants/{variant}/seed{seed}/synthetic_unseen.parquet",
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/classifier_czsl.safetensors",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/classifier_gzsl.safetensors",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/train_classifier.log",
    benchmark:
        "logs/{dataset}/variants/{variant}/seed{seed}/train_classifier.benchmark.tsv"
    threads: threads_of
    resources:
        mem_mb=memory(6000, per_mb=6),
        runtime=minutes(20, per_mb=0.5),
        gpu=1,
        device=CONFIG.run.device,
        checkpoint_seconds=CHECKPOINT_SECONDS,
    params:
        settings=settings_of(lambda w: CONFIG.classifier_of(w.dataset, w.variant)),
        deterministic=CONFIG.run.deterministic,
        code=code("train_classifier"),
    script:
        "../workflow_scripts/train_classifier.py"


rule predict:
    input:
        unpack(space_inputs),
        unpack(test_labels_of),
        eggn=generator("eggn.safetensors"),
        czsl="results/{dataset}/variants/{variant}/seed{seed}/classifier_czsl.safetensors",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/classifier_gzsl.safetensors",
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_czsl.parquet",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_gzsl.parquet",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/predict.log",
    wildcard_constraints:
        variant=variants_by("generation"),
    resources:
        mem_mb=memory(4000, per_mb=6),
        runtime=minutes(10, per_mb=0.05),
    params:
        code=code("predict"),
    script:
        "../workflow_scripts/predict.py"


rule predict_by_embedding:
    input:
        unpack(index_of),
        unpack(test_labels_of),
        semantics=semantics_of,
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_czsl.parquet",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_gzsl.parquet",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/predict.log",
    wildcard_constraints:
        variant=variants_by("embedding"),
    resources:
        mem_mb=memory(4000, per_mb=4),
        runtime=minutes(10),
    params:
        code=code("predict_by_embedding"),
    script:
        "../workflow_scripts/predict_by_embedding.py"


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
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/score.log",
    resources:
        mem_mb=memory(2000, per_mb=4),
        runtime=minutes(10),
    params:
        code=code("score"),
    script:
        "../workflow_scripts/score.py"
