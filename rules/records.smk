# What Snakemake remembers of a file lies beside it (records.py), so that it moves with results and is checked with them.
from snakemake import report as engine_report
from snakemake import workflow as engine

import records

engine.FilePersistence = records.RecordsBesideFiles
records.let_content_decide(engine.DAG)
records.refuse_stale_reports(engine_report)
