# DAZLE: LEN's attention with a second one over attributes, trained on region features; it predicts by embedding.
#   in:  results/{dataset}/regions/part-*.parquet, attribute_vectors.parquet, the index
#   out: results/{dataset}/spaces/{space}/seed{seed}/{dazle.safetensors,curve.parquet,semantics.parquet}


rule train_dazle:
    input:
        unpack(index_of),
        regions=maps_of,
        vectors=lambda w: f"results/{base(w.dataset)}/attribute_vectors.parquet",
    output:
        dazle="results/{dataset}/spaces/{space}/seed{seed}/dazle.safetensors",
        curve="results/{dataset}/spaces/{space}/seed{seed}/curve.parquet",
    log:
        "logs/{dataset}/spaces/{space}/seed{seed}/train_dazle.log",
    wildcard_constraints:
        space=spaces_of("dazle"),
    threads: threads_of
    resources:
        mem_mb=memory(6000, per_mb=1.3, most=kept_regions),
        runtime=minutes(60, per_mb=0.02),
        gpu=1,
        device=CONFIG.run.device,
        checkpoint_seconds=CHECKPOINT_SECONDS,
    params:
        settings=settings_of(lambda w: CONFIG.dazle_of(w.dataset, w.space)),
        deterministic=CONFIG.run.deterministic,
        threads=threads_of,
        code=code("train_dazle"),
    script:
        "../workflow_scripts/train_dazle.py"


rule embed_by_dazle:
    input:
        unpack(index_of),
        regions=shards_of,
        dazle="results/{dataset}/spaces/{space}/seed{seed}/dazle.safetensors",
    output:
        semantics="results/{dataset}/spaces/{space}/seed{seed}/semantics.parquet",
    log:
        "logs/{dataset}/spaces/{space}/seed{seed}/embed_by_dazle.log",
    wildcard_constraints:
        space=spaces_of("dazle"),
    threads: threads_of
    resources:
        mem_mb=memory(6000, per_mb=0.1),
        runtime=minutes(20, per_mb=0.002),
        gpu=1,
        device=CONFIG.run.device,
    params:
        deterministic=CONFIG.run.deterministic,
        threads=threads_of,
        code=code("embed_by_dazle"),
    script:
        "../workflow_scripts/embed_by_dazle.py"
