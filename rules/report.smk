# Tables and pictures, each marked for `snakemake --report` with a caption of report/.
#   in:  metrics, outcomes, predictions, curves and synthetic features of all runs; regions and SCEN for attention
#   out: results/{dataset}/{table,ablation,seeds,paired,spaces,per_class,tsne}.csv, *.md, *.tex, *.html, *.png
#        results/{dataset}/page.html: all of it, to look at
#        results/{dataset}/variants/{variant}/{curves.parquet,curves.png,confusion.png}, results/summary.*

from hashlib import sha256

from scegg_core.settings.changed import changed_settings
from scegg_core.settings.methods import methods_of, said_of_budget

PUBLISHED = [str(ROOT / f"resources/published_{name}.csv") for name in ("table1", "finetuned", "ablation")]


def published(wildcards, input):
    """Return the files of published figures. Snakemake does not record params of functions that ask for `input`: dates
    and paths of these files differ between checkouts, so `digest_of_published` shows when they change."""
    return PUBLISHED


def digest_of(paths):
    """Return a digest of the contents of files that are no inputs, for params."""
    return sha256(b"".join(Path(path).read_bytes() for path in paths)).hexdigest()


digest_of_published = digest_of(PUBLISHED)


def files_of_runs(dataset, name, variants=None, rows=None):
    """Return ((variant, seed), file) of the runs in a data set's table, or of the variants `rows`; `name` is the file's in
    a run's folder."""
    folder = f"results/{dataset}/variants"
    runs = [run for run in CONFIG.runs(dataset, rows) if variants is None or run[0] in variants]
    return present(
        ((variant, seed), f"{folder}/{chosen(dataset, variant)}/seed{seed}/{name}") for variant, seed in runs
    )


def paths_of(name):
    """Return an input function: this file of all runs in the data set's table, or of the variant in the wildcards."""
    return sentence(lambda w: [path for _, path in files_of_runs(w.dataset, name, variants_in(w))])


def names_of(name):
    """Return a params function: the runs that `paths_of(name)` brings, and the variants' titles."""

    def names(wildcards):
        runs = [run for run, _ in files_of_runs(wildcards.dataset, name, variants_in(wildcards))]
        return {"runs": runs, "titles": {variant: CONFIG.variant(variant).title or variant for variant, _ in runs}}

    return sentence(names)


def oracle_files(dataset):
    """Return ((variant, seed), file) of the runs' scores by epoch on test images, where the oracle columns are wanted."""
    generating = {name for name in CONFIG.dataset(dataset).variants if CONFIG.variant(name).predict_by == "generation"}
    return files_of_runs(dataset, "epochs.parquet", generating) if CONFIG.tables.oracle else []


def table_part(dataset, rows=None):
    """Return what a data set's table says beside the metrics, or a table of the variants `rows`."""
    standing = {name: chosen(dataset, name) for name in rows or CONFIG.dataset(dataset).variants if CONFIG.tuned(name)}
    part = CONFIG.table_part(dataset, {name: point for name, point in standing.items() if point != name}, rows)
    if part["image_size"] is None and CONFIG.dataset(dataset).features is None:
        # what makes tables does not know networks, and only a network of timm itself knows its own size
        from scegg_core.regions.timm_networks import own_values  # takes seconds

        part["image_size"] = own_values(part["backbone"]).image_size
    return part


def variants_in(wildcards):
    """Return the variant in the wildcards, or None for all of a table."""
    if "variant" not in wildcards.keys():
        return None
    if wildcards.variant not in CONFIG.dataset(wildcards.dataset).variants:
        raise InputError(f"config: datasets.{base(wildcards.dataset)}.variants has no {wildcards.variant!r}; add it.")
    return {wildcards.variant}


