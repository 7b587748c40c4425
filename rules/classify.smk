# The final classifier (section 3.3), and predictions by it, by LEN or by DAZLE.
#   in:  features and synthetic features, or semantics; scores on validation where a variant is calibrated
#   out: results/{dataset}/variants/{variant}/seed{seed}/{classifier_*.safetensors,predictions_*.parquet}


rule train_classifier:
    input:
        unpack(space_inputs),
        unpack(calibration_of),
        eggn=generator("eggn.safetensors"),
        synthetic="results/{dataset}/variants/{variant}/seed{seed}/synthetic_unseen.parquet",
    output:
        czsl="results/{dataset}/variants/{variant}/seed{seed}/classifier_czsl.safetensors",
        gzsl="results/{dataset}/variants/{variant}/seed{seed}/classifier_gzsl.safetensors",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/train_classifier.log",
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
        threads=threads_of,
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


@sentence
def margin_of(wildcards):
    """Return what a variant's predictions by embedding take off the seen classes' scores and add to the unseen ones'."""
    space = CONFIG.variant(wildcards.variant).space
    return CONFIG.dazle_of(wildcards.dataset, space).margin if CONFIG.space(space).kind == "dazle" else 0.0


rule predict_by_embedding:
    input:
        unpack(index_of),
        unpack(test_labels_of),
        unpack(calibration_of),
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
        settings=sentence(lambda w: {"margin": margin_of(w)}),
        code=code("predict_by_embedding"),
    script:
        "../workflow_scripts/predict_by_embedding.py"
