# What Snakemake remembers of a file lies beside it (records.py), so that it moves with results and is checked with them.
from snakemake import workflow as engine

import records

engine.FilePersistence = records.RecordsBesideFiles

if workflow.is_main_process:
    records.date_back("results")
