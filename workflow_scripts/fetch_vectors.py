"""Rule fetch_vectors: bring word vectors of gensim-data, and record which file they are."""

from scegg_core.artifacts.files import file_digest, write_json
from scegg_core.fetch.vectors import fetch_gensim
from scegg_core.workflow.job import run_job

with run_job(snakemake):
    file = fetch_gensim(snakemake.wildcards.model)
    write_json(snakemake.output.record, {"file": file.name, "sha256": file_digest(file)})
