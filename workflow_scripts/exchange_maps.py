"""Rule exchange_maps: region maps, labels, splits and vectors in one HDF5 file, as DAZLE has it."""

from pathlib import Path

from scegg_core.data.tables import read_index, read_vectors
from scegg_core.regions.store import RegionStore
from scegg_core.using.feature_map import write_feature_map
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    index, store = read_index(job.index_files()), RegionStore(snakemake.input.regions)
    vectors = read_vectors(Path(snakemake.input.vectors)).vectors
    maps, record = Path(snakemake.output.maps), Path(snakemake.output.record)
    write_feature_map(maps, record, store, index, vectors, job.provenance())