def curve_files(dataset, variant):
    """Return (seed, file) of a variant's training curves: its space's network, then its generator."""
    standing = chosen(dataset, variant)
    settings = CONFIG.variant(standing)
    seeds = CONFIG.seeds_of(dataset, variant)
    folders = [space_folder(dataset, settings.space, "{seed}")] if CONFIG.space(settings.space).on_maps else []
    if settings.predict_by == "generation":
        folders.append(f"results/{dataset}/variants/{standing}/seed{{seed}}")
    return present((seed, f"{folder}/curve.parquet".format(seed=seed)) for folder in folders for seed in seeds)


def curves_of_runs(dataset):
    """Return ((variant, seed), file) of the training curves of all runs in a data set's table."""
    variants = CONFIG.dataset(dataset).variants
    return [((variant, seed), file) for variant in variants for seed, file in curve_files(dataset, variant)]


rule tabulate:
    input:
        metrics=paths_of("metrics.json"),
        outcomes=paths_of("outcomes.parquet"),
        oracle=sentence(lambda w: [path for _, path in oracle_files(w.dataset)]),
        curves=sentence(lambda w: [path for _, path in curves_of_runs(w.dataset)]),
    output:
        **shown_table("results/{dataset}/table", "table", "1 results"),
        **shown_table("results/{dataset}/ablation", "ablation", "2 ablation"),
        **shown_table("results/{dataset}/paired", "paired", "3 paired differences"),
        **shown_table("results/{dataset}/seeds", "seeds", "4 single runs"),
        markdown="results/{dataset}/table.md",
        latex="results/{dataset}/table.tex",
        ablation_markdown="results/{dataset}/ablation.md",
        ablation_latex="results/{dataset}/ablation.tex",
    log:
        "logs/{dataset}/tabulate.log",
    params:
        settings=sentence(lambda w: table_part(w.dataset)),
        runs=sentence(lambda w: [run for run, _ in files_of_runs(w.dataset, "metrics.json")]),
        resampled=sentence(lambda w: [run for run, _ in files_of_runs(w.dataset, "outcomes.parquet")]),
        oracle=sentence(lambda w: [run for run, _ in oracle_files(w.dataset)]),
        trained=sentence(lambda w: [run for run, _ in curves_of_runs(w.dataset)]),
        published=published,
        digest_of_published=digest_of_published,
        code=code("tabulate"),
    script:
        "../workflow_scripts/tabulate.py"


def rows_on_spaces(dataset):
    """Return the variants that are the compared methods on the compared spaces."""
    return [name for method in methods_of(CONFIG, dataset) for name in method["variants"].values()]


def runs_on_spaces(name):
    """Return a function of the wildcards: ((variant, seed), file) of these variants' runs."""
    return lambda w: files_of_runs(w.dataset, name, rows=rows_on_spaces(w.dataset))


rule compare_spaces:
    input:
        metrics=sentence(lambda w: [path for _, path in runs_on_spaces("metrics.json")(w)]),
        outcomes=sentence(lambda w: [path for _, path in runs_on_spaces("outcomes.parquet")(w)]),
    output:
        **shown_table("results/{dataset}/spaces", "spaces", "7 methods on both spaces"),
        markdown="results/{dataset}/spaces.md",
    log:
        "logs/{dataset}/compare_spaces.log",
    params:
        settings=sentence(
            lambda w: {
                "table": table_part(w.dataset, rows_on_spaces(w.dataset)),
                "methods": methods_of(CONFIG, w.dataset),
                "budget": said_of_budget(CONFIG, w.dataset),
            }
        ),
        runs=sentence(lambda w: [run for run, _ in runs_on_spaces("metrics.json")(w)]),
        resampled=sentence(lambda w: [run for run, _ in runs_on_spaces("outcomes.parquet")(w)]),
        code=code("compare_spaces"),
    script:
        "../workflow_scripts/compare_spaces.py"


