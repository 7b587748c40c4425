# Word vectors of the attribute names.
#   in:  results/{dataset}/attributes.parquet, the source of vectors that config.yaml names
#   out: results/{dataset}/attribute_vectors.parquet


@sentence
def vector_sources(wildcards):
    """Return the fetched or generated files that the vectors come from."""
    dataset, vectors = dataset_settings(wildcards), CONFIG.attribute_vectors_of(wildcards.dataset)
    if vectors.source == "dazle" and vectors.path == getattr(dataset.features, "path", None):
        return {}  # part of the data set's own files, of which `raw_data` knows the digest
    if vectors.source == "captions":
        return {"captions": f"{dataset.folder}/aviary.json"} if dataset.generate is not None else {}
    if vectors.download:
        return {"source": f"data/fetched/{vectors.download}.json"}
    if not vectors.path or is_file(vectors.path):
        return {"source": vectors.path} if vectors.path else {}
    return {"source": f"data/gensim/{vectors.path}.json"} if vectors.source == "gensim" else {}


@sentence
def files_of_vectors(wildcards):
    """Return a digest of what no input tells the content of: of the data set's files where vectors are trained on its
    captions or lie in its features, and of a fetched file of vectors."""
    vectors = dataset_settings(wildcards).vectors
    if vectors.source in ("captions", "dazle"):
        return raw_data(wildcards)
    fetched = vectors.path if vectors.download else None
    return digest_of_raw((fetched,), is_file(fetched)) if fetched else ""


rule fetch_vectors:
    output:
        record="data/gensim/{model}.json",
    log:
        "logs/fetch_vectors/{model}.log",
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
        settings=settings_of(lambda w: dataset_settings(w).vectors),
        folder=folder_of,
        raw=files_of_vectors,
        code=code("embed_attributes"),
    script:
        "../workflow_scripts/embed_attributes.py"
