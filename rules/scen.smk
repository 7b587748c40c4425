# Feature spaces: SCEN's dense-semantic features (Eqs. 1-8, 16, 17), and pooled backbone features beside them.
#   in:  results/{dataset}/regions/part-*.parquet, attribute_vectors.parquet, the index
#   out: results/{dataset}/spaces/{space}/seed{seed}/{scen.safetensors,curve.parquet,features.parquet,...}


rule train_scen:
    input:
        unpack(index_of),
        regions=maps_of,
        vectors=lambda w: f"results/{base(w.dataset)}/attribute_vectors.parquet",
    output:
        scen="results/{dataset}/spaces/{space}/seed{seed}/scen.safetensors",
        curve="results/{dataset}/spaces/{space}/seed{seed}/curve.parquet",
    log:
        "logs/{dataset}/spaces/{space}/seed{seed}/train_scen.log",
    wildcard_constraints:
        space=spaces_of("scen"),
    priority: 2  # the longest chain starts here
    threads: threads_of
    resources:
        mem_mb=memory(6000, per_mb=2.3, most=kept_regions),  # stage 2 keeps attention, at most as much as regions
        runtime=minutes(60, per_mb=0.02),
        gpu=1,
        device=CONFIG.run.device,
        checkpoint_seconds=CHECKPOINT_SECONDS,
    params:
        settings=settings_of(lambda w: CONFIG.scen_of(w.dataset, w.space)),
        deterministic=CONFIG.run.deterministic,
        threads=threads_of,
        code=code("train_scen"),
    script:
        "../workflow_scripts/train_scen.py"


rule embed_images:
    input:
        unpack(index_of),
        regions=shards_of,
        scen="results/{dataset}/spaces/{space}/seed{seed}/scen.safetensors",
    output:
        features="results/{dataset}/spaces/{space}/seed{seed}/features.parquet",
        scaler="results/{dataset}/spaces/{space}/seed{seed}/scaler.safetensors",
        semantics="results/{dataset}/spaces/{space}/seed{seed}/semantics.parquet",
    log:
        "logs/{dataset}/spaces/{space}/seed{seed}/embed_images.log",
    wildcard_constraints:
        space=spaces_of("scen"),
    priority: 2  # the longest chain starts here
    threads: threads_of
    resources:
        mem_mb=memory(6000, per_mb=0.1),
        runtime=minutes(20, per_mb=0.002),
        gpu=1,
        device=CONFIG.run.device,
    params:
        settings=scaling_of,
        deterministic=CONFIG.run.deterministic,
        threads=threads_of,
        code=code("embed_images"),
    script:
        "../workflow_scripts/embed_images.py"


@sentence
def pooled_regions(wildcards):
    """Return the region shards whose mean is a backbone's features, of one seed where each has its own."""
    refuse_seedless(wildcards, f"features of {wildcards.space}", f"spaces/{wildcards.space}/seed0/features.parquet")
    return shards_of(wildcards)


rule pool_images:
    input:
        unpack(index_of),
        regions=pooled_regions,
    output:
        features="results/{dataset}/spaces/{space}/features.parquet",
        scaler="results/{dataset}/spaces/{space}/scaler.safetensors",
    log:
        "logs/{dataset}/spaces/{space}/pool_images.log",
    wildcard_constraints:
        space=spaces_of("backbone"),
    threads: threads_of
    resources:
        mem_mb=memory(4000, per_mb=0.1),
        runtime=minutes(20, per_mb=0.002),
    params:
        settings=scaling_of,
        threads=threads_of,
        code=code("pool_images"),
    script:
        "../workflow_scripts/pool_images.py"


use rule pool_images as pool_images_of_seed with:
    output:
        features="results/{dataset}/spaces/{space}/seed{seed}/features.parquet",
        scaler="results/{dataset}/spaces/{space}/seed{seed}/scaler.safetensors",
    log:
        "logs/{dataset}/spaces/{space}/seed{seed}/pool_images.log",