rule summarize:
    input:
        metrics=sentence(
            lambda w: [path for name in CONFIG.tables.summary for _, path in files_of_runs(name, "metrics.json")]
        ),
    output:
        **shown_table("results/summary", "summary", "0 summary", of="all"),
        markdown="results/summary.md",
        latex="results/summary.tex",
    log:
        "logs/summarize.log",
    params:
        settings=sentence(
            lambda w: {
                "tables": [table_part(name) for name in CONFIG.tables.summary],
                "runs": [[run for run, _ in files_of_runs(name, "metrics.json")] for name in CONFIG.tables.summary],
            }
        ),
        published=published,
        digest_of_published=digest_of_published,
        code=code("summarize"),
    script:
        "../workflow_scripts/summarize.py"


rule count_classes:
    input:
        unpack(index_of),
        czsl=paths_of("predictions_czsl.parquet"),
        gzsl=paths_of("predictions_gzsl.parquet"),
    output:
        **shown_table("results/{dataset}/per_class", "per_class", "5 classes"),
    log:
        "logs/{dataset}/count_classes.log",
    params:
        settings=names_of("predictions_gzsl.parquet"),
        code=code("count_classes"),
    script:
        "../workflow_scripts/count_classes.py"


def tsne_variants(dataset):
    """Return (variant, seed) of the variants drawn: those in the data set's table, or all if none is, at the first seed."""
    settings = CONFIG.dataset(dataset)
    drawn = [name for name in CONFIG.tsne.variants if name in settings.variants] or CONFIG.tsne.variants
    return [(name, CONFIG.seeds_of(dataset, name)[0]) for name in drawn]


def tsne_files(dataset):
    """Return ((variant, seed), synthetic features) of the variants drawn."""
    folder = f"results/{dataset}/variants"
    return present(
        ((name, seed), f"{folder}/{chosen(dataset, name)}/seed{seed}/synthetic_unseen.parquet")
        for name, seed in tsne_variants(dataset)
    )


@sentence
def tsne_inputs(wildcards):
    """Return real and synthetic features of the variants drawn."""
    files = {}
    for (name, seed), synthetic in needed(tsne_files(wildcards.dataset), f"t-SNE of {wildcards.dataset}"):
        space = CONFIG.variant(chosen(wildcards.dataset, name)).space
        folder = space_folder(wildcards.dataset, space, seed)
        files |= {f"features_{name}": f"{folder}/features.parquet", f"synthetic_{name}": synthetic}
    return index_of(wildcards) | test_labels_of(wildcards) | files


def tsne_missing(wildcards):
    """Return the variants that would be drawn if they had features."""
    drawn = [run for run, _ in tsne_files(wildcards.dataset)]
    return [run[0] for run in tsne_variants(wildcards.dataset) if run not in drawn]


rule plot_tsne:
    input:
        unpack(tsne_inputs),
    output:
        **shown_table("results/{dataset}/tsne", "tsne", "separation", "Feature spaces"),
        png=shown("results/{dataset}/tsne.png", "tsne", "Feature spaces", "t-SNE"),
        pdf="results/{dataset}/tsne.pdf",
        points="results/{dataset}/tsne_points.csv",
    log:
        "logs/{dataset}/plot_tsne.log",
    priority: 1  # the longest picture
    threads: 2
    resources:
        mem_mb=memory(4000, per_mb=4),
        runtime=minutes(30),
    params:
        settings=as_mapping(CONFIG.tsne),
        threads=2,
        titles=sentence(lambda w: {name: CONFIG.variant(name).title or name for (name, _), _ in tsne_files(w.dataset)}),
        missing=sentence(tsne_missing),
        code=code("plot_tsne"),
    script:
        "../workflow_scripts/plot_tsne.py"


