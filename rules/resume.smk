# Every run locks this folder against a second run, and records its command for `make resume`.
import resume

# held as long as this process lives; jobs that run snakemake themselves (on a cluster) do not hold it
RUN_LOCK = resume.hold() if workflow.is_main_process else None


onstart:
    resume.started(workflow.workdir_init, workflow.overwrite_workdir)


onsuccess:
    resume.ended()


onerror:
    resume.ended()
