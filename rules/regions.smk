# Region features of all images, shard by shard; one job per shard.
#   in:  results/{dataset}/images.parquet, the images, the backbone
#   out: results/{dataset}/regions/part-*.parquet, results/{dataset}/backbone.safetensors where it is trained here


@sentence
def backbone_weights(wildcards):
    """Return the weight file, trained here or named in config.yaml, or the record of one fetched by its name."""
    backbone = dataset_settings(wildcards).backbone
    if backbone.weights == "random":
        return {}
    if backbone.weights == "train":
        return {"weights": f"results/{wildcards.dataset}/backbone.safetensors"}
    if backbone.fetched_to:
        return {"weights": backbone.fetch_record}
    if not Path(backbone.weights).is_file():
        raise InputError(
            f"config: datasets.{wildcards.dataset}.backbone.weights is {backbone.weights!r}, but there is no such file."
        )
    return {"weights": backbone.weights}


rule fetch_weights:
    output:
        record="data/weights/{network}/{weights}.json",
    log:
        "logs/fetch_weights/{network}/{weights}.log",
    script:
        "../workflow_scripts/fetch_weights.py"


rule train_backbone:
    input:
        unpack(index_of),
    output:
        backbone="results/{dataset}/backbone.safetensors",
    log:
        "logs/{dataset}/train_backbone.log",
    benchmark:
        "logs/{dataset}/train_backbone.benchmark.tsv"
    wildcard_constraints:
        dataset=r"[A-Za-z0-9_-]+",
    threads: threads_of
    resources:
        mem_mb=memory(8000),
        runtime=minutes(30, per_image=0.05),
        gpu=1,
        device=CONFIG.run.device,
        checkpoint_seconds=CHECKPOINT_SECONDS,
    params:
        settings=sentence(lambda w: dataset_settings(w).backbone.training_part()),
        folder=folder_of,
        raw=raw_data,
        deterministic=CONFIG.run.deterministic,
        threads=threads_of,
        code=code("train_backbone"),
    script:
        "../workflow_scripts/train_backbone.py"


rule extract_regions:
    input:
        unpack(index_of),
        unpack(backbone_weights),
    output:
        shard="results/{dataset}/regions/part-{shard}.parquet",
    log:
        "logs/{dataset}/extract_regions/{shard}.log",
    benchmark:
        "logs/{dataset}/extract_regions/{shard}.benchmark.tsv"
    wildcard_constraints:
        dataset=r"[A-Za-z0-9_-]+",
    threads: threads_of
    resources:
        mem_mb=memory(6000),
        runtime=shard_minutes,
        gpu=1,
        device=CONFIG.run.device,
    params:
        settings=settings_of(lambda w: dataset_settings(w).backbone),
        folder=folder_of,
        # Snakemake records values without names, and `threads` is a number too
        shards=sentence(lambda w: range(dataset_settings(w).shards)),
        raw=raw_data,
        deterministic=CONFIG.run.deterministic,
        threads=threads_of,
        code=code("extract_regions"),
    script:
        "../workflow_scripts/extract_regions.py"
