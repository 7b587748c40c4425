# The final classifier (section 3.3), predictions of every kind of variant, and their scores.
#   in:  features and synthetic features, or LEN's semantics
#   out: results/{dataset}/variants/{variant}/seed{seed}/{classifier_*.safetensors,predictions_*.parquet,metrics.json}


rule train_classifier:
    input:
        unpack(space_inputs),
        eggn="results/{dataset}/variants/{variant}/seed{seed}/eggn.safetensors",
        synthetic="results/{dataset}/variants/{variant}/seed{seed}/synthetic_unseen.parquet",
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/classifier_czsl.safetensors",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/classifier_gzsl.safetensors",
    params:
        settings=settings_of(lambda w: CONFIG.classifier_of(w.dataset, w.variant)),
        deterministic=CONFIG.run.deterministic,
        code=code("train_classifier"),
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/train_classifier.log",
    benchmark:
        "logs/{dataset}/variants/{variant}/seed{seed}/train_classifier.benchmark.tsv"
    threads: threads_of
    resources:
        gpu=1,
        device=CONFIG.run.device,
    script:
        "../workflow_scripts/train_classifier.py"


rule predict:
    input:
        unpack(space_inputs),
        eggn="results/{dataset}/variants/{variant}/seed{seed}/eggn.safetensors",
        czsl="results/{dataset}/variants/{variant}/seed{seed}/classifier_czsl.safetensors",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/classifier_gzsl.safetensors",
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_czsl.parquet",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_gzsl.parquet",
    params:
        code=code("predict"),
    wildcard_constraints:
        variant=variants_by("generation"),
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/predict.log",
    script:
        "../workflow_scripts/predict.py"


rule predict_by_embedding:
    input:
        unpack(index_of),
        semantics=semantics_of,
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_czsl.parquet",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_gzsl.parquet",
    params:
        code=code("predict_by_embedding"),
    wildcard_constraints:
        variant=variants_by("embedding"),
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/predict.log",
    script:
        "../workflow_scripts/predict_by_embedding.py"


@sentence
def closed_form_inputs(wildcards):
    """Return a space's features, and those of the validation split of its data set."""
    space, name = CONFIG.variant(wildcards.variant).space, base(wildcards.dataset)
    validation = f"{name}/validation"
    tables = {f"val_{table}": f"results/{validation}/{table}.parquet" for table in INDEX}
    return index_of(wildcards) | tables | {
        "features": f"{space_folder(wildcards.dataset, space, wildcards.seed)}/features.parquet",
        "val_features": f"{space_folder(validation, space, wildcards.seed)}/features.parquet",
    }


rule predict_closed_form:
    input:
        unpack(closed_form_inputs),
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_czsl.parquet",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_gzsl.parquet",
    params:
        settings=sentence(lambda w: {"predict_by": CONFIG.variant(w.variant).predict_by}),
        code=code("predict_closed_form"),
    wildcard_constraints:
        variant=variants_by("prototype", "eszsl"),
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/predict.log",
    script:
        "../workflow_scripts/predict_closed_form.py"


rule score:
    input:
        unpack(index_of),
        czsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_czsl.parquet",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/predictions_gzsl.parquet",
    output:
        metrics="results/{dataset}/variants/{variant}/seed{seed}/metrics.json",
    params:
        code=code("score"),
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/score.log",
    script:
        "../workflow_scripts/score.py"
