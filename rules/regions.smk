# Region features of all images, shard by shard; one job per shard.
#   in:  results/{dataset}/images.parquet, the images and the backbone, or ready features in their place
#   out: results/{dataset}/regions/part-*.parquet, results/{dataset}/backbone.safetensors where it is trained here;
#        with backbone.seeds: own both in results/{dataset}/backbones/seed{seed}/. What is trained here is also trained
#        and extracted for {dataset}/validation, which else shares the regions of its data set.


@sentence
def given_weights(wildcards):
    """Return the weight file named in config.yaml, or the record of one fetched by its name; {} for a random start."""
    backbone = dataset_settings(wildcards).backbone
    if backbone.weights in ("train", "random"):
        return {}
    if backbone.fetched_to:
        return {"weights": backbone.fetch_record}
    if not is_file(backbone.weights):
        raise InputError(
            f"config: datasets.{base(wildcards.dataset)}.backbone.weights is {backbone.weights!r}, but there is no such "
            "file."
        )
    return {"weights": backbone.weights}


@sentence
def start_weights(wildcards):
    """Return the weights that a training of the backbone begins with; refused where it is not trained here."""
    if not dataset_settings(wildcards).backbone.trained:
        raise InputError(f"config: the backbone of {base(wildcards.dataset)} is not trained here; give it `finetune`.")
    return given_weights(wildcards)


def refuse_seedless(wildcards, what, of_one_seed):
    """Refuse what is asked for without a seed where each seed has regions of its own; name that `of_one_seed` instead."""
    name = base(wildcards.dataset)
    if wildcards.get("seed") is None and CONFIG.dataset(name).backbone.seeds == "own":
        raise InputError(
            f"config: datasets.{name}.backbone.seeds is own, so each seed has regions of its own, and there are "
            f"no {what} of all seeds; set it to shared, or take those of one seed ({of_one_seed})."
        )


@sentence
def used_weights(wildcards):
    """Return the weights that regions are made with: those trained here, or the given ones."""
    refuse_seedless(wildcards, "regions", "backbones/seed0/regions")
    seed = wildcards.get("seed")
    here = f"results/{wildcards.dataset}" if seed is None else f"results/{wildcards.dataset}/backbones/seed{seed}"
    right = backbone_folder(wildcards.dataset, seed)
    if here != right:
        raise InputError(f"with these settings of the backbone there is no {here}/regions; ask for {right}/regions.")
    trained = dataset_settings(wildcards).backbone.trained
    return {"weights": f"{right}/backbone.safetensors"} if trained else given_weights(wildcards)


@sentence
def index_of_shard(wildcards):
    """Return the index of a data set whose regions are cut into shards; a shard that it does not have is refused."""
    shards, asked = [Path(shard).name for shard in shards_of(wildcards)], f"part-{wildcards.shard}.parquet"
    if asked not in shards:
        raise InputError(
            f"config: datasets.{base(wildcards.dataset)}.shards is {len(shards)}, so there is no {asked}; the last is "
            f"{shards[-1]}."
        )
    return index_of(wildcards)


def training_memory(wildcards, input, attempt):
    """Return the MB to train a backbone: of the program and the network, and of the images that are kept."""
    backbone = dataset_settings(wildcards).backbone
    # networks of timm say their size in the job; DINOv2's is the largest of those that people take
    size = backbone.decoded_size if backbone.training_size else 518
    kept = 3e-6 * image_count(input.images) * size**2
    return int(attempt * (8000 + min(kept, 1024 * CONFIG.run.image_memory)))


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
        unpack(start_weights),
    output:
        backbone="results/{dataset}/backbone.safetensors",
    log:
        "logs/{dataset}/train_backbone.log",
    threads: threads_of
    resources:
        mem_mb=training_memory,
        runtime=minutes(30, per_image=0.05),
        gpu=1,
        device=CONFIG.run.device,
        images_mb=round(1024 * CONFIG.run.image_memory),
        checkpoint_seconds=CHECKPOINT_SECONDS,
    params:
        settings=sentence(lambda w: dataset_settings(w).backbone.training_part()),
        # Snakemake records values without names, and `threads` is a number too
        seed=sentence(lambda w: {"seed": int(w.get("seed", dataset_settings(w).backbone.shared_seed))}),
        folder=folder_of,
        raw=raw_data,
        digest=digest_of_pictures,
        deterministic=CONFIG.run.deterministic,
        threads=threads_of,
        code=code("train_backbone"),
    script:
        "../workflow_scripts/train_backbone.py"


use rule train_backbone as train_backbone_of_seed with:
    output:
        backbone="results/{dataset}/backbones/seed{seed}/backbone.safetensors",
    log:
        "logs/{dataset}/backbones/seed{seed}/train_backbone.log",


rule extract_regions:
    input:
        unpack(index_of_shard),
        unpack(used_weights),
    output:
        shard="results/{dataset}/regions/part-{shard}.parquet",
    log:
        "logs/{dataset}/extract_regions/{shard}.log",
    wildcard_constraints:
        dataset=datasets_by(ready=False),
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


use rule extract_regions as extract_regions_of_seed with:
    output:
        shard="results/{dataset}/backbones/seed{seed}/regions/part-{shard}.parquet",
    log:
        "logs/{dataset}/backbones/seed{seed}/extract_regions/{shard}.log",


rule read_features:
    input:
        unpack(index_of_shard),
    output:
        shard="results/{dataset}/regions/part-{shard}.parquet",
    log:
        "logs/{dataset}/read_features/{shard}.log",
    wildcard_constraints:
        dataset=datasets_by(ready=True),
    resources:
        mem_mb=memory(3000),
        runtime=shard_minutes,
    params:
        settings=sentence(lambda w: {"kind": dataset_settings(w).features.kind}),
        features=features_of,
        shards=sentence(lambda w: range(dataset_settings(w).shards)),
        raw=raw_data,
        digest=digest_of_features,
        code=code("read_features"),
    script:
        "../workflow_scripts/read_features.py"
