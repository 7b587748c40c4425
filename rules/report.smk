# Tables and pictures.
#   in:  metrics of all runs, features and synthetic features
#   out: results/{dataset}/{table.csv,table.md,tsne.png,tsne.pdf,tsne.csv}


rule tabulate:
    input:
        metrics=metrics_of,
        published=[str(ROOT / "resources" / name) for name in ("published_table1.csv", "published_ablation.csv")],
    output:
        table="results/{dataset}/table.csv",
        markdown="results/{dataset}/table.md",
        seeds="results/{dataset}/seeds.csv",
    log:
        "logs/{dataset}/tabulate.log",
    params:
        settings=sentence(lambda w: CONFIG.table_part(w.dataset)),
        code=code("tabulate"),
    script:
        "../workflow_scripts/tabulate.py"


@sentence
def tsne_inputs(wildcards):
    """Return real and synthetic features of the variants drawn, at the first seed."""
    files = {}
    for name in CONFIG.tsne.variants:
        variant = CONFIG.variant(name)
        seed = (variant.seeds or CONFIG.dataset(wildcards.dataset).seeds)[0]
        folder = space_folder(wildcards.dataset, variant.space, seed)
        files[f"features_{name}"] = f"{folder}/features.parquet"
        files[f"synthetic_{name}"] = f"results/{wildcards.dataset}/variants/{name}/seed{seed}/synthetic_unseen.parquet"
    return index_of(wildcards) | files


rule plot_tsne:
    input:
        unpack(tsne_inputs),
    output:
        png="results/{dataset}/tsne.png",
        pdf="results/{dataset}/tsne.pdf",
        table="results/{dataset}/tsne.csv",
    log:
        "logs/{dataset}/plot_tsne.log",
    threads: 2
    params:
        settings=as_mapping(CONFIG.tsne),
        titles={name: CONFIG.variant(name).title or name for name in CONFIG.tsne.variants},
        code=code("plot_tsne"),
    script:
        "../workflow_scripts/plot_tsne.py"
