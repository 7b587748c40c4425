"""Rule embed_attributes: a word vector for every attribute name."""

from pathlib import Path

from scegg_core.artifacts.files import read_table
from scegg_core.data.tables import write_vectors
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.words.vectors import embed_attributes
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings = job.settings(AttributeVectorSettings)
    table = read_table(snakemake.input.attributes, "attributes")
    names, words = (tuple(table[column].to_pylist()) for column in ("name", "words"))
    captions = Path(snakemake.params.folder) / "captions.txt"
    vectors = embed_attributes(words, settings, captions, seed=0)
    shown = {"source": settings.source, "names": settings.names, "dimensions": settings.dimensions}
    write_vectors(Path(snakemake.output.vectors), names, vectors, job.provenance(shown))