rule plot_attention:
    input:
        unpack(attention_inputs),
    output:
        sheets=[
            shown(f"results/{{dataset}}/attention/{number:02d}.png", "attention", "Attention", f"image {number:02d}")
            for number in range(1, CONFIG.attention.count + 1)
        ],
        overview=shown("results/{dataset}/attention/overview.png", "attention", "Attention", "all images"),
    log:
        "logs/{dataset}/plot_attention.log",
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        settings=sentence(lambda w: CONFIG.sheets_of(w.dataset)),
        folder=pictures_of,
        raw=raw_data,
        code=code("plot_attention"),
    script:
        "../workflow_scripts/plot_attention.py"


@sentence
def curves_of(wildcards):
    """Return the files of a variant's training curves."""
    found = curve_files(wildcards.dataset, wildcards.variant)
    if not found:
        raise InputError(f"variant {wildcards.variant!r} of {wildcards.dataset} has no training curves.")
    return [path for _, path in found]


def epoch_files(dataset, variant):
    """Return (seed, file) of a variant's scores by epoch on the validation split, where an epoch is selected there."""
    standing, seeds = chosen(dataset, variant), CONFIG.seeds_of(dataset, variant)
    folder = f"results/{base(dataset)}/validation/variants/{standing}"
    wanted = CONFIG.variant(standing).selection == "validation"
    return present((seed, f"{folder}/seed{seed}/epochs.parquet") for seed in seeds if wanted)


rule plot_curves:
    input:
        curves=curves_of,
        epochs=sentence(lambda w: [path for _, path in epoch_files(w.dataset, w.variant)]),
    output:
        curves="results/{dataset}/variants/{variant}/curves.parquet",
        png=shown("results/{dataset}/variants/{variant}/curves.png", "curves", "Training", "{variant}"),
    log:
        "logs/{dataset}/variants/{variant}/plot_curves.log",
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        seeds=sentence(lambda w: [seed for seed, _ in curve_files(w.dataset, w.variant)]),
        scored=sentence(lambda w: [seed for seed, _ in epoch_files(w.dataset, w.variant)]),
        title=sentence(lambda w: CONFIG.variant(w.variant).title or w.variant),
        code=code("plot_curves"),
    script:
        "../workflow_scripts/plot_curves.py"


rule plot_tradeoff:
    input:
        unpack(index_of),
        gzsl=paths_of("predictions_gzsl.parquet"),
    output:
        png=shown("results/{dataset}/tradeoff.png", "tradeoff", "Predictions", "trade-off"),
    log:
        "logs/{dataset}/plot_tradeoff.log",
    resources:
        mem_mb=memory(4000, per_mb=4),
        runtime=minutes(30),
    params:
        settings=names_of("predictions_gzsl.parquet"),
        title=sentence(lambda w: CONFIG.shown_name(w.dataset)),
        code=code("plot_tradeoff"),
    script:
        "../workflow_scripts/plot_tradeoff.py"


CONFUSED = f"predictions_{CONFIG.confusion.task}.parquet"


@sentence
def confused(wildcards):
    """Return the predictions of a variant's runs."""
    runs = files_of_runs(wildcards.dataset, CONFUSED, variants_in(wildcards))
    return [path for _, path in needed(runs, f"confusion of {wildcards.variant} on {wildcards.dataset}")]


rule plot_confusion:
    input:
        unpack(index_of),
        predictions=confused,
    output:
        png=shown(
            "results/{dataset}/variants/{variant}/confusion.png", "confusion", "Predictions", "confusion, {variant}"
        ),
    log:
        "logs/{dataset}/variants/{variant}/plot_confusion.log",
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        settings=names_of(CONFUSED),
        task=CONFIG.confusion.task,
        code=code("plot_confusion"),
    script:
        "../workflow_scripts/plot_confusion.py"


def page_runs(dataset):
    """Return the (run, file) pairs that a data set's page is made from, by their names among its inputs."""
    variants = CONFIG.dataset(dataset).variants
    return {
        "metrics": files_of_runs(dataset, "metrics.json"),
        "gzsl": files_of_runs(dataset, "predictions_gzsl.parquet"),
        "confused": files_of_runs(dataset, CONFUSED, {*CONFIG.confusion.variants} & {*variants}),
        "curves": curves_of_runs(dataset),
        "epochs": [((name, seed), file) for name in variants for seed, file in epoch_files(dataset, name)],
    }


