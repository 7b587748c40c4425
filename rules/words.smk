# Word vectors of the attribute names.
#   in:  results/{dataset}/attributes.parquet, the source of vectors that config.yaml names
#   out: results/{dataset}/attribute_vectors.parquet


@sentence
def vector_sources(wildcards):
    """Return the fetched or generated files that the vectors come from."""
    own = dataset_settings(wildcards)
    given = own.attribute_vectors
    if given.source == "captions":
        return {"captions": f"{own.folder}/aviary.json"} if own.generate is not None else {}
    if given.download:
        return {"source": f"data/fetched/{given.download}.json"}
    if not given.path or Path(given.path).is_file():
        return {"source": given.path} if given.path else {}
    return {"source": f"data/gensim/{given.path}.json"} if given.source == "gensim" else {}


rule fetch_vectors:
    output:
        record="data/gensim/{model}.json",
    log:
        "logs/fetch_vectors/{model}.log",
    params:
        code=code("fetch_vectors"),
    script:
        "../workflow_scripts/fetch_vectors.py"


rule embed_attributes:
    input:
        unpack(vector_sources),
        attributes="results/{dataset}/attributes.parquet",
    output:
        vectors="results/{dataset}/attribute_vectors.parquet",
    log:
        "logs/{dataset}/embed_attributes.log",
    wildcard_constraints:
        dataset=r"[A-Za-z0-9_-]+",
    resources:
        mem_mb=memory(4000),
        runtime=minutes(30),
    params:
        settings=settings_of(lambda w: dataset_settings(w).attribute_vectors),
        folder=sentence(lambda w: dataset_settings(w).folder),
        code=code("embed_attributes"),
    script:
        "../workflow_scripts/embed_attributes.py"
