# Every run locks this folder against a second run, and records its command for `make resume`; jobs here have no rate limit.
import resume

# held as long as this process lives; jobs that run snakemake themselves (on a cluster) do not hold it
RUN_LOCK = resume.hold() if workflow.is_main_process else None


onstart:
    resume.started(workflow.workdir_init, workflow.overwrite_workdir)
    if workflow.local_exec:
        # Snakemake's limit of 100 jobs a second is for submitting them to a cluster. It makes the scheduler look at all jobs
        # again a second after each time it did so, and every finished job adds one more such chain: after some hundred of
        # them that took half a core. Each run also waited for the last of these timers at its end.
        workflow.scheduler.job_rate_limiter = None


onsuccess:
    resume.ended()


onerror:
    resume.ended()
