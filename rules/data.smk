# From raw data sets to the index.
#   in:  downloads and folders named in config.yaml
#   out: results/{dataset}/{classes,images,attributes,test_labels}.parquet, and the same under {dataset}/validation


@sentence
def raw_files(wildcards):
    """Return the files that show that a data set's raw data are present."""
    dataset = dataset_settings(wildcards)
    own = {name: path for name, path in dataset.own_files().items() if is_file(path)}  # else the job says so
    if dataset.generate is not None:
        return {"raw": f"{dataset.folder}/aviary.json"} | own
    return {f"fetched_{name}": f"data/fetched/{name}.json" for name in dataset.downloads} | own


rule fetch:
    output:
        record="data/fetched/{download}.json",
    log:
        "logs/fetch/{download}.log",
    params:
        # no digest of code: what has arrived is checked by its own, and is not fetched again for an edit
        settings=sentence(lambda w: as_mapping(CONFIG.download(w.download))),
    script:
        "../workflow_scripts/fetch.py"


rule generate_aviary:
    output:
        done="data/{name}/aviary.json",
    log:
        "logs/generate_aviary/{name}.log",
    threads: 2
    params:
        settings=settings_of(lambda w: CONFIG.generated(f"data/{w.name}")),
        code=code("generate_aviary"),
    script:
        "../workflow_scripts/generate_aviary.py"


rule index_dataset:
    input:
        unpack(raw_files),
    output:
        classes="results/{dataset}/classes.parquet",
        images="results/{dataset}/images.parquet",
        attributes="results/{dataset}/attributes.parquet",
        test_labels="results/{dataset}/test_labels.parquet",
    log:
        "logs/{dataset}/index_dataset.log",
    wildcard_constraints:
        dataset=r"[A-Za-z0-9_-]+",
    threads: 2
    resources:
        mem_mb=memory(4000),
        runtime=minutes(120),
    params:
        settings=sentence(lambda w: CONFIG.dataset(w.dataset).index_part()),
        paths=places_of,
        raw=raw_data,
        digest=digest_of_features,
        code=code("index_dataset"),
    script:
        "../workflow_scripts/index_dataset.py"


rule split_validation:
    input:
        classes="results/{dataset}/classes.parquet",
        images="results/{dataset}/images.parquet",
        attributes="results/{dataset}/attributes.parquet",
    output:
        classes="results/{dataset}/validation/classes.parquet",
        images="results/{dataset}/validation/images.parquet",
        attributes="results/{dataset}/validation/attributes.parquet",
        test_labels="results/{dataset}/validation/test_labels.parquet",
    log:
        "logs/{dataset}/split_validation.log",
    wildcard_constraints:
        dataset=r"[A-Za-z0-9_-]+",
    resources:
        mem_mb=memory(2000),
        runtime=minutes(20),
    params:
        settings=sentence(lambda w: CONFIG.dataset(w.dataset).validation_part()),
        paths=places_of,
        raw=raw_data,
        lists=raw_lists,
        code=code("split_validation"),
    script:
        "../workflow_scripts/split_validation.py"