@sentence
def page_inputs(wildcards):
    """Return what a data set's page is made from; t-SNE, attention and LEN's embedding where its report has them."""
    folder, wanted = f"results/{wildcards.dataset}", report_files(wildcards.dataset)
    files = {name: [file for _, file in pairs] for name, pairs in page_runs(wildcards.dataset).items()}
    files |= {"table": f"{folder}/table.csv", "per_class": f"{folder}/per_class.csv"}
    if f"{folder}/tsne.png" in wanted:
        files["points"] = f"{folder}/tsne_points.csv"
    if f"{folder}/attention/overview.png" in wanted:
        shown = attention_inputs(wildcards)  # of one seed: called `scen`, every run's would have to be made from it
        files |= {"regions": shown["regions"], "shown_scen": shown["scen"]}
        files["semantics"] = shown["scen"].replace("scen.safetensors", "semantics.parquet")
    return index_of(wildcards) | test_labels_of(wildcards) | files


def page_settings(dataset):
    """Return the settings of a data set's page."""
    runs = {name: [run for run, _ in pairs] for name, pairs in page_runs(dataset).items()}
    return {
        "table": table_part(dataset),
        "changed": changed_settings(CONFIG, dataset),
        "metrics": runs["metrics"],
        "gzsl": runs["gzsl"],
        "confused": runs["confused"],
        "task": CONFIG.confusion.task,
        "trained": runs["curves"],
        "scored": runs["epochs"],
        "sheets": CONFIG.sheets_of(dataset),
    }


# Template, style and scripts: no code that `code` sees.
PAGE_PARTS = sorted(
    path for path in (ROOT / "scegg_core/report/page").rglob("*") if path.suffix in (".html", ".css", ".js")
)


rule build_page:
    input:
        unpack(page_inputs),
    output:
        page="results/{dataset}/page.html",
    log:
        "logs/{dataset}/build_page.log",
    resources:
        mem_mb=memory(6000),
        runtime=minutes(30),
    params:
        settings=sentence(lambda w: page_settings(w.dataset)),
        folder=pictures_of,
        raw=raw_data,
        published=published,
        digest_of_published=digest_of_published,
        digest_of_parts=digest_of(PAGE_PARTS),
        code=code("build_page"),
    script:
        "../workflow_scripts/build_page.py"


def report_of(*datasets):
    """Return an input function: every table and picture of these data sets."""
    return sentence(lambda w: [path for name in datasets for path in report_files(name)])


def report_files(dataset):
    """Return every table and picture of a data set; what would need runs outside its table is left out, and a picture
    of runs that are not there if the settings say so."""
    variants = CONFIG.dataset(dataset).variants
    names = ["table.csv", "per_class.csv", "tradeoff.png"]
    compared = [name for name in CONFIG.confusion.variants if name in variants]
    names += [f"variants/{name}/confusion.png" for name in compared if files_of_runs(dataset, CONFUSED, {name})]
    names += [f"variants/{name}/curves.png" for name in variants if curve_files(dataset, name)]
    if set(CONFIG.tsne.variants) & set(variants) and tsne_files(dataset):
        names.append("tsne.png")
    spaces = {CONFIG.variant(chosen(dataset, name)).space for name in variants}
    if CONFIG.attention.space in spaces and attention_files(dataset):
        names += ["attention/overview.png", "attention.csv"]
    names.append("page.html")
    return [f"results/{dataset}/{name}" for name in names]


# report_cub, report_aviary, …: all tables and pictures of one data set
for name in CONFIG.datasets:

    rule:
        name:
            f"report_{name}"
        input:
            report_of(name),
        localrule: True
