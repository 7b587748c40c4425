# The generator (Eqs. 9-15, 18) and synthetic features of the unseen classes.
#   in:  the features of the variant's space, their scaler, SCEN's classifier; with selection: validation the epochs there
#   out: results/{dataset}/variants/{variant}/seed{seed}/{eggn.safetensors,curve.parquet,synthetic_unseen.parquet}
#        …/snapshots: the generator at some epochs, where epochs are compared; elsewhere an empty folder


rule train_eggn:
    input:
        unpack(space_inputs),
        unpack(selection_of),
    output:
        eggn="results/{dataset}/variants/{variant}/seed{seed}/eggn.safetensors",
        curve="results/{dataset}/variants/{variant}/seed{seed}/curve.parquet",
        snapshots=directory("results/{dataset}/variants/{variant}/seed{seed}/snapshots"),
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/train_eggn.log",
    wildcard_constraints:
        variant=variants_by("generation"),
    priority: 1  # before what is short, so that no long job is left over at the end
    threads: threads_of
    resources:
        mem_mb=memory(6000, per_mb=4),
        runtime=minutes(60, per_mb=3),
        gpu=1,
        device=CONFIG.run.device,
        checkpoint_seconds=CHECKPOINT_SECONDS,
    params:
        settings=settings_of(lambda w: CONFIG.eggn_of(w.dataset, w.variant)),
        deterministic=CONFIG.run.deterministic,
        threads=threads_of,
        code=code("train_eggn"),
    script:
        "../workflow_scripts/train_eggn.py"


rule synthesize:
    input:
        unpack(index_of),
        eggn=generator("eggn.safetensors"),
    output:
        synthetic="results/{dataset}/variants/{variant}/seed{seed}/synthetic_unseen.parquet",
    log:
        "logs/{dataset}/variants/{variant}/seed{seed}/synthesize.log",
    priority: 1  # the t-SNE pictures wait for it
    threads: threads_of
    resources:
        mem_mb=memory(6000),
        runtime=minutes(10),
        gpu=1,
        device=CONFIG.run.device,
    params:
        settings=settings_of(lambda w: CONFIG.synthesis_of(w.dataset, w.variant)),
        deterministic=CONFIG.run.deterministic,
        threads=threads_of,
        code=code("synthesize"),
    script:
        "../workflow_scripts/synthesize.py"
