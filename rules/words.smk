# Word vectors of the attribute names.
#   in:  results/{dataset}/attributes.parquet, the source of vectors that config.yaml names
#   out: results/{dataset}/attribute_vectors.parquet


@sentence
def vector_sources(wildcards):
    """Return the fetched or generated files that the vectors come from."""
    own = dataset_settings(wildcards)
    if own.attribute_vectors.source == "captions":
        return {"captions": f"{own.folder}/aviary.json"} if own.generate is not None else {}
    return {"source": f"data/fetched/{own.attribute_vectors.download}.json"} if own.attribute_vectors.download else {}


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
